/**
 * Tells what passes in one group, record by record, at its place in the order. There while somebody traces the group, and only then; it costs
 * the ring a walk over the headers of the group's messages, and is bounded: what is more than that is counted.
 */
import { readMessageType, readName } from '../../engine/wire/frame.ts';
import type { NodeIndex } from '../../engine/wire/ids.ts';
import { DISCONNECT_RECORD_MEMBER_OFFSET } from '../../engine/wire/layout/disconnect-record.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_GROUPS_OFFSET,
  FRAME_HEADER_LENGTH,
  FRAME_HINT_OFFSET,
  FRAME_SENDER_OFFSET,
} from '../../engine/wire/layout/frame-header.ts';
import { JOIN_RECORD_GROUP_OFFSET, JOIN_RECORD_MEMBER_OFFSET } from '../../engine/wire/layout/join-record.ts';
import {
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_SERVICE_OFFSET,
} from '../../engine/wire/layout/record-header.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { canonicalName, NAME_WORDS, nameWords, sameNameWords } from '../../engine/wire/name-hash.ts';
import { alignRecord, RecordKind } from '../../engine/wire/record.ts';
import { hostClockMs } from '../watch/host-clock.ts';
import { MAX_TRACED_DATA_BYTES, type TracedEvent } from '../watch/trace-reports.ts';
import type { OrderedRecords } from './ordered-records.ts';

/** Events told in one duty cycle, and in a second. */
const MAX_BATCH = 500;
const MAX_PER_SECOND = 5000;

export interface GroupTraceOptions {
  readonly id: number;
  readonly group: string;
  readonly hasData: boolean;
}

export interface TracedBatch {
  readonly events: readonly TracedEvent[];
  /** What was left out since the last batch. */
  readonly missed: number;
}

export class GroupTrace {
  readonly id: number;
  readonly #group: string;
  readonly #words: Int32Array;
  readonly #hasData: boolean;
  readonly #records: OrderedRecords;
  readonly #ringSeq: () => number;
  /** Records dropped so far: of those nothing is told. */
  readonly #refused: () => number;
  readonly #scratch = new Int32Array(NAME_WORDS);
  #members: number;
  #events: TracedEvent[] = [];
  #missed = 0;
  #secondAt = 0;
  #inSecond = 0;

  constructor(
    { id, group, hasData }: GroupTraceOptions,
    records: OrderedRecords,
    ringSeq: () => number,
    refused: () => number,
  ) {
    this.id = id;
    this.#group = group;
    this.#words = nameWords(group);
    this.#hasData = hasData;
    this.#records = records;
    this.#ringSeq = ringSeq;
    this.#refused = refused;
    this.#members = records.groups.memberCount(group);
  }

  /** Delivers a span as `OrderedRecords.deliver` does, one record after the other. */
  deliver(origin: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number, isOwn: boolean): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = offset; at < offset + lengthBytes; ) {
      const length = alignRecord(view.getUint32(at + RECORD_LENGTH_OFFSET, true));
      const refused = this.#refused();
      this.#records.deliver(origin, bytes, at, length, isOwn);
      if (this.#refused() === refused) this.#tell(origin, bytes, view, at);
      at += length;
    }
  }

  /** A configuration was delivered: members may have gone with their daemons. */
  configurationChanged(): void {
    this.#compare(null, '');
  }

  /** What has come since the last call; null: nothing. */
  take(): TracedBatch | null {
    if (this.#events.length === 0 && this.#missed === 0) return null;
    const batch = { events: this.#events, missed: this.#missed };
    this.#events = [];
    this.#missed = 0;
    return batch;
  }

  #tell(origin: NodeIndex, bytes: Uint8Array, view: DataView, at: number): void {
    const kind = view.getUint8(at + RECORD_KIND_OFFSET);
    if (kind === RecordKind.Run) this.#run(origin, bytes, view, at);
    else if (kind === RecordKind.Join || kind === RecordKind.Leave) {
      if (readName(bytes, at + JOIN_RECORD_GROUP_OFFSET) !== this.#group) return;
      const member = readName(bytes, at + JOIN_RECORD_MEMBER_OFFSET);
      this.#compare({ origin, kind: kind === RecordKind.Join ? 'join' : 'leave' }, member);
    } else if (kind === RecordKind.Disconnect)
      this.#compare({ origin, kind: 'disconnect' }, readName(bytes, at + DISCONNECT_RECORD_MEMBER_OFFSET));
    else if (kind === RecordKind.Groups) this.#compare(null, '');
  }

  #compare(
    by: { readonly origin: NodeIndex; readonly kind: 'join' | 'leave' | 'disconnect' } | null,
    member: string,
  ): void {
    const membersBefore = this.#members;
    const members = this.#records.groups.memberCount(this.#group);
    this.#members = members;
    if (members === membersBefore) return;
    const place = { at: hostClockMs(), record: this.#records.count, ringSeq: this.#ringSeq() };
    if (by === null) this.#push({ kind: 'network', ...place, members, membersBefore });
    else this.#push({ kind: by.kind, ...place, origin: by.origin, member, members });
  }

  #run(origin: NodeIndex, bytes: Uint8Array, view: DataView, record: number): void {
    const first = record + RECORD_HEADER_LENGTH;
    const end = record + view.getUint32(record + RECORD_LENGTH_OFFSET, true);
    const targets = view.getInt32(first + FRAME_GROUP_COUNT_OFFSET, true);
    if (!this.#isTarget(view, first + FRAME_GROUPS_OFFSET, targets)) return;
    const head = FRAME_HEADER_LENGTH + targets * NAME_FIELD_LENGTH;
    for (let frame = first; frame < end; ) {
      const length = view.getInt32(frame + FRAME_DATA_LENGTH_OFFSET, true);
      const data = frame + head;
      this.#push({
        kind: 'message',
        at: hostClockMs(),
        record: this.#records.count,
        ringSeq: this.#ringSeq(),
        origin,
        sender: readName(bytes, frame + FRAME_SENDER_OFFSET),
        service: view.getUint8(record + RECORD_SERVICE_OFFSET),
        type: readMessageType(view, frame + FRAME_HINT_OFFSET),
        bytes: length,
        targets,
        data: this.#hasData
          ? Buffer.from(bytes.subarray(data, data + Math.min(length, MAX_TRACED_DATA_BYTES))).toString('base64')
          : null,
      });
      frame += head + length;
    }
  }

  #isTarget(view: DataView, names: number, count: number): boolean {
    for (let i = 0; i < count; i++) {
      canonicalName(view, names + i * NAME_FIELD_LENGTH, this.#scratch, 0);
      if (sameNameWords(this.#scratch, 0, this.#words, 0)) return true;
    }
    return false;
  }

  #push(event: TracedEvent): void {
    const second = Math.floor(event.at / 1000);
    if (second !== this.#secondAt) {
      this.#secondAt = second;
      this.#inSecond = 0;
    }
    if (this.#events.length >= MAX_BATCH || ++this.#inSecond > MAX_PER_SECOND) this.#missed++;
    else this.#events.push(event);
  }
}
