/**
 * One incarnation of a virtual daemon: the engine between a send queue and a delivery log, on a virtual network. It ends
 * with all its state.
 */

import type { Configuration } from '../../../engine/host/configuration.ts';
import { RingCounter, RingState } from '../../../engine/host/ring-counters.ts';
import type { RecordSpan, RingHost } from '../../../engine/host/ring-host.ts';
import type { RingNodeOptions } from '../../../engine/host/ring-options.ts';
import type { RingNodeContract, RingNodeFactory } from '../../../engine/node/ring-node-contract.ts';
import { PacketFiller } from '../../../engine/ring/packing.ts';
import { type NodeIndex, nodeIndex } from '../../../engine/wire/ids.ts';
import { RECORD_KIND_OFFSET, RECORD_LENGTH_OFFSET } from '../../../engine/wire/layout/record-header.ts';
import { alignRecord, RecordKind } from '../../../engine/wire/record.ts';
import type { RecordFault } from '../../../engine/wire/record-check.ts';
import { readU32 } from '../../../engine/wire/ring-bytes.ts';
import { noteSealed, originOf, packetType } from '../network/wire-view.ts';
import type { Recorder } from '../trace/recorder.ts';
import { type MessageId, messageIdOf, type ProcessId } from '../trace/trace.ts';
import { RecordQueue } from './record-queue.ts';
import type { WatchedSealer } from './sealing.ts';

export type StateName = 'operational' | 'gather' | 'commit' | 'recover' | 'stopped';
const STATE_NAMES: Record<number, StateName> = {
  [RingState.Operational]: 'operational',
  [RingState.Gather]: 'gather',
  [RingState.Commit]: 'commit',
  [RingState.Recover]: 'recover',
  [RingState.Stopped]: 'stopped',
};

/** What a process needs from the run. */
export interface ProcessSurroundings {
  transmit(process: DaemonProcess, to: number | readonly number[], bytes: Uint8Array): void;
  stateChanged(process: DaemonProcess, state: StateName): void;
}

/** The process groups of one daemon, or what stands for them. */
export interface DeliveryTarget {
  configurationChanged(configuration: Configuration): void;
  /** One whole record. */
  delivered(origin: number, bytes: Uint8Array, offset: number, lengthBytes: number): void;
  /** Client records may be put into the order. */
  readonly clientsAllowed: boolean;
  /** Messages weaker than ordered ones may be delivered before their place. */
  readonly earlyAllowed: boolean;
  /** Room in the ordered log. */
  hasRoom(): boolean;
  /** A record of `origin` that came in fragments, or a packet of it, made no sense. */
  recordRefused(origin: NodeIndex, fault: RecordFault): void;
}

export class DaemonProcess implements RingHost {
  readonly process: ProcessId;
  /** Number of its machine. */
  readonly node: number;
  /** Its place in its configuration, and the machine at each place of it. */
  readonly self: NodeIndex;
  readonly machines: readonly number[];
  readonly recorder: Recorder;
  readonly queue: RecordQueue;
  readonly controlQueue: RecordQueue;
  readonly #filler: PacketFiller;
  readonly #controlFiller: PacketFiller;
  readonly #surroundings: ProcessSurroundings;
  /** Null: traffic is not sealed. */
  readonly sealer: WatchedSealer | null;
  readonly engine: RingNodeContract;
  target: DeliveryTarget | null = null;
  /** Its actions have no effect any more. */
  dead = false;
  logFull = false;
  state: StateName = 'stopped';
  #messages = 0;
  #borrowedFrom: PacketFiller | null = null;
  #borrowed: RecordSpan | null = null;

  constructor(
    process: ProcessId,
    recorder: (nextMessage: () => MessageId) => Recorder,
    options: RingNodeOptions,
    machines: readonly number[],
    createNode: RingNodeFactory,
    surroundings: ProcessSurroundings,
    maxSpanBytes: number,
    sealer: WatchedSealer | null = null,
  ) {
    this.queue = new RecordQueue(maxSpanBytes);
    this.controlQueue = new RecordQueue(maxSpanBytes);
    this.#filler = new PacketFiller(this.queue);
    this.#controlFiller = new PacketFiller(this.controlQueue);
    this.process = process;
    this.node = machines[options.self]!;
    this.self = options.self;
    this.machines = machines;
    this.recorder = recorder(() => this.nextMessage());
    this.#surroundings = surroundings;
    this.sealer = sealer;
    this.engine = createNode(sealer === null ? options : { ...options, sealer }, this);
  }

