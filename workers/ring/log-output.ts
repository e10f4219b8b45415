/**
 * Writes what is ordered into the ordered log: runs of client frames as they are, and what the process groups say.
 *
 * The ring asks `hasRoom` before it delivers, but one ordered record can have consequences of any size (a view for each
 * group of a client that left, a whole old configuration at once). What finds no room waits here, in order; nothing is
 * written past it, and the ring stops until it is through.
 *
 * A membership frame may be longer than a segment of the log. It is written in pieces, one entry each, for the same receivers
 * (FRAME_CONTINUES, FRAME_CONTINUED).
 */

import { OrderingCounter } from '../../engine/buffers/counters.ts';
import { FRAME_CONTINUED, FRAME_CONTINUES, LogKind, type OrderedLogWriter } from '../../engine/buffers/ordered-log.ts';
import type { ExchangeFault, GroupsOutput } from '../../engine/groups/groups-output.ts';
import { invariant } from '../../engine/invariant.ts';
import { writeName } from '../../engine/wire/frame.ts';
import type { NodeIndex, SessionHandle } from '../../engine/wire/ids.ts';
import {
  RECORD_FLAGS_OFFSET,
  RECORD_FRAME_COUNT_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_LENGTH_OFFSET,
  RECORD_SERVICE_OFFSET,
  RECORD_SESSION_OFFSET,
  RECORD_TARGET_HASH_OFFSET,
} from '../../engine/wire/layout/record-header.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { RECORD_SELF_DISCARD } from '../../engine/wire/record.ts';
import { sessionsFrameHeader } from '../delivery/log-consumer.ts';

/** Largest range of records that the ring delivers between two questions for room. */
export const MAX_SPAN_BYTES = 64 * 1024;
/** What is asked of the log before the ring delivers another span. */
export interface LogRoom {
  /** Entries a span can need at most. */
  readonly entries: number;
  /** Bytes of one span, or of the longest single record. */
  readonly bytes: number;
}

/** Records are no shorter than header and frame header; the longest frame has 144,000 bytes. */
const DEFAULT_ROOM: LogRoom = { entries: 1024, bytes: 160 * 1024 };

interface Waiting {
  readonly kind: LogKind;
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly service: number;
  readonly flags: number;
  readonly session: number;
  readonly targetHash: number;
  readonly origin: number;
}

const NO_BYTES = new Uint8Array(0);

/** What the log cannot do itself, for the owner of queues and names. */
export interface LogOutputEvents {
  sessionEnded(session: SessionHandle): void;
  sendGroups(body: Uint8Array): void;
  blockClients(blocked: boolean): void;
  /** A view of `group` was not told to its members: no frame of the client protocol is that long. */
  frameTooLong(group: string, lengthBytes: number): void;
  /** What is known of the clients of `node` is not what it should be. */
  exchangeFault(fault: ExchangeFault, node: NodeIndex): void;
}

export class LogOutput implements GroupsOutput {
  readonly #log: OrderedLogWriter;
  readonly #counters: Float64Array;
  readonly #events: LogOutputEvents;
  readonly #room: LogRoom;
  #waiting: Waiting[] = [];
  /** Bytes of a frame in one entry at most: the list of its receivers has room beside it, and half a segment is always found. */
  readonly #pieceBytes: number;
  /** Receivers that one entry lists at most. */
  readonly #listedSessions: number;
  readonly #nameField = new Uint8Array(NAME_FIELD_LENGTH);

  constructor(log: OrderedLogWriter, counters: Float64Array, events: LogOutputEvents, room = DEFAULT_ROOM) {
    const { segmentBytes, indexEntries } = log.shape;
    invariant(room.bytes <= segmentBytes, `a span of ${room.bytes} bytes fits into a log segment of ${segmentBytes}`);
    invariant(room.entries <= indexEntries, `${room.entries} entries fit into a log index of ${indexEntries}`);
    this.#log = log;
    this.#pieceBytes = log.shape.segmentBytes / 2;
    this.#listedSessions = log.shape.segmentBytes / 32;
    this.#counters = counters;
    this.#events = events;
    this.#room = room;
  }

  /** Entries that found no room in the log yet. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Whether the ring may deliver another span. */
  hasRoom(): boolean {
    if (this.#waiting.length > 0 && !this.#writeWaiting()) return false;
    return this.#log.hasRoom(this.#room.entries, this.#room.bytes);
  }

  /** The run record at `offset` was ordered. `local`: its sender is a client of this daemon. */
  run(bytes: Uint8Array, view: DataView, offset: number, origin: NodeIndex, local: boolean): void {
    const start = offset + RECORD_HEADER_LENGTH;
    const end = offset + view.getUint32(offset + RECORD_LENGTH_OFFSET, true);
    const frames = view.getUint32(offset + RECORD_FRAME_COUNT_OFFSET, true);
    const flags = local ? view.getUint16(offset + RECORD_FLAGS_OFFSET, true) & RECORD_SELF_DISCARD : 0;
    this.#write(
      LogKind.Run,
      NO_BYTES,
      bytes.subarray(start, end),
      frames,
      view.getUint8(offset + RECORD_SERVICE_OFFSET),
      flags,
      view.getUint32(offset + RECORD_SESSION_OFFSET, true),
      view.getInt32(offset + RECORD_TARGET_HASH_OFFSET, true),
      origin,
    );
    this.#counters[OrderingCounter.FramesOrdered]! += frames;
    this.#counters[OrderingCounter.BytesOrdered]! += end - start;
  }

