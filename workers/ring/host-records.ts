/**
 * Records that the host itself puts into the order, made in the ring agent's thread: the group tables of state exchanges, and how far a
 * daemon that stops has come. They go before what clients send, in the order of `push`. There are thousands at once where there are many
 * groups, so taking one does not cost by their number.
 */
import type { RecordSpan } from '../../engine/host/ring-host.ts';
import type { RecordSource } from '../../engine/ring/packing.ts';
import {
  RECORD_FLAGS_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_SERVICE_OFFSET,
} from '../../engine/wire/layout/record-header.ts';
import { alignRecord, RECORD_FIRST, RECORD_LAST, type RecordKind } from '../../engine/wire/record.ts';
import { AGREED_MESS } from '../../engine/wire/service.ts';

export class HostRecords implements RecordSource {
  #records: Uint8Array[] = [];
  #next = 0;
  queuedBytes = 0;

  /** @param kind accepted by `recordFault` and handled by `OrderedRecords.deliver` @param body is copied */
  push(kind: RecordKind, body: Uint8Array): void {
    const length = RECORD_HEADER_LENGTH + body.length;
    const record = new Uint8Array(alignRecord(length));
    const view = new DataView(record.buffer);
    view.setUint32(RECORD_LENGTH_OFFSET, length, true);
    view.setUint8(RECORD_KIND_OFFSET, kind);
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
