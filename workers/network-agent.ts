/**
 * The network agent: owns the daemon's UDP sockets. Carries the ring's datagrams between shared memory and the network, and serves
 * monitors.
 *
 * Tokens have a socket of their own (port + 1), so that a burst of data that overflows a receive buffer does not cost the token.
 */

import type { RemoteInfo } from 'node:dgram';
import { type CountersMemory, NetworkCounter, OrderingCounter, ringCounters } from '../engine/buffers/counters.ts';
import type { DoorbellRinger } from '../engine/buffers/doorbell.ts';
import { SpscQueueConsumer, SpscQueueProducer, writeRecordHeader } from '../engine/buffers/spsc-queue.ts';
import type { ClusterKey } from '../engine/config/cluster-keys.ts';
import type { RingWindows } from '../engine/host/ring-options.ts';
import { SealRefusal } from '../engine/seal/seal-trailer.ts';
import { incarnation, type NodeIndex, nodeIndex } from '../engine/wire/ids.ts';
import { MEMBERS_RECORD_NODES_OFFSET } from '../engine/wire/layout/members-record.ts';
import {
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_SESSION_OFFSET,
} from '../engine/wire/layout/record-header.ts';
import {
  RING_HEADER_LENGTH,
  RING_HEADER_MAGIC_OFFSET,
  RING_HEADER_TYPE_OFFSET,
  RING_HEADER_VERSION_OFFSET,
} from '../engine/wire/layout/ring-header.ts';
import {
  WINDOWS_RECORD_ACCELERATED_WINDOW_OFFSET,
  WINDOWS_RECORD_LENGTH,
  WINDOWS_RECORD_PERSONAL_WINDOW_OFFSET,
  WINDOWS_RECORD_WINDOW_OFFSET,
} from '../engine/wire/layout/windows-record.ts';
import {
  alignRecord,
  MEMBER_LENGTH,
  RECORD_FIRST,
  RECORD_LAST,
  RecordKind,
  TO_ALL_DAEMONS,
  TO_MEMBERS,
} from '../engine/wire/record.ts';
import { readU32 } from '../engine/wire/ring-bytes.ts';
import { NO_RING, PacketType, RING_MAGIC, RingHeaderWriter } from '../engine/wire/ring-header.ts';
import type { Agent } from './agent.ts';
import { ringFailure } from './listen-failure.ts';
import type { Log } from './log.ts';
import { AloneWatch } from './network/alone-watch.ts';
import { MonitorDesk, type MonitorOptions } from './network/monitor-desk.ts';
import { type GateOptions, RingGate, type Sender } from './network/ring-gate.ts';
import { RingSockets, type SegmentAddress } from './network/ring-sockets.ts';
import { checksumSealer } from './ring/checksum-sealer.ts';
import type { SettingsSnapshot } from './settings/settings-snapshot.ts';

/** A partition ends by itself, unless its monitor repeats it (client-protocol.md, 10.3). */
const PARTITION_MS = 60_000;
const NEVER = Number.POSITIVE_INFINITY;
const BATCH_BYTES = 256 * 1024;

export interface DaemonEndpoint {
  readonly host: string;
  readonly port: number;
}

/** How one datagram reaches all daemons of this one's segment. */
export interface SegmentGroup extends SegmentAddress {
  /** Daemons reached, this one left out. */
  readonly nodes: readonly NodeIndex[];
}

/** Some of the other daemons, and how a datagram reaches them. */
interface Recipients {
  /** One datagram to the segment serves those that are not listed. */
  readonly bySegment: boolean;
  readonly single: readonly NodeIndex[];
}

export interface NetworkOptions extends MonitorOptions, Omit<GateOptions, 'sealed'> {
  /** Null: every daemon gets datagrams of its own. */
  readonly segment: SegmentGroup | null;
  /** The daemon's segment as its file has it, `ADDRESS:PORT`; for errors. */
  readonly segmentName: string;
  /** Where each configured daemon receives data, in configuration order; tokens go to the port above. */
  readonly daemons: readonly DaemonEndpoint[];
}

