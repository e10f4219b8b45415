/** One run of a scenario: builds the virtual world, lets it go, stops the faults, waits for quiet, and returns the trace. */
import { RingCounter } from '../../engine/host/ring-counters.ts';
import type { RingNodeFactory } from '../../engine/node/ring-node-contract.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import { EventQueue } from './core/event-queue.ts';
import { type Random, randomFor } from './core/random.ts';
import { makeGarbage } from './network/garbage.ts';
import { Recordings } from './network/recordings.ts';
import { Traffic } from './network/traffic.ts';
import { VirtualNetwork } from './network/virtual-network.ts';
import { describePacket, packetType } from './network/wire-view.ts';
import { Wiretap } from './network/wiretap.ts';
import type { Connection } from './node/connection.ts';
import { DaemonProcess, type ProcessSurroundings, type StateName } from './node/daemon-process.ts';
import { forgedRecord } from './node/forged-records.ts';
import { TableForger } from './node/forged-tables.ts';
import { type DeliveryFigures, daemonName, type GroupService, type GroupSurroundings } from './node/group-service.ts';
import { OrderlyStop } from './node/orderly-stop.ts';
import type { MulticastFrame } from './node/records.ts';
import { Sealing } from './node/sealing.ts';
import { VirtualClient } from './node/virtual-client.ts';
import { VirtualNode } from './node/virtual-node.ts';
import { DEFAULT_DELIVERY, deliveryPlan } from './scenario/delivery-plan.ts';
import { type FaultTarget, strike } from './scenario/faults.ts';
import { largestDatagramBytes } from './scenario/profile.ts';
import type { ClientPlan, DeliveryPlan, Fault, GarbageMode, ReplayMode, Scenario } from './scenario/scenario.ts';
import { timeBounds } from './scenario/time-bounds.ts';
import { Triggers } from './scenario/triggers.ts';
import { Ledger } from './trace/ledger.ts';
import { Recorder, UnmarkedMessages } from './trace/recorder.ts';
import type { TimelineEntry } from './trace/timeline.ts';
import type { MessageId, Trace } from './trace/trace.ts';

/** What runs inside the virtual nodes. */
export interface Engine {
  readonly createNode: RingNodeFactory;
  /** Null runs the ring without process groups. */
  readonly createGroups: ((surroundings: GroupSurroundings) => GroupService) | null;
}

export interface RunResult {
  readonly trace: Trace;
  /** Lines of what happened, when asked for. */
  readonly timeline: readonly TimelineEntry[];
  readonly eventsHandled: number;
  readonly datagrams: number;
  readonly traffic: Traffic;
  /** By process: what its engine counted (`RingCounter`). */
  readonly counters: readonly Float64Array[];
  /** By process: how far its delivery path was driven; of a ring without groups none. */
  readonly delivery: readonly DeliveryFigures[];
  /** By process: which of the scenario's configurations it ran with. */
  readonly configurationOf: readonly number[];
  /** What the seal let happen and must not. */
  readonly sealFaults: readonly string[];
}

/** Between looks at whether all is quiet. */
const CHECK_EVERY_MS = 10;
const GAUGE_EVERY_MS = 50;
const GROUPS_BODY_BYTES = 240;

export class Simulation implements ProcessSurroundings, FaultTarget {
  readonly events = new EventQueue();
  readonly network: VirtualNetwork;
  readonly nodeCount: number;
  faultsOpen = true;
  readonly #scenario: Scenario;
  readonly #engine: Engine;
  readonly #nodes: VirtualNode[] = [];
  /** Second machines, by the node they run as. */
  readonly #copies = new Map<number, { readonly machine: VirtualNode; readonly hears: 'both' | 'original' | 'copy' }>();
  readonly #ledger: Ledger;
  readonly #daemons: DaemonProcess[] = [];
  readonly #configurationOf: number[] = [];
  readonly #groups: (GroupService | null)[] = [];
  readonly #undo = new Set<() => void>();
  readonly #unmarked = new UnmarkedMessages();
  readonly #triggers = new Triggers();
  readonly #random: Random;
  #working = true;
  readonly #withTimeline: boolean;
  /** Null: no fault replays anything. */
  #recordings: Recordings | null = null;
  #wiretap: Wiretap | null = null;
  readonly #sealing: Sealing | null;
  /** By process that was told to stop in order. */
  readonly #stops = new Map<number, OrderlyStop>();
  /** Null: nobody forges anything. */
  #forger: Random | null = null;
  /** By node whose tables are forged; they are honest again when faults end. */
  readonly #tableForgers = new Map<number, TableForger>();
  readonly #traffic = new Traffic();
  readonly #delivery: DeliveryPlan;

