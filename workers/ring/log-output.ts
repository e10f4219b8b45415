/**
 * Writes what is ordered into the ordered log: runs of client frames as they are, and what the process groups say.
 *
 * The ring asks `hasRoom` before it delivers, but one ordered record can have consequences of any size (a view for each
 * group of a client that left, a whole old configuration at once). What finds no room waits here, in order; nothing is
 * written past it, and the ring stops until it is through.
 *
 * A membership frame may be longer than a term buffer of the log. It is written in pieces, one entry each, for the same receivers
 * (FRAME_CONTINUES, FRAME_CONTINUED).
 */

import { OrderingCounter } from '../../engine/buffers/counters.ts';
import {
  FRAME_CONTINUED,
  FRAME_CONTINUES,
  LogEntry,
  LogKind,
  sessionsFrameHeader,
} from '../../engine/buffers/ordered-log.ts';
import type { OrderedLogWriter } from '../../engine/buffers/ordered-log-writer.ts';
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
  readonly entry: LogEntry;
  readonly bytes: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);

/** What the log cannot do itself, for the owner of queues and names. */
export interface LogOutputEvents {
  sessionEnded(session: SessionHandle): void;
  sendGroups(body: Uint8Array): void;
  blockClients(blocked: boolean): void;
  /** A view of `group` was not told to its members: no frame of the client protocol is that long. */
  frameTooLong(group: string, lengthBytes: number): void;
  /** The state of the clients of `node` is inconsistent. */
  exchangeFault(fault: ExchangeFault, node: NodeIndex): void;
}

export interface LogOutputParts {
  readonly log: OrderedLogWriter;
  /** Block of the ring agent. */
  readonly counters: Float64Array;
  readonly events: LogOutputEvents;
  /** What is asked of the log before each span; unset, what spans of `MAX_SPAN_BYTES` need. */
  readonly room?: LogRoom | undefined;
}

export class LogOutput implements GroupsOutput {
  readonly #log: OrderedLogWriter;
  readonly #counters: Float64Array;
  readonly #events: LogOutputEvents;
  readonly #room: LogRoom;
  /** The entry being written. */
  readonly #entry = new LogEntry();
  #waiting: Waiting[] = [];
  /** Bytes of a frame in one entry at most: the list of its receivers has room beside it, and half a term buffer is always found. */
  readonly #pieceBytes: number;
  /** Receivers that one entry lists at most. */
  readonly #listedSessions: number;
  readonly #nameField = new Uint8Array(NAME_FIELD_LENGTH);

  constructor({ log, counters, events, room = DEFAULT_ROOM }: LogOutputParts) {
    const { termBytes, indexEntries } = log.shape;
    invariant(room.bytes <= termBytes, `a span of ${room.bytes} bytes fits into a term of ${termBytes}`);
    invariant(room.entries <= indexEntries, `${room.entries} entries fit into a log index of ${indexEntries}`);
    this.#log = log;
    this.#pieceBytes = log.shape.termBytes / 2;
    this.#listedSessions = log.shape.termBytes / 32;
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
    const entry = this.#entry.begin(LogKind.Run);
    entry.count = frames;
    entry.service = view.getUint8(offset + RECORD_SERVICE_OFFSET);
    entry.flags = flags;
    entry.session = view.getUint32(offset + RECORD_SESSION_OFFSET, true);
    entry.targetHash = view.getInt32(offset + RECORD_TARGET_HASH_OFFSET, true);
    entry.origin = origin;
    this.#write(entry, NO_BYTES, bytes.subarray(start, end));
    this.#counters[OrderingCounter.FramesOrdered]! += frames;
    this.#counters[OrderingCounter.BytesOrdered]! += end - start;
  }

  sessionAccepted(session: SessionHandle): void {
    this.#write(this.#ofSession(LogKind.SessionAccepted, session), NO_BYTES, NO_BYTES);
  }

  sessionRejected(session: SessionHandle, code: number): void {
    const entry = this.#ofSession(LogKind.SessionRejected, session);
    entry.flags = code;
    this.#write(entry, NO_BYTES, NO_BYTES);
  }

  memberAdded(group: string, session: SessionHandle): void {
    this.#write(this.#ofSession(LogKind.MemberAdded, session), this.#name(group), NO_BYTES);
  }

  memberRemoved(group: string, session: SessionHandle): void {
    this.#write(this.#ofSession(LogKind.MemberRemoved, session), this.#name(group), NO_BYTES);
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
    this.#write(this.#ofSession(LogKind.SessionEnded, session), NO_BYTES, NO_BYTES);
    this.#events.sessionEnded(session);
  }

  sendGroups(body: Uint8Array): void {
    this.#events.sendGroups(body);
  }

  blockClients(blocked: boolean): void {
    const entry = this.#entry.begin(LogKind.ClientsBlocked);
    entry.flags = blocked ? 1 : 0;
    this.#write(entry, NO_BYTES, NO_BYTES);
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
      const entry = this.#entry.begin(kind);
      entry.count = count;
      entry.flags = (from > 0 ? FRAME_CONTINUED : 0) | (end < lengthBytes ? FRAME_CONTINUES : 0);
      this.#write(entry, receivers, frame.subarray(from, end));
    }
  }

  #ofSession(kind: LogKind, session: SessionHandle): LogEntry {
    const entry = this.#entry.begin(kind);
    entry.session = session;
    return entry;
  }

  /** @param entry is reused by the caller: what has to wait is copied */
  #write(entry: LogEntry, head: Uint8Array, body: Uint8Array): void {
    const log = this.#log;
    const length = head.length + body.length;
    if (this.#waiting.length > 0 || !log.hasRoom(1, length)) {
      const bytes = new Uint8Array(length);
      bytes.set(head);
      bytes.set(body, head.length);
      this.#waiting.push({ entry: Object.assign(new LogEntry(), entry), bytes });
      this.#countWaiting(length);
      return;
    }
    const at = log.reserve(length);
    if (head.length > 0) log.bytes.set(head, at);
    if (body.length > 0) log.bytes.set(body, at + head.length);
    log.append(entry, at, length);
  }

  #writeWaiting(): boolean {
    const waiting = this.#waiting;
    let done = 0;
    let written = 0;
    while (done < waiting.length && this.#log.hasRoom(1, waiting[done]!.bytes.length)) {
      const { entry, bytes } = waiting[done++]!;
      const at = this.#log.reserve(bytes.length);
      this.#log.bytes.set(bytes, at);
      this.#log.append(entry, at, bytes.length);
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
