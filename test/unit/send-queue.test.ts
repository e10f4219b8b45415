/** The order of sending: records of the groups layer first, then the delivery workers in turn. */

import { describe, expect, it } from 'vitest';
import { createSpscQueue, SpscQueueProducer, writeRecordHeader } from '../../engine/buffers/spsc-queue.ts';
import type { RecordSpan } from '../../engine/host/ring-host.ts';
import {
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_SESSION_OFFSET,
} from '../../engine/wire/layout/record-header.ts';
import { alignRecord, RECORD_FIRST, RECORD_LAST, RecordKind } from '../../engine/wire/record.ts';
import { AGREED_MESS } from '../../engine/wire/service.ts';
import { MAX_SPAN_BYTES } from '../../workers/ring/log-output.ts';
import { SendQueue } from '../../workers/ring/send-queue.ts';

class Bench {
  readonly queue: SendQueue;
  readonly #rings: readonly SpscQueueProducer[];

  constructor(workers: number) {
    const memories = Array.from({ length: workers }, () => createSpscQueue(1024 * 1024));
    this.#rings = memories.map((memory) => new SpscQueueProducer(memory));
    this.queue = new SendQueue(memories);
  }

  /** A leave of that session: a complete record without frames. */
  submit(worker: number, session: number, bodyLength = 64): void {
    const ring = this.#rings[worker]!;
    const at = ring.claim(RECORD_HEADER_LENGTH + bodyLength);
    writeRecordHeader(ring.view, at, RecordKind.Leave, AGREED_MESS, RECORD_FIRST | RECORD_LAST, session, 0, 0);
    ring.publish();
  }

  /** The next span's records: session, or `groups`. */
  borrow(): readonly (number | 'groups')[] | null {
    const span: RecordSpan = { bytes: new Uint8Array(0), offset: 0, lengthBytes: 0 };
    if (!this.queue.borrowRecords(span)) return null;
    const view = new DataView(span.bytes.buffer, span.bytes.byteOffset, span.bytes.byteLength);
    expect(span.lengthBytes).toBeLessThanOrEqual(MAX_SPAN_BYTES);
    const records: (number | 'groups')[] = [];
    for (let at = span.offset; at < span.offset + span.lengthBytes; ) {
      const isGroups = view.getUint8(at + RECORD_KIND_OFFSET) === RecordKind.Groups;
      records.push(isGroups ? 'groups' : view.getUint32(at + RECORD_SESSION_OFFSET, true));
      at += alignRecord(view.getUint32(at + RECORD_LENGTH_OFFSET, true));
    }
    this.queue.releaseRecords();
    return records;
  }
}

it('gives every worker one span in turn, and all of a worker in its own order', () => {
  const bench = new Bench(3);
  for (let i = 0; i < 3000; i++) bench.submit(0, i);
  for (let i = 0; i < 3000; i++) bench.submit(2, 10_000 + i);
  const order: number[] = [];
  const seen: number[] = [];
  for (let span = bench.borrow(); span !== null; span = bench.borrow()) {
    order.push(Number(span[0]) >= 10_000 ? 2 : 0);
    seen.push(...span.map(Number));
  }
  expect(order.length).toBeGreaterThan(4);
  for (let i = 1; i < order.length; i++) expect(order[i]).not.toBe(order[i - 1]);
  expect(seen.filter((session) => session < 10_000)).toEqual(Array.from({ length: 3000 }, (_, i) => i));
  expect(seen.filter((session) => session >= 10_000)).toEqual(Array.from({ length: 3000 }, (_, i) => 10_000 + i));
  expect(bench.queue.hasRecords()).toBe(false);
});

it('sends records of the groups layer first', () => {
  const bench = new Bench(1);
  bench.submit(0, 1);
  bench.queue.pushGroups(Uint8Array.of(1, 2, 3));
  bench.queue.pushGroups(Uint8Array.of(4));
  expect([bench.borrow(), bench.borrow(), bench.borrow(), bench.borrow()]).toEqual([['groups'], ['groups'], [1], null]);
});

describe('while clients are blocked', () => {
  it('their records stay, and those of the groups layer are sent', () => {
    const bench = new Bench(2);
    bench.submit(0, 1);
    bench.queue.blockClients(true);
    expect([bench.queue.hasRecords(), bench.queue.queuedBytes()]).toEqual([false, 0]);
    expect(bench.borrow()).toBe(null);
    expect(bench.queue.fillPacket(new Uint8Array(1400), 0, 1400)).toBe(0);
    bench.queue.pushGroups(Uint8Array.of(1));
    expect(bench.queue.hasRecords()).toBe(true);
    expect(bench.borrow()).toEqual(['groups']);
    bench.queue.blockClients(false);
    expect(bench.queue.queuedBytes()).toBeGreaterThan(0);
    expect(bench.borrow()).toEqual([1]);
  });
});

it('finishes a partly sent message before the next worker has its turn', () => {
  const bench = new Bench(2);
  bench.submit(0, 1, 3000);
  bench.submit(1, 2);
  const packet = new Uint8Array(1400);
  const sessions: number[] = [];
  for (let i = 0; i < 10 && bench.queue.hasRecords(); i++) {
    const length = bench.queue.fillPacket(packet, 0, packet.length);
    const view = new DataView(packet.buffer);
    for (let at = 0; at < length; at += alignRecord(view.getUint32(at + RECORD_LENGTH_OFFSET, true))) {
      sessions.push(view.getUint32(at + RECORD_SESSION_OFFSET, true));
    }
  }
  const firstOfTwo = sessions.indexOf(2);
  expect(sessions.filter((session) => session === 1).length).toBeGreaterThan(2);
  expect(sessions.slice(0, firstOfTwo === 0 ? 1 : firstOfTwo).every((session, _, all) => session === all[0])).toBe(
    true,
  );
  expect(new Set(sessions.slice(sessions.indexOf(1), sessions.lastIndexOf(1) + 1))).toEqual(new Set([1]));
});