  constructor(scenario: Scenario, engine: Engine, withTimeline = false) {
    this.#scenario = scenario;
    this.#engine = engine;
    this.#withTimeline = withTimeline;
    this.#delivery = scenario.delivery ?? deliveryPlan(scenario, DEFAULT_DELIVERY);
    this.#ledger = new Ledger(() => this.events.nowMs, withTimeline);
    this.nodeCount = scenario.nodeCount;
    this.#random = randomFor(scenario.seed, 'simulation');
    this.#sealing = scenario.sealed === true ? new Sealing(scenario.seed, () => this.events.nowMs) : null;
    this.network = new VirtualNetwork(
      scenario.nodeCount,
      scenario.segmentOf,
      scenario.network,
      scenario.seed,
      this.events,
      (to, bytes) => this.#arrived(to, bytes),
    );
    for (let i = 0; i < scenario.nodeCount; i++) {
      const random = randomFor(scenario.seed, `node ${i}`);
      const rate = scenario.clockRate[i] ?? 1;
      this.#nodes.push(new VirtualNode(i, this.events, random, rate, scenario.network.socketBytes));
    }
  }

  run(): RunResult {
    const { scenario, events } = { scenario: this.#scenario, events: this.events };
    const bounds = timeBounds(scenario);
    for (let i = 0; i < scenario.nodeCount; i++) events.at(scenario.startMs[i] ?? 0, () => this.#boot(this.#nodes[i]!));
    const lastStartMs = Math.max(...scenario.startMs);
    this.#ledger.disturb(lastStartMs + bounds.convergeMs);
    for (const fault of scenario.faults) this.#prepare(fault);
    for (const plan of scenario.clients) this.#startClient(plan);
    this.#gaugeLater();

    events.runUntil(scenario.faultsEndMs);
    this.#endFaults();
    events.runUntil(scenario.faultsEndMs + scenario.workAfterMs);
    this.#working = false;
    for (const groups of this.#groups) groups?.readAll();
    const workEndedAtMs = events.nowMs;
    const limitMs = scenario.faultsEndMs + scenario.workAfterMs + bounds.convergeMs + bounds.drainMs;
    let quiet = 0;
    while (events.nowMs < limitMs && quiet < 2) {
      events.runUntil(events.nowMs + CHECK_EVERY_MS);
      quiet = this.#isQuiet() ? quiet + 1 : 0;
    }
    // Long enough for what should not happen any more to happen.
    events.runUntil(events.nowMs + 2 * scenario.timeouts.tokenLossMs);
    return {
      trace: this.#trace(scenario, workEndedAtMs),
      timeline: this.#ledger.timeline,
      eventsHandled: events.handled,
      datagrams: this.network.counts.sent,
      traffic: this.#traffic,
      counters: this.#daemons.map((daemon) => daemon.engine.counters),
      delivery: this.#groups.flatMap((groups) => (groups === null ? [] : [groups.figures])),
      configurationOf: this.#configurationOf,
      sealFaults: this.#sealing?.faults ?? [],
    };
  }

  #trace(scenario: Scenario, workEndedAtMs: number): Trace {
    const live: number[] = [];
    for (const node of this.#nodes) {
      if (node.process === null) continue;
      live.push(node.process.process);
      this.#ledger.processes[node.process.process]!.unsent = node.process.recorder.unsent;
    }
    return {
      nodeCount: scenario.nodeCount,
      processes: this.#ledger.processes,
      clients: this.#ledger.clients,
      multicasts: this.#ledger.multicasts,
      disruptions: this.#ledger.disruptions,
      bounds: timeBounds(scenario),
      faultsEndedAtMs: Math.max(scenario.faultsEndMs, ...scenario.startMs),
      workEndedAtMs,
      endedAtMs: this.events.nowMs,
      live,
    };
  }

  /** All live nodes are in one configuration, have sent what they had, and have delivered it. */
  #isQuiet(): boolean {
    const running = this.#nodes.filter((node) => node.process !== null);
    let sent = 0;
    for (const { process } of running) {
      if (
        process!.dead ||
        process!.recorder.unsent > 0 ||
        process!.recorder.regularId !== running[0]!.process!.recorder.regularId
      )
        return false;
      if (process!.recorder.memberCount !== running.length || process!.state !== 'operational') return false;
      if (this.#groups[process!.process]?.settled === false) return false;
      sent += process!.recorder.sentHere;
    }
    return running.every((node) => node.process!.recorder.deliveredHere === sent);
  }

  // Nodes.

  /** Neither down nor paused. */
  isRunning(node: number): boolean {
    return this.#nodes[node]!.running;
  }

  #boot(node: VirtualNode): void {
    const { index } = node;
    const machines = this.#scenario.configurations[node.configuration] ?? [];
    const self = machines.indexOf(index);
    if (self < 0) return;
    const isInUse = this.#nodes[index] === node || this.#copies.get(index)?.machine === node;
    if (node.process !== null || !isInUse) return;
    const scenario = this.#scenario;
    if (!scenario.keepsState) node.forgetState(this.#random);
    // What keeps nothing from run to run is another machine each time.
    const machineOf = (process: number): number => (scenario.keepsState ? node.machine : 2 * this.nodeCount + process);
    const trace = this.#ledger.openProcess(index, machineOf, ++node.incarnation);
    const { process } = trace;
    this.#configurationOf.push(node.configuration);
    const context = {
      nowMs: () => this.events.nowMs,
      processOf: (other: number, run: number) => this.#ledger.processOf(other, run),
      unmarked: this.#unmarked,
    };
    const daemon = new DaemonProcess(
      process,
      (nextMessage) => new Recorder(trace, context, nextMessage),
      {
        self: nodeIndex(self),
        incarnation: incarnation(node.incarnation),
        segmentOf: machines.map((machine) => scenario.segmentOf[machine]!),
        clusterHash: clusterHash(node.configuration),
        windows: scenario.windows,
        timeouts: scenario.timeouts,
        datagramBytes: scenario.datagramBytesOf?.[index] ?? scenario.datagramBytes,
        longDatagramBytes: scenario.longDatagramBytes ?? 0,
        largestDatagramBytes: largestDatagramBytes(scenario),
        randomSeed: this.#random.word(),
        ringSeqFloor: node.ringSeqFloor,
        forgetsRingSeq: !scenario.keepsState,
        firstNumbers: scenario.firstNumbers,
      },
      machines,
      this.#engine.createNode,
      this,
      this.#delivery.maxSpanBytes,
      this.#sealing?.sealerFor(
        {
          self,
          nodeCount: machines.length,
          incarnation: node.incarnation,
          clusterHash: clusterHash(node.configuration),
        },
        node.keyStep,
        trace,
      ) ?? null,
    );
    this.#daemons[process] = daemon;
    this.#groups[process] =
      this.#engine.createGroups === null || !scenario.groups
        ? null
        : this.#engine.createGroups({
            process: daemon,
            groupsBodyBytes: scenario.groupsBodyBytes ?? GROUPS_BODY_BYTES,
            delivery: this.#delivery,
            recordsAreForged: scenario.faults.some((fault) => fault.kind === 'forge'),
            mayBeLeftOut: (machine) =>
              scenario.faults.some(
                (fault) => fault.kind === 'forge' && (fault.node === machine || fault.node === 'trigger'),
              ),
            tableForger: () => this.#tableForgers.get(index) ?? null,
            messagesAreForged: scenario.faults.some((fault) => fault.kind === 'garbage' && fault.mode === 'sealed'),
            merged: (bytes) => node.work(((scenario.groupsMsPerKilobyte ?? 0) * bytes) / 1_000),
            wake: () => this.events.after(0, () => this.#wake(daemon)),
            after: (ms, action) =>
              this.events.after(ms, () => {
                if (!daemon.dead) action();
              }),
            openClient: (session, member, wantsViews) => this.#ledger.openClient(process, session, member, wantsViews),
          });
    daemon.target = this.#groups[process]!;
    this.#ledger.note('state', () => `node ${index} starts as incarnation ${node.incarnation}`);
    node.boot(daemon);
  }

