import type { Batch, Session } from '../../../client/index.ts';
import type { Service } from '../../../client/service-names.ts';
import { writeHeader, writeName } from '../../../engine/wire/frame.ts';
import { FRAME_HEADER_LENGTH } from '../../../engine/wire/layout/frame-header.ts';
import { MAX_FRAME_LENGTH, NAME_FIELD_LENGTH } from '../../../engine/wire/limits.ts';
import {
  AGREED_MESS,
  CAUSAL_MESS,
  CAUSED_BY_DISCONNECT,
  CAUSED_BY_JOIN,
  CAUSED_BY_LEAVE,
  FIFO_MESS,
  RELIABLE_MESS,
  SAFE_MESS,
  SELF_DISCARD,
  UNRELIABLE_MESS,
} from '../../../engine/wire/service.ts';
import { Received, Requested, WordLog } from '../records.ts';
import { clientOf, groupName, readGroup, readPrivateName, userName } from '../shape.ts';
import { hashFrame, hashRange } from './frame-hash.ts';
import type { MemberLists } from './member-lists.ts';

const SERVICE_BITS: Readonly<Record<Service, number>> = {
  unreliable: UNRELIABLE_MESS,
  reliable: RELIABLE_MESS,
  fifo: FIFO_MESS,
  causal: CAUSAL_MESS,
  agreed: AGREED_MESS,
  safe: SAFE_MESS,
};

/** Data starts with the serial of the sending session and the message's sequence number. */
export const DATA_HEADER_LENGTH = 8;
/** Message type of the messages by which a session finds out that everything ordered so far has arrived. */
const MARKER_TYPE = 32_000;

/** Body of a view, from its start: index of the fields (client-protocol.md, section 5.2). */
const BODY_SET_COUNT = 12;
const BODY_OWN_SET = 16;
const BODY_FIRST_COUNT = 20;
const BODY_FIRST_NAME = 24;
const SINGLE_SET_LENGTH = BODY_FIRST_NAME + NAME_FIELD_LENGTH;

/** Frames being sent are made here as well, to be hashed. */
const scratch = new Uint8Array(MAX_FRAME_LENGTH);
const scratchView = new DataView(scratch.buffer);

/** What a driver counts and watches in all its sessions. */
export interface SessionWatcher {
  readonly lists: MemberLists;
  /** Client `c` is at the daemon whose name is at `c % daemonNames.length`. */
  readonly daemonNames: readonly string[];
  delivered(lengthBytes: number): void;
  /** A view; `changed` is the name that joined, left or disconnected. */
  viewSeen(session: SoakSession, group: number, cause: number, changed: number): void;
  messageSeen(session: SoakSession, senderSerial: number): void;
}

export interface SendPlan {
  readonly groups: readonly number[];
  readonly names: readonly number[];
  readonly service: Service;
  readonly selfDiscard: boolean;
  readonly type: number;
}

/** One session of a client, and its trace of the present epoch. */
export class SoakSession {
  readonly serial: number;
  readonly name: number;
  readonly membership: boolean;
  readonly session: Session;
  readonly received = new WordLog();
  readonly requested = new WordLog();
  /** Groups it is in once all it asked for took effect. */
  readonly wanted = new Set<number>();
  /** Opened in the present epoch. */
  started = true;
  end = 0;
  ready = false;
  readonly #watcher: SessionWatcher;
  /** All of the memory that frames arrive in. */
  #bytes: Uint8Array = scratch;
  #view: DataView = scratchView;
  #sequence = 0;
  #marker: { readonly sequence: number; readonly resolve: () => void } | undefined;

  constructor(session: Session, serial: number, name: number, watcher: SessionWatcher) {
    this.session = session;
    this.serial = serial;
    this.name = name;
    this.membership = session.membership;
    this.#watcher = watcher;
    session.onBatch((batch) => {
      while (this.end === 0 && batch.next()) this.#trace(batch);
    });
  }

  get awaitsMarker(): boolean {
    return this.#marker !== undefined;
  }

  join(group: number): void {
    this.requested.push(Requested.Join);
    this.requested.push(group);
    this.wanted.add(group);
    this.session.join(groupName(group)).catch(() => undefined);
  }

  leave(group: number): void {
    this.requested.push(Requested.Leave);
    this.requested.push(group);
    this.wanted.delete(group);
    this.session.leave(groupName(group)).catch(() => undefined);
  }

  /** `data` has room for the header at its start, and belongs to the session if it is large. */
  send(plan: SendPlan, data: Uint8Array): void {
    const { groups, names, service, selfDiscard, type } = plan;
    const sequence = this.#sequence++;
    const dataView = new DataView(data.buffer, data.byteOffset, data.byteLength);
    dataView.setInt32(0, this.serial, true);
    dataView.setInt32(4, sequence, true);
    const targets = [...groups.map(groupName), ...names.map((name) => this.#privateName(name))];
    const bits = SERVICE_BITS[service] | (selfDiscard ? SELF_DISCARD : 0);
    this.requested.push(Requested.Send);
    this.requested.push(sequence);
    this.requested.push(bits);
    this.requested.push(this.#hashSent(targets, data, bits, type));
    this.requested.push(groups.some((group) => this.wanted.has(group)) ? 0 : 1);
    this.requested.push(targets.length);
    for (const group of groups) this.requested.push(group);
    for (const name of names) this.requested.push(-(1 + name));
    this.session.multicast(targets, data, { service, selfDiscard, type });
  }

  /** Sends a message to itself; resolves when it is back, or at the end of the session. */
  marker(): Promise<void> {
    if (this.end !== 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#marker = { sequence: this.#sequence, resolve };
      const plan = {
        groups: [],
        names: [this.name],
        service: 'agreed',
        selfDiscard: false,
        type: MARKER_TYPE,
      } as const;
      this.send(plan, new Uint8Array(DATA_HEADER_LENGTH));
    });
  }

  /** From now on nothing is traced. `end` is an index of SESSION_ENDS. */
  finish(end: number): void {
    if (this.end !== 0) return;
    this.end = end;
    this.#marker?.resolve();
    this.#marker = undefined;
  }

  forgetEpoch(): void {
    this.received.clear();
    this.requested.clear();
    this.started = false;
  }

  #privateName(name: number): string {
    const { daemonNames } = this.#watcher;
    return `#${userName(name)}#${daemonNames[clientOf(name) % daemonNames.length]}`;
  }

  #hashSent(targets: readonly string[], data: Uint8Array, bits: number, type: number): number {
    writeHeader(scratch, scratchView, 0, bits, this.session.privateName, targets.length, type, data.length);
    for (const [i, target] of targets.entries())
      writeName(scratch, FRAME_HEADER_LENGTH + i * NAME_FIELD_LENGTH, target);
    scratch.set(data, FRAME_HEADER_LENGTH + targets.length * NAME_FIELD_LENGTH);
    return hashFrame(scratch, scratchView, FRAME_HEADER_LENGTH, targets.length, data.length, bits, type);
  }

