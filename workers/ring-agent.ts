/**
 * The ring agent: gives all messages one order, through the ring of daemons (a ring of one takes the same path), keeps the process
 * groups, and writes what is ordered into the ordered log. It owns no sockets. The ring itself is in ring/hosted-ring.ts; here are its
 * turns, its counters and its end.
 */
import type { ControlWords } from '../engine/buffers/control-words.ts';
import { MEMBER_BIT_SLOTS, OrderingCounter, RING_NODE_COUNTERS } from '../engine/buffers/counters.ts';
import type { DoorbellRinger } from '../engine/buffers/doorbell.ts';
import type { OrderedLogMemory } from '../engine/buffers/ordered-log.ts';
import { OrderedLogWriter } from '../engine/buffers/ordered-log-writer.ts';
import type { ClusterKey } from '../engine/config/cluster-keys.ts';
import type { Configuration } from '../engine/host/configuration.ts';
import { RingCounter } from '../engine/host/ring-counters.ts';
import type { RingNodeOptions, RingWindows } from '../engine/host/ring-options.ts';
import { DrainBarrier } from '../engine/ring/drain-barrier.ts';
import type { NodeIndex } from '../engine/wire/ids.ts';
import { DrainStage } from '../engine/wire/record.ts';
import type { Agent } from './agent.ts';
import type { DaemonEvent } from './daemon-event.ts';
import { NOTHING_TO_REPORT, type ThreadInspection } from './inspection.ts';
import type { Log } from './log.ts';
import type { SealRefusals } from './ring/aead-sealer.ts';
import { DatagramPort } from './ring/datagram-port.ts';
import { DrainingMembers } from './ring/draining-members.ts';
import { reportGroups } from './ring/group-reports.ts';
import { GroupTrace } from './ring/group-trace.ts';
import { HostedRing } from './ring/hosted-ring.ts';
import { NameDesk } from './ring/name-desk.ts';
import { OrderedRecords } from './ring/ordered-records.ts';
import { ProbeWatch } from './ring/probe-watch.ts';
import { RingLog } from './ring/ring-log.ts';
import { RingSeqFile } from './ring/ring-seq-file.ts';
import type { RingSettings } from './ring/ring-settings.ts';
import { SendQueue } from './ring/send-queue.ts';
import type { SettingsSnapshot } from './settings/settings-snapshot.ts';
import { hostClockMs } from './watch/host-clock.ts';
import type { WatchOrder, WatchReport } from './watch/watch-messages.ts';

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

/** The sealer of a daemon with keys, as its agent sees it. */
export interface RingSealer extends SealRefusals {
  /** @returns does it, which cannot fail @throws when a key cannot be used */
  prepareKeys(keys: readonly ClusterKey[]): () => void;
}

export interface RingLinks {
  readonly log: OrderedLogMemory;
  readonly submit: readonly SharedArrayBuffer[];
  readonly requests: readonly SharedArrayBuffer[];
  /** Datagrams from and to the network agent. */
  readonly inbound: SharedArrayBuffer;
  readonly outbound: SharedArrayBuffer;
  /** Of all that read the ordered log. */
  readonly logDoorbells: readonly DoorbellRinger[];
  readonly networkDoorbell: DoorbellRinger;
  readonly counters: Float64Array;
  readonly words: ControlWords;
  readonly logger: Log;
  /** What an operator follows. */
  readonly tell: (event: DaemonEvent) => void;
  /** What those who look at the daemon need. */
  readonly report: (report: WatchReport) => void;
  readonly now: () => number;
  readonly wallSeconds: () => number;
  /** Seals datagrams, and counts those whose seal was not believed; null: they are not sealed. */
  readonly sealer: RingSealer | null;
  /** Those that `sealer` was made with. */
  readonly clusterKeys: readonly ClusterKey[] | null;
}

