/** The options of a file as values, each with the place it came from. */
import type { Findings } from './config-error.ts';
import type { OptionKey } from './configuration-options.ts';
import { OPTION_KEYWORDS, OPTION_KINDS, type ValueKind } from './option-catalogue.ts';
import { optionHint } from './option-hint.ts';
import type { ConfigFile } from './parse-config.ts';
import type { ListValue, OptionItem, Position, Word, WordValue } from './syntax-tree.ts';

export interface FileOption {
  readonly key: OptionKey;
  /** As the schema takes it: number, boolean, string or list of strings, not yet checked against a range. */
  readonly value: unknown;
  readonly at: Position;
  /** Where each element of a list value stands. */
  readonly elements: readonly Position[];
}

/** Of an option given twice the last wins, but authentication methods add up (section 9.4). */
export function readFileOptions(file: ConfigFile, findings: Findings): ReadonlyMap<OptionKey, FileOption> {
  const options = new Map<OptionKey, FileOption>();
  const { items } = file;
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    if (item.kind !== 'option') continue;
    const key = OPTION_KEYWORDS.get(item.name.text);
    if (key === undefined) {
      const { text } = item.name;
      findings.problem(item.name, `unknown option "${text}"${optionHint(text, OPTION_KEYWORDS.keys())}`, {
        field: text,
      });
      continue;
    }
    const refusal = structureRefusal(OPTION_KINDS[key], item);
    if (refusal !== null) {
      findings.problem(item.name, `${item.name.text} ${refusal}`, { field: item.name.text });
      // `Window on`: the forgotten "=" makes the value look like an option of its own; one report is enough.
      const next = items[i + 1];
      if (item.value === null && next?.kind === 'option' && isUnknownFlag(next)) i++;
      continue;
    }
    options.set(key, readOption(key, item, options.get(key)));
  }
  return options;
}

const isUnknownFlag = (item: OptionItem): boolean => item.value === null && !OPTION_KEYWORDS.has(item.name.text);

function structureRefusal(kind: ValueKind, item: OptionItem): string | null {
  const given = item.value?.kind ?? 'none';
  switch (kind) {
    case 'flag':
      return given === 'none' ? null : 'takes no value: write it without "="';
    case 'list':
      return given === 'list' ? null : `needs a list: ${item.name.text} = { … }`;
    case 'optional-text':
      return given === 'list' ? 'takes one value, not a list' : null;
    default:
      if (given === 'none') return `needs a value: ${item.name.text} = …`;
      return given === 'list' ? 'takes one value, not a list' : null;
  }
}

function readOption(key: OptionKey, item: OptionItem, earlier: FileOption | undefined): FileOption {
  const kind = OPTION_KINDS[key];
  if (item.value === null) return { key, value: true, at: item.name, elements: [] };
  if (item.value.kind === 'list') return listOption(key, item.value);

  const { word } = item.value satisfies WordValue;
  if (kind !== 'accumulated-text') return { key, value: textValue(kind, word), at: word, elements: [] };
  const before = earlier === undefined ? [] : (earlier.value as readonly string[]);
  return { key, value: [...before, word.text], at: word, elements: [...(earlier?.elements ?? []), word] };
}

const listOption = (key: OptionKey, list: ListValue): FileOption => ({
  key,
  value: list.words.map((word) => word.text),
  at: list,
  elements: list.words,
});

const NUMBER = /^[+-]?\d+(\.\d+)?$/;
const BOOLEANS: Readonly<Record<string, boolean>> = { true: true, yes: true, false: false, no: false };

function textValue(kind: ValueKind, word: Word): unknown {
  const lowered = word.text.toLowerCase();
  if (kind === 'keyword') return lowered;
  if (kind === 'number') return NUMBER.test(word.text) ? Number(word.text) : word.text;
  if (kind === 'boolean' && Object.hasOwn(BOOLEANS, lowered)) return BOOLEANS[lowered];
  return word.text;
}
