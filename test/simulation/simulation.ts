/** One run of a scenario: builds the virtual world, lets it go, stops the faults, waits for quiet, and returns the trace. */
import { RingCounter } from '../../engine/ring/counters.ts';
import type { RingNodeFactory } from '../../engine/ring/ring-node-contract.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import { EventQueue } from './core/event-queue.ts';
import { type Random, randomFor } from './core/random.ts';
import { makeGarbage } from './network/garbage.ts';
import { Traffic } from './network/traffic.ts';
import { VirtualNetwork } from './network/virtual-network.ts';
import { describePacket, packetType } from './network/wire-view.ts';
import { DaemonProcess, type ProcessSurroundings, type StateName } from './node/daemon-process.ts';
import type { ClientSession, GroupService, GroupSurroundings } from './node/group-service.ts';
import type { MulticastFrame } from './node/records.ts';
import { VirtualClient } from './node/virtual-client.ts';
import { VirtualNode } from './node/virtual-node.ts';
import { type FaultTarget, strike } from './scenario/faults.ts';
import type { ClientPlan, Fault, GarbageMode, Scenario } from './scenario/scenario.ts';
import { timeBounds } from './scenario/time-bounds.ts';
import { Triggers } from './scenario/triggers.ts';
import { Recorder, UnmarkedMessages } from './trace/recorder.ts';
import type { TimelineEntry } from './trace/timeline.ts';
import type { ClientTrace, Disruption, MessageId, MulticastFact, ProcessTrace, Trace } from './trace/trace.ts';

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
  /** By process: which of the scenario's configurations it ran with. */
  readonly configurationOf: readonly number[];
}

