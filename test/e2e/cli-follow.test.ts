import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cli, type RunningDaemon, startDaemonProcess } from './cli-process.ts';

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

  it('publishes a file as it grows, is renamed, and is truncated, until SIGINT', async () => {
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
    // Shorter than before, so the truncation shows whenever the file is looked at.
    await appendFile(log, 'c\n');
    await receiver.until(() => received().length === 6);
    await appendFile(log, 'the last\n');
    publisher.kill('SIGINT');

    const { code, stderr } = await publisher.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^skein: published 7 lines/);
    await receiver.until(() => received().length === 7);
    expect(received()).toEqual(['a1', 'a2', 'unfinished', 'late in the old file', 'b1', 'c', 'the last']);
    receiver.kill('SIGTERM');
    expect((await receiver.ended).code).toBe(0);
  });
});
