/** The limit on waiting bytes covers all delivery workers, and the slowest session is ended, at whatever worker. */
import { describe, expect, it } from 'vitest';
import { defaultMaxQueuedBytes } from '../../daemon/machine-memory.ts';
import { ControlWords, createControlWords } from '../../engine/buffers/control-words.ts';
import { createCounters, DeliveryCounter, deliveryCounters } from '../../engine/buffers/counters.ts';
import { LiveValue } from '../../workers/delivery/live.ts';
import { QueueCap } from '../../workers/delivery/queue-cap.ts';

const GIB = 1024 ** 3;

describe('three delivery workers', () => {
  const memory = createCounters(3);
  const all = [0, 1, 2].map((worker) => deliveryCounters(memory, worker));
  const words = createControlWords(3);
  const settings = new LiveValue({ maxQueuedBytes: 1000 });
  const caps = all.map((own, worker) => new QueueCap(settings, worker, new ControlWords(words), own));

  it('each see the waiting bytes of all, and their maximum', () => {
    expect(caps.map((cap, i) => cap.tell(640 + 64 * i))).toEqual([640, 1344, 2112]);
    // In steps of 64 bytes, rounded up.
    expect(caps[0]!.tell(1)).toBe(64 + 704 + 768);
    expect(caps[0]!.tell(0)).toBe(704 + 768);
    expect(all[0]![DeliveryCounter.QueuedBytesMost]).toBe(64 + 704 + 768);
    expect(all[2]![DeliveryCounter.QueuedBytesMost]).toBe(2112);
    expect(all.map((own) => own[DeliveryCounter.QueuedBytes])).toEqual([0, 704, 768]);
  });

  it('hold any amount of memory', () => {
    const most = 200 * 1024 ** 3;
    expect(caps[1]!.tell(most)).toBe(most + 768);
    caps[1]!.tell(704);
  });

  it('agree on the slowest session; two equals both end theirs', () => {
    expect(caps[0]!.isWorst(5000)).toBe(true);
    expect(caps[1]!.isWorst(7000)).toBe(true);
    expect(caps[0]!.isWorst(5000)).toBe(false);
    expect(caps[2]!.isWorst(7000)).toBe(true);
    expect(caps[1]!.isWorst(0)).toBe(false);
    expect(caps[2]!.isWorst(0)).toBe(false);
    expect(caps[0]!.isWorst(5000)).toBe(true);
  });
});

it('the default is a quarter of the memory, and at least the limit of one session', () => {
  expect(defaultMaxQueuedBytes(8 * GIB)).toBe(2 * GIB);
  expect(defaultMaxQueuedBytes(GIB / 8)).toBe(64 * 1024 * 1024);
  expect(defaultMaxQueuedBytes()).toBeGreaterThanOrEqual(64 * 1024 * 1024);
});
