/**
 * A few ring nodes on an in-memory network with a virtual clock, for unit tests of the ring. The simulator covers
 * faults; this makes single situations easy to set up.
 */

import type { Configuration } from '../../engine/host/configuration.ts';
import type { RecordSpan, RingHost } from '../../engine/host/ring-host.ts';
import type { RingNodeOptions, RingTimeouts, RingWindows } from '../../engine/host/ring-options.ts';
import { RingNode } from '../../engine/node/ring-node.ts';
import { PacketFiller, type RecordSource } from '../../engine/ring/packing.ts';
import { incarnation, type NodeIndex, nodeIndex } from '../../engine/wire/ids.ts';
import {
  RECORD_FLAGS_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_SERVICE_OFFSET,
  RECORD_SESSION_OFFSET,
} from '../../engine/wire/layout/record-header.ts';
import { alignRecord, RECORD_FIRST, RECORD_LAST, RecordKind } from '../../engine/wire/record.ts';
import { describeRecordFault, type RecordFault } from '../../engine/wire/record-check.ts';
import { readU32, writeU16, writeU32 } from '../../engine/wire/ring-bytes.ts';
import { AGREED_MESS } from '../../engine/wire/service.ts';

export const LAN: RingTimeouts = {
  tokenLossMs: 600,
  tokenResendMs: 5,
  joinEveryMs: 30,
  gatherMinMs: 60,
  gatherMaxMs: 300,
  commitMs: 300,
  commitResendMs: 20,
  probeEveryMs: 1000,
  probeIdleMs: 10_000,
  mergeNotBeforeMs: 1000,
  idleHoldMaxMs: 100,
};

export const WINDOWS: RingWindows = { window: 160, personalWindow: 20, acceleratedWindow: 15, acceleratedRing: true };

/** A record of kind Groups: its body is opaque to the ring. */
export function opaqueRecord(text: string, service = AGREED_MESS): Uint8Array {
  const body = new TextEncoder().encode(text);
  const lengthBytes = RECORD_HEADER_LENGTH + body.length;
  const record = new Uint8Array(alignRecord(lengthBytes));
  writeU32(record, RECORD_LENGTH_OFFSET, lengthBytes);
  record[RECORD_KIND_OFFSET] = RecordKind.Groups;
  record[RECORD_SERVICE_OFFSET] = service;
  writeU16(record, RECORD_FLAGS_OFFSET, RECORD_FIRST | RECORD_LAST);
  record.set(body, RECORD_HEADER_LENGTH);
  return record;
}

/** A record of one session, at least `lengthBytes` long; only its text matters here. */
export function sessionRecord(
  session: number,
  text: string,
  service = AGREED_MESS,
  kind: RecordKind = RecordKind.Run,
  lengthBytes = 0,
): Uint8Array {
  const record = opaqueRecord(text.padEnd(lengthBytes - RECORD_HEADER_LENGTH, '.'), service);
  record[RECORD_KIND_OFFSET] = kind;
  writeU32(record, RECORD_SESSION_OFFSET, session);
  return record;
}

class Queue implements RecordSource {
  #bytes: Uint8Array = new Uint8Array(0);

