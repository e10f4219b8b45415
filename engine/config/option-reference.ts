/** What is known of each option, in words: for `skein conf options` and docs/configuration.md. */

import { DEFAULT_OPTIONS, type OptionKey } from './configuration-options.ts';
import { keywordOf, OPTION_KEYS, optionEntry } from './option-catalogue.ts';
import { OPTION_EFFECTS } from './option-effects.ts';
import type { OptionEntry, OptionSection, OptionType } from './option-types.ts';

export interface OptionReference {
  /** As a file has it. */
  readonly name: string;
  /** As `skein start -o` and `startDaemon` have it. */
  readonly key: OptionKey;
  readonly section: OptionSection;
  readonly type: string;
  /** Null: a value without a unit. */
  readonly unit: string | null;
  /** In words. */
  readonly default: string;
  /** Null: it depends on the machine, on other options, or there is none. */
  readonly defaultValue: unknown;
  /** What values there are, in words. */
  readonly range: string;
  readonly min: number | null;
  readonly max: number | null;
  /** The words to choose from; null: no list of words. */
  readonly words: readonly string[] | null;
  readonly since: string;
  readonly takesEffect: string;
  /** Daemons that differ in it ignore each other. */
  readonly sameEverywhere: boolean;
  /** Why it never has an effect; null: it has one. */
  readonly noEffect: string | null;
  /** Markdown; links are relative to docs/. */
  readonly text: string;
  readonly spread: string | null;
}

const TYPE_NAMES: Readonly<Record<OptionType['kind'], string>> = {
  integer: 'integer',
  number: 'number',
  bytes: 'bytes',
  boolean: 'boolean',
  word: 'word',
  'exact-word': 'word',
  path: 'path',
  name: 'name',
  mode: 'octal',
  methods: 'methods',
  endpoints: 'addresses',
  origins: 'origins',
  classes: 'list',
  'time-format': 'format',
  flag: 'flag',
};

const CHANGES: Readonly<Record<OptionEntry['change'], string>> = {
  restart: 'restart',
  reload: 'reload',
  monitor: 'restart; `monitor flow`',
  content: 'restart; by itself for the content',
  never: 'never',
};

export const optionReferences = (): readonly OptionReference[] => OPTION_KEYS.map(referenceOf);

function referenceOf(key: OptionKey): OptionReference {
  const entry = optionEntry(key);
  const { type, section, since, text, spread } = entry;
  const effect = OPTION_EFFECTS[key];
  return {
    name: keywordOf(key),
    key,
    section,
    type: TYPE_NAMES[type.kind],
    unit: type.kind === 'integer' ? type.unit : type.kind === 'bytes' ? 'bytes' : null,
    default: defaultText(key, entry),
    defaultValue: DEFAULT_OPTIONS[key as keyof typeof DEFAULT_OPTIONS] ?? null,
    range: rangeText(entry),
    min: 'min' in type ? type.min : null,
    max: 'max' in type ? type.max : null,
    words: 'words' in type ? type.words : null,
    since,
    takesEffect: CHANGES[entry.change],
    sameEverywhere: entry.sameEverywhere === true,
    noEffect: effect !== 'honoured' && 'never' in effect ? effect.never : null,
    text,
    spread,
  };
}

function defaultText(key: OptionKey, { type, unset }: OptionEntry): string {
  if (unset !== undefined) return unset;
  const value: unknown = DEFAULT_OPTIONS[key as keyof typeof DEFAULT_OPTIONS];
  if (Array.isArray(value)) return value.join(' ');
  if (type.kind === 'flag') return 'off';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return String(value);
  if (type.kind === 'mode') return `0${value.toString(8)}`;
  return type.kind === 'bytes' ? bytesText(value) : grouped(value);
}

function rangeText({ type, none }: OptionEntry): string {
  const values = valuesText(type);
  return none === true ? `${values}, or \`none\`` : values;
}

function valuesText(type: OptionType): string {
  switch (type.kind) {
    case 'integer': {
      const range = `${grouped(type.min)} to ${grouped(type.max)}`;
      return type.also === undefined ? range : `${range}, or \`${type.also}\``;
    }
    case 'number':
      return `${type.min} to ${type.max}`;
    case 'bytes':
      return `${bytesText(type.min)} to ${bytesText(type.max)}`;
    case 'boolean':
      return '`yes` or `no`';
    case 'word':
    case 'exact-word':
      return type.words.map((word) => `\`${word}\``).join(', ');
    case 'mode':
      return '0 to 0777';
    case 'classes':
      return 'event classes';
    case 'flag':
      return 'no value';
    case 'endpoints':
      return 'addresses with a port, such as `127.0.0.1:4880` or `[::1]:4880`';
    case 'origins':
      return 'origins of pages, such as `https://app.example.com` or `http://localhost:3000`, or `*` for every page';
    case 'methods':
      return '`NULL`, `IP`, `PWORD`, `SCRAM-SHA-256`';
    default:
      return `1 to ${grouped(type.maxChars)} characters`;
  }
}

const SUFFIXES = [
  ['G', 1024 ** 3],
  ['M', 1024 ** 2],
  ['K', 1024],
] as const;

/** `64M`, as a file may have it. */
function bytesText(value: number): string {
  const [suffix, size] = SUFFIXES.find(([, one]) => value >= one && value % one === 0) ?? ['', 1];
  return suffix === '' ? grouped(value) : `${value / size}${suffix}`;
}

const grouped = (value: number): string => value.toLocaleString('en-US');
