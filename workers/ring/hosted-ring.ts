/**
 * One ring as this daemon takes part in it: the ring node, the queue of records that it orders, what becomes of them, and its datagrams.
 * The node's host. Independent of agents and threads, and of how many there are: ARCHITECTURE.md, "Where to add what".
 */
import type { Configuration } from '../../engine/host/configuration.ts';
import type { RecordSpan, RingHost } from '../../engine/host/ring-host.ts';
import type { RingNodeOptions, RingWindows } from '../../engine/host/ring-options.ts';
import { RingNode } from '../../engine/node/ring-node.ts';
import type { NodeIndex } from '../../engine/wire/ids.ts';
import type { RecordFault } from '../../engine/wire/record-check.ts';
import type { DatagramPort, DatagramTaker, OperatorWindows } from './datagram-port.ts';
import { FlightRecorder } from './flight-recorder.ts';
import type { GroupTrace } from './group-trace.ts';
import type { OrderedRecords } from './ordered-records.ts';
import type { ProbeWatch } from './probe-watch.ts';
import type { RingSeqFile } from './ring-seq-file.ts';
import type { SendQueue } from './send-queue.ts';

/** For the agent that the ring is in. */
export interface HostedRingEvents {
  /** At its place in the order. */
  configurationChanged(configuration: Configuration): void;
  /** The state file did not take the number of a ring. */
  ringSeqNotKept(error: unknown): void;
  /** The packet of the probe that was awaited is on its way. */
  probeSent(probe: ProbeWatch, seq: number): void;
  /** An operator set flow control; `setWindows` puts it in force. */
  windowsWanted(windows: OperatorWindows): void;
}

export interface HostedRingParts {
  readonly options: RingNodeOptions;
  /** Records to send: those of this daemon's clients and those that the host makes. */
  readonly queue: SendQueue;
  /** What becomes of ordered records. */
  readonly records: OrderedRecords;
  readonly datagrams: DatagramPort;
  /** Keeps the highest ring sequence number used; null: nothing does. */
  readonly ringSeqFile: RingSeqFile | null;
  readonly wallSeconds: () => number;
  /** Seals that were not believed so far. */
  readonly refusedSeals: () => number;
  readonly events: HostedRingEvents;
}

export class HostedRing implements RingHost, DatagramTaker {
  readonly node: RingNode;
  readonly flight: FlightRecorder;
  /** Tells what passes in a group; null: nobody wants to know. */
  trace: GroupTrace | null = null;
  /** Awaits the packet of a probe; null: none is awaited. */
  probe: ProbeWatch | null = null;
  readonly #parts: HostedRingParts;
  readonly #queue: SendQueue;
  readonly #records: OrderedRecords;
  readonly #datagrams: DatagramPort;
  /** What is delivered comes straight from the send queue. */
  #isLent = false;
  #ringSeqKept = 0;

  constructor(parts: HostedRingParts) {
    this.#parts = parts;
    this.#queue = parts.queue;
    this.#records = parts.records;
    this.#datagrams = parts.datagrams;
    this.node = new RingNode(parts.options, this);
    this.flight = new FlightRecorder(this.node.counters, parts.refusedSeals);
  }

  start(nowMs: number): void {
    this.node.start(nowMs, this.#parts.wallSeconds());
  }

  /** One turn. @returns datagrams and records handled */
  doWork(nowMs: number): number {
    const datagrams = this.#datagrams.receive(nowMs, this);
    const before = this.#records.count;
    // A log that was full may have room again, also for what the ring has received and could not deliver.
    if (this.#records.isFull || this.#queue.hasRecords()) this.node.wake(nowMs);
    if (this.node.nextDeadlineMs <= nowMs) this.node.tick(nowMs, this.#parts.wallSeconds());
    this.flight.note(nowMs);
    if (this.probe !== null) this.#settleProbe(this.probe);
    return datagrams + this.#records.count - before;
  }

  /** Everything submitted is ordered, in the log, and held by every daemon of the ring: none of it can be lost with this one. */
  isSettled(): boolean {
    return this.#queue.isEmpty() && this.node.isSettled && this.#records.output.waitingCount === 0;
  }

  /** @throws RangeError when the windows are not what the ring can go by */
  setWindows(windows: RingWindows): void {
    this.node.setWindows(windows);
  }

  datagramArrived(nowMs: number, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const { flight } = this;
    const isToken = flight.isToken(bytes, offset, lengthBytes);
    const refusals = isToken ? flight.refusals : 0;
    this.node.receive(nowMs, bytes, offset, lengthBytes);
    if (isToken && flight.refusals === refusals) flight.tokenTaken(bytes, offset);
    if (this.probe !== null) this.#settleProbe(this.probe);
  }

  windowsArrived(windows: OperatorWindows): void {
    this.#parts.events.windowsWanted(windows);
  }

  fillPacket(out: Uint8Array, offset: number, capacityBytes: number): number {
    const length = this.#queue.fillPacket(out, offset, capacityBytes);
    if (this.probe !== null && length > 0) this.probe.filled(out, offset, length);
    return length;
  }

  borrowRecords(span: RecordSpan): boolean {
    this.#isLent = this.#queue.borrowRecords(span);
    return this.#isLent;
  }

  releaseRecords(): void {
    this.#isLent = false;
    this.#queue.releaseRecords();
  }

  queuedBytes(): number {
    return this.#queue.queuedBytes();
  }

  canDeliver(): boolean {
    return this.#records.hasRoom();
  }

  canDeliverEarly(): boolean {
    return !this.#records.groups.gathering;
  }

  deliverRecords(origin: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    if (this.trace === null) this.#records.deliver(origin, bytes, offset, lengthBytes, this.#isLent);
    else this.trace.deliver(origin, bytes, offset, lengthBytes, this.#isLent);
  }

  recordRefused(origin: NodeIndex, fault: RecordFault): void {
    this.#records.refused(origin, fault);
  }

  configurationChanged(configuration: Configuration): void {
    this.#keepRingSeq(configuration.id.ringSeq);
    if (configuration.id.kind === 'regular') this.#queue.restartMessages();
    this.#records.configurationChanged(configuration);
    this.trace?.configurationChanged();
    this.#parts.events.configurationChanged(configuration);
  }

  sendTo(node: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    this.#datagrams.sendTo(node, bytes, offset, lengthBytes);
  }

  sendToAll(bytes: Uint8Array, offset: number, lengthBytes: number, members: readonly NodeIndex[] | null): void {
    this.#datagrams.sendToAll(bytes, offset, lengthBytes, members);
  }

  #settleProbe(probe: ProbeWatch): void {
    const seq = probe.settled();
    if (seq === 0) return;
    this.probe = null;
    this.#parts.events.probeSent(probe, seq);
  }

  /** Before any client sees the number. A transitional configuration has that of the regular one that follows. */
  #keepRingSeq(ringSeq: number): void {
    const { ringSeqFile, events } = this.#parts;
    if (ringSeqFile === null || ringSeq <= this.#ringSeqKept) return;
    try {
      ringSeqFile.store(ringSeq);
      this.#ringSeqKept = ringSeq;
    } catch (error) {
      events.ringSeqNotKept(error);
    }
  }
}
