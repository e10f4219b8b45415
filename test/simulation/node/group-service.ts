/**
 * The process groups of one virtual daemon with its client connections: the groups layer, and around it what a delivery worker
 * does, that is giving messages and membership frames to the sessions they are for.
 */
import { GroupsLayer } from '../../../engine/groups/groups-layer.ts';
import type { GroupsOutput } from '../../../engine/groups/groups-output.ts';
import type { Configuration } from '../../../engine/ring/ports.ts';
import { nodeIndex, type SessionHandle } from '../../../engine/wire/ids.ts';
import {
  RECORD_FLAGS,
  RECORD_KIND,
  RECORD_SELF_DISCARD,
  RECORD_SESSION,
  RecordKind,
} from '../../../engine/wire/record.ts';
import type { ClientTrace } from '../trace/trace.ts';
import { decodeMembershipFrame, framesOfRun } from './client-frames.ts';
import type { DaemonProcess, DeliveryTarget } from './daemon-process.ts';
import { groupsRecord } from './records.ts';

export interface ClientSession {
  readonly handle: number;
  /** Private name. */
  readonly member: string;
  /** Groups it asked to be in, and did not ask to leave since. */
  readonly wished: Set<string>;
  readonly trace: ClientTrace;
}

export interface GroupSurroundings {
  readonly process: DaemonProcess;
  /** Longest body of a state exchange. */
  readonly groupsBodyBytes: number;
  /** Tables of so many bytes have become one. */
  merged(lengthBytes: number): void;
  /** Records were queued, or clients may go on. */
  wake(): void;
  /** Starts the trace of a new client connection. */
  openClient(session: number, member: string, wantsViews: boolean): ClientTrace;
}

export const daemonName = (node: number): string => `n${node}`;
/** 10.0.0.1 and up; the upper half of the nodes is negative as a signed number, as 128.0.0.0 and up are. */
const addressOf = (node: number): number => (node % 2 === 0 ? 0x0a00_0001 : 0xc0a8_0001) + node;

export class GroupService implements DeliveryTarget, GroupsOutput {
  readonly layer: GroupsLayer;
  readonly #surroundings: GroupSurroundings;
  readonly #process: DaemonProcess;
  readonly #sessions = new Map<number, ClientSession>();
  readonly #names = new Set<string>();
  readonly #members = new Map<string, Set<number>>();
  #serial = 0;
  #blocked = false;
  /** Of the state exchange that is under way. */
  #exchangedBytes = 0;

  constructor(surroundings: GroupSurroundings) {
    this.#surroundings = surroundings;
    this.#process = surroundings.process;
    const daemonAddress = this.#process.machines.map(addressOf);
    const { groupsBodyBytes } = surroundings;
    this.layer = new GroupsLayer({ self: this.#process.self, daemonAddress, groupsBodyBytes }, this);
  }

  get clientsAllowed(): boolean {
    return !this.#blocked;
  }

  get earlyAllowed(): boolean {
    return !this.layer.gathering;
  }

  get settled(): boolean {
    return !this.layer.gathering;
  }

  // Clients.

  /** A client connects; null while its name is taken. */
  connect(name: string, wantsViews: boolean): ClientSession | null {
    const member = `#${name}#${daemonName(this.#process.node)}`;
    if (this.#names.has(member)) return null;
    const handle = ++this.#serial;
    const trace = this.#surroundings.openClient(handle, member, wantsViews);
    const session: ClientSession = { handle, member, wished: new Set(), trace };
    this.#sessions.set(handle, session);
    this.#names.add(member);
    return session;
  }

  asked(session: ClientSession, kind: 'join-requested' | 'leave-requested', group: string): void {
    session.trace.events.push({ kind, group, position: this.#position });
  }

  /** The connection is gone, so nothing reaches the client any more; its name stays taken until that is ordered. */
  disconnecting(session: ClientSession): void {
    session.trace.disconnected = true;
  }

  get #position(): number {
    return this.#process.recorder.trace.events.length;
  }

  // From the ring.

  configurationChanged(configuration: Configuration): void {
    this.#exchangedBytes = 0;
    this.layer.configurationChanged(configuration);
  }

  delivered(origin: number, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const kind = bytes[offset + RECORD_KIND] as RecordKind;
    if (kind === RecordKind.Run) this.#deliverRun(origin, bytes, offset);
    else {
      const wasGathering = this.layer.gathering;
      this.layer.record(nodeIndex(origin), kind, bytes, offset, lengthBytes);
      if (kind === RecordKind.Groups) this.#exchangedBytes += lengthBytes;
      if (wasGathering && !this.layer.gathering) this.#surroundings.merged(this.#exchangedBytes);
    }
    if (this.layer.divergenceCount > 0) throw new Error('group tables of one synced set differ');
  }

  #deliverRun(origin: number, bytes: Uint8Array, record: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const session = view.getUint32(record + RECORD_SESSION, true);
    const selfDiscard = (bytes[record + RECORD_FLAGS]! & RECORD_SELF_DISCARD) !== 0 && origin === this.#process.self;
    for (const frame of framesOfRun(bytes, record)) {
      const receivers = new Set<number>();
      for (const group of frame.groups) for (const member of this.#members.get(group) ?? []) receivers.add(member);
      if (selfDiscard) receivers.delete(session);
      for (const receiver of receivers)
        this.#give(receiver, {
          kind: 'message',
          multicast: frame.message,
          sender: frame.sender,
          groups: frame.groups,
          service: frame.service,
          position: this.#position,
        });
    }
  }

  #give(session: number, event: ClientTrace['events'][number]): void {
    const trace = this.#sessions.get(session)?.trace;
    if (trace !== undefined && !trace.disconnected) trace.events.push(event);
  }

  // From the groups layer.

  memberAdded(group: string, session: SessionHandle): void {
    const members = this.#members.get(group);
    if (members === undefined) this.#members.set(group, new Set([session]));
    else members.add(session);
  }

  memberRemoved(group: string, session: SessionHandle): void {
    this.#members.get(group)?.delete(session);
  }

  groupFrame(group: string, frame: Uint8Array, lengthBytes: number): void {
    const event = decodeMembershipFrame(frame, lengthBytes, this.#position);
    for (const session of this.#members.get(group) ?? [])
      if (this.#sessions.get(session)?.trace.wantsViews === true) this.#give(session, event);
  }

  sessionsFrame(sessions: readonly SessionHandle[], frame: Uint8Array, lengthBytes: number): void {
    const event = decodeMembershipFrame(frame, lengthBytes, this.#position);
    for (const session of sessions) this.#give(session, event);
  }

  sessionEnded(session: SessionHandle): void {
    const ended = this.#sessions.get(session);
    if (ended === undefined) throw new Error(`unknown session ${session} ended`);
    this.#sessions.delete(session);
    this.#names.delete(ended.member);
  }

  sendGroups(body: Uint8Array): void {
    this.#process.submit(groupsRecord(body), true);
    this.#surroundings.wake();
  }

  blockClients(blocked: boolean): void {
    this.#blocked = blocked;
    if (!blocked) this.#surroundings.wake();
  }

  frameTooLong(group: string, lengthBytes: number): void {
    throw new Error(`membership frame of ${lengthBytes} bytes for ${group}`);
  }
}
