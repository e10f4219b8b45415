import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cli, type RunningDaemon, skein, startDaemonProcess } from './cli-process.ts';

describe('skein publish --follow', () => {
  let daemon: RunningDaemon;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skein-follow-'));
    daemon = await startDaemonProcess();
  });
  afterAll(async () => {
    daemon.cli.kill('SIGTERM');
    await daemon.cli.ended;
    await rm(folder, { recursive: true });
  });

  it('publishes a file while it grows, is renamed and is truncated, until SIGINT', async () => {
    const log = join(folder, 'access.log');
    const receiver = new Cli(['subscribe', 'log', '-s', daemon.address, '--membership']);
    await receiver.until((lines) => lines.length === 1);
    const received = (): readonly string[] => receiver.lines.slice(1);
    const publisher = new Cli(['publish', 'log', '-s', daemon.address, '--follow', log]);

    await writeFile(log, 'a1\na2\nunfin');
    await receiver.until(() => received().length === 2);
    await appendFile(log, 'ished\n');
    await rename(log, `${log}.1`);
    await appendFile(`${log}.1`, 'late in the old file\n');
    await writeFile(log, 'b1\n');
    await receiver.until(() => received().length === 5);
    await truncate(log);
    // Shorter than before, so every later read detects the truncation.
    await appendFile(log, 'c\n');
    await receiver.until(() => received().length === 6);
    await appendFile(log, 'the last\n');
    publisher.kill('SIGINT');

    const { code, stderr } = await publisher.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^skein: published 7 lines/m);
    await receiver.until(() => received().length === 7);
    expect(received()).toEqual(['a1', 'a2', 'unfinished', 'late in the old file', 'b1', 'c', 'the last']);
    receiver.kill('SIGTERM');
    expect((await receiver.ended).code).toBe(0);
  });

  it('continues after a line that is too long, and counts it', async () => {
    const log = join(folder, 'long.log');
    const receiver = new Cli(['subscribe', 'long', '-s', daemon.address, '--membership']);
    await receiver.until((lines) => lines.length === 1);
    const publisher = new Cli(['publish', 'long', '-s', daemon.address, '--follow', log, '--json']);
    await writeFile(log, `before\n${'x'.repeat(300_000)}\nafter\r\n`);
    await receiver.until((lines) => lines.length === 3);
    publisher.kill('SIGTERM');
    const { code, stdout, stderr } = await publisher.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/line 2 is longer than 143120 bytes, the limit of a message: all such lines are left out/);
    expect(stderr).toMatch(/CR LF/);
    expect(JSON.parse(stdout)).toMatchObject({ lines: 2, longLines: 1, withCarriageReturn: 1 });
    expect(receiver.lines.slice(1)).toEqual(['before', 'after\r']);
    receiver.kill('SIGTERM');
    await receiver.ended;
  });
});

describe('skein publish from standard input', () => {
  it('sends what it has read when it is told to end, and reports what the daemon did not confirm', async () => {
    const daemon = await startDaemonProcess();
    const receiver = new Cli(['subscribe', 'many', '-s', daemon.address, '--membership']);
    await receiver.until((lines) => lines.length === 1);
    const publisher = new Cli(['publish', 'many', '-s', daemon.address, '--json']);
    const text = Array.from({ length: 40_000 }, (_, i) => `line ${i}\n`).join('');
    publisher.process.stdin.write(`${text}unfinished`);
    await receiver.until((lines) => lines.length > 100);
    publisher.kill('SIGTERM');
    const { code, stdout } = await publisher.ended;
    expect(code).toBe(0);
    const { lines, unfinishedBytes } = JSON.parse(stdout) as { lines: number; unfinishedBytes: number };
    await receiver.until((printed) => printed.length === lines + 1);
    expect(receiver.lines.slice(1)).toEqual(Array.from({ length: lines }, (_, i) => `line ${i}`));
    // At most a line without its end is left: "unfinished" and the longest line have ten bytes.
    expect(unfinishedBytes).toBeLessThanOrEqual(10);
    expect(lines).toBeGreaterThan(100);

    const cut = new Cli(['publish', 'many', '-s', daemon.address]);
    cut.process.stdin.write('a\nb\n');
    await receiver.until((printed) => printed.length === lines + 3);
    daemon.cli.kill('SIGKILL');
    const ended = await cut.ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/2 lines sent, (0|2|all) of them confirmed/);
    await receiver.ended;
  }, 60_000);

  it.each([
    ['skip', 2],
    ['truncate', 3],
    ['split', 5],
  ])('--long-lines %s', async (policy, count) => {
    const daemon = await startDaemonProcess();
    const input = `a\n${'x'.repeat(400_000)}\nb`;
    const { code, stdout } = await skein(
      ['publish', 'g', '-s', daemon.address, '--json', '--long-lines', policy],
      input,
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ lines: count, longLines: 1 });
    daemon.cli.kill('SIGTERM');
    await daemon.cli.ended;
  });
});
