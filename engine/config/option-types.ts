/**
 * What an option may be. One description of each option feeds the parser of the file, the schema, `skein conf options` and
 * docs/configuration.md.
 */

/**
 * - `integer`, `number`: within `min` and `max`
 * - `bytes`: an integer, also with the suffix K, M or G (powers of 1,024)
 * - `boolean`: true, yes, false or no
 * - `word`: one of `words`, in any case in a file
 * - `exact-word`: one of `words`, as written here
 * - `path`, `name`: text of up to `maxChars` characters
 * - `mode`: octal digits up to 0777
 * - `endpoints`: addresses with a port, separated by blanks; every occurrence in a file counts
 * - `origins`: origins of web pages, separated by blanks; every occurrence in a file counts
 * - `methods`: authentication methods separated by blanks; every occurrence in a file counts
 * - `classes`: a list `{ A B !C }` of event classes
 * - `time-format`: nothing, or a strftime format of up to `maxChars` characters
 * - `flag`: written without a value
 */
export type OptionType =
  | {
      readonly kind: 'integer';
      readonly min: number;
      readonly max: number;
      readonly unit: string;
      /** A value outside the range with a meaning of its own. */
      readonly also?: 'auto' | 0;
    }
  | { readonly kind: 'number'; readonly min: number; readonly max: number }
  | { readonly kind: 'bytes'; readonly min: number; readonly max: number }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'word' | 'exact-word'; readonly words: readonly string[] }
  | { readonly kind: 'path' | 'name' | 'methods' | 'time-format' | 'endpoints' | 'origins'; readonly maxChars: number }
  | { readonly kind: 'mode' }
  | { readonly kind: 'classes'; readonly words: readonly string[] }
  | { readonly kind: 'flag' };

export type OptionSection =
  | 'clients'
  | 'access'
  | 'daemons'
  | 'timers'
  | 'process'
  | 'log'
  | 'monitoring'
  | 'compatibility';

/**
 * How a running daemon takes a change: only at its next start, at a reload, from `skein monitor flow`, or by itself when the content of
 * the named file changes; `never`: a change has no effect, because no value has one, or because there is one value only. A reload reads the content of a named file again, whether or not its name has changed.
 */
export type OptionChange = 'restart' | 'reload' | 'monitor' | 'content' | 'never';

export interface OptionEntry {
  readonly section: OptionSection;
  readonly type: OptionType;
  /** What holds when the option is absent, where that is no plain value. */
  readonly unset?: string;
  /** `none` is a value: it means what an absent option means, or switches something off. */
  readonly none?: true;
  readonly change: OptionChange;
  /** Belongs to the ring: all daemons should have the same value, so that one of them does not change it by a reload. */
  readonly ringWide?: true;
  /** The daemons of a cluster ignore each other unless they agree on it. */
  readonly sameEverywhere?: true;
  /** The first release that has it. */
  readonly since: string;
  /** Markdown; links are relative to docs/. */
  readonly text: string;
  /** What the option does in the Spread Toolkit, 4.4 or 5; null: Spread has no such option. */
  readonly spread: string | null;
}

/** setTimeout takes no more. */
const MAX_TIMER_MS = 2_147_483_647;
/** The status report of the monitor protocol has 16 bits for a window. */
export const MAX_WINDOW = 32_767;
const MAX_QUEUE_BYTES = 1024 ** 4;

export const integer = <const Unit extends string>(min: number, max: number, unit: Unit) =>
  ({ kind: 'integer', min, max, unit }) as const;

export const milliseconds = integer(1, MAX_TIMER_MS, 'ms');

export const bytes = (min: number) => ({ kind: 'bytes', min, max: MAX_QUEUE_BYTES }) as const;

export const path = { kind: 'path', maxChars: 4096 } as const;

export const origins = { kind: 'origins', maxChars: 4096 } as const;

/** Room for a few dozen addresses. */
export const endpoints = { kind: 'endpoints', maxChars: 1024 } as const;

export const boolean = { kind: 'boolean' } as const;

export const word = <const Words extends readonly string[]>(words: Words) => ({ kind: 'word', words }) as const;

export const exactWord = <const Words extends readonly string[]>(words: Words) =>
  ({ kind: 'exact-word', words }) as const;