export class RingAgent implements Agent {
  readonly name = 'ring';
  readonly counters: Float64Array;
  readonly #options: RingAgentOptions;
  readonly #links: RingLinks;
  readonly #log: OrderedLogWriter;
  readonly #records: OrderedRecords;
  readonly #queue: SendQueue;
  readonly #datagrams: DatagramPort;
  readonly #names: NameDesk;
  readonly #ring: HostedRing;
  readonly #says: RingLog;
  readonly #barrier: DrainBarrier;
  readonly #draining: DrainingMembers;
  #settings: Omit<RingSettings, 'dangerousMonitor'>;
  /** Bytes that waited in the send queue when this cycle was done with it. */
  #queuedAtLastLook = 0;
  #datagramBytesTold = 0;
  #started = false;
  /** Clients of this daemon are asked to move. */
  #isMoving = false;
  /** The present step of a stop is to wait for others that stop. */
  #isMeeting = false;
  #left = false;

  constructor(options: RingAgentOptions, links: RingLinks) {
    const { daemonAddress, daemonNames, maxSessions, ringSeqFile } = options;
    const { counters, logger, now, wallSeconds } = links;
    this.#options = options;
    this.#links = links;
    this.counters = counters;
    this.#settings = { windows: options.ring.windows, clusterKeys: links.clusterKeys, maxSessions };
    const says = new RingLog({ logger, daemonNames, now });
    this.#says = says;
    this.#log = new OrderedLogWriter(links.log);
    this.#queue = new SendQueue(links.submit);
    this.#records = new OrderedRecords(
      { self: options.ring.self, daemonAddress, daemonNames, maxSessions },
      this.#log,
      counters,
      links.words,
      {
        sendGroups: (body) => this.#queue.pushGroups(body),
        blockClients: (blocked) => this.#queue.blockClients(blocked),
        frameTooLong: (group, lengthBytes) => says.frameTooLong(group, lengthBytes),
        exchangeFault: (fault, node) => says.exchangeFault(fault, node),
        drainStage: (origin, stage) => this.#drainStage(origin, stage),
        recordRefused: (origin, fault) => says.recordRefused(origin, fault, counters[OrderingCounter.RecordsRefused]!),
      },
    );
    this.#draining = new DrainingMembers(links.words, counters);
    this.#barrier = new DrainBarrier(options.ring.self, daemonNames.length, {
      announce: (stage) => this.#queue.pushDrain(stage),
      isSettled: () => this.#ring.isSettled(),
    });
    this.#names = new NameDesk(links.requests, this.#records);
    this.#datagrams = new DatagramPort(links.inbound, links.outbound);
    const ringSeqNotKept = (error: unknown): void => says.ringSeqNotKept(error);
    this.#ring = new HostedRing({
      options: options.ring,
      queue: this.#queue,
      records: this.#records,
      datagrams: this.#datagrams,
      ringSeqFile: ringSeqFile === null ? null : new RingSeqFile(ringSeqFile, ringSeqNotKept),
      wallSeconds,
      refusedSeals: () => links.sealer?.total ?? 0,
      events: {
        probeSent: (probe, seq) => this.#probeSent(probe, seq),
        ringSeqNotKept,
        configurationChanged: (configuration) => this.#configurationChanged(configuration),
        windowsWanted: (windows) => this.#changeWindows({ ...this.#settings.windows, ...windows }),
      },
    });
  }

  doWork(nowMs: number): number {
    if (!this.#started) {
      this.#started = true;
      this.#ring.start(nowMs);
    }
    let work = this.#names.doWork();
    work += this.#ring.doWork(nowMs);
    this.#queuedAtLastLook = this.#queue.queuedBytes();
    this.#publish();
    if (this.#ring.trace !== null) this.#tellTraced(this.#ring.trace);
    return work;
  }

  /** @returns puts the options in force, which cannot fail @throws when the keys cannot be used */
  prepare({ ring: { clusterKeys, maxSessions } }: Pick<SettingsSnapshot, 'ring'>): () => void {
    const { sealer } = this.#links;
    // A daemon without keys continues without, and the keys of a sealed one are never taken away.
    const isOther = sealer !== null && clusterKeys !== null && !sameKeys(clusterKeys, this.#settings.clusterKeys);
    const applyKeys = isOther ? sealer.prepareKeys(clusterKeys) : null;
    return () => {
      this.#records.registry.maxSessions = maxSessions;
      this.#settings = { ...this.#settings, maxSessions };
      if (applyKeys === null) return;
      this.#settings = { ...this.#settings, clusterKeys };
      applyKeys();
      if (this.#started) this.#ring.node.keysChanged(this.#links.now());
    };
  }

  /** @throws RangeError when they are not what the ring can go by; nothing has changed then */
  #changeWindows(windows: RingWindows): void {
    this.#ring.setWindows(windows);
    this.#settings = { ...this.#settings, windows };
  }

  /** Of the thread that started the daemon. */
  order(order: WatchOrder): void {
    const ring = this.#ring;
    if (order.kind === 'trace') {
      if (order.group !== null) {
        const options = { id: order.id, group: order.group, hasData: order.hasData };
        const ringSeq = (): number => ring.node.counters[RingCounter.RingSeq]!;
        ring.trace = new GroupTrace(
          options,
          this.#records,
          ringSeq,
          () => this.counters[OrderingCounter.RecordsRefused]!,
        );
      } else if (ring.trace?.id === order.id) ring.trace = null;
    } else if (order.kind === 'probe') {
      ring.probe = new ProbeWatch(order.id, order.mark, ring.flight.hop, ring.node.counters);
    } else if (order.kind === 'flight') {
      const { token, ringSeq, seq, fromHop } = order;
      const toHostMs = hostClockMs() - this.#links.now();
      this.#links.report({ kind: 'flight', token, flight: ring.flight.report(ringSeq, seq, fromHop, toHostMs) });
    }
  }

  /** Walks over all groups: for reports, not for duty cycles. */
  inspect(): ThreadInspection {
    const { groups } = this.#records;
    const { self } = this.#options.ring;
    return { ...NOTHING_TO_REPORT, groups: reportGroups(groups.groups(), self), groupCount: groups.groupCount };
  }

  nextDeadlineMs(): number {
    return this.#ring.node.nextDeadlineMs;
  }

  hasWork(): boolean {
    if (this.#datagrams.hasInput() || this.#names.hasInput()) return true;
    // Records that wait for the token, or for room in the log, are no work: the network and the delivery agents ring for those.
    return this.#queue.queuedBytes() !== this.#queuedAtLastLook;
  }

  /** The other daemons send no clients here. */
  move(): void {
    this.#isMoving = true;
    this.#queue.pushDrain(DrainStage.Moving);
  }

  /** Goes on as before until it is closed, which is when it leaves the ring. */
  drain(): void {
    this.#isMoving = false;
    this.#barrier.reach(DrainStage.Draining);
  }

  hangUp(): void {
    this.#isMeeting = false;
  }

  meet(stage: DrainStage): void {
    this.#isMeeting = true;
    this.#barrier.reach(stage);
  }

  drained(): boolean {
    if (this.#isMoving) return true;
    return this.#isMeeting ? this.#barrier.checkMet() : this.#ring.isSettled();
  }

  close(): void {
    if (this.#left || !this.#started) return;
    this.#left = true;
    this.#tellWhatIsLost();
    this.#ring.node.leave(this.#links.now());
    this.#publish();
  }

  /** A drain that was not cut short leaves nothing behind. */
  #tellWhatIsLost(): void {
    const bytes = this.#queue.clientBytes();
    this.counters[OrderingCounter.BytesNotOrdered] = bytes;
    if (bytes > 0) this.#says.requestsLost(bytes);
    if (this.#ring.node.mayLoseSent) {
      this.counters[OrderingCounter.PacketsUnstable] = this.#packetsUnstable();
      this.#says.sentMayBeLost();
    }
    if (!this.#barrier.checkMet()) this.#says.notAwaited(this.#barrier.awaited);
  }

  /** Of all daemons of the ring: those of this one are among them. */
  #packetsUnstable(): number {
    const { counters } = this.#ring.node;
    return Math.max(1, counters[RingCounter.HighSeq]! - counters[RingCounter.Aru]!);
  }

  #drainStage(origin: NodeIndex, stage: DrainStage): void {
    this.#draining.delivered(origin);
    if (stage !== DrainStage.Moving) this.#barrier.delivered(origin, stage);
  }

  #tellTraced(trace: GroupTrace): void {
    const batch = trace.take();
    if (batch !== null) this.#links.report({ kind: 'traced', id: trace.id, ...batch });
  }

  #probeSent({ id, hopBefore, visits }: ProbeWatch, seq: number): void {
    const ringSeq = this.#ring.node.counters[RingCounter.RingSeq]!;
    this.#links.report({ kind: 'probe-packet', id, ringSeq, seq, at: hostClockMs(), hopBefore, visits });
  }

  #configurationChanged(configuration: Configuration): void {
    this.#barrier.configurationChanged(configuration);
    this.#draining.configurationChanged(configuration);
    // From here on the barrier announces the stage of a daemon that stops.
    if (this.#isMoving && configuration.id.kind === 'regular') this.#queue.pushDrain(DrainStage.Moving);
    if (configuration.id.kind === 'regular') {
      this.#publishMembers(configuration);
      const members = configuration.members.map(({ node }) => this.#options.daemonNames[node]!);
      this.#links.tell({ kind: 'membership', ringSeq: configuration.id.ringSeq, members });
    }
    this.#says.configurationChanged(configuration);
  }

  #publishMembers({ members }: Configuration): void {
    const bits = new Uint32Array(MEMBER_BIT_SLOTS);
    for (const { node } of members) bits[node >>> 5]! |= 1 << (node & 31);
    this.counters.set(bits, OrderingCounter.MemberBits);
  }

  /** Names before numbers: a reader that sees a number risen finds the name in place. */
  #tellSeals(): void {
    const { sealer: seals } = this.#links;
    if (seals === null || seals.total === this.counters[OrderingCounter.SealsRefused]) return;
    this.counters.set(seals.lastFrom, OrderingCounter.SealRefusedFrom);
    this.counters.set(seals.byCause, OrderingCounter.SealsRefusedBy);
    this.counters[OrderingCounter.SealsRefused] = seals.total;
  }

  #publish(): void {
    const { counters } = this;
    // This count enforces the limit of sessions, and a name given back leaves no entry in the log.
    counters[OrderingCounter.Sessions] = this.#records.registry.size;
    this.#links.words.tellSessions(this.#records.registry.size);
    if (this.#log.publish()) {
      for (const doorbell of this.#links.logDoorbells) doorbell.ring();
      counters[OrderingCounter.RecordsOrdered] = this.#records.count;
      counters[OrderingCounter.LogTermBuffersTouched] = this.#log.termBuffersTouched;
    }
    counters[OrderingCounter.Groups] = this.#records.groups.groupCount;
    counters[OrderingCounter.GroupsState] = this.#records.groups.state;
    if (this.#datagrams.publish()) this.#links.networkDoorbell.ring();
    counters.set(this.#ring.node.counters, RING_NODE_COUNTERS);
    this.#tellDatagramBytes();
    this.#tellSeals();
  }

  /** Of a ring of one nothing is sent. */
  #tellDatagramBytes(): void {
    const datagramBytes = this.#ring.node.counters[RingCounter.DatagramBytes]!;
    if (datagramBytes === this.#datagramBytesTold || this.#ring.node.counters[RingCounter.Members]! < 2) return;
    this.#datagramBytesTold = datagramBytes;
    this.#says.datagramBytes(datagramBytes);
  }
}

const sameKeys = (a: readonly ClusterKey[], b: readonly ClusterKey[] | null): boolean =>
  b !== null && a.length === b.length && a.every(({ id, key }, i) => id === b[i]!.id && key === b[i]!.key);