  push(record: Uint8Array): void {
    const joined = new Uint8Array(this.#bytes.length + record.length);
    joined.set(this.#bytes);
    joined.set(record, this.#bytes.length);
    this.#bytes = joined;
  }

  peek(span: RecordSpan): boolean {
    span.bytes = this.#bytes;
    span.offset = 0;
    span.lengthBytes = this.#bytes.length;
    return this.#bytes.length > 0;
  }

  consume(lengthBytes: number): void {
    this.#bytes = this.#bytes.slice(lengthBytes);
  }

  get lengthBytes(): number {
    return this.#bytes.length;
  }
}

/** What one node delivered to its host, in order: `origin:text`, `reg(1,2)` or `trans(1)`. */
export class TestNode implements RingHost {
  readonly index: NodeIndex;
  readonly node: RingNode;
  readonly log: string[] = [];
  readonly configurations: Configuration[] = [];
  readonly queue = new Queue();
  readonly filler = new PacketFiller(this.queue);
  readonly #cluster: Cluster;
  mayDeliver = true;
  mayDeliverEarly = true;
  alive = true;

  constructor(cluster: Cluster, index: number, options: RingNodeOptions) {
    this.#cluster = cluster;
    this.index = nodeIndex(index);
    this.node = new RingNode(options, this);
  }

  send(text: string, service = AGREED_MESS): void {
    this.queue.push(opaqueRecord(text, service));
    this.node.wake(this.#cluster.nowMs);
  }

  messages(): string[] {
    return this.log.filter((entry) => !entry.includes('('));
  }

  fillPacket(out: Uint8Array, offset: number, capacityBytes: number): number {
    return this.filler.fillPacket(out, offset, capacityBytes);
  }

  borrowRecords(span: RecordSpan): boolean {
    return this.filler.borrowRecords(span);
  }

  releaseRecords(): void {
    this.filler.releaseRecords();
  }

  queuedBytes(): number {
    return this.queue.lengthBytes;
  }

  deliverRecords(origin: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    for (let at = offset; at < offset + lengthBytes; ) {
      const recordBytes = readU32(bytes, at + RECORD_LENGTH_OFFSET);
      this.log.push(`${origin}:${new TextDecoder().decode(bytes.slice(at + RECORD_HEADER_LENGTH, at + recordBytes))}`);
      at += alignRecord(recordBytes);
    }
  }

  recordRefused(origin: NodeIndex, fault: RecordFault): void {
    throw new Error(`record of daemon ${origin} refused: ${describeRecordFault(fault)}`);
  }

  canDeliver(): boolean {
    return this.mayDeliver;
  }

  canDeliverEarly(): boolean {
    return this.mayDeliverEarly;
  }

  configurationChanged(configuration: Configuration): void {
    const members = configuration.members.map(({ node }) => node).join(',');
    this.configurations.push(configuration);
    this.log.push(`${configuration.id.kind === 'regular' ? 'reg' : 'trans'}(${members})`);
    if (configuration.id.kind === 'regular') this.filler.restartMessage();
  }

  sendTo(node: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    this.#cluster.transmit(this.index, node, bytes.slice(offset, offset + lengthBytes));
  }

  sendToAll(bytes: Uint8Array, offset: number, lengthBytes: number, members: readonly NodeIndex[] | null): void {
    const copy = bytes.slice(offset, offset + lengthBytes);
    if (members !== null) for (const node of members) this.#cluster.transmit(this.index, node, copy);
    else
      for (const { index } of this.#cluster.nodes)
        if (index !== this.index) this.#cluster.transmit(this.index, index, copy);
  }
}

interface Flight {
  readonly atMs: number;
  readonly order: number;
  readonly to: NodeIndex;
  readonly bytes: Uint8Array;
}

export interface ClusterOptions {
  readonly size: number;
  readonly windows?: Partial<RingWindows>;
  readonly timeouts?: Partial<RingTimeouts>;
  /** Of all nodes, or of each. */
  readonly datagramBytes?: number | readonly number[];
  readonly delayMs?: number;
  /** Of all nodes, or of each. */
  readonly ringSeqFloor?: number | readonly number[];
  /** Unix time of each node's clock at the start; left out, all have the same. */
  readonly wallSecondsOf?: readonly number[];
}

export class Cluster {
  readonly nodes: TestNode[];
  nowMs = 1000;
  /** Returns whether a datagram is lost. */
  drop: (from: NodeIndex, to: NodeIndex, bytes: Uint8Array) => boolean = () => false;
  sent = 0;
  readonly #delayMs: number;
  readonly #wallSecondsOf: readonly number[];
  #flights: Flight[] = [];
  #order = 0;

  constructor(options: ClusterOptions) {
    const { size, windows, timeouts, datagramBytes = 1400, delayMs = 0.1, ringSeqFloor = 0 } = options;
    this.#wallSecondsOf = options.wallSecondsOf ?? [];
    this.#delayMs = delayMs;
    this.nodes = Array.from(
      { length: size },
      (_, index) =>
        new TestNode(this, index, {
          self: nodeIndex(index),
          incarnation: incarnation(1_000_000 + index),
          segmentOf: Array.from({ length: size }, () => 0),
          clusterHash: new Uint8Array(16).fill(7),
          windows: { ...WINDOWS, ...windows },
          timeouts: { ...LAN, ...timeouts },
          datagramBytes: typeof datagramBytes === 'number' ? datagramBytes : datagramBytes[index]!,
          largestDatagramBytes: typeof datagramBytes === 'number' ? datagramBytes : Math.max(...datagramBytes),
          randomSeed: index + 1,
          ringSeqFloor: typeof ringSeqFloor === 'number' ? ringSeqFloor : ringSeqFloor[index]!,
        }),
    );
  }

  start(): void {
    for (const { node, index } of this.nodes) node.start(this.nowMs, this.#wallSeconds(index));
  }

  transmit(from: NodeIndex, to: NodeIndex, bytes: Uint8Array): void {
    this.sent++;
    if (this.drop(from, to, bytes)) return;
    this.#flights.push({ atMs: this.nowMs + this.#delayMs, order: this.#order++, to, bytes });
  }

  /** Lets `durationMs` pass. */
  run(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (;;) {
      let atMs = endMs;
      let flight: Flight | undefined;
      for (const candidate of this.#flights) {
        if (candidate.atMs > atMs || (flight !== undefined && candidate.atMs === atMs)) continue;
        atMs = candidate.atMs;
        flight = candidate;
      }
      let due: TestNode | undefined;
      for (const node of this.nodes) {
        // Datagrams are handled before a timer of the same time.
        if (node.alive && node.node.nextDeadlineMs < atMs) {
          atMs = Math.max(this.nowMs, node.node.nextDeadlineMs);
          due = node;
        }
      }
      this.nowMs = atMs;
      if (due !== undefined) due.node.tick(atMs, this.#wallSeconds(due.index));
      else if (flight !== undefined) {
        this.#flights.splice(this.#flights.indexOf(flight), 1);
        const target = this.nodes[flight.to]!;
        if (target.alive) target.node.receive(atMs, flight.bytes, 0, flight.bytes.length);
      } else return;
    }
  }

  /** Runs until `isTrue`; throws when it does not become true within `limitMs`. @returns the time it took */
  runUntil(isTrue: () => boolean, limitMs: number): number {
    const startMs = this.nowMs;
    while (!isTrue()) {
      if (this.nowMs - startMs >= limitMs) throw new Error(`not true within ${limitMs} ms`);
      this.run(1);
    }
    return this.nowMs - startMs;
  }

  /** All live nodes are in one regular configuration of just them. */
  isWhole(): boolean {
    const live = this.nodes.filter(({ alive }) => alive);
    const expected = `reg(${live.map(({ index }) => index).join(',')})`;
    return live.every(({ log }) => log.findLast((entry) => entry.includes('(')) === expected);
  }

  #wallSeconds(index: number): number {
    return (this.#wallSecondsOf[index] ?? 1_700_000_000) + this.nowMs / 1000;
  }
}
