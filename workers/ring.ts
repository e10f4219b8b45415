/**
 * The ring agent: gives all messages one order, through the ring of daemons (a ring of one takes the same path), keeps the process
 * groups, and writes what is ordered into the ordered log. It owns no sockets.
 */

import { MEMBER_BIT_SLOTS, OrderingCounter, RING_NODE_COUNTERS } from '../engine/buffers/counters.ts';
import type { DoorbellRinger } from '../engine/buffers/doorbell.ts';
import { type OrderedLogMemory, OrderedLogWriter } from '../engine/buffers/ordered-log.ts';
import { SpscRingConsumer, SpscRingProducer, writeRecordHeader } from '../engine/buffers/spsc-ring.ts';
import type { ExchangeFault } from '../engine/groups/groups-output.ts';
import type { Configuration } from '../engine/host/configuration.ts';
import { RingCounter } from '../engine/host/ring-counters.ts';
import type { RecordSpan, RingHost } from '../engine/host/ring-host.ts';
import type { RingNodeOptions } from '../engine/host/ring-options.ts';
import { RingNode } from '../engine/node/ring-node.ts';
import { readName } from '../engine/wire/frame.ts';
import { type NodeIndex, sessionHandle } from '../engine/wire/ids.ts';
import { MEMBERS_RECORD_NODES_OFFSET } from '../engine/wire/layout/members-record.ts';
import {
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_SESSION_OFFSET,
} from '../engine/wire/layout/record-header.ts';
import { REGISTER_RECORD_NAME_OFFSET, REGISTER_RECORD_TAKES_OFFSET } from '../engine/wire/layout/register-record.ts';
import {
  WINDOWS_RECORD_ACCELERATED_WINDOW_OFFSET,
  WINDOWS_RECORD_PERSONAL_WINDOW_OFFSET,
  WINDOWS_RECORD_WINDOW_OFFSET,
} from '../engine/wire/layout/windows-record.ts';
import { MAX_MEMBERSHIP_FRAME_LENGTH } from '../engine/wire/limits.ts';
import {
  alignRecord,
  MEMBER_LENGTH,
  RECORD_FIRST,
  RECORD_LAST,
  RecordKind,
  TO_ALL_DAEMONS,
  TO_MEMBERS,
} from '../engine/wire/record.ts';
import { describeRecordFault, type RecordFault } from '../engine/wire/record-check.ts';
import type { Agent } from './agent.ts';
import type { Log } from './log.ts';
import { OnceAMinute } from './once-a-minute.ts';
import type { SealRefusals } from './ring/aead-sealer.ts';
import { OrderedRecords } from './ring/ordered-records.ts';
import { RingSeqFile } from './ring/ring-seq-file.ts';
import { SendQueue } from './ring/send-queue.ts';

/** Datagrams handled between two looks at the send queue. */
const DATAGRAM_BATCH_BYTES = 256 * 1024;
const DATAGRAM_BATCHES = 8;

export interface RingAgentOptions {
  readonly ring: RingNodeOptions;
  /** Keeps the highest ring sequence number used; null: nothing does. */
  readonly ringSeqFile: string | null;
  /** Names of all daemons, in configuration order; for the log. */
  readonly daemonNames: readonly string[];
  /** IPv4 address of every configured daemon as a number, in configuration order. */
  readonly daemonAddress: readonly number[];
  readonly maxSessions: number;
}

export interface RingLinks {
  readonly log: OrderedLogMemory;
  readonly submit: readonly SharedArrayBuffer[];
  readonly requests: readonly SharedArrayBuffer[];
  /** Datagrams from and to the network agent. */
  readonly inbound: SharedArrayBuffer;
  readonly outbound: SharedArrayBuffer;
  readonly deliveryDoorbells: readonly DoorbellRinger[];
  readonly networkDoorbell: DoorbellRinger;
  readonly counters: Float64Array;
  readonly logger: Log;
  readonly now: () => number;
  readonly wallSeconds: () => number;
  /** Counts the datagrams whose seal was not believed; null: they are not sealed. */
  readonly seals: SealRefusals | null;
}