  #wake(daemon: DaemonProcess): void {
    if (daemon.dead) return;
    const node = this.#nodes[daemon.node]!;
    (node.process === daemon ? node : this.#copies.get(daemon.node)?.machine)?.wake();
  }

  #down(node: VirtualNode, end: 'crashed' | 'stopped', restartAfterMs: number | null): void {
    const { index, process } = node;
    if (process === null) return;
    const trace = this.#ledger.processes[process.process]!;
    trace.end = end;
    trace.endedAtMs = this.events.nowMs;
    trace.unsent = process.recorder.unsent;
    for (const event of trace.events)
      if (event.kind === 'configuration') node.ringSeqFloor = Math.max(node.ringSeqFloor, event.ringSeq);
    this.#ledger.note('state', () => `node ${index} ${end}`);
    this.#groups[process.process]?.lost();
    node.shutDown();
    if (restartAfterMs === null) return;
    const fromMs = this.events.nowMs;
    const restart = (): void => {
      if (!this.#undo.delete(restart)) return;
      this.#ledger.disturb(0);
      this.#boot(node);
    };
    this.#undo.add(restart);
    this.events.at(fromMs + restartAfterMs, restart);
  }

  // Faults.

  #prepare(fault: Fault): void {
    const { trigger } = fault;
    if (trigger.kind === 'time') this.events.at(trigger.atMs, () => this.#strike(fault, 0));
    else this.#triggers.add(fault);
    if (fault.kind === 'garbage') this.#recordings ??= new Recordings(this.#random);
    if (fault.kind === 'replay') this.#wiretap ??= new Wiretap(this.#scenario.seed);
  }

