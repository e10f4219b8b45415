/**
 * Walks the ordered log and lists, for every local session, the ranges it is to receive. Work is per run, and one list entry
 * per receiver; frames themselves are not looked at.
 */

import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import type { LogPosition } from '../../engine/buffers/log-position.ts';
import {
  ENTRY_COUNT,
  ENTRY_FLAGS,
  ENTRY_KIND,
  ENTRY_LENGTH,
  ENTRY_OFFSET,
  ENTRY_SERVICE,
  ENTRY_SESSION,
  ENTRY_TARGET_HASH,
  ENTRY_TERM_BUFFER,
  FRAME_CONTINUED,
  FRAME_CONTINUES,
  LogKind,
  sessionsFrameHeader,
} from '../../engine/buffers/ordered-log.ts';
import { FRAME_GROUP_COUNT_OFFSET, FRAME_GROUPS_OFFSET } from '../../engine/wire/layout/frame-header.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { canonicalName, NAME_WORDS } from '../../engine/wire/name-hash.ts';
import { RECORD_SELF_DISCARD } from '../../engine/wire/record.ts';
import { UNRELIABLE_MESS } from '../../engine/wire/service.ts';
import type { ClientSession } from './client-session.ts';
import type { DeliverySettings, SlowConsumerLimits } from './delivery-settings.ts';
import type { Live } from './live.ts';
import type { LocalGroup, NameTable } from './name-table.ts';

/** Entries handled in one duty cycle, so that reading clients and writing to them take turns. */
const ENTRIES_PER_CYCLE = 2048;

export type ConsumerSettings = Pick<DeliverySettings, 'limits'>;

export interface ConsumerEvents {
  markDirty(session: ClientSession): void;
  /** The session has more waiting than the limits allow. */
  tooSlow(session: ClientSession, waitingFrames: number, waitingBytes: number): void;
  nameAccepted(session: ClientSession): void;
  nameRefused(session: ClientSession, code: number): void;
  /** The session's disconnect has been ordered; no entry names it any more. */
  sessionEnded(session: ClientSession): void;
  clientsBlocked(blocked: boolean): void;
  /** Frames for a watched name (`NameTable.watch`). */
  heard?(bytes: Uint8Array, start: number, end: number): void;
}

export class LogConsumer {
  readonly #log: LogPosition;
  readonly #sessions: ReadonlyMap<number, ClientSession>;
  readonly #names: NameTable;
  readonly #settings: Live<ConsumerSettings>;
  /** As the duty cycle found them. */
  #limits: SlowConsumerLimits;
  readonly #counters: Float64Array;
  readonly #events: ConsumerEvents;
  /** Numbers messages to several targets; see `ClientSession.stamp`. */
  #stamp = 0;
  /** Number of the term that the reader is in: counts from 0, modulo 2^32. */
  term = 0;
  #termBuffer = 0;

  constructor(
    log: LogPosition,
    sessions: ReadonlyMap<number, ClientSession>,
    names: NameTable,
    settings: Live<ConsumerSettings>,
    counters: Float64Array,
    events: ConsumerEvents,
  ) {
    this.#log = log;
    this.#sessions = sessions;
    this.#names = names;
    this.#settings = settings;
    this.#limits = settings.current.limits;
    this.#counters = counters;
    this.#events = events;
  }

  /** @returns entries handled */
  consume(): number {
    const log = this.#log;
    this.#limits = this.#settings.current.limits;
    let handled = 0;
    while (handled < ENTRIES_PER_CYCLE && log.next()) {
      handled++;
      const termBuffer = log.index[log.entry + ENTRY_TERM_BUFFER]!;
      if (termBuffer !== this.#termBuffer) {
        this.#termBuffer = termBuffer;
        this.term = (this.term + 1) | 0;
      }
      this.#entry(log.index[log.entry + ENTRY_KIND]!);
    }
    return handled;
  }

