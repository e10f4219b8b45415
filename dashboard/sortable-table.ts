/** A table that is sorted by any of its columns, with the mouse or the keyboard, and can be searched. */
import { element } from './dom.ts';
import { count } from './format.ts';

export interface Column<T> {
  readonly title: string;
  readonly kind: 'text' | 'number';
  /** What it is sorted by. */
  readonly sort: (row: T) => string | number;
  readonly text: (row: T) => string;
  /** Further classes of its cells; `later` hides them on a phone. */
  readonly className?: string;
  /** Put behind the text. */
  readonly extra?: (row: T) => Node | null;
}

export interface TableSpec<T> {
  readonly columns: readonly Column<T>[];
  /** Index of the column that it is sorted by at first, highest or last first. */
  readonly sortedBy: number;
  readonly key: (row: T) => string;
  readonly rowClass?: (row: T) => string;
  readonly nothing: string;
  /** Label of the search. */
  readonly search: string;
}

/** Rows in the page; the others are found by searching or sorting. */
const MAX_ROWS = 200;

export class SortableTable<T> {
  readonly #spec: TableSpec<T>;
  readonly #body = element('tbody', '');
  readonly #headings: readonly HTMLElement[];
  readonly #note = element('span', 'quiet');
  readonly #scroll: HTMLElement;
  readonly #empty: HTMLElement;
  readonly #tools: HTMLElement;
  #rows: readonly T[] = [];
  #total = 0;
  #column: number;
  #isDescending = true;
  #sought = '';

  constructor(place: HTMLElement, spec: TableSpec<T>) {
    this.#spec = spec;
    this.#column = spec.sortedBy;
    const search = element('input', '');
    search.type = 'search';
    search.placeholder = spec.search;
    search.setAttribute('aria-label', spec.search);
    search.addEventListener('input', () => {
      this.#sought = search.value.toLowerCase();
      this.#draw();
    });
    this.#headings = spec.columns.map(({ title, kind, className = '' }, i) => {
      const button = element('button', '', title);
      button.type = 'button';
      button.addEventListener('click', () => this.#sortBy(i));
      return element('th', `${kind} ${className}`, button);
    });
    const table = element('table', '', element('thead', '', element('tr', '', ...this.#headings)), this.#body);
    this.#tools = element('div', 'table-tools', search, this.#note);
    this.#scroll = element('div', 'table-scroll', table);
    this.#empty = element('p', 'nothing', spec.nothing);
    place.append(this.#tools, this.#scroll, this.#empty);
    this.#draw();
  }

  /** @param total how many there are, with those that are not told */
  show(rows: readonly T[], total: number): void {
    this.#rows = rows;
    this.#total = total;
    this.#draw();
  }

  #sortBy(column: number): void {
    const isText = this.#spec.columns[column]?.kind === 'text';
    this.#isDescending = column === this.#column ? !this.#isDescending : !isText;
    this.#column = column;
    this.#draw();
  }

  #draw(): void {
    const { columns, rowClass, key } = this.#spec;
    for (const [i, heading] of this.#headings.entries()) {
      if (i === this.#column) heading.setAttribute('aria-sort', this.#isDescending ? 'descending' : 'ascending');
      else heading.removeAttribute('aria-sort');
    }
    const isFound = (row: T): boolean =>
      this.#sought === '' || columns.some(({ text }) => text(row).toLowerCase().includes(this.#sought));
    const found = this.#sorted(this.#rows.filter(isFound));
    const shown = found.slice(0, MAX_ROWS);
    this.#body.replaceChildren(
      ...shown.map((row) => {
        const cells = columns.map(({ kind, text, className = '', extra }) => {
          const more = extra?.(row);
          const cell = element('td', `${kind} ${className}`, text(row), ...(more == null ? [] : [more]));
          if (className.includes('name')) cell.title = text(row);
          return cell;
        });
        const made = element('tr', rowClass?.(row) ?? '', ...cells);
        made.dataset['key'] = key(row);
        return made;
      }),
    );
    const hasRows = this.#rows.length > 0;
    this.#empty.hidden = hasRows;
    this.#scroll.hidden = !hasRows;
    this.#tools.hidden = !hasRows;
    this.#note.textContent =
      shown.length === this.#total ? count(this.#total) : `${shown.length} of ${count(this.#total)}`;
  }

  #sorted(rows: T[]): T[] {
    const by = this.#spec.columns[this.#column]?.sort ?? (() => 0);
    const sign = this.#isDescending ? -1 : 1;
    return rows.sort((a, b) => {
      const [left, right] = [by(a), by(b)];
      return left < right ? -sign : left > right ? sign : 0;
    });
  }
}
