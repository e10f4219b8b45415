/**
 * Writes what is ordered into the ordered log: runs of client frames as they are, and what the process groups say.
 *
 * The ring asks `hasRoom` before it delivers, but one ordered record can have consequences of any size (a view for each
 * group of a client that left, a whole old configuration at once). What finds no room waits here, in order; nothing is
 * written past it, and the ring stops until it is through.
 */
import { OrderingCounter } from '../../engine/buffers/counters.ts';
import { LogKind, type OrderedLogWriter } from '../../engine/buffers/ordered-log.ts';
import type { GroupsOutput } from '../../engine/groups/groups-output.ts';
import { writeName } from '../../engine/wire/frame.ts';
import type { NodeIndex, SessionHandle } from '../../engine/wire/ids.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import {
  RECORD_FLAGS,
  RECORD_FRAME_COUNT,
  RECORD_HEADER_LENGTH,
  RECORD_LENGTH,
  RECORD_SELF_DISCARD,
  RECORD_SERVICE,
  RECORD_SESSION,
  RECORD_TARGET_HASH,
} from '../../engine/wire/record.ts';
import { sessionsFrameHeader } from '../delivery/log-consumer.ts';

/** Largest range of records that the ring delivers between two questions for room. */
export const MAX_SPAN_BYTES = 64 * 1024;
/** Entries such a range can need at most: records are no shorter than header and frame header. */
const MAX_SPAN_ENTRIES = 1024;
/** Room for one span, or for the longest single frame. */
const ROOM_BYTES = 160 * 1024;

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
}

export class LogOutput implements GroupsOutput {
  readonly #log: OrderedLogWriter;
  readonly #counters: Float64Array;
  readonly #events: LogOutputEvents;
  #waiting: Waiting[] = [];
  #scratch = new Uint8Array(4096);

  constructor(log: OrderedLogWriter, counters: Float64Array, events: LogOutputEvents) {
    this.#log = log;
    this.#counters = counters;
    this.#events = events;
  }

  /** Whether the ring may deliver another span. */
  hasRoom(): boolean {
    if (this.#waiting.length > 0 && !this.#writeWaiting()) return false;
    return this.#log.hasRoom(MAX_SPAN_ENTRIES, ROOM_BYTES);
  }

  /** The run record at `offset` was ordered. `local`: its sender is a client of this daemon. */
  run(bytes: Uint8Array, view: DataView, offset: number, origin: NodeIndex, local: boolean): void {
    const start = offset + RECORD_HEADER_LENGTH;
    const end = offset + view.getUint32(offset + RECORD_LENGTH, true);
    const frames = view.getUint32(offset + RECORD_FRAME_COUNT, true);
    const flags = local ? view.getUint16(offset + RECORD_FLAGS, true) & RECORD_SELF_DISCARD : 0;
    this.#write(
      LogKind.Run,
      bytes.subarray(start, end),
      frames,
      view.getUint8(offset + RECORD_SERVICE),
      flags,
      view.getUint32(offset + RECORD_SESSION, true),
      view.getInt32(offset + RECORD_TARGET_HASH, true),
      origin,
    );
    this.#counters[OrderingCounter.FramesOrdered]! += frames;
    this.#counters[OrderingCounter.BytesOrdered]! += end - start;
  }

  sessionAccepted(session: SessionHandle): void {
    this.#write(LogKind.SessionAccepted, NO_BYTES, 0, 0, 0, session, 0, 0);
  }

  sessionRejected(session: SessionHandle, code: number): void {
    this.#write(LogKind.SessionRejected, NO_BYTES, 0, 0, code, session, 0, 0);
  }

  memberAdded(group: string, session: SessionHandle): void {
    this.#write(LogKind.MemberAdded, this.#name(group), 0, 0, 0, session, 0, 0);
  }

  memberRemoved(group: string, session: SessionHandle): void {
    this.#write(LogKind.MemberRemoved, this.#name(group), 0, 0, 0, session, 0, 0);
  }

  groupFrame(group: string, frame: Uint8Array, lengthBytes: number): void {
    const bytes = this.#reserve(NAME_FIELD_LENGTH + lengthBytes);
    writeName(bytes, 0, group);
    bytes.set(frame.subarray(0, lengthBytes), NAME_FIELD_LENGTH);
    this.#write(LogKind.GroupFrame, bytes, 1, 0, 0, 0, 0, 0);
    this.#counters[OrderingCounter.MembershipFrames]!++;
  }

  sessionsFrame(sessions: readonly SessionHandle[], frame: Uint8Array, lengthBytes: number): void {
    const header = sessionsFrameHeader(sessions.length);
    const bytes = this.#reserve(header + lengthBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < sessions.length; i++) view.setUint32(i * 4, sessions[i]!, true);
    bytes.set(frame.subarray(0, lengthBytes), header);
    this.#write(LogKind.SessionsFrame, bytes, sessions.length, 0, 0, 0, 0, 0);
    this.#counters[OrderingCounter.MembershipFrames]!++;
  }

  sessionEnded(session: SessionHandle): void {
    this.#write(LogKind.SessionEnded, NO_BYTES, 0, 0, 0, session, 0, 0);
    this.#events.sessionEnded(session);
  }

  sendGroups(body: Uint8Array): void {
    this.#events.sendGroups(body);
  }

  blockClients(blocked: boolean): void {
    this.#write(LogKind.ClientsBlocked, NO_BYTES, 0, 0, blocked ? 1 : 0, 0, 0, 0);
    this.#events.blockClients(blocked);
  }

  frameTooLong(_group: string, _lengthBytes: number): void {
    this.#counters[OrderingCounter.FramesTooLong]!++;
  }

  #write(
    kind: LogKind,
    bytes: Uint8Array,
    count: number,
    service: number,
    flags: number,
    session: number,
    targetHash: number,
    origin: number,
  ): void {
    const log = this.#log;
    if (this.#waiting.length > 0 || !log.hasRoom(1, bytes.length)) {
      this.#waiting.push({ kind, bytes: bytes.slice(), count, service, flags, session, targetHash, origin });
      return;
    }
    const at = log.reserve(bytes.length);
    if (bytes.length > 0) log.bytes.set(bytes, at);
    log.append(kind, at, bytes.length, count, service, flags, session, targetHash, origin);
  }

  #writeWaiting(): boolean {
    const waiting = this.#waiting;
    let done = 0;
    while (done < waiting.length && this.#log.hasRoom(1, waiting[done]!.bytes.length)) {
      const { kind, bytes, count, service, flags, session, targetHash, origin } = waiting[done++]!;
      const at = this.#log.reserve(bytes.length);
      this.#log.bytes.set(bytes, at);
      this.#log.append(kind, at, bytes.length, count, service, flags, session, targetHash, origin);
    }
    this.#waiting = waiting.slice(done);
    return this.#waiting.length === 0;
  }

  #name(name: string): Uint8Array {
    const bytes = this.#reserve(NAME_FIELD_LENGTH);
    writeName(bytes, 0, name);
    return bytes;
  }

  #reserve(lengthBytes: number): Uint8Array {
    if (this.#scratch.length < lengthBytes) this.#scratch = new Uint8Array(2 ** Math.ceil(Math.log2(lengthBytes)));
    return this.#scratch.subarray(0, lengthBytes);
  }
}