  #entry(kind: number): void {
    const { index, entry } = this.#log;
    switch (kind) {
      case LogKind.Run:
        this.#run();
        return;
      case LogKind.GroupFrame:
        this.#groupFrame();
        return;
      case LogKind.SessionsFrame:
        this.#sessionsFrame();
        return;
      case LogKind.MemberAdded: {
        const session = this.#session();
        if (session !== undefined) this.#names.add(this.#nameHere(), session);
        return;
      }
      case LogKind.MemberRemoved: {
        const session = this.#session();
        if (session !== undefined) this.#names.remove(this.#nameHere(), session);
        return;
      }
      case LogKind.SessionAccepted: {
        const session = this.#session();
        if (session !== undefined) this.#events.nameAccepted(session);
        return;
      }
      case LogKind.SessionRejected: {
        const session = this.#session();
        if (session !== undefined) this.#events.nameRefused(session, index[entry + ENTRY_FLAGS]!);
        return;
      }
      case LogKind.SessionEnded: {
        const session = this.#session();
        if (session !== undefined) this.#events.sessionEnded(session);
        return;
      }
      case LogKind.ClientsBlocked:
        this.#events.clientsBlocked(index[entry + ENTRY_FLAGS] === 1);
    }
  }

  #run(): void {
    const { index, entry, view } = this.#log;
    const start = index[entry + ENTRY_OFFSET]!;
    const first = this.#byteOffset();
    const sender = (index[entry + ENTRY_FLAGS]! & RECORD_SELF_DISCARD) !== 0 ? index[entry + ENTRY_SESSION]! >>> 0 : -1;
    const hash = index[entry + ENTRY_TARGET_HASH]!;
    const termBuffer = index[entry + ENTRY_TERM_BUFFER]!;
    const end = start + index[entry + ENTRY_LENGTH]!;
    const frames = index[entry + ENTRY_COUNT]!;
    const droppable = index[entry + ENTRY_SERVICE] === UNRELIABLE_MESS;
    if (hash !== 0) {
      const group = this.#names.find(view, first + FRAME_GROUPS_OFFSET, hash);
      if (group === null) return;
      const { members } = group;
      if (members.length === 0) this.#events.heard?.(this.#log.bytes, first, first + end - start);
      for (let i = 0; i < members.length; i++) {
        const session = members[i]!;
        if (session.handle !== sender) this.#deliver(session, termBuffer, start, end, frames, droppable);
      }
      return;
    }
    const targets = view.getInt32(first + FRAME_GROUP_COUNT_OFFSET, true);
    const stamp = ++this.#stamp;
    for (let target = 0; target < targets; target++) {
      const group = this.#names.findField(view, first + FRAME_GROUPS_OFFSET + target * NAME_FIELD_LENGTH);
      if (group !== null) this.#deliverOnce(group, stamp, sender, termBuffer, start, end, frames, droppable);
    }
  }

  /** One copy per session, however many of the listed targets it matches (client-protocol.md, section 6). */
  #deliverOnce(
    group: LocalGroup,
    stamp: number,
    sender: number,
    termBuffer: number,
    start: number,
    end: number,
    frames: number,
    droppable: boolean,
  ): void {
    const { members } = group;
    for (let i = 0; i < members.length; i++) {
      const session = members[i]!;
      if (session.stamp === stamp) continue;
      session.stamp = stamp;
      if (session.handle !== sender) this.#deliver(session, termBuffer, start, end, frames, droppable);
    }
  }

  #deliver(
    session: ClientSession,
    termBuffer: number,
    start: number,
    end: number,
    frames: number,
    droppable: boolean,
  ): void {
    if (session.state !== 'open' || !session.receives) return;
    const { output } = session;
    const limits = this.#limits;
    if (output.blocked || limits.maxSessionMessages === 0) {
      if (droppable && limits.policy === 'drop-unreliable' && this.#isHalfFull(session)) {
        session.droppedFrames += frames;
        session.droppedTotal += frames;
        this.#counters[DeliveryCounter.MessagesDropped]! += frames;
        return;
      }
      if (
        output.queuedFrames + frames > limits.maxSessionMessages ||
        output.queuedBytes + (end - start) > limits.maxSessionBytes
      ) {
        if (this.#isTooSlow(session, frames, end - start)) return;
      }
    }
    output.add(termBuffer, start, end, frames, this.term);
    this.#counters[DeliveryCounter.FramesDelivered]! += frames;
    this.#counters[DeliveryCounter.BytesDelivered]! += end - start;
    this.#events.markDirty(session);
  }

  /** The quick test counts the write in flight whole; this one counts what of it is still unsent. */
  #isTooSlow(session: ClientSession, moreFrames: number, moreBytes: number): boolean {
    const frames = session.output.waitingFrames();
    const bytes = session.output.limitedBytes();
    const { maxSessionMessages, maxSessionBytes } = this.#limits;
    if (frames + moreFrames <= maxSessionMessages && bytes + moreBytes <= maxSessionBytes) return false;
    this.#events.tooSlow(session, frames, bytes);
    return true;
  }

  /** UNRELIABLE messages may fill half of a queue; the rest is kept for what must not be dropped. */
  #isHalfFull(session: ClientSession): boolean {
    return (
      session.output.queuedFrames * 2 >= this.#limits.maxSessionMessages ||
      session.output.queuedBytes * 2 >= this.#limits.maxSessionBytes
    );
  }

  #groupFrame(): void {
    const { index, entry, view } = this.#log;
    const group = this.#names.findField(view, this.#byteOffset());
    if (group === null) return;
    const start = index[entry + ENTRY_OFFSET]! + NAME_FIELD_LENGTH;
    const end = index[entry + ENTRY_OFFSET]! + index[entry + ENTRY_LENGTH]!;
    const termBuffer = index[entry + ENTRY_TERM_BUFFER]!;
    const flags = index[entry + ENTRY_FLAGS]!;
    if ((flags & FRAME_CONTINUED) === 0) this.#noteSize(group);
    for (let i = 0; i < group.members.length; i++) {
      const session = group.members[i]!;
      if (session.wantsMembership) this.#deliverPiece(session, termBuffer, start, end, flags);
    }
  }

  /** A view lists its members; the transitional signal lists nobody. */
  #noteSize(group: LocalGroup): void {
    const frame = this.#byteOffset() + NAME_FIELD_LENGTH;
    const count = this.#log.view.getInt32(frame + FRAME_GROUP_COUNT_OFFSET, true);
    if (count > 0) group.memberCount = count;
  }

  #sessionsFrame(): void {
    const { index, entry, view } = this.#log;
    const count = index[entry + ENTRY_COUNT]!;
    const handles = this.#byteOffset();
    const start = index[entry + ENTRY_OFFSET]! + sessionsFrameHeader(count);
    const end = index[entry + ENTRY_OFFSET]! + index[entry + ENTRY_LENGTH]!;
    const termBuffer = index[entry + ENTRY_TERM_BUFFER]!;
    const flags = index[entry + ENTRY_FLAGS]!;
    for (let i = 0; i < count; i++) {
      const session = this.#sessions.get(view.getUint32(handles + i * 4, true));
      if (session !== undefined) this.#deliverPiece(session, termBuffer, start, end, flags);
    }
  }

  /**
   * A membership frame, or a part of one that is longer than an entry. A session that gets the first part gets all, or is ended: the parts
   * follow one another in the log, and no session becomes a member in between.
   */
  #deliverPiece(session: ClientSession, termBuffer: number, start: number, end: number, flags: number): void {
    if (flags !== 0 || (end - start) * 2 > this.#limits.maxSessionBytes) session.output.longFrame(end - start, flags);
    this.#deliver(session, termBuffer, start, end, (flags & FRAME_CONTINUES) !== 0 ? 0 : 1, false);
  }

  #session(): ClientSession | undefined {
    return this.#sessions.get(this.#log.index[this.#log.entry + ENTRY_SESSION]! >>> 0);
  }

  #nameHere(): Int32Array {
    const words = new Int32Array(NAME_WORDS);
    canonicalName(this.#log.view, this.#byteOffset(), words, 0);
    return words;
  }

  #byteOffset(): number {
    const { index, entry, shape } = this.#log;
    return index[entry + ENTRY_TERM_BUFFER]! * shape.termBytes + index[entry + ENTRY_OFFSET]!;
  }
}
