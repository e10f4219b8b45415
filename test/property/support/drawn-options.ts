/** Every option of the catalogue, drawn at random from what its type allows, as a value and as a file has it. */
import fc from 'fast-check';
import type { OptionKey, OptionValues } from '../../../engine/config/configuration-options.ts';
import { SPREAD_TIMEOUT_KEYS } from '../../../engine/config/configuration-options.ts';
import { endpointText, isLoopbackEndpoint } from '../../../engine/config/endpoint.ts';
import { OPTION_KEYS, optionEntry } from '../../../engine/config/option-catalogue.ts';
import type { OptionType } from '../../../engine/config/option-types.ts';
import { AUTH_METHODS } from '../../../engine/wire/server-handshake.ts';

/** How an option stands in a file. */
export type Written =
  | { readonly form: 'flag' }
  /** Quoted where it must be. */
  | { readonly form: 'word'; readonly text: string }
  | { readonly form: 'list'; readonly words: readonly string[] }
  /** Once for each text. */
  | { readonly form: 'repeated'; readonly texts: readonly string[] };

export interface DrawnOption {
  /** As the schema gives it. */
  readonly value: unknown;
  readonly written: Written;
}

export type DrawnOptions = Readonly<Partial<Record<OptionKey, DrawnOption>>>;

const word = (value: unknown, text = String(value)): DrawnOption => ({ value, written: { form: 'word', text } });

/** Anything a quoted string can hold. */
const text = (maxChars: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: Math.min(12, maxChars) })
    .filter((value) => value.length <= maxChars && value !== 'none' && !/["\n\0]/.test(value));

const anyCase = (value: string): fc.Arbitrary<string> => fc.constantFrom(value, value.toUpperCase());

const SUFFIXES = [
  ['', 1],
  ['K', 1024],
  ['m', 1024 ** 2],
  ['G', 1024 ** 3],
] as const;

const byteCount = (min: number, max: number): fc.Arbitrary<DrawnOption> =>
  fc
    .constantFrom(...SUFFIXES)
    .chain(([suffix, unit]) =>
      fc
        .integer({ min: Math.ceil(min / unit), max: Math.floor(max / unit) })
        .map((count) => word(count * unit, `${count}${suffix}`)),
    );

/** Several texts, some of them with several words; all words are the value. */
const wordLists = <T>(one: fc.Arbitrary<readonly [value: T, text: string]>): fc.Arbitrary<DrawnOption> =>
  fc.array(fc.array(one, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }).map((lists) => ({
    value: lists.flat().map(([value]) => value),
    written: { form: 'repeated', texts: lists.map((list) => list.map(([, shown]) => shown).join(' ')) },
  }));

const endpoint = fc
  .record({ host: fc.constantFrom('127.0.0.1', '127.9.8.7', '10.1.2.3', '::1'), port: fc.nat({ max: 65_535 }) })
  .map((value) => [value, endpointText(value)] as const);

const origin = fc.constantFrom('*', 'https://app.example.com', 'http://localhost:3000', 'http://[::1]:81');

/** The compiler sees to it that every type of option is here. */
function ofType(type: OptionType): fc.Arbitrary<DrawnOption> {
  switch (type.kind) {
    case 'integer': {
      const number = fc.integer({ min: type.min, max: type.max });
      const { also } = type;
      return (also === undefined ? number : fc.oneof(fc.constant(also), number)).map((value) => word(value));
    }
    case 'number':
      return fc
        .integer({ min: Math.ceil(type.min * 100), max: type.max * 100 })
        .map((hundredths) => word(hundredths / 100));
    case 'bytes':
      return byteCount(type.min, type.max);
    case 'boolean':
      return fc
        .constantFrom('true', 'yes', 'false', 'no')
        .chain((name) => anyCase(name).map((shown) => word(name === 'true' || name === 'yes', shown)));
    case 'word':
      return fc.constantFrom(...type.words).chain((value) => anyCase(value).map((shown) => word(value, shown)));
    case 'exact-word':
      return fc.constantFrom(...type.words).map((value) => word(value));
    case 'path':
    case 'name':
    case 'time-format':
      return text(type.maxChars).map((value) => word(value));
    case 'mode':
      return fc.nat({ max: 0o777 }).map((value) => word(value, value.toString(8)));
    case 'methods':
      return wordLists(fc.constantFrom(...AUTH_METHODS).map((name) => [name, name] as const));
    case 'endpoints':
      return wordLists(endpoint);
    case 'origins':
      return wordLists(origin.map((value) => [value, value] as const));
    case 'classes':
      return fc
        .array(fc.constantFrom(...[...type.words, 'ALL', 'NONE'].flatMap((name) => [name, `!${name}`])))
        .map((words) => ({ value: words, written: { form: 'list', words } }));
    case 'flag':
      return fc.constant<DrawnOption>({ value: true, written: { form: 'flag' } });
  }
}

const timers: ReadonlySet<OptionKey> = new Set(SPREAD_TIMEOUT_KEYS);

/** Limits that options set each other, and the defaults of those that are absent. */
const NARROWER: Readonly<Partial<Record<OptionKey, fc.Arbitrary<DrawnOption>>>> = {
  window: fc.integer({ min: 100, max: 32_767 }).map((value) => word(value)),
  personalWindow: fc.integer({ min: 50, max: 100 }).map((value) => word(value)),
  acceleratedWindow: fc.nat({ max: 20 }).map((value) => word(value)),
};

const arbitraryOf = (keys: readonly OptionKey[]): Record<string, fc.Arbitrary<DrawnOption>> =>
  Object.fromEntries(keys.map((key) => [key, NARROWER[key] ?? ofType(optionEntry(key).type)]));

/** Some options, which are valid together. Spread's timers come all or none. */
export const drawnOptions: fc.Arbitrary<DrawnOptions> = fc
  .tuple(
    fc.record(arbitraryOf(OPTION_KEYS.filter((key) => !timers.has(key))), { requiredKeys: [] }),
    fc.option(fc.record(arbitraryOf(SPREAD_TIMEOUT_KEYS))),
  )
  .map(([others, nine]) => compatible({ ...others, ...nine }));

export const valuesOf = (drawn: DrawnOptions): OptionValues =>
  Object.fromEntries(Object.entries(drawn).map(([key, option]) => [key, option.value]));

/** Without the options that others, or their absence, exclude. */
function compatible(drawn: DrawnOptions): DrawnOptions {
  const values = valuesOf(drawn);
  const dropped = new Set<string>();
  if (values.tokenTimeout !== undefined) dropped.add('ringProfile');
  for (const key of ['httpListen', 'httpTlsListen'] as const)
    if (values[key]?.every(isLoopbackEndpoint) === false && values.httpTokenFile === undefined) dropped.add(key);
  const methods = ['allowedAuthMethods', 'requiredAuthMethods'] as const;
  const withScram = methods.filter((key) => (values[key] as readonly string[] | undefined)?.includes('SCRAM-SHA-256'));
  if (withScram.length > 0 && (values.scramFile === undefined || withScram[0] !== 'allowedAuthMethods'))
    for (const key of methods) dropped.add(key);
  const asksForCertificates = (values.tlsClientCertificate ?? 'none') !== 'none';
  const tlsFiles = [values.tlsCertificateFile, values.tlsKeyFile, asksForCertificates ? values.tlsAuthorityFile : ''];
  if (tlsFiles.includes(undefined))
    for (const key of ['tlsListen', 'webSocketTlsListen', 'httpTlsListen']) dropped.add(key);
  return Object.fromEntries(Object.entries(drawn).filter(([key]) => !dropped.has(key)));
}
