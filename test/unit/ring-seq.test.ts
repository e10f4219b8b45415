import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { connect } from '../../client/connect.ts';
import { createDaemonSpec } from '../../daemon/create-daemon-spec.ts';
import { loadOptions } from '../../daemon/options-load.ts';
import { ringSeqState } from '../../daemon/ring-seq-floor.ts';
import { startDaemon } from '../../daemon/start-daemon.ts';

const folder = mkdtempSync(join(tmpdir(), 'skein-ring-seq-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fileOf = (name: string): string => join(folder, `ring-seq-${name}`);
const stored = (name: string): number => Number(readFileSync(fileOf(name), 'utf8'));

it('starts each incarnation above all that earlier incarnations used, although they ran ahead of the clock', async () => {
  const options = { name: 'a', port: 0, stateDir: folder, unixSocketDir: null, logLevel: 'silent' } as const;
  const ahead = Math.floor(Date.now() / 1000) + 1_000_000;
  writeFileSync(fileOf('a'), `${ahead}\n`);
  for (const expected of [ahead + 1, ahead + 2]) {
    expect((await createDaemonSpec(await loadOptions(options))).spec.ring.ring.ringSeqFloor).toBe(expected - 1);
    const daemon = await startDaemon({ ...options, threadingMode: 'inline' });
    const deadline = Date.now() + 5000;
    while (stored('a') < expected && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    await daemon.stop({ drainTimeoutMs: 100 });
    expect(stored('a')).toBe(expected);
  }
});

it('stores nothing without a folder, and then starts each run at a random place ahead of the clock', async () => {
  const before = Math.floor(Date.now() / 1000);
  const states = await Promise.all(Array.from({ length: 50 }, () => ringSeqState(null, 'b')));
  const floors = states.map(({ floor }) => floor).sort((a, b) => a - b);
  expect(states.every(({ file }) => file === null)).toBe(true);
  expect(floors[0]).toBeGreaterThanOrEqual(before);
  // Far enough apart that the memberships of one incarnation do not reach the numbers of another.
  expect(new Set(floors.map((floor) => Math.floor(floor / 16))).size).toBeGreaterThan(47);
});

it('gives a daemon that restarts at once other view ids, without a folder', async () => {
  const ids: string[] = [];
  for (let run = 0; run < 3; run++) {
    await using daemon = await startDaemon({
      name: 'd',
      port: 0,
      unixSocketDir: null,
      logLevel: 'silent',
      threadingMode: 'inline',
    });
    const client = await connect({ address: { host: '127.0.0.1', port: daemon.port! }, name: 'u' });
    const view = new Promise<string>((resolve) => client.once('membership', ({ viewId }) => resolve(`${viewId}`)));
    await client.join('g');
    ids.push(await view);
    await client.close();
  }
  expect(new Set(ids).size).toBe(3);
});

it('refuses a damaged file', async () => {
  writeFileSync(fileOf('c'), 'x\n');
  await expect(ringSeqState(folder, 'c')).rejects.toThrow(/holds "x\\n", which is not a ring sequence number/);
});
