/** docs/log.md lists every line that the daemon can log, with level and fields, and no other. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findLogCalls, type LogCall } from './support/log-calls.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

type Line = Omit<LogCall, 'at'>;

/** Written below the logger, by daemon/daemon-log.ts. */
const GAPS: readonly Line[] = [
  'log lines were lost here because there was no room for them',
  'the log could not be written for a while; nothing is lost',
].map((message) => ({ level: 'warn', message, fields: ['linesLost', 'linesLate', 'reason'] }));

const ENTRY = /^- \*\*(\w+)\*\* `([^`]+)` \((no fields|[^)]+)\)<br>/gm;

function documented(): readonly Line[] {
  const page = readFileSync(`${ROOT}/docs/log.md`, 'utf8').replace(/\n {2}(?=\S)/g, ' ');
  return [...page.matchAll(ENTRY)].map(([, level, message, fields]) => ({
    level: level!,
    message: message!,
    fields: fields === 'no fields' ? [] : [...fields!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
  }));
}

const text = ({ level, message }: Line): string => `${level} ${message}`;

describe('docs/log.md', () => {
  const calls = findLogCalls(ROOT, ['daemon', 'workers', 'cli', 'engine']);
  const page = documented();

  it('has each line of the source once, and no other', () => {
    expect(calls.length).toBeGreaterThan(50);
    const logged = [...new Set([...calls, ...GAPS].map(text))].sort();
    expect(page.map(text).sort()).toEqual(logged);
  });

  it('names the fields of each line', () => {
    const lines = [...calls, ...GAPS];
    const wrong = lines.flatMap((call) => {
      const entry = page.find((line) => text(line) === text(call));
      const missing = call.fields.filter((field) => !entry?.fields.includes(field));
      // Several places may log the same line, some with fewer fields.
      const known = lines.filter((line) => text(line) === text(call)).flatMap(({ fields }) => fields);
      const unknown = entry?.fields.filter((field) => !known.includes(field)) ?? [];
      return missing.length + unknown.length === 0 ? [] : [{ line: text(call), missing, unknown }];
    });
    expect(wrong).toEqual([]);
  });
});
