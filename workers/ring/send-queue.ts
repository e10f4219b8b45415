/**
 * The ring's send queue: what the clients of each delivery worker want ordered, and before all of it what the host itself puts into the
 * order (host-records.ts). Workers take turns, one span or packet each.
 */

import { SpscQueueConsumer } from '../../engine/buffers/spsc-queue.ts';
import type { RecordSpan } from '../../engine/host/ring-host.ts';
import { PacketFiller, type RecordSource } from '../../engine/ring/packing.ts';
import { type DrainStage, RecordKind } from '../../engine/wire/record.ts';
import { HostRecords } from './host-records.ts';
import { MAX_SPAN_BYTES } from './log-output.ts';

/** A delivery worker's submit queue. */
class SubmitSource implements RecordSource {
  readonly queue: SpscQueueConsumer;

  constructor(memory: SharedArrayBuffer) {
    this.queue = new SpscQueueConsumer(memory);
  }

  peek(span: RecordSpan): boolean {
    if (!this.queue.peek(MAX_SPAN_BYTES)) return false;
    span.bytes = this.queue.bytes;
    span.offset = this.queue.offset;
    span.lengthBytes = this.queue.lengthBytes;
    return true;
  }

  consume(lengthBytes: number): void {
    this.queue.release(lengthBytes);
  }
}

export class SendQueue {
  readonly #host = new HostRecords();
  readonly #hostFiller: PacketFiller;
  readonly #workers: readonly { readonly source: SubmitSource; readonly filler: PacketFiller }[];
  /** Whose turn it is. */
  #turn = 0;
  #clientsBlocked = false;
  #borrowed: PacketFiller | null = null;

  constructor(submitQueues: readonly SharedArrayBuffer[]) {
    this.#hostFiller = new PacketFiller(this.#host);
    this.#workers = submitQueues.map((memory) => {
      const source = new SubmitSource(memory);
      return { source, filler: new PacketFiller(source) };
    });
  }

  /** Client records stay in their queues while a state exchange is under way (ring-protocol.md, 4.5). */
  blockClients(blocked: boolean): void {
    this.#clientsBlocked = blocked;
  }

  pushGroups(body: Uint8Array): void {
    this.#host.push(RecordKind.Groups, body);
  }

  pushDrain(stage: DrainStage): void {
    this.#host.push(RecordKind.Drain, Uint8Array.of(stage));
  }

  hasRecords(): boolean {
    if (this.#host.queuedBytes > 0) return true;
    if (this.#clientsBlocked) return false;
    for (const { source } of this.#workers) if (source.queue.usedBytes() > 0) return true;
    return false;
  }

  /** Nothing waits, neither for its turn nor for the end of a state exchange. */
  isEmpty(): boolean {
    if (this.#host.queuedBytes > 0) return false;
    for (const { source } of this.#workers) if (source.queue.usedBytes() > 0) return false;
    return true;
  }

  /** Bytes of client requests that wait, also those held back by a state exchange. */
  clientBytes(): number {
    let bytes = 0;
    for (const { source } of this.#workers) bytes += source.queue.usedBytes();
    return bytes;
  }

  queuedBytes(): number {
    let bytes = this.#host.queuedBytes;
    if (this.#clientsBlocked) return bytes;
    for (const { source } of this.#workers) bytes += source.queue.usedBytes();
    return bytes;
  }

  /** `RingHost.fillPacket`. A message sent in part is finished before another source has its turn. */
  fillPacket(out: Uint8Array, offset: number, capacityBytes: number): number {
    const unfinished = this.#unfinished();
    if (unfinished !== null) return unfinished.fillPacket(out, offset, capacityBytes);
    const ofHost = this.#hostFiller.fillPacket(out, offset, capacityBytes);
    if (ofHost > 0 || this.#clientsBlocked) return ofHost;
    for (let i = 0; i < this.#workers.length; i++) {
      const bytes = this.#nextFiller().fillPacket(out, offset, capacityBytes);
      if (bytes > 0) return bytes;
    }
    return 0;
  }

  /** `RingHost.borrowRecords`. */
  borrowRecords(span: RecordSpan): boolean {
    if (this.#hostFiller.borrowRecords(span)) {
      this.#borrowed = this.#hostFiller;
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
    this.#hostFiller.restartMessage();
    for (const { filler } of this.#workers) filler.restartMessage();
  }

  #unfinished(): PacketFiller | null {
    if (this.#hostFiller.midMessage) return this.#hostFiller;
    for (const { filler } of this.#workers) if (filler.midMessage) return filler;
    return null;
  }

  #nextFiller(): PacketFiller {
    const { filler } = this.#workers[this.#turn]!;
    this.#turn = (this.#turn + 1) % this.#workers.length;
    return filler;
  }
}
