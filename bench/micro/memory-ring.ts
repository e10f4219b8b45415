/**
 * Ring nodes on a network in memory with a virtual clock. It loses and reorders nothing, and does not allocate per datagram, so that only the
 * ring is measured.
 */

import { RingCounter, RingState } from '../../engine/host/ring-counters.ts';
import type { RecordSpan, RingHost } from '../../engine/host/ring-host.ts';
import type { RingNodeOptions } from '../../engine/host/ring-options.ts';
import { RingNode } from '../../engine/node/ring-node.ts';
import { PacketFiller, type RecordSource } from '../../engine/ring/packing.ts';
import { incarnation, type NodeIndex, nodeIndex } from '../../engine/wire/ids.ts';
import { RECORD_FRAME_COUNT_OFFSET, RECORD_LENGTH_OFFSET } from '../../engine/wire/layout/record-header.ts';
import { alignRecord } from '../../engine/wire/record.ts';
import { describeRecordFault, type RecordFault } from '../../engine/wire/record-check.ts';
import { copyBytes, readU32 } from '../../engine/wire/ring-bytes.ts';

const WALL_SECONDS = 1_700_000_000;
/** Virtual travel time of a datagram. */
const HOP_MS = 0.01;
const FLIGHT_BYTES = 16 * 1024 * 1024;
const MAX_FLIGHTS = 1 << 14;

