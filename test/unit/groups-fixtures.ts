/** Recorded traces and a recording output, shared by the tests of the process-group layer. */

import { readFileSync } from 'node:fs';
import { GroupsLayer } from '../../engine/groups/groups-layer.ts';
import type { ExchangeFault, GroupsOutput } from '../../engine/groups/groups-output.ts';
import type { Configuration } from '../../engine/host/configuration.ts';
import { readName, writeName } from '../../engine/wire/frame.ts';
import { incarnation, nodeIndex, type SessionHandle } from '../../engine/wire/ids.ts';
import { FRAME_HEADER_LENGTH } from '../../engine/wire/layout/frame-header.ts';
import {
  RECORD_HEADER_LENGTH,
  RECORD_LENGTH_OFFSET,
  RECORD_SESSION_OFFSET,
} from '../../engine/wire/layout/record-header.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { RecordKind } from '../../engine/wire/record.ts';

export const sessionHandle = (value: number): SessionHandle => value as SessionHandle;

export interface TimedFrame {
  readonly timeMs: number;
  readonly bytes: Uint8Array;
}

export interface Connection {
  readonly name: string;
  readonly sent: readonly TimedFrame[];
  readonly received: readonly TimedFrame[];
  readonly wantsMembership: boolean;
  /** When the client's side closed. */
  readonly closedMs: number;
  /** When the daemon's side closed. */
  readonly daemonClosedMs: number;
}

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** One side of a capture as a byte stream that knows when each byte arrived. */
class Side {
  private readonly chunks: { bytes: Buffer; t: number }[];
  private position = 0;
  readonly bytes: Uint8Array;
  readonly closedMs: number;

  constructor(lines: readonly { dir: string; hex: string; t: number; eof?: boolean }[], dir: string) {
    const own = lines.filter((line) => line.dir === dir);
    this.chunks = own.map((line) => ({ bytes: Buffer.from(line.hex, 'hex'), t: line.t }));
    this.bytes = Buffer.concat(this.chunks.map((chunk) => chunk.bytes));
    this.closedMs = own.find((line) => line.eof)?.t ?? Number.POSITIVE_INFINITY;
  }

  get isAtEnd(): boolean {
    return this.position >= this.bytes.length;
  }

  take(length: number): Uint8Array {
    const taken = this.bytes.subarray(this.position, this.position + length);
    this.position += length;
    return taken;
  }

  /** Arrival time of the byte before the position. */
  timeMs(): number {
    let end = 0;
    for (const chunk of this.chunks) {
      end += chunk.bytes.length;
      if (end >= this.position) return chunk.t;
    }
    return this.closedMs;
  }

  frames(): TimedFrame[] {
    const frames: TimedFrame[] = [];
    while (!this.isAtEnd) {
      const start = this.position;
      const header = new DataView(new Uint8Array(this.take(FRAME_HEADER_LENGTH)).buffer);
      this.take(NAME_FIELD_LENGTH * header.getInt32(36, true) + header.getInt32(44, true));
      frames.push({ timeMs: this.timeMs(), bytes: this.bytes.subarray(start, this.position) });
    }
    return frames;
  }
}

/** Reads a recorded connection of a current library (authentication phase included). */
export function readCapture(file: string): Connection {
  const path = new URL(`../fixtures/captures/${file}.jsonl`, import.meta.url);
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  const client = new Side(lines, 'c2d');
  const connect = client.take(5);
  client.take(connect[4]! + 90);
  const daemon = new Side(lines, 'd2c');
  daemon.take(daemon.take(1)[0]!);
  const name = text(daemon.take(daemon.take(5)[4]!));
  return {
    name,
    sent: client.frames(),
    received: daemon.frames(),
    wantsMembership: (connect[3]! & 1) === 1,
    closedMs: client.closedMs,
    daemonClosedMs: daemon.closedMs,
  };
}

export const frameType = (frame: Uint8Array): number =>
  new DataView(frame.buffer, frame.byteOffset).getUint32(0, true) & 0x7fff_ff7f;

/** The views, signals and self-leaves among the frames a connection received, as hexadecimal text. */
export const membershipFrames = (frames: readonly TimedFrame[]): string[] =>
  frames
    .filter(({ bytes }) => (frameType(bytes) & 0x3f00) !== 0)
    .map(({ bytes }) => Buffer.from(bytes).toString('hex'));

export const groupOfRequest = (frame: Uint8Array): string => readName(frame, FRAME_HEADER_LENGTH);

export function configuration(
  kind: 'regular' | 'transitional',
  ringSeq: number,
  nodes: readonly number[],
  leader = nodes[0]!,
): Configuration {
  const members = nodes.map((node) => ({ node: nodeIndex(node), incarnation: incarnation(1) }));
  return { id: { kind, ringSeq, leader: nodeIndex(leader), leaderIncarnation: incarnation(1) }, members };
}

function record(session: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_LENGTH + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(RECORD_LENGTH_OFFSET, bytes.length, true);
  view.setUint32(RECORD_SESSION_OFFSET, session, true);
  bytes.set(body, RECORD_HEADER_LENGTH);
  return bytes;
}

export interface OrderedRecord {
  readonly origin: number;
  readonly kind: RecordKind;
  readonly bytes: Uint8Array;
}

export function joinRecord(
  origin: number,
  session: number,
  group: string,
  name: string,
  wantsMembership = true,
): OrderedRecord {
  const body = new Uint8Array(65);
  writeName(body, 0, group);
  writeName(body, 32, name);
  body[64] = wantsMembership ? 1 : 0;
  return { origin, kind: RecordKind.Join, bytes: record(session, body) };
}