export interface NetworkLinks {
  readonly inbound: SharedArrayBuffer;
  readonly outbound: SharedArrayBuffer;
  readonly ringDoorbell: DoorbellRinger;
  readonly counters: Float64Array;
  readonly allCounters: CountersMemory;
  readonly logger: Log;
  readonly schedule: () => void;
  readonly now: () => number;
  /** Unix milliseconds. */
  readonly wallMs: () => number;
  /** Null: traffic is not sealed, and no monitor can command. */
  readonly clusterKeys: readonly ClusterKey[] | null;
  /** An authenticated monitor requests the orderly end of the daemon. */
  readonly requestStop: () => void;
}

export class NetworkAgent implements Agent {
  readonly name = 'network';
  readonly counters: Float64Array;
  readonly #options: NetworkOptions;
  readonly #links: NetworkLinks;
  readonly #inbound: SpscQueueProducer;
  readonly #outbound: SpscQueueConsumer;
  readonly #sendBytes: Buffer;
  readonly #ringCounters: Float64Array;
  readonly #gate: RingGate;
  readonly #monitors: MonitorDesk;
  readonly #aloneWatch: AloneWatch;
  readonly #everyone: Recipients;
  #members: Recipients;
  #healAtMs = NEVER;
  #sealsRefused = 0;
  #sockets: RingSockets | null = null;
  /** Bytes at the front of the outbound queue that are sent, or that the kernel has yet to take. */
  #sentBytes = 0;

