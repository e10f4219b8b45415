/** Walks over every option: one table feeds the schema, the command line and docs/configuration.md, and a mistyped name is recognized. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CONNECT_OPTION_NAMES as CONNECT_OPTIONS } from '../../client/connect-options.ts';
import { connect } from '../../client/index.ts';
import { resolveDaemonOptions } from '../../daemon/options-resolve.ts';
import { DAEMON_OPTION_NAMES, optionsSchema } from '../../daemon/options-schema.ts';
import { ConfigError } from '../../engine/config/config-error.ts';
import { DEFAULT_OPTIONS, type OptionKey } from '../../engine/config/configuration-options.ts';
import { suggestion } from '../../engine/config/did-you-mean.ts';
import { keywordOf, OPTION_KEYS, optionEntry } from '../../engine/config/option-catalogue.ts';
import { OPTION_EFFECTS } from '../../engine/config/option-effects.ts';
import { optionReferences } from '../../engine/config/option-reference.ts';
import { parseConfig } from '../../engine/config/parse-config.ts';
import { configurationPage } from '../../scripts/docs/configuration-page.ts';

const accepts = (key: OptionKey, value: unknown): boolean => optionsSchema.safeParse({ [key]: value }).success;

describe('docs/configuration.md', () => {
  it('is the output of "npm run docs:configuration"', () => {
    const committed = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    expect(committed).toBe(configurationPage());
  });

  it.each(OPTION_KEYS)('has one heading for %s', (key) => {
    expect(configurationPage().split(`\n### ${keywordOf(key)}\n`)).toHaveLength(2);
  });

  it('names each field of startDaemon that files do not have', () => {
    const text = configurationPage().split('## In a program')[1]!;
    for (const name of DAEMON_OPTION_NAMES.filter((one) => !(OPTION_KEYS as readonly string[]).includes(one)))
      expect(text).toContain(`\`${name}\``);
  });
});

describe.each(OPTION_KEYS)('the entry of %s', (key) => {
  const entry = optionEntry(key);
  const { type } = entry;
  const reference = optionReferences().find((one) => one.key === key)!;

  it('has the range of the schema', () => {
    if (type.kind === 'integer' || type.kind === 'number' || type.kind === 'bytes') {
      expect([accepts(key, type.min), accepts(key, type.max)]).toEqual([true, true]);
      const below = type.min - (type.kind === 'number' ? 0.005 : 1);
      const above = type.max + 1;
      expect([accepts(key, below) && below !== 0, accepts(key, above)]).toEqual([false, false]);
      expect(accepts(key, 0)).toBe(type.min === 0 || (type.kind === 'integer' && type.also === 0));
      expect(accepts(key, 'auto')).toBe(type.kind === 'integer' && type.also === 'auto');
    } else if (type.kind === 'word' || type.kind === 'exact-word') {
      for (const word of type.words) expect(accepts(key, word)).toBe(true);
      expect(accepts(key, `${type.words[0]}x`)).toBe(false);
    } else if (type.kind === 'path' || type.kind === 'name' || type.kind === 'methods' || type.kind === 'time-format') {
      expect([accepts(key, 'x'.repeat(type.maxChars)), accepts(key, 'x'.repeat(type.maxChars + 1))]).toEqual([
        true,
        false,
      ]);
    } else if (type.kind === 'mode') expect([accepts(key, 0o777), accepts(key, 0o1000)]).toEqual([true, false]);
    else if (type.kind === 'endpoints') {
      for (const good of ['127.0.0.1:0', '[::1]:65535', '0.0.0.0:1 [fe80::1:2]:2', ['1.2.3.4:5', '[::]:6'], 'none'])
        expect(accepts(key, good), String(good)).toBe(true);
      for (const bad of [
        '127.0.0.1',
        '127.0.0.1:65536',
        '1.2.3.256:1',
        '[::g]:1',
        '[1::2::3]:1',
        'localhost:1',
        ':1',
        1,
      ])
        expect(accepts(key, bad), String(bad)).toBe(false);
      expect(accepts(key, `${'127.0.0.1:1 '.repeat(100)}`)).toBe(false);
    } else if (type.kind === 'origins') {
      for (const good of [
        '*',
        'https://app.example.com',
        'HTTP://[::1]:3000 app+x://id',
        ['http://a', 'http://b:1'],
        'none',
      ])
        expect(accepts(key, good), String(good)).toBe(true);
      for (const bad of ['app.example.com', 'https://', 'https://a/path', 'https://a:65536', 'https://u@a', 'null', 1])
        expect(accepts(key, bad), String(bad)).toBe(false);
      expect(accepts(key, 'http://a '.repeat(500))).toBe(false);
    } else expect(accepts(key, type.kind === 'classes' ? ['PRINT'] : true)).toBe(true);
  });

  it('tells whether none is a value', () => {
    // The format of a time may be null in a program; in a file the option is omitted.
    if (type.kind !== 'time-format') expect(accepts(key, null)).toBe(entry.none === true);
  });

  it('has the default', () => {
    expect(reference.default).not.toMatch(/null|undefined|object|^$/);
    const value: unknown = DEFAULT_OPTIONS[key as keyof typeof DEFAULT_OPTIONS];
    if (value !== null && value !== undefined && !Array.isArray(value)) expect(entry.unset).toBeUndefined();
  });

  it('describes it in sentences, or gives the reason why it has no effect', () => {
    const { text, spread, noEffect } = reference;
    expect(text !== '' || noEffect !== null).toBe(true);
    for (const sentence of [text, spread ?? '']) expect(sentence).toMatch(/^$|^[A-Z`[].*[.]$/);
    const effect = OPTION_EFFECTS[key];
    if (effect !== 'honoured' && 'never' in effect) expect(noEffect).toBe(effect.never);
    else expect(noEffect).toBeNull();
  });
});

/** Letters left out, doubled, swapped, in another case. */
function typos(name: string): readonly string[] {
  const middle = Math.floor(name.length / 2);
  const swapped = [...name];
  [swapped[middle - 1], swapped[middle]] = [swapped[middle]!, swapped[middle - 1]!];
  const all = [
    name.slice(0, middle) + name.slice(middle + 1),
    name.slice(0, middle) + name.slice(middle - 1),
    swapped.join(''),
    name.toUpperCase(),
    name.toLowerCase(),
    `${name}s`,
  ];
  return [...new Set(all)].filter((typo) => typo !== name);
}

function problemOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ message }) => message).join('\n');
    throw error;
  }
  return 'none';
}

const resolve = (options: object, text: string | null): unknown =>
  resolveDaemonOptions(options, {
    file: text === null ? null : parseConfig(text, 'test.conf'),
    addressOf: () => null,
    localAddresses: ['127.0.0.1'],
  });

describe('a mistyped name', () => {
  it.each(DAEMON_OPTION_NAMES)('of %s in a program or behind -o is recognized', (name) => {
    for (const typo of typos(name))
      expect(
        problemOf(() => resolve({ [typo]: 1 }, null)),
        typo,
      ).toContain(`unknown option "${typo}"; did you mean "${name}"?`);
  });

  it.each(OPTION_KEYS)('of %s in a file is recognized', (key) => {
    const keyword = keywordOf(key);
    for (const typo of typos(keyword))
      expect(
        problemOf(() => resolve({}, `Spread_Segment 127.0.0.255 { a 127.0.0.1 }\n${typo} = 1\n`)),
        typo,
      ).toContain(`unknown option "${typo}"; did you mean "${keyword}"?`);
  });

  it.each(CONNECT_OPTIONS)('of %s of connect is recognized', async (name) => {
    for (const typo of typos(name))
      await expect(connect({ [typo]: 1 } as object), typo).rejects.toThrow(`did you mean "${name}"?`);
  });

  it('that is part of several names suggests up to three of them', () => {
    expect(suggestion('session', ['maxSessions', 'maxSessionBytes', 'window', 'maxSessionGroups', 'sessionx1'])).toBe(
      '; did you mean "sessionx1"?',
    );
    expect(suggestion('Session', ['maxSessions', 'window', 'maxSessionBytes'])).toBe(
      '; did you mean "maxSessions" or "maxSessionBytes"?',
    );
    expect(suggestion('timeout', ['aTimeout00', 'bTimeout00', 'cTimeout00', 'dTimeout00'])).toBe(
      '; did you mean "aTimeout00", "bTimeout00" or "cTimeout00"?',
    );
  });

  it('that resembles none refers to the list of all options', () => {
    expect(problemOf(() => resolve({ xylophone: 1 }, null))).toBe(
      'unknown option "xylophone"; "skein conf options" lists all options',
    );
  });
});