  #trace(batch: Batch): void {
    const { bytes } = batch;
    if (bytes.buffer !== this.#bytes.buffer) {
      this.#bytes = new Uint8Array(bytes.buffer);
      this.#view = new DataView(bytes.buffer);
    }
    const { kind } = batch;
    if (kind === 'message') this.#traceMessage(batch);
    else if (kind === 'membership') this.#traceView(batch);
    else if (kind === 'selfLeave') {
      this.received.push(Received.SelfLeave);
      this.received.push(groupOfSender(batch));
    } else if (kind === 'transition') {
      this.received.push(Received.Transition);
      this.received.push(groupOfSender(batch));
      this.#pushViewId(batch);
    } else {
      this.received.push(Received.Stray);
      this.received.push(batch.serviceBits);
    }
  }

  #traceMessage(batch: Batch): void {
    const { bytes, dataOffset, dataLength, groupCount, type } = batch;
    if (dataLength < DATA_HEADER_LENGTH) {
      this.received.push(Received.Stray);
      this.received.push(batch.serviceBits);
      return;
    }
    const all = this.#bytes;
    const base = bytes.byteOffset;
    const groupsOffset = base + dataOffset - groupCount * NAME_FIELD_LENGTH;
    const serial = this.#view.getInt32(base + dataOffset, true);
    const sequence = this.#view.getInt32(base + dataOffset + 4, true);
    const hash = hashFrame(all, this.#view, groupsOffset, groupCount, dataLength, batch.serviceBits, type);
    this.received.push(Received.Message);
    this.received.push(serial);
    this.received.push(sequence);
    this.received.push(hash);
    this.#watcher.delivered(dataLength);
    this.#watcher.messageSeen(this, serial);
    const marker = this.#marker;
    if (type === MARKER_TYPE && serial === this.serial && sequence === marker?.sequence) {
      this.#marker = undefined;
      marker.resolve();
    }
  }

  #traceView(batch: Batch): void {
    const { bytes, dataOffset, dataLength, groupCount, serviceBits } = batch;
    const group = groupOfSender(batch);
    const base = bytes.byteOffset;
    const membersOffset = base + dataOffset - groupCount * NAME_FIELD_LENGTH;
    const all = this.#bytes;
    const hashA = hashRange(all, this.#view, membersOffset, base + dataOffset, groupCount);
    const hashB = hashRange(all, this.#view, membersOffset, base + dataOffset, groupCount, true);
    this.#watcher.lists.add(hashA, hashB, all, membersOffset, groupCount);
    const cause = causeOf(serviceBits);
    const single =
      dataLength === SINGLE_SET_LENGTH &&
      this.#bodyWord(batch, BODY_SET_COUNT) === 1 &&
      this.#bodyWord(batch, BODY_OWN_SET) === 0 &&
      this.#bodyWord(batch, BODY_FIRST_COUNT) === 1;
    const changed = dataLength >= SINGLE_SET_LENGTH ? readPrivateName(all, base + dataOffset + BODY_FIRST_NAME) : -1;
    this.received.push(Received.View);
    this.received.push(group);
    this.#pushViewId(batch);
    this.received.push(cause);
    this.received.push(changed);
    this.received.push(hashA);
    this.received.push(hashB);
    // In a view of the network the sets hold all members, and which of them they are is for another check.
    this.received.push(single || cause === CAUSE_NETWORK ? 1 : 0);
    this.#watcher.viewSeen(this, group, cause, changed);
  }

  #pushViewId(batch: Batch): void {
    for (let at = 0; at < 12; at += 4) this.received.push(this.#bodyWord(batch, at));
  }

  #bodyWord(batch: Batch, offset: number): number {
    return this.#view.getInt32(batch.bytes.byteOffset + batch.dataOffset + offset, true);
  }
}

const CAUSE_NETWORK = 3;

/** Index into VIEW_CAUSES. */
function causeOf(serviceBits: number): number {
  if ((serviceBits & CAUSED_BY_JOIN) !== 0) return 0;
  if ((serviceBits & CAUSED_BY_LEAVE) !== 0) return 1;
  return (serviceBits & CAUSED_BY_DISCONNECT) !== 0 ? 2 : CAUSE_NETWORK;
}

function groupOfSender(batch: Batch): number {
  const senderOffset = batch.dataOffset - batch.groupCount * NAME_FIELD_LENGTH - FRAME_HEADER_LENGTH + 4;
  return readGroup(batch.bytes, senderOffset);
}