export class RingAgent implements Agent, RingHost {
  readonly name = 'ring';
  readonly counters: Float64Array;
  readonly #options: RingAgentOptions;
  readonly #links: RingLinks;
  readonly #log: OrderedLogWriter;
  readonly #records: OrderedRecords;
  readonly #queue: SendQueue;
  readonly #requests: readonly SpscRingConsumer[];
  readonly #inbound: SpscRingConsumer;
  readonly #outbound: SpscRingProducer;
  readonly #node: RingNode;
  readonly #ringSeqFile: RingSeqFile | null;
  /** What is delivered comes straight from the send queue. */
  #isLent = false;
  #ringSeqKept = 0;
  #membersTold: readonly NodeIndex[] | null = null;
  /** Bytes that waited in the send queue when this cycle was done with it. */
  #queuedAtLastLook = 0;
  #datagramBytesTold = 0;
  readonly #complaints = new OnceAMinute();
  #started = false;
  #left = false;

  constructor(options: RingAgentOptions, links: RingLinks) {
    this.#options = options;
    this.#links = links;
    this.counters = links.counters;
    this.#log = new OrderedLogWriter(links.log);
    this.#queue = new SendQueue(links.submit);
    const { daemonAddress, daemonNames, maxSessions } = options;
    this.#records = new OrderedRecords(
      { self: options.ring.self, daemonAddress, daemonNames, maxSessions },
      this.#log,
      links.counters,
      {
        sendGroups: (body) => this.#queue.pushGroups(body),
        blockClients: (blocked) => this.#queue.blockClients(blocked),
        frameTooLong: (group, lengthBytes) => this.#frameTooLong(group, lengthBytes),
        exchangeFault: (fault, node) => this.#sayExchangeFault(fault, node),
        recordRefused: (origin, fault) => this.#sayRefused(origin, fault),
      },
    );
    this.#requests = links.requests.map((memory) => new SpscRingConsumer(memory));
    this.#inbound = new SpscRingConsumer(links.inbound);
    this.#outbound = new SpscRingProducer(links.outbound);
    const { ringSeqFile } = options;
    this.#ringSeqFile =
      ringSeqFile === null ? null : new RingSeqFile(ringSeqFile, (error) => this.#ringSeqNotKept(error));
    this.#node = new RingNode(options.ring, this);
  }

