/**
 * The ring's send queue: what the clients of each delivery worker want ordered, and before all of it what the process groups
 * themselves must say. Workers take turns, one span or packet each.
 */

import { SpscRingConsumer } from '../../engine/buffers/spsc-ring.ts';
import type { RecordSpan } from '../../engine/host/ring-host.ts';
import { PacketFiller, type RecordSource } from '../../engine/ring/packing.ts';
import {
  RECORD_FLAGS_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_SERVICE_OFFSET,
} from '../../engine/wire/layout/record-header.ts';
import { alignRecord, RECORD_FIRST, RECORD_LAST, RecordKind } from '../../engine/wire/record.ts';
import { AGREED_MESS } from '../../engine/wire/service.ts';
import { MAX_SPAN_BYTES } from './log-output.ts';

/** A delivery worker's submit ring. */
class SubmitSource implements RecordSource {
  readonly ring: SpscRingConsumer;

  constructor(memory: SharedArrayBuffer) {
    this.ring = new SpscRingConsumer(memory);
  }

  peek(span: RecordSpan): boolean {
    if (!this.ring.peek(MAX_SPAN_BYTES)) return false;
    span.bytes = this.ring.bytes;
    span.offset = this.ring.offset;
    span.lengthBytes = this.ring.lengthBytes;
    return true;
  }

  consume(lengthBytes: number): void {
    this.ring.release(lengthBytes);
  }
}

/** GROUPS records, made in this thread: thousands at once where there are many groups, so that taking one must not cost by their number. */
class GroupsSource implements RecordSource {
  #records: Uint8Array[] = [];
  #next = 0;
  queuedBytes = 0;

  push(body: Uint8Array): void {
    const length = RECORD_HEADER_LENGTH + body.length;
    const record = new Uint8Array(alignRecord(length));
    const view = new DataView(record.buffer);
    view.setUint32(RECORD_LENGTH_OFFSET, length, true);
    view.setUint8(RECORD_KIND_OFFSET, RecordKind.Groups);
    view.setUint8(RECORD_SERVICE_OFFSET, AGREED_MESS);
    view.setUint16(RECORD_FLAGS_OFFSET, RECORD_FIRST | RECORD_LAST, true);
    record.set(body, RECORD_HEADER_LENGTH);
    this.#records.push(record);
    this.queuedBytes += record.length;
  }

  peek(span: RecordSpan): boolean {
    const first = this.#records[this.#next];
    if (first === undefined) return false;
    span.bytes = first;
    span.offset = 0;
    span.lengthBytes = first.length;
    return true;
  }

  consume(_lengthBytes: number): void {
    this.queuedBytes -= this.#records[this.#next]!.length;
    if (++this.#next < this.#records.length) return;
    this.#records = [];
    this.#next = 0;
  }
}

export class SendQueue {
  readonly #groups = new GroupsSource();
  readonly #groupsFiller: PacketFiller;
  readonly #workers: readonly { readonly source: SubmitSource; readonly filler: PacketFiller }[];
  /** Whose turn it is. */
  #turn = 0;
  #clientsBlocked = false;
  #borrowed: PacketFiller | null = null;

  constructor(submitRings: readonly SharedArrayBuffer[]) {
    this.#groupsFiller = new PacketFiller(this.#groups);
    this.#workers = submitRings.map((memory) => {
      const source = new SubmitSource(memory);
      return { source, filler: new PacketFiller(source) };
    });
  }

  /** Client records stay in their rings while a state exchange is under way (ring-protocol.md, 4.5). */
  blockClients(blocked: boolean): void {
    this.#clientsBlocked = blocked;
  }

  pushGroups(body: Uint8Array): void {
    this.#groups.push(body);
  }

  hasRecords(): boolean {
    if (this.#groups.queuedBytes > 0) return true;
    if (this.#clientsBlocked) return false;
    for (const { source } of this.#workers) if (source.ring.usedBytes() > 0) return true;
    return false;
  }

  /** Nothing waits, neither for its turn nor for the end of a state exchange. */
  isEmpty(): boolean {
    if (this.#groups.queuedBytes > 0) return false;
    for (const { source } of this.#workers) if (source.ring.usedBytes() > 0) return false;
    return true;
  }

  /** Bytes of client requests that wait, also those held back by a state exchange. */
  clientBytes(): number {
    let bytes = 0;
    for (const { source } of this.#workers) bytes += source.ring.usedBytes();
    return bytes;
  }

  queuedBytes(): number {
    let bytes = this.#groups.queuedBytes;
    if (this.#clientsBlocked) return bytes;
    for (const { source } of this.#workers) bytes += source.ring.usedBytes();
    return bytes;
  }

  /** `RingHost.fillPacket`. A message sent in part is finished before another source has its turn. */
  fillPacket(out: Uint8Array, offset: number, capacityBytes: number): number {
    const unfinished = this.#unfinished();
    if (unfinished !== null) return unfinished.fillPacket(out, offset, capacityBytes);
    const groups = this.#groupsFiller.fillPacket(out, offset, capacityBytes);
    if (groups > 0 || this.#clientsBlocked) return groups;
    for (let i = 0; i < this.#workers.length; i++) {
      const bytes = this.#nextFiller().fillPacket(out, offset, capacityBytes);
      if (bytes > 0) return bytes;
    }
    return 0;
  }

  /** `RingHost.borrowRecords`. */
  borrowRecords(span: RecordSpan): boolean {
    if (this.#groupsFiller.borrowRecords(span)) {
      this.#borrowed = this.#groupsFiller;
      return true;
    }
    if (this.#clientsBlocked) return false;
    for (let i = 0; i < this.#workers.length; i++) {
      const filler = this.#nextFiller();
      if (filler.borrowRecords(span)) {
        this.#borrowed = filler;
        return true;
      }
    }
    return false;
  }

  releaseRecords(): void {
    this.#borrowed?.releaseRecords();
    this.#borrowed = null;
  }

  /** A new regular configuration: half-sent messages start again. */
  restartMessages(): void {
    this.#groupsFiller.restartMessage();
    for (const { filler } of this.#workers) filler.restartMessage();
  }

  #unfinished(): PacketFiller | null {
    if (this.#groupsFiller.midMessage) return this.#groupsFiller;
    for (const { filler } of this.#workers) if (filler.midMessage) return filler;
    return null;
  }

  #nextFiller(): PacketFiller {
    const { filler } = this.#workers[this.#turn]!;
    this.#turn = (this.#turn + 1) % this.#workers.length;
    return filler;
  }
}
