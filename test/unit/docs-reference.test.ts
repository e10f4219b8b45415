/** The reference pages name every option, limit, counter, flag and error code that the code has, and nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../cli/program.ts';
import { CONNECT_OPTION_NAMES as CONNECT_OPTIONS } from '../../client/connect-options.ts';
import { OPTION_KEYWORDS } from '../../engine/config/option-catalogue.ts';
import { VERDICTS } from '../../engine/wire/monitor-answer.ts';
import { EXTENSION_COUNTERS } from '../../engine/wire/monitor-extension.ts';
import { RESULT_CODES } from '../../engine/wire/result-codes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const page = (name: string): string => readFileSync(join(ROOT, name), 'utf8');

/** The cells of each row of a page's tables that is not a heading. */
const rowsOf = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(1, -1)
        .split(' | ')
        .map((cell) => cell.trim()),
    );

const namesIn = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);

/** From the heading `## name` to the next one. */
function sectionOf(text: string, name: string): string {
  const from = text.indexOf(`\n## ${name}\n`);
  expect(from, `section ${name}`).toBeGreaterThan(-1);
  const end = text.indexOf('\n## ', from + 1);
  return text.slice(from, end < 0 ? undefined : end);
}

const sorted = (names: Iterable<string>): readonly string[] => [...names].sort();

describe('docs/limits.md', () => {
  const rows = rowsOf(page('docs/limits.md')).filter(({ length }) => length === 5);

  it('names options and counters that exist', () => {
    const others: readonly string[] = [...CONNECT_OPTIONS, 'pendingBytes', '--drain-timeout'];
    const known = new Set<string>([...OPTION_KEYWORDS.keys(), ...EXTENSION_COUNTERS, ...others]);
    const named = rows.flatMap(([, option, , , counter]) => [...namesIn(option!), ...namesIn(counter!)]);
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('has every option that is a limit on clients', () => {
    const named = rows.flatMap(([, option]) => namesIn(option!));
    const limits = [...OPTION_KEYWORDS.keys()].filter((name) =>
      /^Max|^(Handshake|Client)Timeout$|Backlog|Window$/.test(name),
    );
    expect(limits.filter((name) => !named.includes(name) && name !== 'AcceleratedWindow')).toEqual([]);
  });
});

describe('docs/operations.md', () => {
  it('explains each counter of `skein monitor --json`, and no other', () => {
    const named = rowsOf(sectionOf(page('docs/operations.md'), 'What the counters mean'))
      .slice(1)
      .flatMap(([first]) => namesIn(first!));
    expect(sorted(named)).toEqual(sorted([...EXTENSION_COUNTERS, 'members', 'release']));
  });
});

describe('docs/client.md', () => {
  const text = page('docs/client.md');

  it('names each option of connect, and no other', () => {
    const named = rowsOf(sectionOf(text, 'Connecting'))
      .slice(1)
      .flatMap(([first]) => namesIn(first!));
    expect(sorted(named)).toEqual(sorted(CONNECT_OPTIONS));
  });

  it('names the codes of errors with their numbers', () => {
    const rows = rowsOf(sectionOf(text, 'Errors')).filter(([first]) => first!.startsWith('`'));
    expect(rows.length).toBeGreaterThan(15);
    for (const [first, number] of rows) {
      const [code] = namesIn(first!);
      expect(`${code} ${number}`).toBe(`${code} ${RESULT_CODES[code as keyof typeof RESULT_CODES]}`);
    }
  });
});

describe('docs/command-line.md', () => {
  const text = page('docs/command-line.md');
  const program = createProgram();
  const everywhere = sectionOf(text, 'Common to all');
  const flagsIn = (part: string): readonly string[] =>
    [...part.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([flag]) => flag);
  const flagsOf = (command: Command): readonly string[] => [
    ...command.options.map(({ long }) => long!),
    ...command.commands.flatMap(flagsOf),
  ];

  it.each(program.commands.map((command) => command.name()))('names each option of skein %s, and no other', (name) => {
    const command = program.commands.find((one) => one.name() === name)!;
    const section = sectionOf(text, `skein ${name}`);
    const flags = flagsOf(command);
    const documented = [...flagsIn(section), ...flagsIn(everywhere)];
    expect(flags.filter((flag) => !documented.includes(flag))).toEqual([]);
    const known = [...flags, ...program.options.map(({ long }) => long!), '--help'];
    expect(flagsIn(section).filter((flag) => !known.includes(flag))).toEqual([]);
  });

  it('names each verdict on a command of a monitor', () => {
    for (const verdict of VERDICTS) expect(text).toContain(`\`${verdict}\``);
  });
});