  doWork(nowMs: number): number {
    if (!this.#started) this.#start(nowMs);
    let work = this.#handleRequests();
    work += this.#receiveDatagrams(nowMs);
    const before = this.#records.count;
    // A log that was full may have room again, also for what the ring has received and could not deliver.
    if (this.#records.isFull || this.#queue.hasRecords()) this.#node.wake(nowMs);
    if (this.#node.nextDeadlineMs <= nowMs) this.#node.tick(nowMs, this.#links.wallSeconds());
    work += this.#records.count - before;
    this.#queuedAtLastLook = this.#queue.queuedBytes();
    this.#publish();
    return work;
  }

  /** The sealer has other keys now. */
  clusterKeysChanged(): void {
    if (this.#started) this.#node.keysChanged(this.#links.now());
  }

  nextDeadlineMs(): number {
    return this.#node.nextDeadlineMs;
  }

  hasWork(): boolean {
    if (this.#inbound.usedBytes() > 0) return true;
    for (const ring of this.#requests) if (ring.usedBytes() > 0) return true;
    // Records that wait for the token, or for room in the log, are no work: the network and the delivery agents ring for those.
    return this.#queue.queuedBytes() !== this.#queuedAtLastLook;
  }

  /** Goes on as before until it is closed, which is when it leaves the ring. */
  drain(): void {}

  hangUp(): void {}

  /** Everything submitted is ordered, delivered here, and held by every daemon of the ring: none of it can be lost with this one. */
  drained(): boolean {
    return this.#queue.isEmpty() && this.#node.isSettled;
  }

  close(): void {
    if (this.#left || !this.#started) return;
    this.#left = true;
    this.#tellWhatIsLost();
    this.#node.leave(this.#links.now());
    this.#publish();
  }

  /** A drain that was not cut short leaves nothing behind. */
  #tellWhatIsLost(): void {
    const bytes = this.#queue.clientBytes();
    this.counters[OrderingCounter.BytesNotOrdered] = bytes;
    if (bytes > 0)
      this.#links.logger.warn({ bytes }, 'drain time is over: requests of clients were taken and are not ordered');
    if (this.#node.mayLoseSent)
      this.#links.logger.warn({}, 'drain time is over: the last messages of clients may not have reached every daemon');
  }

  fillPacket(out: Uint8Array, offset: number, capacityBytes: number): number {
    return this.#queue.fillPacket(out, offset, capacityBytes);
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
    this.#records.deliver(origin, bytes, offset, lengthBytes, this.#isLent);
  }

  configurationChanged(configuration: Configuration): void {
    this.#keepRingSeq(configuration.id.ringSeq);
    if (configuration.id.kind === 'regular') this.#queue.restartMessages();
    this.#records.configurationChanged(configuration);
    const members = configuration.members.map((member) => this.#options.daemonNames[member.node]).join(' ');
    if (configuration.id.kind === 'regular') this.#publishMembers(configuration);
    const { kind, ringSeq } = configuration.id;
    this.#links.logger.info({ kind, ringSeq, members, count: configuration.members.length }, 'daemon membership');
  }

  /** Before any client sees the number. A transitional configuration has that of the regular one that follows. */
  #keepRingSeq(ringSeq: number): void {
    const file = this.#ringSeqFile;
    if (file === null || ringSeq <= this.#ringSeqKept) return;
    try {
      file.store(ringSeq);
      this.#ringSeqKept = ringSeq;
    } catch (error) {
      this.#ringSeqNotKept(error);
    }
  }

  recordRefused(origin: NodeIndex, fault: RecordFault): void {
    this.#records.refused(origin, fault);
  }

  #sayRefused(origin: NodeIndex, fault: RecordFault): void {
    if (!this.#complaints.allows(`record of ${origin}`, this.#links.now())) return;
    const peerName = this.#options.daemonNames[origin];
    const refused = this.counters[OrderingCounter.RecordsRefused]!;
    this.#links.logger.warn(
      { peerName, cause: describeRecordFault(fault), refused },
      'a malformed record of another daemon was dropped',
    );
  }

  #sayExchangeFault(fault: ExchangeFault, node: NodeIndex): void {
    if (!this.#complaints.allows(`${fault} ${node}`, this.#links.now())) return;
    const daemonName = this.#options.daemonNames[node];
    this.#links.logger.error(
      { daemonName },
      fault === 'left-out'
        ? 'the group table of a daemon was refused; its clients are in no group until they join again'
        : 'another daemon told what is not so of the groups of a daemon; views may differ between daemons until it is restarted',
    );
  }

  #frameTooLong(group: string, lengthBytes: number): void {
    if (!this.#complaints.allows('frame too long', this.#links.now())) return;
    const limit = MAX_MEMBERSHIP_FRAME_LENGTH;
    this.#links.logger.error(
      { group, lengthBytes, limit },
      'a view is longer than a frame can be; its members are not told',
    );
  }

  #ringSeqNotKept(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#links.logger.error(
      { reason },
      'the number of the daemon membership is not kept: after a restart this daemon may use it again; make room in StateDir, or make it writable',
    );
  }

  #publishMembers({ members }: Configuration): void {
    const bits = new Uint32Array(MEMBER_BIT_SLOTS);
    for (const { node } of members) bits[node >>> 5]! |= 1 << (node & 31);
    this.counters.set(bits, OrderingCounter.MemberBits);
  }

  sendTo(node: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    this.#send(node, bytes, offset, lengthBytes);
  }

  sendToAll(bytes: Uint8Array, offset: number, lengthBytes: number, members: readonly NodeIndex[] | null): void {
    if (members === null) this.#send(TO_ALL_DAEMONS, bytes, offset, lengthBytes);
    else if (members === this.#membersTold || this.#tellMembers(members))
      this.#send(TO_MEMBERS, bytes, offset, lengthBytes);
  }

  /** The network agent knows the ring's members, so a datagram for all of them is handed over once. */
  #tellMembers(members: readonly NodeIndex[]): boolean {
    const ring = this.#outbound;
    const at = ring.claim(MEMBERS_RECORD_NODES_OFFSET + members.length * MEMBER_LENGTH);
    if (at === -1) return false;
    writeRecordHeader(ring.view, at, RecordKind.Members, 0, RECORD_FIRST | RECORD_LAST, 0, 0, 0);
    members.forEach((node, i) => {
      ring.view.setUint32(at + MEMBERS_RECORD_NODES_OFFSET + i * MEMBER_LENGTH, node, true);
    });
    this.#membersTold = members;
    return true;
  }

  #start(nowMs: number): void {
    this.#started = true;
    this.#node.start(nowMs, this.#links.wallSeconds());
  }

  /** A datagram that finds the ring to the network agent full is lost, as on any network; the ring protocol recovers. */
  #send(to: number, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const ring = this.#outbound;
    const at = ring.claim(RECORD_HEADER_LENGTH + lengthBytes);
    if (at === -1) return;
    writeRecordHeader(ring.view, at, RecordKind.Datagram, 0, RECORD_FIRST | RECORD_LAST, to, 0, 0);
    ring.bytes.set(bytes.subarray(offset, offset + lengthBytes), at + RECORD_HEADER_LENGTH);
  }

