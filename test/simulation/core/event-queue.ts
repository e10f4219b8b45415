/** The virtual clock: a binary heap of actions ordered by (time, order of scheduling). */
interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

const before = (a: Entry, b: Entry): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

export class EventQueue {
  readonly #heap: Entry[] = [];
  #order = 0;
  #nowMs = 0;
  #handled = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Actions run so far. */
  get handled(): number {
    return this.#handled;
  }

  /** Runs `action` at `atMs`; when that has passed, right after the actions that are already due. */
  at(atMs: number, action: () => void): void {
    const heap = this.#heap;
    const entry: Entry = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, action };
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  after(delayMs: number, action: () => void): void {
    this.at(this.#nowMs + delayMs, action);
  }

  /** Runs everything due up to and including `untilMs`, and leaves the clock there. */
  runUntil(untilMs: number): void {
    const heap = this.#heap;
    while (heap.length > 0 && heap[0]!.atMs <= untilMs) {
      const entry = this.#take();
      this.#nowMs = entry.atMs;
      this.#handled++;
      entry.action();
    }
    if (untilMs > this.#nowMs) this.#nowMs = untilMs;
  }

  #take(): Entry {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    const length = heap.length;
    if (length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}
