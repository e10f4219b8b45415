import { describe, expect, it } from 'vitest';
import { createDoorbell, DoorbellRinger, DoorbellWaiter } from '../../engine/buffers/doorbell.ts';
import type { DoorbellThreadInput, DoorbellThreadResult } from '../property/support/doorbell-thread.ts';
import { runThread } from '../property/support/threads.ts';

describe('doorbell of a thread that sleeps in its event loop', () => {
  it('wakes once for each announced sleep, and not while the thread is awake', () => {
    const memory = createDoorbell();
    const waiter = new DoorbellWaiter(memory);
    let wakes = 0;
    const ringers = [0, 1].map(() => new DoorbellRinger(memory, () => wakes++));
    ringers[0]!.ring();
    expect(wakes).toBe(0);
    waiter.prepareToSleep();
    for (const ringer of [...ringers, ...ringers]) ringer.ring();
    expect(wakes).toBe(1);
    waiter.prepareToSleep();
    ringers[1]!.ring();
    expect(wakes).toBe(2);
    waiter.prepareToSleep();
    waiter.awake();
    ringers[0]!.ring();
    expect(wakes).toBe(2);
  });
});

describe('doorbell of a thread that blocks', () => {
  it('does not sleep when it rings between the announcement and the sleep', () => {
    const memory = createDoorbell();
    const waiter = new DoorbellWaiter(memory);
    waiter.prepareToSleep();
    new DoorbellRinger(memory, null).ring();
    const startMs = performance.now();
    waiter.block(20_000);
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });

  it('loses no wake-up in 100,000 rounds between two threads', async () => {
    const ball = new SharedArrayBuffer(4);
    const bells = [createDoorbell(), createDoorbell()] as const;
    const rounds = 100_000;
    const results = await Promise.all(
      ([0, 1] as const).map((parity) => {
        const own = bells[parity];
        const other = bells[1 - parity]!;
        return runThread<DoorbellThreadResult>('doorbell-thread', {
          ball,
          own,
          other,
          parity,
          rounds,
        } satisfies DoorbellThreadInput);
      }),
    );
    for (const { lost, sleeps } of results) {
      expect(lost).toBe(0);
      expect(sleeps).toBeGreaterThan(0);
    }
    expect(Atomics.load(new Int32Array(ball), 0)).toBe(2 * rounds);
  });
});