  #receiveDatagrams(nowMs: number): number {
    const ring = this.#inbound;
    let datagrams = 0;
    // All that has come is handled before timers are looked at: data before the token that follows it (ring-protocol.md, 2.5).
    for (let batch = 0; batch < DATAGRAM_BATCHES && ring.peek(DATAGRAM_BATCH_BYTES); batch++) {
      datagrams += this.#receiveBatch(nowMs);
    }
    return datagrams;
  }

  #receiveBatch(nowMs: number): number {
    const ring = this.#inbound;
    let datagrams = 0;
    const end = ring.offset + ring.lengthBytes;
    for (let at = ring.offset; at < end; ) {
      const length = ring.view.getUint32(at + RECORD_LENGTH_OFFSET, true);
      if (ring.view.getUint8(at + RECORD_KIND_OFFSET) === RecordKind.Windows) this.#setWindows(ring.view, at);
      else this.#node.receive(nowMs, ring.bytes, at + RECORD_HEADER_LENGTH, length - RECORD_HEADER_LENGTH);
      datagrams++;
      at += alignRecord(length);
    }
    ring.release(ring.lengthBytes);
    return datagrams;
  }

  /** Names before numbers: a reader that sees a number risen finds the name in place. */
  #tellSeals(): void {
    const { seals } = this.#links;
    if (seals === null || seals.total === this.counters[OrderingCounter.SealsRefused]) return;
    this.counters.set(seals.lastFrom, OrderingCounter.SealRefusedFrom);
    this.counters.set(seals.byCause, OrderingCounter.SealsRefusedBy);
    this.counters[OrderingCounter.SealsRefused] = seals.total;
  }

  /** The network agent has checked them by the same rule. */
  #setWindows(view: DataView, at: number): void {
    const { acceleratedRing } = this.#options.ring.windows;
    this.#node.setWindows({
      window: view.getUint32(at + WINDOWS_RECORD_WINDOW_OFFSET, true),
      personalWindow: view.getUint32(at + WINDOWS_RECORD_PERSONAL_WINDOW_OFFSET, true),
      acceleratedWindow: view.getUint32(at + WINDOWS_RECORD_ACCELERATED_WINDOW_OFFSET, true),
      acceleratedRing,
    });
  }

  /** Names are given out at once; they are this daemon's own business and need no order. */
  #handleRequests(): number {
    let requests = 0;
    for (const ring of this.#requests) {
      while (this.#records.output.hasRoom() && ring.peek(0)) {
        const session = sessionHandle(ring.view.getUint32(ring.offset + RECORD_SESSION_OFFSET, true));
        if (ring.view.getUint8(ring.offset + RECORD_KIND_OFFSET) === RecordKind.Register) {
          const name = readName(ring.bytes, ring.offset + REGISTER_RECORD_NAME_OFFSET);
          const takes = ring.bytes[ring.offset + REGISTER_RECORD_TAKES_OFFSET] === 1;
          this.#records.register(session, name, takes);
        } else this.#records.registry.release(session);
        ring.release(ring.lengthBytes);
        requests++;
      }
    }
    return requests;
  }

  #publish(): void {
    const { counters } = this;
    // The limit of sessions is told by this count, and a name given back leaves no entry in the log.
    counters[OrderingCounter.Sessions] = this.#records.registry.size;
    if (this.#log.publish()) {
      for (const doorbell of this.#links.deliveryDoorbells) doorbell.ring();
      counters[OrderingCounter.RecordsOrdered] = this.#records.count;
      counters[OrderingCounter.LogSegmentsTouched] = this.#log.segmentsTouched;
    }
    counters[OrderingCounter.Groups] = this.#records.groups.groupCount;
    counters[OrderingCounter.GroupsState] = this.#records.groups.state;
    if (this.#outbound.publish()) this.#links.networkDoorbell.ring();
    counters.set(this.#node.counters, RING_NODE_COUNTERS);
    this.#tellDatagramBytes();
    this.#tellSeals();
  }

  /** Of a ring of one nothing is sent. */
  #tellDatagramBytes(): void {
    const datagramBytes = this.#node.counters[RingCounter.DatagramBytes]!;
    if (datagramBytes === this.#datagramBytesTold || this.#node.counters[RingCounter.Members]! < 2) return;
    this.#datagramBytesTold = datagramBytes;
    this.#links.logger.debug({ datagramBytes }, 'datagrams to the ring are at most this long');
  }
}
