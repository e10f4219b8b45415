/** Token buckets in shared memory against a plain model, used by several workers in turn; and by threads at once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRateTable, FULL, RateTable } from '../../engine/buffers/rate-table.ts';
import type { RateThreadInput } from './support/rate-thread.ts';
import { runThread } from './support/threads.ts';

/** A bucket as a child would write it: real numbers, one owner. */
class Model {
  level: number;
  #atMs: number;
  readonly rate: number;

  constructor(rate: number, nowMs: number) {
    this.rate = rate;
    this.level = rate;
    this.#atMs = nowMs;
  }

  at(nowMs: number): number {
    this.level = Math.min(this.rate, this.level + ((nowMs - this.#atMs) * this.rate) / 1000);
    this.#atMs = nowMs;
    return this.level;
  }
}

const step = fc.record({
  worker: fc.nat({ max: 3 }),
  passMs: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 5000 })),
  take: fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 200_000 })),
});

/** Also where the clock goes round. */
const start = fc.constantFrom(0, 1_700_000_000_000, 2 ** 31 - 500, 2 ** 32 - 500);

describe('a bucket', () => {
  it('of messages is the model exactly, whichever workers use it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), start, fc.array(step), (rate, startMs, steps) => {
        const memory = createRateTable(10);
        const tables = Array.from({ length: 4 }, () => new RateTable(memory));
        const entry = tables[0]!.acquire(1, 2, 0, { messages: rate, bytes: 0 }, startMs | 0);
        const model = new Model(rate, startMs);
        let nowMs = startMs;
        for (const { worker, passMs, take } of steps) {
          nowMs += passMs;
          expect(tables[worker]!.messages(entry, rate, nowMs)).toBeCloseTo(model.at(nowMs), 6);
          // No session takes more than a read at once.
          const taken = Math.min(take, 3000);
          tables[worker]!.takeMessages(entry, taken);
          model.level -= taken;
          if (model.level < -900_000) return;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('of bytes is the model, but for what one filling has and a thousandth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1024, max: 1_000_000_000 }), start, fc.array(step), (rate, startMs, steps) => {
        const memory = createRateTable(10);
        const tables = Array.from({ length: 4 }, () => new RateTable(memory));
        const entry = tables[0]!.acquire(1, 2, 0, { messages: 0, bytes: rate }, startMs | 0);
        const model = new Model(rate, startMs);
        let nowMs = startMs;
        let gained = 0;
        for (const { worker, passMs, take } of steps) {
          nowMs += passMs;
          gained += (passMs * rate) / 1000;
          const level = tables[worker]!.bytes(entry, rate, nowMs);
          const expected = model.at(nowMs);
          const filling = 1001 + rate / 1000;
          // What passed while it was full is filled in with the next.
          expect(level).toBeLessThanOrEqual(expected + filling);
          // What is filled in later, and the parts of a byte that are lost.
          expect(level).toBeGreaterThanOrEqual(expected - gained / 1000 - filling);
          tables[worker]!.takeBytes(entry, take);
          model.level -= take;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is never in so much debt that it overflows', () => {
    const table = new RateTable(createRateTable(1));
    const entry = table.acquire(1, 1, 0, { messages: 1, bytes: 1024 }, 0);
    for (let i = 0; i < 5000; i++) table.takeBytes(entry, 1_000_000);
    expect(table.bytes(entry, 1024, 0)).toBeLessThan(0);
  });

  it('loses nothing when threads take from it at once', async () => {
    const memory = createRateTable(10);
    const table = new RateTable(memory);
    const entry = table.acquire(1, 1, 0, { messages: 1_000_000, bytes: 1_000_000_000 }, 0);
    const input: RateThreadInput = { memory, entry, rounds: 20_000 };
    await Promise.all([1, 2, 3].map(() => runThread('rate-thread', input)));
    expect(table.messages(entry, 1_000_000, 0)).toBe(940_000);
    expect(table.sessions(table.acquire(7, 1, 0, { messages: 1, bytes: 1 }, 0))).toBe(60_001);
    expect(table.sessions(table.acquire(7, 7, 0, { messages: 1, bytes: 1 }, 0))).toBe(1);
  });
});

describe('sessions', () => {
  const NONE = { messages: 0, bytes: 0 };

  it('are counted for each key, and an entry is used again when nobody has it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 30 }), fc.boolean()), { maxLength: 400 }), (steps) => {
        const memory = createRateTable(40);
        const tables = [new RateTable(memory), new RateTable(memory)];
        const entries = new Map<number, number[]>();
        for (const [i, [key, comes]] of steps.entries()) {
          const table = tables[i % 2]!;
          const open = entries.get(key) ?? [];
          if (comes) {
            // Keys 3 and 4099 more have one place in the table.
            const entry = table.acquire(key * 4096, key, 5, NONE, i);
            expect(entry === FULL).toBe(open.length >= 5);
            if (entry !== FULL) open.push(entry);
            for (const one of open) expect(one).toBe(open[0]);
          } else if (open.length > 0) table.release(open.pop()!, i);
          entries.set(key, open);
          if (open.length > 0) expect(table.sessions(open[0]!)).toBe(open.length);
        }
        const used = [...entries.values()].filter((open) => open.length > 0).map((open) => open[0]);
        expect(new Set(used).size).toBe(used.length);
      }),
    );
  });

  it('come and go without end, and who connects again finds the bucket as it was', () => {
    const table = new RateTable(createRateTable(2));
    const spent = table.acquire(-1, -1, 0, { messages: 10, bytes: 0 }, 0);
    table.takeMessages(spent, 10);
    table.release(spent, 0);
    expect(table.messages(table.acquire(-1, -1, 0, { messages: 10, bytes: 0 }, 1), 10, 1)).toBeCloseTo(0.01);
    for (let i = 0; i < 20_000; i++) table.release(table.acquire(i, i, 1, { messages: 1, bytes: 1 }, i), i);
    expect(table.sessions(spent)).toBe(1);
    expect(table.messages(spent, 10, 1)).toBeCloseTo(0.01);
  });
});
