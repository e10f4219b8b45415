/** The numbers in StateDir: read strictly, written atomically, questioned when implausible, and repaired by `skein state`. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handOverState } from '../../daemon/identity-files.ts';
import { clockIncarnation, nextIncarnation } from '../../daemon/incarnation.ts';
import { ringSeqState } from '../../daemon/ring-seq-floor.ts';
import { inspectStateFolder } from '../../daemon/state-folder.ts';
import {
  INCARNATION,
  ownerOf,
  RING_SEQ,
  readNumber,
  STATE_NUMBERS,
  stateFile,
  stateFilesOf,
  writeNumber,
} from '../../daemon/state-number.ts';
import { MAX_RING_SEQ } from '../../engine/ring/ring-seq-limits.ts';
import { latestFile, RingSeqFile } from '../../workers/ring/ring-seq-file.ts';
import { skein } from '../e2e/cli-process.ts';
import { eventually } from '../e2e/support/daemons.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each(STATE_NUMBERS)('a file of $prefix', (kind) => {
  const path = (): string => stateFile(folder, kind, 'a');

  it.each([
    ['', 'is empty'],
    ['\n', 'which is not'],
    ['17', 'without a line end'],
    ['0x10\n', 'which is not'],
    ['1e3\n', 'which is not'],
    ['017\n', 'which is not'],
    ['+17\n', 'which is not'],
    ['-17\n', 'which is not'],
    ['1.0\n', 'which is not'],
    [' 17\n', 'which is not'],
    ['17 \n', 'which is not'],
    ['17\r\n', 'which is not'],
    ['17\n\n', 'which is not'],
    ['17\n18\n', 'which is not'],
    ['\uFEFF17\n', 'which is not'],
    ['١٧\n', 'which is not'],
    ['17\0\n', 'which is not'],
    ['\0\0\0\0', 'without a line end'],
    ['Infinity\n', 'which is not'],
    ['NaN\n', 'which is not'],
    ['17n\n', 'which is not'],
    ['1_7\n', 'which is not'],
    ['x\n', 'which is not'],
    [`${'9'.repeat(16)}\n`, 'the highest is'],
    [`${'9'.repeat(17)}\n`, 'which is not'],
    [`${'9'.repeat(1000)}\n`, 'without a line end'],
  ])('that holds %j is refused with its name and the way out', async (text, problem) => {
    writeFileSync(path(), text);
    const refused = await readNumber(path(), kind).catch((error: Error) => error);
    expect((refused as Error).message).toMatch(
      new RegExp(
        `^state file ${path()} .*${problem}.*; "skein state repair ${dirname(path())}" puts a fresh number there$`,
      ),
    );
  });

  it.each([
    ['a folder', () => mkdirSync(path()), /EISDIR|not a regular file/],
    ['a pipe', () => execFileSync('mkfifo', [path()]), /not a regular file/],
    ['a link to itself', () => symlinkSync(path(), path()), /ELOOP/],
    ['a device', () => symlinkSync('/dev/zero', path()), /not a regular file/],
  ])('that is %s is refused at once', async (_, make, reason) => {
    make();
    await expect(readNumber(path(), kind)).rejects.toThrow(reason);
  });

  it('holds what was written, up to the highest', async () => {
    expect(await readNumber(path(), kind)).toBe(null);
    for (const value of [0, 1, 2 ** 31, kind.highest]) {
      await writeNumber(path(), value);
      expect(await readNumber(path(), kind)).toBe(value);
    }
    writeFileSync(path(), `${kind.highest + 1}\n`);
    await expect(readNumber(path(), kind)).rejects.toThrow(`the highest is ${kind.highest}`);
    expect(readdirSync(folder)).toEqual([`${kind.prefix}-a`]);
  });

  it.each(['a/b', '../a', '%2F', 'a%', 'a.new', 'a.latest', 'new-a', 'berlin.example.com'])(
    'of daemon %s is in the folder and belongs to no other daemon',
    async (name) => {
      const file = stateFile(folder, kind, name);
      expect(dirname(file)).toBe(folder);
      await writeNumber(file, 5);
      expect(readdirSync(folder).map((entry) => ownerOf(entry, kind))).toEqual([name]);
    },
  );

  it.each([
    ['a file', () => writeFileSync(join(folder, 'no'), '')],
    ['a link to nowhere', () => symlinkSync(join(folder, 'nowhere', 'else'), join(folder, 'no'))],
  ])('cannot be kept where StateDir is %s, and the error says so', async (_, make) => {
    make();
    await expect(writeNumber(stateFile(join(folder, 'no'), kind, 'a'), 5)).rejects.toThrow(
      /state file .* cannot be written: E[A-Z]+.*make StateDir writable/,
    );
  });
});

describe('clocks', () => {
  it.each([
    [Number.NEGATIVE_INFINITY, 1],
    [-1, 1],
    [0, 1],
    [5.5, 5],
    [Date.UTC(2107, 0), Date.UTC(2107, 0)],
    [2 ** 48, 1],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
  ])('at %d give a number that fits', (nowMs, expected) => expect(clockIncarnation(nowMs)).toBe(expected));

  it.each([-1e12, 0, Date.UTC(2026, 0), Date.UTC(2106, 5), Date.UTC(9999, 0), 2 ** 52])(
    'at %d leave the numbers of rings below the end',
    async (nowMs) => {
      for (const dir of [null, folder]) {
        const { floor } = await ringSeqState(dir, 'a', [], nowMs / 1000);
        expect(floor).toBeGreaterThanOrEqual(0);
        expect(floor).toBeLessThan(MAX_RING_SEQ - 2 ** 25);
      }
    },
  );

  it('that were set back give a warning, and the numbers still rise', async () => {
    const first = await nextIncarnation(folder, 'a', false, [], Date.UTC(2026, 5));
    const warnings: string[] = [];
    expect(await nextIncarnation(folder, 'a', false, warnings, Date.UTC(2026, 4))).toBe(first + 1);
    expect(warnings.join()).toMatch(
      /incarnation-a records a start .* at 2026-06-01T.*, and the clock shows 2026-05-01.*set back/,
    );
  });

  it('that are far behind the stored number give a warning with both possible causes', async () => {
    writeFileSync(stateFile(folder, INCARNATION, 'a'), `${Date.UTC(2107, 0)}\n`);
    const warnings: string[] = [];
    await nextIncarnation(folder, 'a', false, warnings, Date.UTC(2026, 4));
    expect(warnings.join()).toMatch(/more than a year ahead of the clock .*one of them is or was wrong/);
  });
});

describe('numbers that a daemon cannot go on with', () => {
  it('the last incarnation number prevents the start with an error', async () => {
    writeFileSync(stateFile(folder, INCARNATION, 'a'), `${INCARNATION.highest}\n`);
    await expect(nextIncarnation(folder, 'a', false)).rejects.toThrow(
      /the highest number there is; "skein state repair/,
    );
  });

  it.each([
    [MAX_RING_SEQ - 5, /near the end .* stays alone: .* skein state repair/],
    [3_000_000_000, /far ahead of the clock .* skein state repair .*--doubtful/],
  ])('ring sequence number %d is told at the start', async (value, text) => {
    writeFileSync(stateFile(folder, RING_SEQ, 'a'), `${value}\n`);
    const warnings: string[] = [];
    expect((await ringSeqState(folder, 'a', warnings)).floor).toBe(value);
    expect(warnings.join()).toMatch(text);
  });
});

describe('the number of the ring', () => {
  const path = (): string => stateFile(folder, RING_SEQ, 'a');

  it('is visible to the next incarnation before it is on disk, and is on disk soon after', async () => {
    const failures: unknown[] = [];
    const file = new RingSeqFile(path(), (error) => failures.push(error));
    for (let seq = 1000; seq < 1020; seq++) {
      file.store(seq);
      expect((await ringSeqState(folder, 'a')).floor).toBe(seq);
    }
    await eventually(
      () => readdirSync(folder).length === 1,
      () => readdirSync(folder).join(),
    );
    expect(readFileSync(path(), 'utf8')).toBe('1019\n');
    expect(failures).toEqual([]);
  });

  it('is the one on disk when a power cut left the other file empty, with a warning', async () => {
    await writeNumber(path(), 50);
    writeFileSync(latestFile(path()), '');
    const warnings: string[] = [];
    expect((await ringSeqState(folder, 'a', warnings)).floor).toBe(50);
    expect(warnings.join()).toMatch(/latest-ring-seq-a is empty; it is not used/);
  });

  it('that cannot be stored is an error to the caller, at once and later', async () => {
    const failures: unknown[] = [];
    const file = new RingSeqFile(path(), (error) => failures.push(error));
    // A folder in the place of the file that is renamed.
    mkdirSync(join(path(), 'x'), { recursive: true });
    file.store(5);
    await eventually(() => failures.length === 1, 'no failure told');
    rmSync(folder, { recursive: true });
    expect(() => file.store(6)).toThrow(/ENOENT/);
  });
});

describe('skein state', () => {
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const now = (): number => Date.now();

  function fill(): void {
    put('incarnation-good', `${now()}\n`);
    put('ring-seq-good', `${Math.floor(now() / 1000)}\n`);
    put('incarnation-bad', '');
    put('ring-seq-bad', '0x10\n');
    put('ring-seq-end', `${MAX_RING_SEQ - 1}\n`);
    put('ring-seq-far', '3000000000\n');
    put('notes.txt', 'not ours\n');
  }

  it('lists the daemons of a folder, and exits with 1 when a number is unusable', async () => {
    fill();
    const { code, stdout, stderr } = await skein(['state', 'show', folder]);
    expect(code).toBe(1);
    expect(stderr).toContain(`3 numbers cannot be used: skein state repair ${folder}`);
    expect(stdout).toMatch(/good +incarnation +\d+ +20\d\d-.* +ok\n/);
    expect(stdout).toMatch(/bad +incarnation +- +- +broken: is empty\n/);
    expect(stdout).toMatch(/end +ring-seq +4294901759 +2106-.* exhausted: is at the end of the numbers/);
    expect(stdout).toMatch(/far +ring-seq +3000000000 +2065-.* doubtful: holds ring sequence number/);
    expect(stdout).not.toContain('notes');
  });

  it('repairs unusable numbers, keeps the old files, and changes nothing else', async () => {
    fill();
    const good = readFileSync(join(folder, 'ring-seq-good'), 'utf8');
    const { code, stdout } = await skein(['state', 'repair', folder, '--yes', '--json']);
    expect(code).toBe(0);
    const { replaced } = JSON.parse(stdout) as {
      readonly replaced: readonly { readonly daemon: string; readonly kept: string }[];
    };
    expect(replaced.map(({ daemon }) => daemon)).toEqual(['bad', 'bad', 'end']);
    expect(readFileSync(replaced[1]!.kept, 'utf8')).toBe('0x10\n');
    const verdicts = (await inspectStateFolder(folder, now())).map(({ daemon, verdict }) => `${daemon} ${verdict}`);
    expect(verdicts.filter((verdict) => /broken|exhausted/.test(verdict))).toEqual([]);
    expect(verdicts).toContain('far doubtful');
    expect(readFileSync(join(folder, 'ring-seq-good'), 'utf8')).toBe(good);
    expect((await skein(['state', 'show', folder])).code).toBe(0);
    // A daemon can start with it again.
    expect(await nextIncarnation(folder, 'bad', false)).toBeGreaterThan(0);
    expect((await ringSeqState(folder, 'end')).floor).toBeLessThan(2 ** 32 - 2 ** 28);
    expect((await skein(['state', 'repair', folder, '--doubtful', '--yes'])).code).toBe(0);
    expect(
      (await inspectStateFolder(folder, now())).every(({ verdict }) => verdict === 'ok' || verdict === 'missing'),
    ).toBe(true);
  });

  it('accepts given numbers for one daemon, and refuses them out of range or for several daemons', async () => {
    fill();
    expect((await skein(['state', 'repair', folder, 'good', '--ring-seq', '1234', '--yes'])).code).toBe(0);
    expect(readFileSync(join(folder, 'ring-seq-good'), 'utf8')).toBe('1234\n');
    for (const args of [
      ['--ring-seq', '5', '--yes'],
      ['nobody', '--yes'],
      ['good', '--ring-seq', '4294967295', '--yes'],
      ['good', '--incarnation', '0x10', '--yes'],
    ]) {
      expect((await skein(['state', 'repair', folder, ...args])).code).toBe(2);
    }
  });

  it('does nothing without a yes, and nothing in a dry run', async () => {
    fill();
    expect((await skein(['state', 'repair', folder])).code).toBe(2);
    const { code, stdout } = await skein(['state', 'repair', folder, '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toContain('bad: incarnation would become');
    expect(readFileSync(join(folder, 'incarnation-bad'), 'utf8')).toBe('');
  });

  it('names the folder that cannot be read', async () => {
    const { code, stderr } = await skein(['state', 'show', join(folder, 'none')]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${join(folder, 'none')} cannot be read: ENOENT`);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});

describe('the files of one daemon among others', () => {
  const daemons = ['a', 'b-a', 'a-b', '-a', 'b/a', '%2Fa'];

  it('are distinguished from those of daemons whose names end alike', () => {
    const all = daemons.flatMap((daemon) => stateFilesOf(folder, daemon));
    expect(new Set(all).size).toBe(all.length);
    for (const file of all) expect(dirname(file)).toBe(folder);
  });

  it.runIf(process.getuid?.() === 0)('are the only ones handed over to its user', () => {
    for (const daemon of daemons) for (const file of stateFilesOf(folder, daemon)) writeFileSync(file, '1\n');
    handOverState(folder, 'a', false, { uid: 65_534, gid: 65_534, userName: null });
    const given = readdirSync(folder).filter((name) => statSync(join(folder, name)).uid === 65_534);
    expect(given.sort()).toEqual(
      stateFilesOf(folder, 'a')
        .map((file) => file.slice(folder.length + 1))
        .sort(),
    );
    expect(given).toContain('incarnation-a');
  });
});