  nextMessage(): MessageId {
    return messageIdOf(this.process, ++this.#messages);
  }

  /** A record of a client, or of the groups layer when `control`. */
  submit(record: Uint8Array, control = false): void {
    this.recorder.queued(record);
    (control ? this.controlQueue : this.queue).push(record);
  }

  /** Runs one entry point of the engine. An exception ends the process, as it would end the daemon. */
  run(action: (engine: RingNodeContract) => void): void {
    if (this.dead) return;
    try {
      action(this.engine);
    } catch (error) {
      if (this.dead) return;
      this.recorder.failed(error instanceof Error ? (error.stack ?? error.message) : String(error));
      this.dead = true;
      return;
    }
    const state = STATE_NAMES[this.engine.counters[RingCounter.State]!] ?? 'stopped';
    if (state !== this.state) {
      this.state = state;
      this.#surroundings.stateChanged(this, state);
    }
  }

  // The host's side of the ports.

  /** One filler is kept until its message is complete; the groups layer goes first. */
  #fillerNow(): PacketFiller | null {
    if (this.#filler.midMessage) return this.#filler;
    if (this.#controlFiller.midMessage || this.controlQueue.lengthBytes > 0) return this.#controlFiller;
    return this.target === null || this.target.clientsAllowed ? this.#filler : null;
  }

  fillPacket(out: Uint8Array, offset: number, capacityBytes: number): number {
    if (this.dead) return 0;
    const written = this.#fillerNow()?.fillPacket(out, offset, capacityBytes) ?? 0;
    if (written > 0) this.recorder.packetFilled(out, offset, written);
    return written;
  }

  borrowRecords(span: RecordSpan): boolean {
    if (this.dead) return false;
    const filler = this.#fillerNow();
    if (filler === null || !filler.borrowRecords(span)) return false;
    this.#borrowedFrom = filler;
    this.#borrowed = span;
    return true;
  }

  releaseRecords(): void {
    if (this.dead) return;
    this.#borrowedFrom?.releaseRecords();
    this.#borrowedFrom = null;
  }

  queuedBytes(): number {
    if (this.dead) return 0;
    const control = this.controlQueue.lengthBytes;
    return this.target === null || this.target.clientsAllowed ? this.queue.lengthBytes + control : control;
  }

  deliverRecords(origin: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    if (this.dead) return;
    const borrowed = this.#borrowed;
    if (borrowed !== null && origin === this.self && borrowed.bytes === bytes) {
      this.recorder.spanSequenced(bytes, offset, lengthBytes);
      this.#borrowed = null;
    }
    const end = offset + lengthBytes;
    for (let at = offset; at < end; ) {
      const recordBytes = alignRecord(readU32(bytes, at + RECORD_LENGTH_OFFSET));
      if (recordBytes === 0 || at + recordBytes > end) throw new Error('delivered a range that is not whole records');
      if (bytes[at + RECORD_KIND_OFFSET] !== RecordKind.Padding) {
        this.recorder.delivered(this.machines[origin]!, bytes, at, recordBytes);
        this.target?.delivered(origin, bytes, at, recordBytes);
      }
      at += recordBytes;
    }
  }

  recordRefused(origin: NodeIndex, fault: RecordFault): void {
    this.target?.recordRefused(origin, fault);
  }

  canDeliver(): boolean {
    return !this.dead && !this.logFull && (this.target === null || this.target.hasRoom());
  }

  canDeliverEarly(): boolean {
    return this.target === null || this.target.earlyAllowed;
  }

  configurationChanged(configuration: Configuration): void {
    if (this.dead) return;
    if (configuration.id.kind === 'regular') {
      this.#filler.restartMessage();
      this.#controlFiller.restartMessage();
    }
    this.recorder.configuration(this.#byMachine(configuration), configuration.id.leader);
    this.target?.configurationChanged(configuration);
  }

  /** The trace knows machines: their node indexes differ between configurations. */
  #byMachine({ id, members }: Configuration): Configuration {
    const machine = (node: NodeIndex): NodeIndex => nodeIndex(this.machines[node]!);
    return {
      id: { ...id, leader: machine(id.leader) },
      members: members.map(({ node, incarnation }) => ({ node: machine(node), incarnation })),
    };
  }

  sendTo(node: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    this.#transmit(this.machines[node]!, bytes.slice(offset, offset + lengthBytes));
  }

  sendToAll(bytes: Uint8Array, offset: number, lengthBytes: number, members: readonly NodeIndex[] | null): void {
    const to = members === null ? this.machines : members.map((node) => this.machines[node]!);
    this.#transmit(to, bytes.slice(offset, offset + lengthBytes));
  }

  #transmit(to: number | readonly number[], datagram: Uint8Array): void {
    if (this.dead) return;
    if (this.sealer !== null) noteSealed(datagram, this.sealer.sealedLast);
    if (packetType(datagram) === 'data' && originOf(datagram) === this.self) this.recorder.dataSeen(datagram);
    this.#surroundings.transmit(this, to, datagram);
  }
}
