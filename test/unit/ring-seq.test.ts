import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createDaemonSpec } from '../../daemon/daemon-spec.ts';
import { loadOptions } from '../../daemon/options-load.ts';
import { ringSeqState } from '../../daemon/ring-seq-floor.ts';
import { startDaemon } from '../../daemon/start-daemon.ts';

const folder = mkdtempSync(join(tmpdir(), 'skein-ring-seq-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fileOf = (name: string): string => join(folder, `ring-seq-${name}`);
const stored = (name: string): number => Number(readFileSync(fileOf(name), 'utf8'));

it('starts each run above all that earlier runs used, although they ran ahead of the clock', async () => {
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

it('keeps nothing without a folder, and then starts above the present second', async () => {
  const before = Math.floor(Date.now() / 1000);
  const { floor, file } = await ringSeqState(null, 'b');
  expect(floor).toBeGreaterThanOrEqual(before);
  expect(file).toBeNull();
});

it('refuses a damaged file', async () => {
  writeFileSync(fileOf('c'), 'x\n');
  await expect(ringSeqState(folder, 'c')).rejects.toThrow('"x" is not a ring sequence number');
});
