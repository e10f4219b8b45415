/**
 * What a virtual daemon does with ordered records, with the daemon's own parts: process groups, ordered log, and the delivery worker that
 * walks it and writes to the clients' sockets. Only the sockets are virtual. The log is small, so that it is often full.
 */
import { ControlWords, createControlWords } from '../../../engine/buffers/control-words.ts';
import {
  createCounters,
  DeliveryCounter,
  deliveryCounters,
  OrderingCounter,
  ringCounters,
} from '../../../engine/buffers/counters.ts';
import { createOrderedLog } from '../../../engine/buffers/ordered-log.ts';
import { OrderedLogReader } from '../../../engine/buffers/ordered-log-reader.ts';
import { OrderedLogWriter } from '../../../engine/buffers/ordered-log-writer.ts';
import type { GroupsLayer } from '../../../engine/groups/groups-layer.ts';
import type { ExchangeFault } from '../../../engine/groups/groups-output.ts';
import type { Configuration } from '../../../engine/host/configuration.ts';
import { DrainBarrier } from '../../../engine/ring/drain-barrier.ts';
import { type NodeIndex, nodeIndex, sessionHandle } from '../../../engine/wire/ids.ts';
import { RECORD_KIND_OFFSET } from '../../../engine/wire/layout/record-header.ts';
import { nameWords } from '../../../engine/wire/name-hash.ts';
import { type DrainStage, RecordKind } from '../../../engine/wire/record.ts';
import { describeRecordFault, type RecordFault } from '../../../engine/wire/record-check.ts';
import { ServerHandshake } from '../../../engine/wire/server-handshake.ts';
import { ClientSession } from '../../../workers/delivery/client-session.ts';
import { LiveValue } from '../../../workers/delivery/live.ts';
import { LogDelivery } from '../../../workers/delivery/log-delivery.ts';
import { NameTable } from '../../../workers/delivery/name-table.ts';
import { QueueCap } from '../../../workers/delivery/queue-cap.ts';
import { OrderedRecords } from '../../../workers/ring/ordered-records.ts';
import type { DeliveryPlan } from '../scenario/scenario.ts';
import type { ClientTrace } from '../trace/trace.ts';
import { Connection } from './connection.ts';
import type { DaemonProcess, DeliveryTarget } from './daemon-process.ts';
import type { TableForger } from './forged-tables.ts';
import { ObservedOutput } from './observed-output.ts';
import { disconnectRecord, drainRecord, groupsRecord } from './records.ts';
import { VirtualTransport } from './virtual-transport.ts';

export interface GroupSurroundings {
  readonly process: DaemonProcess;
  /** Longest body of a state exchange. */
  readonly groupsBodyBytes: number;
  readonly delivery: DeliveryPlan;
  /** A daemon of the cluster makes records that no honest one makes. */
  readonly recordsAreForged: boolean;
  /** Whether tables of this machine's daemons are forged at times. */
  mayBeLeftOut(machine: number): boolean;
  /** What changes the tables of this daemon now; null: it is honest. */
  tableForger(): TableForger | null;
  /** Somebody changes messages on the network and seals them again. */
  readonly messagesAreForged: boolean;
  /** Tables of so many bytes have become one. */
  merged(lengthBytes: number): void;
  /** Records were queued, clients may go on, or the log has room again. */
  wake(): void;
  /** In so many virtual milliseconds, unless the run is over. */
  after(ms: number, action: () => void): void;
  /** Starts the trace of a new client connection. */
  openClient(session: number, member: string, wantsViews: boolean): ClientTrace;
}

/** How far the delivery path of one daemon was driven. */
export interface DeliveryFigures {
  /** Times the ordered log was full. */
  logFull: number;
  /** Term buffers of the log that were written at least once, and entries that went through it. */
  termBuffers: number;
  entries: number;
  /** Most entries that waited for room in the log at once. */
  waited: number;
  /** Bytes copied out of the log for clients that did not read. */
  spilledBytes: number;
  /** Clients ended because they did not read. */
  slowEnded: number;
  /** Records of other daemons that were dropped because they made no sense. */
  refused: number;
}

export const daemonName = (node: number): string => `n${node}`;
/** 10.0.0.1 and up; the upper half of the nodes is negative as a signed number, as 128.0.0.0 and up are. */
const addressOf = (node: number): number => (node % 2 === 0 ? 0x0a00_0001 : 0xc0a8_0001) + node;