export function leaveRecord(origin: number, session: number, group: string, name: string): OrderedRecord {
  const body = new Uint8Array(64);
  writeName(body, 0, group);
  writeName(body, 32, name);
  return { origin, kind: RecordKind.Leave, bytes: record(session, body) };
}

export function disconnectRecord(origin: number, session: number, name: string): OrderedRecord {
  const body = new Uint8Array(32);
  writeName(body, 0, name);
  return { origin, kind: RecordKind.Disconnect, bytes: record(session, body) };
}

export const groupsRecord = (origin: number, body: Uint8Array): OrderedRecord => ({
  origin,
  kind: RecordKind.Groups,
  bytes: record(0, body),
});

export const deliver = (layer: GroupsLayer, ordered: OrderedRecord): boolean =>
  layer.record(nodeIndex(ordered.origin), ordered.kind, ordered.bytes, 0, ordered.bytes.length);

/**
 * Keeps the frames of each session, and a log of everything in order. Knows the members of groups only from
 * `memberAdded` and `memberRemoved`, as a delivery worker does.
 */
export class RecordingOutput implements GroupsOutput {
  readonly log: string[] = [];
  readonly framesOf = new Map<number, string[]>();
  readonly bodies: Uint8Array[] = [];
  blocked = false;
  private readonly membersOf = new Map<string, Set<number>>();
  private readonly watchers: ReadonlySet<number>;

  /** @param watchers sessions that want membership messages */
  constructor(watchers: Iterable<number>) {
    this.watchers = new Set(watchers);
  }

  frames(session: number): string[] {
    return this.framesOf.get(session) ?? [];
  }

  sessionsIn(group: string): number[] {
    return [...(this.membersOf.get(group) ?? [])];
  }

  memberAdded(group: string, session: SessionHandle): void {
    const members = this.membersOf.get(group) ?? new Set();
    if (members.has(session)) throw new Error(`${session} added twice to ${group}`);
    this.membersOf.set(group, members.add(session));
    this.log.push(`added ${group} ${session}`);
  }

  memberRemoved(group: string, session: SessionHandle): void {
    if (!this.membersOf.get(group)?.delete(session))
      throw new Error(`${session} removed from ${group}, where it is not`);
    this.log.push(`removed ${group} ${session}`);
  }

  groupFrame(group: string, frame: Uint8Array, lengthBytes: number): void {
    const watching = this.sessionsIn(group).filter((session) => this.watchers.has(session));
    if (watching.length === 0) throw new Error(`frame for ${group}, which nobody here watches`);
    this.log.push(`group frame ${group}`);
    this.give(watching, frame, lengthBytes);
  }

  sessionsFrame(sessions: readonly SessionHandle[], frame: Uint8Array, lengthBytes: number): void {
    if (!sessions.every((session) => this.watchers.has(session)))
      throw new Error('frame for a session that wants none');
    this.log.push(`sessions frame ${sessions.join(' ')}`);
    this.give(sessions, frame, lengthBytes);
  }

  sessionEnded(session: SessionHandle): void {
    this.log.push(`ended ${session}`);
  }

  sendGroups(body: Uint8Array): void {
    this.bodies.push(body.slice());
  }

  blockClients(blocked: boolean): void {
    if (this.blocked === blocked) throw new Error(`clients are ${blocked ? '' : 'not '}blocked already`);
    this.blocked = blocked;
    this.log.push(blocked ? 'blocked' : 'unblocked');
  }

  frameTooLong(group: string, lengthBytes: number): void {
    this.log.push(`too long ${group} ${lengthBytes}`);
  }

  exchangeFault(fault: ExchangeFault, node: number): void {
    this.log.push(`${fault} ${node}`);
  }

  private give(sessions: readonly number[], frame: Uint8Array, lengthBytes: number): void {
    const hex = Buffer.from(frame.subarray(0, lengthBytes)).toString('hex');
    for (const session of sessions) this.framesOf.set(session, [...this.frames(session), hex]);
  }
}

export const LOOPBACK = 0x7f00_0001;

/** Several daemons that receive the same records and configurations, and each other's state exchange. */
export class Daemons {
  readonly outputs: RecordingOutput[];
  readonly layers: GroupsLayer[];

  constructor(
    count: number,
    watchers: readonly number[],
    daemonAddress: readonly number[] = Array.from({ length: count }, (_unused, node) => LOOPBACK + node),
  ) {
    this.outputs = Array.from({ length: count }, () => new RecordingOutput(watchers));
    this.layers = this.outputs.map((output, node) => new GroupsLayer({ self: nodeIndex(node), daemonAddress }, output));
  }

  configure(kind: 'regular' | 'transitional', ringSeq: number, nodes: readonly number[]): void {
    for (const node of nodes) this.layers[node]!.configurationChanged(configuration(kind, ringSeq, nodes));
  }

  deliver(nodes: readonly number[], record: OrderedRecord): void {
    for (const node of nodes) deliver(this.layers[node]!, record);
  }

  /** Each of `parts` was a separate configuration until now; together they form the next one. */
  merge(ringSeq: number, parts: readonly (readonly number[])[]): void {
    for (const part of parts) this.configure('transitional', ringSeq, part);
    const nodes = parts.flat().sort();
    this.configure('regular', ringSeq, nodes);
    this.exchange(nodes);
  }

  /** Delivers the state exchange to `nodes`. */
  exchange(nodes: readonly number[]): void {
    for (const node of nodes) {
      for (const body of this.outputs[node]!.bodies.splice(0)) this.deliver(nodes, groupsRecord(node, body));
    }
  }
}