/** Timers of the LAN profile. */
const TIMEOUTS = {
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

/** The defaults of the configuration. */
const WINDOWS = { window: 160, personalWindow: 20, acceleratedWindow: 15, acceleratedRing: true };

const ringOptions = (self: number, size: number, datagramBytes: number): RingNodeOptions => ({
  self: nodeIndex(self),
  incarnation: incarnation(1_000_000 + self),
  segmentOf: new Array<number>(size).fill(0),
  clusterHash: new Uint8Array(16).fill(7),
  windows: WINDOWS,
  timeouts: TIMEOUTS,
  datagramBytes,
  randomSeed: self + 1,
});

/** A send queue that can be stopped. */
export interface StoppableSource extends RecordSource {
  isOpen: boolean;
  /** Queued bytes; 0 when stopped. */
  readonly queuedBytes: number;
}

class MemoryNode implements RingHost {
  readonly node: RingNode;
  readonly index: number;
  pending = 0;
  framesDelivered = 0;
  readonly #ring: MemoryRing;
  readonly #source: StoppableSource;
  readonly #filler: PacketFiller;

  constructor(ring: MemoryRing, index: number, source: StoppableSource, options: RingNodeOptions) {
    this.index = index;
    this.#ring = ring;
    this.#source = source;
    this.#filler = new PacketFiller(source);
    this.node = new RingNode(options, this);
  }

  fillPacket(out: Uint8Array, offset: number, capacityBytes: number): number {
    return this.#filler.fillPacket(out, offset, capacityBytes);
  }

  borrowRecords(span: RecordSpan): boolean {
    return this.#filler.borrowRecords(span);
  }

  releaseRecords(): void {
    this.#filler.releaseRecords();
  }

  queuedBytes(): number {
    return this.#source.queuedBytes;
  }

  deliverRecords(_origin: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const end = offset + lengthBytes;
    for (let at = offset; at < end; ) {
      this.framesDelivered += readU32(bytes, at + RECORD_FRAME_COUNT_OFFSET);
      at += alignRecord(readU32(bytes, at + RECORD_LENGTH_OFFSET));
    }
  }

  recordRefused(origin: NodeIndex, fault: RecordFault): void {
    throw new Error(`record of daemon ${origin} refused: ${describeRecordFault(fault)}`);
  }

  canDeliver(): boolean {
    return true;
  }

  canDeliverEarly(): boolean {
    return true;
  }

  configurationChanged(): void {
    this.#filler.restartMessage();
  }

  sendTo(node: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    this.#ring.transmit(node, this.#ring.keep(bytes, offset, lengthBytes), lengthBytes);
  }

  sendToAll(bytes: Uint8Array, offset: number, lengthBytes: number, members: readonly NodeIndex[] | null): void {
    const at = this.#ring.keep(bytes, offset, lengthBytes);
    for (let node = 0; node < this.#ring.nodes.length; node++) {
      if (node !== this.index && members?.includes(nodeIndex(node)) !== false) {
        this.#ring.transmit(node, at, lengthBytes);
      }
    }
  }
}

export class MemoryRing {
  readonly nodes: readonly MemoryNode[];
  datagrams = 0;
  datagramBytes = 0;
  #nowMs = 1000;
  readonly #bytes = new Uint8Array(FLIGHT_BYTES);
  #writeAt = 0;
  /** For each datagram under way: receiver, offset, length. */
  readonly #flights = new Int32Array(MAX_FLIGHTS * 3);
  #first = 0;
  #count = 0;

  readonly #sources: readonly StoppableSource[];

  /** One node for each source. Call `form` first. */
  constructor(sources: readonly StoppableSource[], datagramBytes: number) {
    const size = sources.length;
    this.#sources = sources;
    this.nodes = sources.map((source, i) => new MemoryNode(this, i, source, ringOptions(i, size, datagramBytes)));
  }

  /** Runs until all nodes are in one ring with empty queues, then opens the sources. @throws when no ring forms */
  form(): void {
    for (const source of this.#sources) source.isOpen = false;
    for (const { node } of this.nodes) node.start(this.#nowMs, WALL_SECONDS);
    for (let steps = 0; !this.#isWhole(); steps++) {
      if (steps === 100_000) throw new Error('the ring did not form');
      this.step();
    }
    for (const source of this.#sources) source.isOpen = true;
    for (const { node } of this.nodes) node.wake(this.#nowMs);
  }

  /** Handles one datagram, or else the next timer. */
  step(): void {
    if (this.#count > 0) this.#arrive();
    else this.#fire();
  }

  /** Runs until node 0 has delivered `frames` more. */
  deliver(frames: number): void {
    const [first] = this.nodes;
    const until = first.framesDelivered + frames;
    while (first.framesDelivered < until) this.step();
  }

  /** Runs until the token has visited node 0 `rounds` more times. */
  rotate(rounds: number): void {
    const { counters } = this.nodes[0].node;
    const until = counters[RingCounter.TokenRounds] + rounds;
    while (counters[RingCounter.TokenRounds] < until) this.step();
  }

  /** Copies a datagram, because the sender reuses its buffer. @returns where it is kept until it arrives */
  keep(bytes: Uint8Array, offset: number, lengthBytes: number): number {
    if (this.#writeAt + lengthBytes > FLIGHT_BYTES) this.#writeAt = 0;
    const at = this.#writeAt;
    copyBytes(this.#bytes, at, bytes, offset, lengthBytes);
    this.#writeAt += lengthBytes;
    return at;
  }

  transmit(to: number, at: number, lengthBytes: number): void {
    const flight = ((this.#first + this.#count) % MAX_FLIGHTS) * 3;
    this.#flights[flight] = to;
    this.#flights[flight + 1] = at;
    this.#flights[flight + 2] = lengthBytes;
    this.#count++;
    this.nodes[to].pending++;
    this.datagrams++;
    this.datagramBytes += lengthBytes;
  }

  #isWhole(): boolean {
    return this.nodes.every(
      ({ node: { counters } }) =>
        counters[RingCounter.State] === RingState.Operational && counters[RingCounter.Members] === this.nodes.length,
    );
  }

  #arrive(): void {
    const flight = this.#first * 3;
    this.#first = (this.#first + 1) % MAX_FLIGHTS;
    this.#count--;
    this.#nowMs += HOP_MS;
    const target = this.nodes[this.#flights[flight]];
    target.pending--;
    target.node.receive(this.#nowMs, this.#bytes, this.#flights[flight + 1], this.#flights[flight + 2]);
    // A token that waited for its data needs a tick once all datagrams that had arrived are handled.
    if (target.pending === 0 && target.node.nextDeadlineMs <= this.#nowMs) target.node.tick(this.#nowMs, WALL_SECONDS);
  }

  #fire(): void {
    let due = this.nodes[0];
    for (const node of this.nodes) if (node.node.nextDeadlineMs < due.node.nextDeadlineMs) due = node;
    this.#nowMs = Math.max(this.#nowMs, due.node.nextDeadlineMs);
    due.node.tick(this.#nowMs, WALL_SECONDS);
  }
}