  #strike(fault: Fault, node: number): void {
    if (!this.faultsOpen) return;
    this.#ledger.note('fault', () => `FAULT ${JSON.stringify(fault)}`);
    strike(this, fault, node);
  }

  #endFaults(): void {
    this.faultsOpen = false;
    this.network.forgetDrops();
    for (const undo of [...this.#undo]) undo();
    this.#ledger.note('fault', () => 'all faults end');
  }

  during(forMs: number, component: readonly number[] | null, undo: () => void): void {
    const fromMs = this.events.nowMs;
    const untilMs = Math.min(fromMs + forMs, this.#scenario.faultsEndMs);
    this.#ledger.disruptions.push(
      component === null ? { kind: 'other', fromMs, untilMs } : { kind: 'partition', fromMs, untilMs, component },
    );
    const once = (): void => {
      if (!this.#undo.delete(once)) return;
      this.#ledger.note('fault', () => 'a fault ends');
      undo();
    };
    this.#undo.add(once);
    this.events.at(untilMs, once);
  }

  crash(index: number, restartAfterMs: number | null, wallStepSeconds: number, isSetBack = false): void {
    const node = this.#nodes[index]!;
    if (node.process === null) return;
    node.wallStepSeconds += wallStepSeconds;
    this.#ledger.disruptions.push({
      kind: 'crash',
      fromMs: this.events.nowMs,
      untilMs: this.events.nowMs,
      process: node.process.process,
    });
    node.isSetBack = isSetBack;
    this.#down(node, 'crashed', restartAfterMs);
  }

  /** Not at once: the trigger may be inside a call of that node's engine. */
  leave(index: number, restartAfterMs: number | null, isSetBack = false): void {
    this.events.after(0, () => {
      const node = this.#nodes[index]!;
      if (!node.running) return;
      this.#ledger.disturb(0);
      node.leave();
      node.isSetBack = isSetBack;
      this.#down(node, 'stopped', restartAfterMs);
    });
  }

  /** What is not done when faults end is cut off. */
  stop(index: number, { drainMs, clientsGoOn, restartAfterMs }: Extract<Fault, { kind: 'stop' }>): void {
    const { events } = this;
    const forMs = Math.min(drainMs, this.#scenario.faultsEndMs - events.nowMs);
    events.after(0, () => {
      const node = this.#nodes[index]!;
      const daemon = node.process;
      const groups = daemon === null ? null : this.#groups[daemon.process]!;
      if (daemon === null || groups === null || this.#stops.has(daemon.process)) return;
      const stop = new OrderlyStop(groups, events.nowMs, forMs, clientsGoOn);
      this.#stops.set(daemon.process, stop);
      this.#ledger.disturb(forMs);
      this.#ledger.note('state', () => `node ${index} is told to stop`);
      const poll = (): void => {
        if (daemon.dead || node.process !== daemon) return;
        if (!node.running || !stop.poll(events.nowMs)) events.after(STOP_POLL_MS, poll);
        else {
          node.leave();
          this.#down(node, 'stopped', restartAfterMs);
        }
      };
      poll();
    });
  }

  setPaused(node: number, paused: boolean): void {
    if (paused) this.#nodes[node]!.pause();
    else this.#nodes[node]!.resume();
  }

  setSlow(node: number, perPacketMs: number): void {
    this.#nodes[node]!.perPacketMs = perPacketMs;
  }

  setLogFull(node: number, full: boolean): void {
    const { process } = this.#nodes[node]!;
    if (process === null) return;
    process.logFull = full;
    this.#groups[process.process]?.setStopped(full);
    if (!full) this.#nodes[node]!.wake();
  }

  stepWallClock(node: number, seconds: number): void {
    this.#nodes[node]!.wallStepSeconds += seconds;
  }

  forge(index: number): void {
    const node = this.#nodes[index]!;
    const { clients, seed } = this.#scenario;
    this.#forger ??= randomFor(seed, 'forger');
    if (!node.running || this.#groups[node.process!.process] === null || clients.length === 0) return;
    const groups = this.#forger.pick(clients).groups;
    node.process!.queue.push(forgedRecord(this.#forger, `#eve#${daemonName(index)}`, groups));
    this.events.after(0, () => node.wake());
  }

  forgeTables(index: number): () => void {
    const forger = new TableForger(randomFor(this.#scenario.seed, `table forger ${index}`));
    this.#tableForgers.set(index, forger);
    return () => this.#tableForgers.delete(index);
  }

  garbage(mode: GarbageMode): void {
    const bytes = makeGarbage(mode, this.#recordings!.datagrams, this.#random);
    // Not at once: the trigger may be inside a call of an engine.
    this.events.after(0, () => {
      for (const node of this.#nodes) node.receive(bytes);
    });
  }

  replay(modes: readonly ReplayMode[]): void {
    const isOver = (process: number): boolean => this.#ledger.processes[process]!.end !== 'running';
    // Of each kind one.
    for (const mode of modes) {
      const replay = this.#wiretap!.replay(mode, this.nodeCount, isOver);
      if (replay === null) continue;
      this.#ledger.note('control', () => `replayed (${mode}) to ${replay.to}: ${describePacket(replay.bytes)}`);
      this.events.after(0, () => {
        for (const node of replay.to) this.#nodes[node]!.receive(replay.bytes);
      });
    }
  }

  /** At the latest when faults end it is done everywhere. */
  rotate(stepMs: number): void {
    const random = randomFor(this.#scenario.seed, 'rotation');
    const reload = (node: VirtualNode, step: number): void => {
      if (node.keyStep >= step) return;
      node.keyStep = step;
      node.reloadKeys(this.#sealing!.keys(step));
    };
    for (let step = 1; step <= ROTATION_STEPS; step++)
      for (const node of this.#nodes) this.events.after((step - 1 + random.unit()) * stepMs, () => reload(node, step));
    const finish = (): void => {
      this.#undo.delete(finish);
      for (const node of this.#nodes) reload(node, ROTATION_STEPS);
    };
    this.#undo.add(finish);
  }

  reconfigure({ steps }: Extract<Fault, { kind: 'reconfigure' }>): void {
    for (const { node: index, afterMs, downMs, end } of steps) {
      const node = this.#nodes[index];
      if (node === undefined) continue;
      const step = (): void => {
        if (!this.#undo.delete(step)) return;
        node.configuration++;
        this.#ledger.disturb(downMs);
        if (node.process === null) this.#boot(node);
        else if (end === 'leave' && node.running) this.leave(index, downMs);
        else this.crash(index, downMs, 0);
      };
      this.#undo.add(step);
      this.events.after(afterMs, step);
    }
  }

  duplicate({ node: index, incarnationStep, hears, survivor }: Extract<Fault, { kind: 'duplicate' }>): () => void {
    const original = this.#nodes[index]!;
    const { seed, network } = this.#scenario;
    const random = randomFor(seed, `copy of node ${index}`);
    const machine = new VirtualNode(index, this.events, random, 1, network.socketBytes, this.nodeCount + index);
    machine.incarnation = original.incarnation + incarnationStep;
    this.#copies.set(index, { machine, hears });
    this.#boot(machine);
    return () => {
      this.#copies.delete(index);
      if (survivor === 'copy') this.#nodes[index] = machine;
      this.#down(survivor === 'copy' ? original : machine, 'crashed', null);
    };
  }

  #arrived(to: number, bytes: Uint8Array): void {
    const copy = this.#copies.get(to);
    if (copy?.hears !== 'copy') this.#nodes[to]!.receive(bytes);
    if (copy !== undefined && copy.hears !== 'original') copy.machine.receive(bytes);
  }

  /** What one of two machines with one node multicasts, the other gets as well. */
  #toOtherMachine(process: DaemonProcess, bytes: Uint8Array): void {
    const copy = this.#copies.get(process.node);
    if (copy?.hears !== 'both') return;
    const original = this.#nodes[process.node]!;
    const other = original.process === process ? copy.machine : original;
    this.events.after(this.#scenario.network.delayMs, () => other.receive(bytes));
  }

  // Called by processes.

  transmit(process: DaemonProcess, to: number | readonly number[], bytes: Uint8Array): void {
    const { nowMs } = this.events;
    const hit = this.faultsOpen ? this.#triggers.hitByPacket(nowMs, process.node, bytes) : null;
    this.#traffic.count(nowMs, bytes);
    this.#recordings?.add(bytes);
    this.#wiretap?.heard(process.process, process.node, typeof to === 'number' ? [to] : to, bytes);
    if (this.#withTimeline) this.#notePacket(process.node, to, bytes);
    if (hit?.trigger.moment === 'before') this.#strike(hit.fault, process.node);
    if (process.dead) return;
    let receivers: readonly number[] = typeof to === 'number' ? [to] : to;
    if (hit?.trigger.moment === 'during') receivers = receivers.filter(() => this.#random.chance(0.5));
    for (const node of receivers) if (node !== process.node) this.network.send(process.node, node, bytes);
    if (typeof to !== 'number') this.#toOtherMachine(process, bytes);
    if (hit !== null && hit.trigger.moment !== 'before') this.#strike(hit.fault, process.node);
  }

  #notePacket(from: number, to: number | readonly number[], bytes: Uint8Array): void {
    const type = packetType(bytes);
    const kind = type === 'data' || type === 'token' || type === 'hurry' ? 'packet' : 'control';
    this.#ledger.note(kind, () => `${from} -> ${to}  ${describePacket(bytes)}`);
  }

  stateChanged(process: DaemonProcess, state: StateName): void {
    this.#ledger.note('state', () => `node ${process.node} is in ${state.toUpperCase()} ${process.recorder.regularId}`);
    if (!this.faultsOpen) return;
    for (const { fault, trigger } of this.#triggers.hitByState(this.events.nowMs, process.node, state))
      this.events.after(trigger.delayMs, () => this.#strike(fault, process.node));
  }

  // Clients.

  #startClient(plan: ClientPlan): void {
    const log = {
      multicast: (message: MessageId, connection: Connection | null, frame: MulticastFrame) => {
        if (connection === null) return;
        const { events, process } = connection.trace!;
        const position = this.#ledger.processes[process]!.events.length;
        events.push({ kind: 'multicast-requested', multicast: message, position });
        this.#ledger.multicasts.push({
          multicast: message,
          client: connection.trace!.client,
          groups: frame.groups,
          service: frame.service,
          selfDiscard: frame.selfDiscard,
        });
      },
    };
    const client = new VirtualClient(plan, randomFor(this.#scenario.seed, `client ${plan.name}`), log);
    const turn = (): void => {
      if (!this.#working) return;
      const node = this.#nodes[plan.node]!;
      const isTold = node.process !== null && this.#stops.get(node.process.process)?.endsClients === true;
      if (node.running && !isTold && client.act(node.process!, this.#groups[node.process!.process] ?? null))
        node.wake();
      this.events.after(client.nextPauseMs(), turn);
    };
    this.events.after(client.nextPauseMs(), turn);
  }

  #gaugeLater(): void {
    this.events.after(GAUGE_EVERY_MS, () => {
      for (const { process } of this.#nodes)
        process?.recorder.gauge(
          process.engine.counters[RingCounter.PacketsHeld]!,
          this.#scenario.windows.window * BOUND_WINDOWS,
        );
      this.#gaugeLater();
    });
  }
}

/** Packets a node may hold, in ring windows: a gap of ten and three under way (2.9), for the old ring and the future one. */
const BOUND_WINDOWS = 26;
/** The new key behind the old one, in front, alone (docs/operations.md). */
const ROTATION_STEPS = 3;
/** How often a daemon that stops looks how far it has come. */
const STOP_POLL_MS = 1;
const clusterHash = (configuration: number): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? configuration : i * 17));