  sessionAccepted(session: SessionHandle): void {
    this.#write(LogKind.SessionAccepted, NO_BYTES, NO_BYTES, 0, 0, 0, session, 0, 0);
  }

  sessionRejected(session: SessionHandle, code: number): void {
    this.#write(LogKind.SessionRejected, NO_BYTES, NO_BYTES, 0, 0, code, session, 0, 0);
  }

  memberAdded(group: string, session: SessionHandle): void {
    this.#write(LogKind.MemberAdded, this.#name(group), NO_BYTES, 0, 0, 0, session, 0, 0);
  }

  memberRemoved(group: string, session: SessionHandle): void {
    this.#write(LogKind.MemberRemoved, this.#name(group), NO_BYTES, 0, 0, 0, session, 0, 0);
  }

  groupFrame(group: string, frame: Uint8Array, lengthBytes: number): void {
    this.#frame(LogKind.GroupFrame, this.#name(group), 1, frame, lengthBytes);
    this.#counters[OrderingCounter.MembershipFrames]!++;
  }

  sessionsFrame(sessions: readonly SessionHandle[], frame: Uint8Array, lengthBytes: number): void {
    for (let from = 0; from < sessions.length; from += this.#listedSessions) {
      const listed = sessions.slice(from, from + this.#listedSessions);
      this.#frame(LogKind.SessionsFrame, this.#handles(listed), listed.length, frame, lengthBytes);
    }
    this.#counters[OrderingCounter.MembershipFrames]!++;
  }

  sessionEnded(session: SessionHandle): void {
    this.#write(LogKind.SessionEnded, NO_BYTES, NO_BYTES, 0, 0, 0, session, 0, 0);
    this.#events.sessionEnded(session);
  }

  sendGroups(body: Uint8Array): void {
    this.#events.sendGroups(body);
  }

  blockClients(blocked: boolean): void {
    this.#write(LogKind.ClientsBlocked, NO_BYTES, NO_BYTES, 0, 0, blocked ? 1 : 0, 0, 0, 0);
    this.#events.blockClients(blocked);
  }

  exchangeFault(fault: ExchangeFault, node: NodeIndex): void {
    this.#events.exchangeFault(fault, node);
  }

  frameTooLong(group: string, lengthBytes: number): void {
    this.#counters[OrderingCounter.FramesTooLong]!++;
    this.#events.frameTooLong(group, lengthBytes);
  }

  /** Writes a frame in as many entries as it needs. Nothing comes between them: what finds no room waits, with all behind it. */
  #frame(kind: LogKind, receivers: Uint8Array, count: number, frame: Uint8Array, lengthBytes: number): void {
    for (let from = 0; from < lengthBytes; from += this.#pieceBytes) {
      const end = Math.min(from + this.#pieceBytes, lengthBytes);
      const flags = (from > 0 ? FRAME_CONTINUED : 0) | (end < lengthBytes ? FRAME_CONTINUES : 0);
      this.#write(kind, receivers, frame.subarray(from, end), count, 0, flags, 0, 0, 0);
    }
  }

  #write(
    kind: LogKind,
    head: Uint8Array,
    body: Uint8Array,
    count: number,
    service: number,
    flags: number,
    session: number,
    targetHash: number,
    origin: number,
  ): void {
    const log = this.#log;
    const length = head.length + body.length;
    if (this.#waiting.length > 0 || !log.hasRoom(1, length)) {
      const bytes = new Uint8Array(length);
      bytes.set(head);
      bytes.set(body, head.length);
      this.#waiting.push({ kind, bytes, count, service, flags, session, targetHash, origin });
      this.#countWaiting(length);
      return;
    }
    const at = log.reserve(length);
    if (head.length > 0) log.bytes.set(head, at);
    if (body.length > 0) log.bytes.set(body, at + head.length);
    log.append(kind, at, length, count, service, flags, session, targetHash, origin);
  }

  #writeWaiting(): boolean {
    const waiting = this.#waiting;
    let done = 0;
    let written = 0;
    while (done < waiting.length && this.#log.hasRoom(1, waiting[done]!.bytes.length)) {
      const { kind, bytes, count, service, flags, session, targetHash, origin } = waiting[done++]!;
      const at = this.#log.reserve(bytes.length);
      this.#log.bytes.set(bytes, at);
      this.#log.append(kind, at, bytes.length, count, service, flags, session, targetHash, origin);
      written += bytes.length;
    }
    this.#waiting = waiting.slice(done);
    this.#countWaiting(-written);
    return this.#waiting.length === 0;
  }

  #countWaiting(moreBytes: number): void {
    const counters = this.#counters;
    counters[OrderingCounter.LogWaitingBytes]! += moreBytes;
    if (counters[OrderingCounter.LogWaitingBytes]! > counters[OrderingCounter.LogWaitingHighWater]!) {
      counters[OrderingCounter.LogWaitingHighWater] = counters[OrderingCounter.LogWaitingBytes]!;
    }
  }

  #name(name: string): Uint8Array {
    writeName(this.#nameField, 0, name);
    return this.#nameField;
  }

  #handles(sessions: readonly SessionHandle[]): Uint8Array {
    const bytes = new Uint8Array(sessionsFrameHeader(sessions.length));
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < sessions.length; i++) view.setUint32(i * 4, sessions[i]!, true);
    return bytes;
  }
}
