/** Problems of a configuration, wherever they come from: a file, or the options of the embedding API. */
import { plural } from '../plural.ts';
import type { Position } from './syntax-tree.ts';

/** A configuration text and what to call it in messages (usually its path). */
export interface ConfigSource {
  /** Usually the path of the file. */
  readonly name: string;
  /** The whole text. Empty: it is secret, and no excerpt is shown. */
  readonly text: string;
}

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** 1-based; absent for values that did not come from a file. */
  readonly line?: number;
  /** 1-based, in characters; absent without `line`. */
  readonly column?: number;
  /** Length of the offending text, for the underline. */
  readonly lengthChars?: number;
  /** A whole sentence without position; names field, value and limit where there are such. */
  readonly message: string;
  /** Option as the user wrote it: `Window` in a file, `window` in the API. */
  readonly field?: string;
  /** The value that is wrong. */
  readonly value?: unknown;
  /** What would have been right, such as `an integer from 1 to 32767`. */
  readonly limit?: string;
}

/** The only error that reading a configuration throws. Holds every problem found, never none. */
export class ConfigError extends Error {
  /** `ConfigError`. */
  override readonly name = 'ConfigError';
  /** At least one. */
  readonly problems: readonly ConfigProblem[];
  /** The text that they are in; null for options of the API alone. */
  readonly source: ConfigSource | null;

  /** @param options `cause`: the error of the system, where there is one */
  constructor(problems: readonly ConfigProblem[], source: ConfigSource | null, options?: ErrorOptions) {
    super(
      joined(problems, (problem) => problemLine(problem, source)),
      options,
    );
    this.problems = problems;
    this.source = source;
  }
}

type Details = Pick<ConfigProblem, 'field' | 'value' | 'limit'>;

/** Collects problems (they refuse the configuration) and warnings (they do not). */
export class Findings {
  readonly problems: ConfigProblem[] = [];
  readonly warnings: ConfigProblem[] = [];

  problem(at: Position | null, message: string, details: Details = {}): void {
    this.problems.push({ ...positionOf(at), message, ...details });
  }

  warn(at: Position | null, message: string, details: Details = {}): void {
    this.warnings.push({ ...positionOf(at), message, ...details });
  }

  /** `field is value; it must be limit`. */
  wrongValue(at: Position | null, field: string, value: unknown, limit: string): void {
    this.problem(at, `${field} is ${showValue(value)}; it must be ${limit}`, { field, value, limit });
  }

  /** @throws ConfigError when there are problems */
  throwIfAny(source: ConfigSource | null): void {
    if (this.problems.length > 0) throw new ConfigError(this.problems, source);
  }
}

function positionOf(at: (Position & { readonly lengthChars?: number }) | null): Partial<ConfigProblem> {
  if (at === null) return {};
  const { line, column, lengthChars } = at;
  return lengthChars === undefined ? { line, column } : { line, column, lengthChars };
}

const LONGEST_SHOWN_CHARS = 60;

/** A value on one line: strings quoted, control characters escaped, cut when long. */
export function showValue(value: unknown): string {
  // Its text would be its source, and a Proxy of one may throw when asked.
  if (typeof value === 'function') return '(a function)';
  const text =
    typeof value === 'string' || (typeof value === 'object' && value !== null) ? quote(value) : String(value);
  return text.length > LONGEST_SHOWN_CHARS ? `${text.slice(0, LONGEST_SHOWN_CHARS)}…` : text;
}

/** JSON escapes only some control characters; a terminal obeys more of them. */
function quote(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch {
    json = undefined; // a cycle or a bigint inside
  }
  return (json ?? '(a value that cannot be shown)').replace(
    /[\u007f-\u009f]/g,
    (char) => `\\u00${char.charCodeAt(0).toString(16)}`,
  );
}

function problemLine(problem: ConfigProblem, source: ConfigSource | null): string {
  if (problem.line === undefined) return problem.message;
  const place = `${problem.line}:${problem.column ?? 1}`;
  return `${source === null ? 'line ' : `${source.name}:`}${place}: ${problem.message}`;
}

const WIDEST_EXCERPT_CHARS = 100;

/**
 * A problem for people: the message and, when it has a position in `source`, the line with a caret under the place.
 *
 *     spread.conf:3:10: Window is 0; it must be an integer from 1 to 32767
 *       3 | Window = 0
 *         |          ^
 */
export function formatProblem(problem: ConfigProblem, source: ConfigSource | null): string {
  const headline = problemLine(problem, source);
  if (problem.line === undefined || source === null || source.text === '') return headline;
  const text = source.text.split('\n')[problem.line - 1];
  if (text === undefined) return headline;

  const at = (problem.column ?? 1) - 1;
  const start = Math.max(0, at - WIDEST_EXCERPT_CHARS / 2);
  const excerpt = text.slice(start, start + WIDEST_EXCERPT_CHARS).replace(CONTROL_BUT_TAB, ' ');
  // Tabs stay tabs so that the caret lines up whatever their width.
  const indent = excerpt.slice(0, at - start).replace(/[^\t]/g, ' ');
  const carets = '^'.repeat(Math.max(1, Math.min(problem.lengthChars ?? 1, excerpt.length - (at - start))));
  const gutter = ` ${String(problem.line).padStart(3)} |`;
  return [headline, `${gutter} ${excerpt.trimEnd()}`, `${' '.repeat(gutter.length - 1)}| ${indent}${carets}`].join(
    '\n',
  );
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a configuration must not steer the terminal it is shown on.
const CONTROL_BUT_TAB = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** A Proxy may throw when it is asked what it is. */
function isConfigError(error: unknown): error is ConfigError {
  try {
    return error instanceof ConfigError;
  } catch {
    return false;
  }
}

/** The problems of an error, each with its excerpt. */
export function formatConfigError(error: ConfigError): string {
  if (!isConfigError(error)) throw new ConfigError([{ message: 'error: must be a ConfigError', field: 'error' }], null);
  return joined(error.problems, (problem) => formatProblem(problem, error.source));
}

const andMore = (count: number): string => `and ${count} more ${plural(count, 'problem')}`;

/** A file that is no configuration at all has thousands of problems; the first ones suffice. */
const MOST_SHOWN_PROBLEMS = 20;

function joined(problems: readonly ConfigProblem[], format: (problem: ConfigProblem) => string): string {
  const shown = problems.slice(0, MOST_SHOWN_PROBLEMS).map(format);
  if (problems.length > shown.length) shown.push(andMore(problems.length - shown.length));
  return shown.join('\n');
}