/** Between looks at whether all is quiet. */
const CHECK_EVERY_MS = 10;
const GAUGE_EVERY_MS = 50;
const GARBAGE_MEMORY = 64;
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
  readonly #processes: ProcessTrace[] = [];
  readonly #daemons: DaemonProcess[] = [];
  readonly #configurationOf: number[] = [];
  readonly #groups: (GroupService | null)[] = [];
  readonly #clients: ClientTrace[] = [];
  readonly #multicasts: MulticastFact[] = [];
  readonly #disruptions: Disruption[] = [];
  readonly #undo = new Set<() => void>();
  readonly #unmarked = new UnmarkedMessages();
  readonly #triggers = new Triggers();
  readonly #random: Random;
  #working = true;
  readonly #timeline: TimelineEntry[] | null;
  /** Datagrams of the past, for replaying. */
  readonly #recorded: Uint8Array[] = [];
  #recording = false;
  readonly #traffic = new Traffic();

  constructor(scenario: Scenario, engine: Engine, withTimeline = false) {
    this.#scenario = scenario;
    this.#engine = engine;
    this.#timeline = withTimeline ? [] : null;
    this.nodeCount = scenario.nodeCount;
    this.#random = randomFor(scenario.seed, 'simulation');
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
    this.#disruptions.push({ kind: 'other', fromMs: 0, untilMs: lastStartMs + bounds.convergeMs });
    for (const fault of scenario.faults) this.#prepare(fault);
    for (const plan of scenario.clients) this.#startClient(plan);
    this.#gaugeLater();

    events.runUntil(scenario.faultsEndMs);
    this.#endFaults();
    events.runUntil(scenario.faultsEndMs + scenario.workAfterMs);
    this.#working = false;
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
      timeline: this.#timeline ?? [],
      eventsHandled: events.handled,
      datagrams: this.network.counts.sent,
      traffic: this.#traffic,
      counters: this.#daemons.map((daemon) => daemon.engine.counters),
      configurationOf: this.#configurationOf,
    };
  }

  #trace(scenario: Scenario, workEndedAtMs: number): Trace {
    const live: number[] = [];
    for (const node of this.#nodes) {
      if (node.process === null) continue;
      live.push(node.process.process);
      this.#processes[node.process.process]!.unsent = node.process.recorder.unsent;
    }
    return {
      nodeCount: scenario.nodeCount,
      processes: this.#processes,
      clients: this.#clients,
      multicasts: this.#multicasts,
      disruptions: this.#disruptions,
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
    const process = this.#processes.length;
    const trace: ProcessTrace = {
      process,
      node: index,
      // What keeps nothing from run to run is another machine each time.
      machine: scenario.keepsState ? node.machine : 2 * this.nodeCount + process,
      incarnation: ++node.incarnation,
      startedAtMs: this.events.nowMs,
      events: [],
      end: 'running',
      endedAtMs: 0,
      unsent: 0,
    };
    this.#processes.push(trace);
    this.#configurationOf.push(node.configuration);
    const context = {
      nowMs: () => this.events.nowMs,
      processOf: (other: number, run: number) =>
        this.#processes.find((known) => known.node === other && known.incarnation === run)?.process ?? -1,
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
        datagramBytes: scenario.datagramBytes,
        randomSeed: this.#random.word(),
        ringSeqFloor: node.ringSeqFloor,
        forgetsRingSeq: !scenario.keepsState,
        firstNumbers: scenario.firstNumbers,
      },
      machines,
      this.#engine.createNode,
      this,
    );
    this.#daemons[process] = daemon;
    this.#groups[process] =
      this.#engine.createGroups === null || !scenario.groups
        ? null
        : this.#engine.createGroups({
            process: daemon,
            groupsBodyBytes: scenario.groupsBodyBytes ?? GROUPS_BODY_BYTES,
            merged: (bytes) => node.work(((scenario.groupsMsPerKilobyte ?? 0) * bytes) / 1_000),
            wake: () => this.events.after(0, () => this.#wake(daemon)),
            openClient: (session, member, wantsViews) => this.#openClient(process, session, member, wantsViews),
          });
    daemon.target = this.#groups[process]!;
    this.#note('state', () => `node ${index} starts as incarnation ${node.incarnation}`);
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
    const trace = this.#processes[process.process]!;
    trace.end = end;
    trace.endedAtMs = this.events.nowMs;
    trace.unsent = process.recorder.unsent;
    for (const event of trace.events)
      if (event.kind === 'configuration') node.ringSeqFloor = Math.max(node.ringSeqFloor, event.ringSeq);
    this.#note('state', () => `node ${index} ${end}`);
    node.shutDown();
    if (restartAfterMs === null) return;
    const fromMs = this.events.nowMs;
    const restart = (): void => {
      if (!this.#undo.delete(restart)) return;
      this.#disruptions.push({ kind: 'other', fromMs: this.events.nowMs, untilMs: this.events.nowMs });
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
    if (fault.kind === 'garbage') this.#recording = true;
  }

  #strike(fault: Fault, node: number): void {
    if (!this.faultsOpen) return;
    this.#note('fault', () => `FAULT ${JSON.stringify(fault)}`);
    strike(this, fault, node);
  }

  #endFaults(): void {
    this.faultsOpen = false;
    this.network.forgetDrops();
    for (const undo of [...this.#undo]) undo();
    this.#note('fault', () => 'all faults end');
  }

  during(forMs: number, component: readonly number[] | null, undo: () => void): void {
    const fromMs = this.events.nowMs;
    const untilMs = Math.min(fromMs + forMs, this.#scenario.faultsEndMs);
    this.#disruptions.push(
      component === null ? { kind: 'other', fromMs, untilMs } : { kind: 'partition', fromMs, untilMs, component },
    );
    const once = (): void => {
      if (!this.#undo.delete(once)) return;
      this.#note('fault', () => 'a fault ends');
      undo();
    };
    this.#undo.add(once);
    this.events.at(untilMs, once);
  }

  crash(index: number, restartAfterMs: number | null, wallStepSeconds: number): void {
    const node = this.#nodes[index]!;
    if (node.process === null) return;
    node.wallStepSeconds += wallStepSeconds;
    this.#disruptions.push({
      kind: 'crash',
      fromMs: this.events.nowMs,
      untilMs: this.events.nowMs,
      process: node.process.process,
    });
    this.#down(node, 'crashed', restartAfterMs);
  }

  /** Not at once: the trigger may be inside a call of that node's engine. */
  leave(index: number, restartAfterMs: number | null): void {
    this.events.after(0, () => {
      const node = this.#nodes[index]!;
      if (!node.running) return;
      this.#disruptions.push({ kind: 'other', fromMs: this.events.nowMs, untilMs: this.events.nowMs });
      node.leave();
      this.#down(node, 'stopped', restartAfterMs);
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
    if (!full) this.#nodes[node]!.wake();
  }

  stepWallClock(node: number, seconds: number): void {
    this.#nodes[node]!.wallStepSeconds += seconds;
  }

  garbage(mode: GarbageMode): void {
    const bytes = makeGarbage(mode, this.#recorded, this.#random);
    // Not at once: the trigger may be inside a call of an engine.
    this.events.after(0, () => {
      for (const node of this.#nodes) node.receive(bytes);
    });
  }

  reconfigure({ steps }: Extract<Fault, { kind: 'reconfigure' }>): void {
    for (const { node: index, afterMs, downMs, end } of steps) {
      const node = this.#nodes[index];
      if (node === undefined) continue;
      const step = (): void => {
        if (!this.#undo.delete(step)) return;
        node.configuration++;
        this.#disruptions.push({ kind: 'other', fromMs: this.events.nowMs, untilMs: this.events.nowMs + downMs });
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
    if (this.#recording) this.#record(bytes);
    if (this.#timeline !== null) this.#notePacket(process.node, to, bytes);
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
    this.#note(kind, () => `${from} -> ${to}  ${describePacket(bytes)}`);
  }

  #record(bytes: Uint8Array): void {
    if (this.#recorded.length < GARBAGE_MEMORY) this.#recorded.push(bytes);
    else if (this.#random.chance(0.1)) this.#recorded[this.#random.integer(0, GARBAGE_MEMORY - 1)] = bytes;
  }

  stateChanged(process: DaemonProcess, state: StateName): void {
    this.#note('state', () => `node ${process.node} is in ${state.toUpperCase()} ${process.recorder.regularId}`);
    if (!this.faultsOpen) return;
    for (const { fault, trigger } of this.#triggers.hitByState(this.events.nowMs, process.node, state))
      this.events.after(trigger.delayMs, () => this.#strike(fault, process.node));
  }

  // Clients.

  #startClient(plan: ClientPlan): void {
    const log = {
      multicast: (message: MessageId, session: ClientSession | null, frame: MulticastFrame) => {
        if (session === null) return;
        this.#multicasts.push({
          multicast: message,
          client: session.trace.client,
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
      if (node.running && client.act(node.process!, this.#groups[node.process!.process] ?? null)) node.wake();
      this.events.after(client.nextPauseMs(), turn);
    };
    this.events.after(client.nextPauseMs(), turn);
  }

  #openClient(process: number, session: number, member: string, wantsViews: boolean): ClientTrace {
    const client: ClientTrace = {
      client: this.#clients.length,
      process,
      session,
      member,
      wantsViews,
      events: [],
      disconnected: false,
    };
    this.#clients.push(client);
    return client;
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

  #note(kind: TimelineEntry['kind'], text: () => string): void {
    this.#timeline?.push({ atMs: this.events.nowMs, kind, text: text() });
  }
}

/** Packets a node may hold, in ring windows: a gap of ten and three under way (2.9), for the old ring and the future one. */
const BOUND_WINDOWS = 26;
const clusterHash = (configuration: number): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? configuration : i * 17));
