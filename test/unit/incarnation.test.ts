import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nextIncarnation } from '../../daemon/incarnation.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-incarnation-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('grows with each start, even when the clock does not', async () => {
  const stateDir = join(folder, 'made when needed');
  const ahead = Date.now() + 10 ** 9;
  const first = await nextIncarnation(stateDir, 'a', false);
  writeFileSync(join(stateDir, 'incarnation-a'), `${ahead}\n`);
  const second = await nextIncarnation(stateDir, 'a', false);
  expect(second).toBe(ahead + 1);
  expect(await nextIncarnation(stateDir, 'a', false)).toBe(ahead + 2);
  expect(readFileSync(join(stateDir, 'incarnation-a'), 'utf8')).toBe(`${ahead + 2}\n`);
  expect(first).toBeLessThan(second);
  // Each daemon has its own file, and no half-written file remains.
  expect(await nextIncarnation(stateDir, 'b', false)).toBeLessThan(second);
  expect(readdirSync(stateDir).sort()).toEqual(['incarnation-a', 'incarnation-b']);
});

it.each(['x', '-1', '1.5', '1e400'])('refuses a state file that holds %j', async (text) => {
  writeFileSync(join(folder, 'incarnation-a'), `${text}\n`);
  await expect(nextIncarnation(folder, 'a', false)).rejects.toThrow(
    /incarnation-a holds .*, which is not an incarnation/,
  );
});

it('is an error when the number cannot be stored', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(nextIncarnation(join(folder, 'file'), 'a', false)).rejects.toThrow(/ENOTDIR|EEXIST/);
});

it('is random for a volatile daemon, and fits into 48 bits', async () => {
  const numbers = await Promise.all(Array.from({ length: 20 }, () => nextIncarnation(null, 'a', true)));
  expect(new Set(numbers).size).toBe(20);
  for (const number of numbers) expect(number).toBeLessThan(2 ** 48);
});
