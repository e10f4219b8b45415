/** The limit on what waits for all sessions holds over all delivery workers, and the slowest of all is ended, wherever it is. */
import { describe, expect, it } from 'vitest';
import { defaultMaxQueuedBytes } from '../../daemon/machine-memory.ts';
import { createCounters, DeliveryCounter, deliveryCounters } from '../../engine/buffers/counters.ts';
import { LiveValue } from '../../workers/delivery/live.ts';
import { QueueCap } from '../../workers/delivery/queue-cap.ts';

const GIB = 1024 ** 3;

describe('three delivery workers', () => {
  const memory = createCounters(3);
  const all = [0, 1, 2].map((worker) => deliveryCounters(memory, worker));
  const caps = all.map((own) => new QueueCap(new LiveValue({ maxQueuedBytes: 1000 }), own, all));

  it('each see what waits at all of them, and the most it was', () => {
    expect(caps.map((cap, i) => cap.tell(200 + i))).toEqual([200, 401, 603]);
    expect(caps[0]!.tell(0)).toBe(403);
    expect(all[0]![DeliveryCounter.QueuedBytesMost]).toBe(403);
    expect(all[2]![DeliveryCounter.QueuedBytesMost]).toBe(603);
  });

  it('agree on whose session is the slowest; two equals both end theirs', () => {
    expect(caps[0]!.isWorst(50)).toBe(true);
    expect(caps[1]!.isWorst(70)).toBe(true);
    expect(caps[0]!.isWorst(50)).toBe(false);
    expect(caps[2]!.isWorst(70)).toBe(true);
    expect(caps[1]!.isWorst(0)).toBe(false);
    expect(caps[2]!.isWorst(0)).toBe(false);
    expect(caps[0]!.isWorst(50)).toBe(true);
  });
});

it('the default is a quarter of the memory, and never less than one session may have', () => {
  expect(defaultMaxQueuedBytes(8 * GIB)).toBe(2 * GIB);
  expect(defaultMaxQueuedBytes(GIB / 8)).toBe(64 * 1024 * 1024);
  expect(defaultMaxQueuedBytes()).toBeGreaterThanOrEqual(64 * 1024 * 1024);
});
