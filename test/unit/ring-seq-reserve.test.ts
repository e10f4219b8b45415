import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { createDaemonSpec } from '../../daemon/daemon-spec.ts';
import { loadOptions } from '../../daemon/options-load.ts';
import { RingSeqReserve } from '../../daemon/ring-seq-reserve.ts';

const folder = mkdtempSync(join(tmpdir(), 'skein-ring-seq-'));
afterAll(() => rmSync(folder, { recursive: true }));

const stored = (name: string): number => Number(readFileSync(join(folder, `ring-seq-${name}`), 'utf8'));
const never = (error: Error): never => {
  throw error;
};

it('gives each run a floor that no earlier run has reached, although it ran ahead of the clock and crashed', async () => {
  const first = await RingSeqReserve.open(folder, 'a');
  expect(first.floor).toBe(0);
  let inUse = Math.floor(Date.now() / 1000) + 1;
  expect(stored('a')).toBeGreaterThan(inUse);
  first.watch(() => inUse, never);
  for (let rings = 0; rings < 3; rings++) {
    inUse = stored('a') - 1;
    await vi.waitFor(() => expect(stored('a')).toBeGreaterThan(inUse + 8), { timeout: 5000 });
  }
  await first.close();

  const second = await RingSeqReserve.open(folder, 'a');
  expect(second.floor).toBeGreaterThan(inUse);
  expect(stored('a')).toBeGreaterThan(second.floor + 8);
});

it('keeps nothing without a folder, and then starts above the present second', async () => {
  const before = Math.floor(Date.now() / 1000);
  const reserve = await RingSeqReserve.open(null, 'a');
  expect(reserve.floor).toBeGreaterThanOrEqual(before);
  reserve.watch(() => 0, never);
  await reserve.close();
});

it('refuses a damaged file', async () => {
  writeFileSync(join(folder, 'ring-seq-c'), 'x\n');
  await expect(RingSeqReserve.open(folder, 'c')).rejects.toThrow('"x" is not a ring sequence number');
});

it('is where the ring of a daemon with a state folder starts', async () => {
  const start = async () => createDaemonSpec(await loadOptions({ name: 'e', stateDir: folder }));
  const first = await start();
  expect(first.spec.ring.ring.ringSeqFloor).toBe(0);
  const afterFirst = stored('e');
  expect((await start()).spec.ring.ring.ringSeqFloor).toBe(afterFirst);
});