const MAX_SESSIONS = 1_000_000;
/** Never asked: virtual clients are let in at once. */
const HANDSHAKE = new ServerHandshake({ allowed: ['NULL'], required: [] });

export class GroupService implements DeliveryTarget {
  readonly #surroundings: GroupSurroundings;
  readonly #process: DaemonProcess;
  readonly #records: OrderedRecords;
  readonly #barrier: DrainBarrier;
  readonly #writer: OrderedLogWriter;
  readonly #reader: OrderedLogReader;
  readonly #logBytes: Buffer;
  readonly #delivery: LogDelivery;
  readonly #counters = createCounters(1);
  readonly #names = new NameTable();
  readonly #sessions = new Map<number, ClientSession>();
  readonly #connections = new Map<number, Connection>();
  /** By entry of the log, in the order of writing: the length of the process's trace when it was ordered. */
  readonly #positions: number[] = [];
  #serial = 0;
  #blocked = false;
  #clientsBlocked = false;
  /** Of the state exchange that is under way. */
  #exchangedBytes = 0;
  #turnScheduled = false;
  #stopped = false;
  #readsAll = false;
  #mostWaiting = 0;
  #slowEnded = 0;

  constructor(surroundings: GroupSurroundings) {
    this.#surroundings = surroundings;
    this.#process = surroundings.process;
    const { delivery, groupsBodyBytes } = surroundings;
    const memory = createOrderedLog({ ...delivery.log, readers: 1 });
    const counters = this.#counters;
    const words = new ControlWords(createControlWords(1));
    this.#writer = new OrderedLogWriter(memory);
    this.#reader = new OrderedLogReader(memory, 0);
    this.#logBytes = Buffer.from(memory.data);
    const { self, machines } = this.#process;
    this.#records = new OrderedRecords(
      {
        self,
        daemonAddress: machines.map(addressOf),
        daemonNames: machines.map(daemonName),
        groupsBodyBytes,
        maxSessions: MAX_SESSIONS,
        room: delivery.room,
      },
      this.#writer,
      ringCounters(counters),
      words,
      {
        sendGroups: (body) => this.#sendGroups(body),
        blockClients: (blocked) => {
          this.#blocked = blocked;
          if (blocked) this.#speakOutOfTurn();
          else surroundings.wake();
        },
        exchangeFault: (fault, node) => this.#exchangeFault(fault, node),
        drainStage: (origin, stage) => this.#barrier.delivered(origin, stage),
        frameTooLong: (group, lengthBytes) => {
          throw new Error(`membership frame of ${lengthBytes} bytes for ${group}`);
        },
        recordRefused: (origin, fault) => this.#refuse(origin, fault),
      },
    );
    this.#barrier = new DrainBarrier(self, machines.length, {
      announce: (stage) => this.#process.submit(drainRecord(this.#process.nextMessage(), stage), true),
      isSettled: () => this.isSettled,
    });
    const settings = new LiveValue({ limits: delivery.limits, maxQueuedBytes: delivery.maxQueuedBytes });
    this.#delivery = new LogDelivery(
      this.#reader,
      this.#sessions,
      this.#names,
      daemonName(this.#process.node),
      settings,
      deliveryCounters(counters, 0),
      words,
      new QueueCap(settings, 0, words, deliveryCounters(counters, 0)),
      {
        tooSlow: (session) => this.#endSlow(session),
        nameAccepted: (session) => this.#opened(session),
        nameRefused: (session) => this.#refused(session),
        sessionEnded: (session) => this.#forget(session),
        clientsBlocked: (blocked) => {
          this.#clientsBlocked = blocked;
        },
        schedule: () => this.#scheduleTurn(),
      },
    );
  }

  get layer(): GroupsLayer {
    return this.#records.groups;
  }

  get clientsAllowed(): boolean {
    return !this.#blocked;
  }

  /** The delivery worker reads from clients. */
  get readsClients(): boolean {
    return !this.#clientsBlocked;
  }

  get earlyAllowed(): boolean {
    return !this.layer.gathering;
  }

  /** Tables are exchanged, and clients have what is theirs. */
  get settled(): boolean {
    return (
      !this.layer.gathering &&
      this.#records.output.waitingCount === 0 &&
      this.#reader.head === this.#writer.tail &&
      !this.#delivery.hasWork() &&
      this.#delivery.blockedCount === 0
    );
  }

  hasRoom(): boolean {
    return this.#records.hasRoom();
  }

  recordRefused(origin: NodeIndex, fault: RecordFault): void {
    this.#records.refused(origin, fault);
  }

  #sendGroups(body: Uint8Array): void {
    const forger = this.#surroundings.tableForger();
    for (const sent of forger?.change(body) ?? [body]) this.#process.submit(groupsRecord(sent), true);
    this.#surroundings.wake();
  }

  /** A faulty daemon speaks for itself before its turn, which is that of the first of its set. */
  #speakOutOfTurn(): void {
    if (this.#surroundings.tableForger()?.isHasty() === true) this.layer.speakFor([this.#process.self]);
  }

  #exchangeFault(fault: ExchangeFault, node: NodeIndex): void {
    const machine = this.#process.machines[node]!;
    if (fault === 'left-out') this.#process.recorder.leftOut(machine);
    if (!this.#surroundings.messagesAreForged && (fault === 'differs' || !this.#surroundings.mayBeLeftOut(machine)))
      throw new Error(`state exchange: daemon ${node} ${fault}`);
  }

  /** Honest daemons make no record that the check refuses. */
  #refuse(origin: NodeIndex, fault: RecordFault): void {
    const { recordsAreForged, messagesAreForged } = this.#surroundings;
    if (!recordsAreForged && !messagesAreForged)
      throw new Error(`record of daemon ${origin} refused: ${describeRecordFault(fault)}`);
  }

  get figures(): DeliveryFigures {
    const ring = ringCounters(this.#counters);
    const delivery = deliveryCounters(this.#counters, 0);
    return {
      logFull: ring[OrderingCounter.LogFull]!,
      termBuffers: this.#writer.termBuffersTouched,
      entries: this.#writer.tail,
      waited: this.#mostWaiting,
      spilledBytes: delivery[DeliveryCounter.BytesSpilled]!,
      slowEnded: this.#slowEnded,
      refused: ring[OrderingCounter.RecordsRefused]!,
    };
  }

  // Clients.

  /** A client connects; null while the daemon cannot see to it. */
  connect(name: string, wantsViews: boolean): Connection | null {
    if (!this.#records.hasRoom()) return null;
    const member = `#${name}#${daemonName(this.#process.node)}`;
    const handle = sessionHandle(++this.#serial);
    const transport = new VirtualTransport(this.#surroundings.delivery.socketBytes, {
      later: (action) => this.#surroundings.after(0, () => this.#guard(action)),
      received: (bytes) => connection.read(bytes),
      closed: () => this.#delivery.closed(session),
    });
    const output = new ObservedOutput(
      this.#reader,
      this.#logBytes,
      this.#delivery.store,
      transport,
      () => this.#delivery.unblocked(session),
      (frames) => connection.expect(frames, this.#positions[this.#reader.head - 1] ?? 0),
    );
    const session = new ClientSession(handle, transport, output, HANDSHAKE);
    session.privateName = member;
    session.wantsMembership = wantsViews;
    session.nameState = 'asked';
    const connection = new Connection(session, transport, member, !this.#surroundings.messagesAreForged);
    this.#sessions.set(handle, session);
    this.#connections.set(handle, connection);
    this.#records.register(handle, member, true);
    this.#written();
    return connection;
  }

  // An orderly stop, as the daemon's supervisor has it done.

  /** What clients have sent is ordered, in the log, and held by every member. */
  get isSettled(): boolean {
    const { queue, controlQueue, engine } = this.#process;
    return (
      queue.lengthBytes === 0 &&
      controlQueue.lengthBytes === 0 &&
      engine.isSettled &&
      this.#records.output.waitingCount === 0
    );
  }

  /** Goes on to `stage` of the stop. */
  reach(stage: DrainStage): void {
    this.#guard(() => this.#barrier.reach(stage));
    this.#surroundings.wake();
  }

  get isMet(): boolean {
    return this.#barrier.checkMet();
  }

  /** Entries of the log so far. */
  get logEnd(): number {
    return this.#writer.tail;
  }

  /** Clients have what is before that entry. */
  hasDelivered(entry: number): boolean {
    if (!this.#delivery.hasReadTo(entry)) return false;
    this.#guard(() => this.#delivery.flush());
    for (const { output } of this.#sessions.values()) if (output.queuedFrames > 0) return false;
    return true;
  }

  /** Every client hangs up. */
  hangUp(): void {
    for (const connection of this.#connections.values()) if (connection.trace !== null) this.disconnect(connection);
    this.#surroundings.wake();
  }

  asked({ trace }: Connection, kind: 'join-requested' | 'leave-requested', group: string): void {
    trace!.events.push({ kind, group, position: this.#position });
  }

  /** The client hangs up, so nothing reaches it any more; its name stays taken until that is ordered. */
  disconnect(connection: Connection): void {
    const { session, member } = connection;
    if (session.state !== 'open') return;
    this.#cut(connection);
    this.#process.submit(disconnectRecord(this.#process.nextMessage(), session.handle, member));
  }

  #cut({ session, trace, member }: Connection): void {
    trace!.disconnected = true;
    session.state = 'closing';
    this.#names.remove(nameWords(member), session);
    session.transport.destroy();
  }

  /** The client does not read for a while. */
  stall({ transport }: Connection, forMs: number): void {
    if (this.#readsAll) return;
    transport.stopReading();
    this.#surroundings.after(forMs, () => this.#guard(() => transport.readOn()));
  }

  /** From here on all clients read. */
  readAll(): void {
    this.#readsAll = true;
    this.#guard(() => {
      for (const { transport } of this.#connections.values()) transport.readOn();
    });
  }

  /** The delivery worker hangs, or goes on. */
  setStopped(stopped: boolean): void {
    this.#stopped = stopped;
    if (!stopped) this.#scheduleTurn();
  }

  /** The daemon is gone, and all connections with it. */
  lost(): void {
    for (const { trace } of this.#connections.values()) if (trace !== null) trace.disconnected = true;
  }

  get #position(): number {
    return this.#process.recorder.trace.events.length;
  }

  // From the ring.

  configurationChanged(configuration: Configuration): void {
    this.#exchangedBytes = 0;
    this.#records.configurationChanged(configuration);
    this.#barrier.configurationChanged(configuration);
    this.#written();
  }

  delivered(origin: number, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const wasGathering = this.layer.gathering;
    this.#records.deliver(nodeIndex(origin), bytes, offset, lengthBytes, false);
    this.#written();
    if (bytes[offset + RECORD_KIND_OFFSET] === RecordKind.Groups) this.#exchangedBytes += lengthBytes;
    if (wasGathering && !this.layer.gathering) this.#surroundings.merged(this.#exchangedBytes);
    if (this.layer.divergenceCount > 0 && !this.#surroundings.messagesAreForged)
      throw new Error('group tables of one synced set differ');
  }

  /** Notes where in the order the entries made since the last call belong. */
  #written(): void {
    const waiting = this.#records.output.waitingCount;
    if (waiting > this.#mostWaiting) this.#mostWaiting = waiting;
    const total = this.#writer.tail + waiting;
    while (this.#positions.length < total) this.#positions.push(this.#position);
    if (this.#reader.head !== total) this.#scheduleTurn();
  }

  // The delivery worker.

  #scheduleTurn(): void {
    if (this.#turnScheduled || this.#stopped) return;
    this.#turnScheduled = true;
    this.#surroundings.after(this.#surroundings.delivery.lagMs, () => {
      this.#turnScheduled = false;
      if (!this.#stopped) this.#guard(() => this.#turn());
    });
  }

  #turn(): void {
    const { output } = this.#records;
    if (output.waitingCount > 0) this.#records.hasRoom();
    this.#writer.publish();
    const work = this.#delivery.work();
    // What the worker gave back may be what the ring waits for.
    if (work > 0 && this.#records.isFull) this.#surroundings.wake();
    if (this.#delivery.hasWork() || (work > 0 && output.waitingCount > 0)) this.#scheduleTurn();
  }

  /** An exception ends the process, as it would end the daemon. */
  #guard(action: () => void): void {
    this.#process.run(action);
  }

  #opened(session: ClientSession): void {
    const connection = this.#connections.get(session.handle)!;
    session.nameState = 'held';
    session.state = 'open';
    this.#names.add(nameWords(session.privateName), session);
    connection.open(this.#surroundings.openClient(session.handle, session.privateName, session.wantsMembership));
  }

  #refused(session: ClientSession): void {
    session.state = 'closed';
    this.#forget(session);
  }

  #endSlow(session: ClientSession): void {
    this.#slowEnded++;
    this.disconnect(this.#connections.get(session.handle)!);
    this.#surroundings.wake();
  }

  #forget(session: ClientSession): void {
    const { handle } = session;
    // A disconnect that nobody here asked for.
    if (session.state === 'open') this.#cut(this.#connections.get(handle)!);
    if (!this.#sessions.delete(handle) && !this.#surroundings.messagesAreForged)
      throw new Error(`unknown session ${handle} ended`);
    this.#connections.delete(handle);
  }
}
