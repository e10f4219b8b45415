/** Every option that a file may hold, and how its text there becomes a value. Ranges are judged by the options schema. */
import { CLIENT_OPTIONS } from './catalogue/clients.ts';
import { RING_OPTIONS } from './catalogue/daemons.ts';
import { MONITORING_OPTIONS } from './catalogue/monitoring.ts';
import { PROCESS_OPTIONS } from './catalogue/process.ts';
import { WEBSOCKET_OPTIONS } from './catalogue/websockets.ts';
import type { OptionKey } from './configuration-options.ts';
import type { OptionEntry, OptionType } from './option-types.ts';

/** In the order of docs/configuration.md. */
export const OPTION_CATALOGUE = {
  ...CLIENT_OPTIONS,
  ...WEBSOCKET_OPTIONS,
  ...RING_OPTIONS,
  ...PROCESS_OPTIONS,
  ...MONITORING_OPTIONS,
} as const satisfies Readonly<Record<OptionKey, OptionEntry>>;

type Catalogue = typeof OPTION_CATALOGUE;

/** The options of one kind of value. */
export type KeyOfKind<Kind extends OptionType['kind']> = {
  readonly [Key in OptionKey]: Catalogue[Key]['type']['kind'] extends Kind ? Key : never;
}[OptionKey];

export const OPTION_KEYS: readonly OptionKey[] = Object.keys(OPTION_CATALOGUE) as OptionKey[];

/** The same with the type that all entries have in common. */
export const optionEntry = (key: OptionKey): OptionEntry => OPTION_CATALOGUE[key];

/**
 * - `flag`: no value
 * - `optional-text`: `Name` or `Name = text`
 * - `list`: `Name = { A B !C }`
 * - `accumulated-text`: text; every occurrence counts
 * - `number`, `boolean`: text that is none stays text, so that the schema refuses it and names it
 * - `keyword`: like text, but in lower case whatever the file has
 */
export type ValueKind =
  | 'flag'
  | 'optional-text'
  | 'list'
  | 'accumulated-text'
  | 'number'
  | 'boolean'
  | 'keyword'
  | 'text';

const VALUE_KINDS: Readonly<Record<OptionType['kind'], ValueKind>> = {
  integer: 'number',
  number: 'number',
  bytes: 'text',
  boolean: 'boolean',
  word: 'keyword',
  'exact-word': 'text',
  path: 'text',
  name: 'text',
  mode: 'text',
  methods: 'accumulated-text',
  endpoints: 'accumulated-text',
  origins: 'accumulated-text',
  classes: 'list',
  'time-format': 'optional-text',
  flag: 'flag',
};

export const OPTION_KINDS: Readonly<Record<OptionKey, ValueKind>> = Object.fromEntries(
  OPTION_KEYS.map((key) => [key, VALUE_KINDS[optionEntry(key).type.kind]]),
) as Record<OptionKey, ValueKind>;

/** `window` -> `Window`. */
export const keywordOf = (key: OptionKey): string => key[0]!.toUpperCase() + key.slice(1);

/** Keyword in a file -> option. */
export const OPTION_KEYWORDS: ReadonlyMap<string, OptionKey> = new Map(OPTION_KEYS.map((key) => [keywordOf(key), key]));