  constructor(options: NetworkOptions, links: NetworkLinks) {
    this.#options = options;
    this.#links = links;
    this.counters = links.counters;
    this.#inbound = new SpscQueueProducer(links.inbound);
    this.#outbound = new SpscQueueConsumer(links.outbound);
    this.#sendBytes = Buffer.from(links.outbound, this.#outbound.bytes.byteOffset);
    this.#ringCounters = ringCounters(links.allCounters);
    this.#everyone = this.#recipients(options.daemons.map((_, node) => nodeIndex(node)));
    this.#members = this.#everyone;
    const { counters, logger, now } = links;
    const sealed = links.clusterKeys !== null;
    const introduce = (to: Sender): void => this.#introduce(to);
    this.#gate = new RingGate({ ...options, sealed }, { counters, logger, now, introduce });
    this.#aloneWatch = new AloneWatch(options, { counters: links.allCounters, logger, wallMs: links.wallMs });
    this.#monitors = new MonitorDesk(options, links.clusterKeys, {
      counters: links.allCounters,
      logger,
      now,
      send: (datagram, port, address) => this.#sendAnswer(datagram, port, address),
      partition: (components) => this.#partition(components),
      setWindows: (windows) => this.#setWindows(windows),
      requestStop: links.requestStop,
    });
  }

  /** @returns puts the options in force, which cannot fail: whose commands are obeyed */
  prepare({ ring: { clusterKeys, dangerousMonitor } }: Pick<SettingsSnapshot, 'ring'>): () => void {
    if (this.#links.clusterKeys !== null && clusterKeys?.length === 0) throw new RangeError('there is no cluster key');
    return () => {
      this.#monitors.obey(dangerousMonitor);
      if (clusterKeys !== null && this.#links.clusterKeys !== null) this.#monitors.setKeys(clusterKeys);
    };
  }

  /**
   * Opens the sockets.
   * @param clientPort TCP port of this daemon, which a lone daemon that took any free port uses for monitors too
   * @throws (rejects) an error that names the socket, its address and the reason
   */
  async listen(clientPort: number): Promise<void> {
    const { daemons, self, segment, segmentName, daemonNames } = this.#options;
    const { counters, logger, now } = this.#links;
    const { host, port: configuredPort } = daemons[self]!;
    const port = configuredPort === 0 ? clientPort : configuredPort;
    this.#sockets = await RingSockets.open(
      {
        host,
        port,
        ring: daemons.length > 1 ? { segment } : null,
        owner: `daemon ${daemonNames[self]} (segment ${segmentName})`,
      },
      {
        counters,
        logger,
        now,
        namesAt: (address) => daemonNames.filter((_, node) => daemons[node]!.host === address).join(' '),
        onData: (message, from) => this.#onData(message, from),
        onToken: (message, from) => this.#onToken(message, from),
      },
    ).catch((error: unknown) => {
      throw ringFailure({ host, port }, error);
    });
  }

  doWork(nowMs: number): number {
    this.#look(nowMs);
    const ring = this.#outbound;
    if (this.#sentBytes > 0) {
      if (this.#kernelIsFull()) return 0;
      this.#release();
    }
    if (!ring.peek(BATCH_BYTES)) return 0;
    let datagrams = 0;
    const end = ring.offset + ring.lengthBytes;
    for (let at = ring.offset; at < end && !this.#kernelIsFull(); ) {
      const length = ring.view.getUint32(at + RECORD_LENGTH_OFFSET, true);
      const body = at + RECORD_HEADER_LENGTH;
      if (ring.view.getUint8(at + RECORD_KIND_OFFSET) === RecordKind.Members)
        this.#setMembers(ring.view, at + MEMBERS_RECORD_NODES_OFFSET, at + length);
      else this.#send(ring.view.getUint32(at + RECORD_SESSION_OFFSET, true), body, length - RECORD_HEADER_LENGTH);
      datagrams++;
      at += alignRecord(length);
      this.#sentBytes = at - ring.offset;
    }
    if (!this.#kernelIsFull()) this.#release();
    return datagrams;
  }

  nextDeadlineMs(): number {
    return Math.min(this.#healAtMs, this.#sockets?.nextDeadlineMs ?? NEVER, this.#aloneWatch.nextDeadlineMs);
  }

  hasWork(): boolean {
    return this.#outbound.usedBytes() > 0;
  }

  move(): void {}

  drain(): void {}

  hangUp(): void {}

  meet(): void {}

  /** What must reach the other daemons is known to the ring agent; a ring that is busy always has a datagram on its way. */
  drained(): boolean {
    return true;
  }

  close(): void {
    try {
      this.doWork(0);
    } finally {
      this.#sockets?.close();
      this.#sockets = null;
    }
  }

  /** Datagrams wait inside Node; their memory is still in use. */
  #kernelIsFull(): boolean {
    return this.#sockets?.isFull === true;
  }

  #release(): void {
    this.#outbound.release(this.#sentBytes);
    this.#sentBytes = 0;
  }

  /** Nothing is copied: the memory goes to the kernel at once, or stays in the ring until it has. */
  #send(to: number, offset: number, lengthBytes: number): void {
    const isToken = this.#sendBytes[offset + RING_HEADER_TYPE_OFFSET] === PacketType.Token;
    if (to === TO_ALL_DAEMONS) this.#sendToMany(this.#everyone, isToken, offset, lengthBytes);
    else if (to === TO_MEMBERS) this.#sendToMany(this.#members, isToken, offset, lengthBytes);
    else this.#sendTo(to, isToken, offset, lengthBytes);
  }

  #sendToMany(to: Recipients, isToken: boolean, offset: number, lengthBytes: number): void {
    const { segment, self, daemons } = this.#options;
    if (to.bySegment) this.#sendToAddress(segment!.address, daemons[self]!.port, offset, lengthBytes);
    for (let i = 0; i < to.single.length; i++) this.#sendTo(to.single[i]!, isToken, offset, lengthBytes);
  }

  #setMembers(view: DataView, from: number, end: number): void {
    const members: NodeIndex[] = [];
    for (let at = from; at < end; at += MEMBER_LENGTH) members.push(nodeIndex(view.getUint32(at, true)));
    this.#members = this.#recipients(members);
  }

  #recipients(nodes: readonly NodeIndex[]): Recipients {
    const { segment, self } = this.#options;
    const others = nodes.filter((node) => node !== self);
    const single = others.filter((node) => segment?.nodes.includes(node) !== true);
    return { bySegment: single.length < others.length, single };
  }

  #sendTo(node: number, isToken: boolean, offset: number, lengthBytes: number): void {
    const endpoint = this.#options.daemons[node];
    if (endpoint === undefined) return;
    this.#sendToAddress(endpoint.host, isToken ? endpoint.port + 1 : endpoint.port, offset, lengthBytes);
  }

  #sendToAddress(host: string, port: number, offset: number, lengthBytes: number): void {
    this.#sockets?.send(this.#sendBytes, offset, lengthBytes, port, host);
  }

  /** What is rare: the end of a partition, and news of the ring agent. */
  #look(nowMs: number): void {
    if (nowMs >= this.#healAtMs) this.#heal('it was not repeated');
    if (this.#sockets !== null && nowMs >= this.#sockets.nextDeadlineMs) this.#sockets.tick(nowMs);
    this.#aloneWatch.tick(nowMs);
    const refused = this.#ringCounters[OrderingCounter.SealsRefused]!;
    if (refused === this.#sealsRefused) return;
    this.#sealsRefused = refused;
    for (const cause of Object.values(SealRefusal)) {
      const refusals = this.#ringCounters[OrderingCounter.SealsRefusedBy + cause - 1]!;
      if (refusals > 0)
        this.#gate.sealsRefused(cause, refusals, this.#ringCounters[OrderingCounter.SealRefusedFrom + cause - 1]!);
    }
  }

  #onData(message: Buffer, from: RemoteInfo): void {
    if (!isOfRing(message)) this.#monitors.received(message);
    else if (this.#gate.admits(message, from)) this.#toRing(message);
  }

  /** Tokens, and what is sent to the segment: monitors do not use those ports. */
  #onToken(message: Buffer, from: RemoteInfo): void {
    if (!isOfRing(message)) this.counters[NetworkCounter.InvalidRequests]!++;
    else if (this.#gate.admits(message, from)) this.#toRing(message);
  }

  #toRing(message: Buffer): void {
    const ring = this.#inbound;
    const at = ring.claim(RECORD_HEADER_LENGTH + message.length);
    if (at === -1) {
      this.counters[NetworkCounter.DatagramsDropped]!++;
      return;
    }
    writeRecordHeader(ring.view, at, RecordKind.Datagram, 0, RECORD_FIRST | RECORD_LAST, 0, 0, 0);
    ring.bytes.set(message, at + RECORD_HEADER_LENGTH);
    ring.publish();
    this.counters[NetworkCounter.DatagramsReceived]!++;
    this.#links.ringDoorbell.ring();
    this.#links.schedule();
  }

  #sendAnswer(datagram: Uint8Array, port: number, address: string): void {
    this.#sockets?.send(datagram, 0, datagram.length, port, address);
  }

  /** A bare header of no use but to be recognised as another configuration's or version's. */
  #introduce({ address, port }: Sender): void {
    const { self, incarnation: own, cluster } = this.#options;
    const datagram = new Uint8Array(RING_HEADER_LENGTH + checksumSealer.trailerBytes);
    const writer = new RingHeaderWriter(nodeIndex(self), incarnation(own), cluster);
    writer.write(datagram, 0, PacketType.Probe, 0, RING_HEADER_LENGTH, NO_RING);
    checksumSealer.seal(datagram, 0, RING_HEADER_LENGTH);
    this.#sockets?.send(datagram, 0, datagram.length, port, address);
  }

  #partition(components: readonly number[]): void {
    const wasPartitioned = this.#healAtMs !== NEVER;
    if (!this.#gate.partition(components)) {
      if (wasPartitioned) this.#heal('a monitor said so');
      return;
    }
    this.#healAtMs = this.#links.now() + PARTITION_MS;
    this.counters[NetworkCounter.Partitioned] = 1;
    const { self, daemonNames } = this.#options;
    const names = daemonNames.filter((_, node) => components[node] === components[self]).join(' ');
    if (!wasPartitioned) this.#links.logger.warn({ component: names }, 'network partitioned by a monitor');
    this.#links.schedule();
  }

  #heal(reason: string): void {
    this.#healAtMs = NEVER;
    this.#gate.heal();
    this.counters[NetworkCounter.Partitioned] = 0;
    this.#links.logger.warn({ reason }, 'partition of the network ended');
  }

  #setWindows({ window, personalWindow, acceleratedWindow }: RingWindows): boolean {
    const ring = this.#inbound;
    const at = ring.claim(WINDOWS_RECORD_LENGTH);
    if (at === -1) return false;
    writeRecordHeader(ring.view, at, RecordKind.Windows, 0, RECORD_FIRST | RECORD_LAST, 0, 0, 0);
    ring.view.setUint32(at + WINDOWS_RECORD_WINDOW_OFFSET, window, true);
    ring.view.setUint32(at + WINDOWS_RECORD_PERSONAL_WINDOW_OFFSET, personalWindow, true);
    ring.view.setUint32(at + WINDOWS_RECORD_ACCELERATED_WINDOW_OFFSET, acceleratedWindow, true);
    ring.publish();
    this.#links.ringDoorbell.ring();
    return true;
  }
}

const isOfRing = (message: Buffer): boolean =>
  message.length >= RING_HEADER_VERSION_OFFSET && readU32(message, RING_HEADER_MAGIC_OFFSET) === RING_MAGIC;
