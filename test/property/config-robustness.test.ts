import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveConfiguration, resolveDaemonOptions } from '../../daemon/options-resolve.ts';
import { DAEMON_OPTION_NAMES, type DaemonOptions } from '../../daemon/options-schema.ts';
import { isAddressAllowed, parseAccessIp } from '../../engine/config/access-ip.ts';
import { ConfigError, formatConfigError } from '../../engine/config/config-error.ts';
import { OPTION_KEYWORDS } from '../../engine/config/option-catalogue.ts';
import { parseConfig } from '../../engine/config/parse-config.ts';
import { parsePasswordFile } from '../../engine/config/password-file.ts';
import { ringTimeouts, ringWindows } from '../../engine/config/ring-parameters.ts';

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/conf/${name}`, import.meta.url), 'utf8');
const FIXTURES = ['every-option.conf', 'three-sites.conf', 'lexer-traps.conf', 'windows.conf'].map(fixture);

/** Reads `text` to the end. Only ConfigError may come out, and its problems must lie inside the text. */
function readCompletely(text: string): void {
  try {
    const file = parseConfig(text, 'any.conf');
    const { configuration } = resolveConfiguration({}, { file, addressOf: () => null });
    for (const value of Object.values(ringTimeouts(configuration))) expect(value).toBeGreaterThanOrEqual(1);
    expect(ringWindows(configuration).acceleratedWindow).toBeLessThanOrEqual(configuration.options.personalWindow);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.problems.length).toBeGreaterThan(0);
    const lines = text.split('\n');
    for (const { line, column, message } of error.problems.slice(0, 100)) {
      expect(message).not.toBe('');
      if (line === undefined) continue;
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(lines.length);
      expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1);
    }
    expect(formatConfigError(error)).toContain(error.problems[0]!.message);
  }
}

const token = fc.oneof(
  fc.constantFrom(
    '{',
    '}',
    '=',
    '#',
    '\n',
    ' ',
    '"',
    "'",
    '!',
    'C',
    'D',
    'M',
    'on',
    'PRINT',
    '127.0.0.1',
    '1.2.3.4:5',
    '5',
    '-1',
    '\u0000',
  ),
  fc.constantFrom('Spread_Segment', 'RouteMatrix', ...OPTION_KEYWORDS.keys()),
  fc.string({ unit: 'binary', maxLength: 4 }),
);

describe('reading a configuration', () => {
  it('survives any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), readCompletely), { numRuns: 500 });
  });

  it('survives any sequence of words of the language', () => {
    const words = fc.array(fc.tuple(token, fc.constantFrom('', ' ', ' ', '\n')), { maxLength: 40 });
    fc.assert(
      fc.property(words, (parts) => readCompletely(parts.map(([word, gap]) => word + gap).join(''))),
      { numRuns: 1000 },
    );
  });

  it('survives real files with pieces cut out and put in', () => {
    const edit = fc.tuple(fc.nat(), fc.nat({ max: 20 }), token);
    fc.assert(
      fc.property(fc.constantFrom(...FIXTURES), fc.array(edit, { minLength: 1, maxLength: 4 }), (original, edits) => {
        let text = original;
        for (const [where, cut, piece] of edits) {
          const at = where % (text.length + 1);
          text = text.slice(0, at) + piece + text.slice(at + cut);
        }
        readCompletely(text);
      }),
      { numRuns: 500 },
    );
  });

  it('terminates on any piece repeated many times', () => {
    for (const piece of [
      '{',
      '# \n',
      '"',
      'a ',
      'Window ',
      'Window = ',
      'Spread_Segment 1.2.3.4 {',
      '1.',
      '!',
      ' \t',
    ]) {
      readCompletely(piece.repeat(5_000));
    }
  });
});

describe('resolving options', () => {
  it('survives values of any kind for any option', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withTypedArray: true,
      withNullPrototype: true,
    });
    const options = fc.dictionary(fc.oneof(fc.constantFrom(...DAEMON_OPTION_NAMES), fc.string()), anything, {
      maxKeys: 5,
    });
    fc.assert(
      fc.property(options, (given) => {
        try {
          resolveDaemonOptions(given as DaemonOptions, { file: null, addressOf: () => null, localAddresses: [] });
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          expect(error.problems.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('access and password files', () => {
  it('survive any text, and garbage lets nobody in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.ipV4(), (text, address) => {
        const list = parseAccessIp(text);
        if (list.rules.length === 0) expect(isAddressAllowed(list, address)).toBe(false);
        const passwords = parsePasswordFile(text);
        const lines = text.split('\n').length;
        for (const { line } of [...list.problems, ...passwords.problems]) expect(line).toBeLessThanOrEqual(lines);
      }),
    );
  });

  it('a network lets in exactly the addresses that share its prefix', () => {
    const address = fc.nat({ max: 0xffff_ffff });
    const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
    fc.assert(
      fc.property(
        address,
        fc.integer({ min: 0, max: 32 }),
        address,
        fc.nat({ max: 31 }),
        (written, prefix, random, bit) => {
          // Drops the host part by division, because the implementation uses 32-bit operators.
          const hostCount = 2 ** (32 - prefix);
          const network = written - (written % hostCount);
          const list = parseAccessIp(`${dotted(network)}/${prefix}`);
          for (const client of [random, network, network + hostCount - 1, (network ^ (1 << bit)) >>> 0]) {
            const expected = Math.floor(client / hostCount) === network / hostCount;
            expect(isAddressAllowed(list, dotted(client)), `${dotted(client)} in ${dotted(network)}/${prefix}`).toBe(
              expected,
            );
          }
        },
      ),
    );
  });
});
