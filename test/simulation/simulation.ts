/** One run of a scenario: builds the virtual world, lets it go, stops the faults, waits for quiet, and returns the trace. */
import { RingCounter } from '../../engine/host/ring-counters.ts';
import { EventQueue } from './core/event-queue.ts';
import { randomFor } from './core/random.ts';
import { Traffic } from './network/traffic.ts';
import { VirtualNetwork } from './network/virtual-network.ts';
import { describePacket, packetType } from './network/wire-view.ts';
import type { Connection } from './node/connection.ts';
import type { DaemonProcess, ProcessSurroundings, StateName } from './node/daemon-process.ts';
import type { DeliveryFigures } from './node/group-service.ts';
import type { MulticastFrame } from './node/records.ts';
import { Sealing } from './node/sealing.ts';
import { VirtualClient } from './node/virtual-client.ts';
import { FaultInjector } from './run/fault-injector.ts';
import { Machines } from './run/machines.ts';
import type { Engine, RunContext } from './run/run-context.ts';
import { DEFAULT_DELIVERY, deliveryPlan } from './scenario/delivery-plan.ts';
import type { ClientPlan, Scenario } from './scenario/scenario.ts';
import { timeBounds } from './scenario/time-bounds.ts';
import { Ledger } from './trace/ledger.ts';
import type { TimelineEntry } from './trace/timeline.ts';
import type { MessageId, Trace } from './trace/trace.ts';

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
  /** Violations of the seal's rules. */
  readonly sealFaults: readonly string[];
}

/** Interval between checks for quiet. */
const CHECK_EVERY_MS = 10;
const GAUGE_EVERY_MS = 50;
/** Packets a node may hold, in ring windows: a gap of ten and three under way (2.9), for the old ring and the future one. */
const BOUND_WINDOWS = 26;

export class Simulation implements ProcessSurroundings {
  readonly network: VirtualNetwork;
  readonly #context: RunContext;
  readonly #machines: Machines;
  readonly #faults: FaultInjector;
  readonly #traffic = new Traffic();
  readonly #withTimeline: boolean;
  #working = true;

  constructor(scenario: Scenario, engine: Engine, withTimeline = false) {
    this.#withTimeline = withTimeline;
    const { seed } = scenario;
    const events = new EventQueue();
    const nowMs = (): number => events.nowMs;
    this.#context = {
      scenario,
      engine,
      events,
      ledger: new Ledger(nowMs, withTimeline),
      random: randomFor(seed, 'simulation'),
      delivery: scenario.delivery ?? deliveryPlan(scenario, DEFAULT_DELIVERY),
      sealing: scenario.sealed === true ? new Sealing(seed, nowMs) : null,
      repairs: new Set(),
    };
    const machines = new Machines(this.#context, this);
    this.#machines = machines;
    const { nodeCount, segmentOf, network } = scenario;
    this.network = new VirtualNetwork(nodeCount, segmentOf, network, seed, events, (to, bytes) =>
      machines.arrived(to, bytes),
    );
    this.#faults = new FaultInjector(this.#context, this.network, machines);
  }

  run(): RunResult {
    const { scenario, events } = this.#context;
    const bounds = timeBounds(scenario);
    for (let i = 0; i < scenario.nodeCount; i++)
      events.at(scenario.startMs[i] ?? 0, () => this.#machines.boot(this.#machines.nodes[i]!));
    const lastStartMs = Math.max(...scenario.startMs);
    this.#context.ledger.disturb(lastStartMs + bounds.convergeMs);
    for (const fault of scenario.faults) this.#faults.prepare(fault);
    for (const plan of scenario.clients) this.#startClient(plan);
    this.#gaugeLater();

    events.runUntil(scenario.faultsEndMs);
    this.#faults.end();
    events.runUntil(scenario.faultsEndMs + scenario.workAfterMs);
    this.#working = false;
    for (const groups of this.#machines.groups) groups?.readAll();
    const workEndedAtMs = events.nowMs;
    const limitMs = scenario.faultsEndMs + scenario.workAfterMs + bounds.convergeMs + bounds.drainMs;
    let quiet = 0;
    while (events.nowMs < limitMs && quiet < 2) {
      events.runUntil(events.nowMs + CHECK_EVERY_MS);
      quiet = this.#isQuiet() ? quiet + 1 : 0;
    }
    // Long enough for unwanted late events to happen.
    events.runUntil(events.nowMs + 2 * scenario.timeouts.tokenLossMs);
    return {
      trace: this.#trace(scenario, workEndedAtMs),
      timeline: this.#context.ledger.timeline,
      eventsHandled: events.handled,
      datagrams: this.network.counts.sent,
      traffic: this.#traffic,
      counters: this.#machines.daemons.map((daemon) => daemon.engine.counters),
      delivery: this.#machines.groups.flatMap((groups) => (groups === null ? [] : [groups.figures])),
      configurationOf: this.#machines.configurationOf,
      sealFaults: this.#context.sealing?.faults ?? [],
    };
  }

  #trace(scenario: Scenario, workEndedAtMs: number): Trace {
    const live: number[] = [];
    for (const node of this.#machines.nodes) {
      if (node.process === null) continue;
      live.push(node.process.process);
      this.#context.ledger.processes[node.process.process]!.unsent = node.process.recorder.unsent;
    }
    return {
      nodeCount: scenario.nodeCount,
      processes: this.#context.ledger.processes,
      clients: this.#context.ledger.clients,
      multicasts: this.#context.ledger.multicasts,
      disruptions: this.#context.ledger.disruptions,
      bounds: timeBounds(scenario),
      faultsEndedAtMs: Math.max(scenario.faultsEndMs, ...scenario.startMs),
      workEndedAtMs,
      endedAtMs: this.#context.events.nowMs,
      live,
    };
  }

  /** All live nodes are in one configuration and have sent and delivered everything. */
  #isQuiet(): boolean {
    const running = this.#machines.nodes.filter((node) => node.process !== null);
    let sent = 0;
    for (const { process } of running) {
      if (
        process!.dead ||
        process!.recorder.unsent > 0 ||
        process!.recorder.regularId !== running[0]!.process!.recorder.regularId
      )
        return false;
      if (process!.recorder.memberCount !== running.length || process!.state !== 'operational') return false;
      if (this.#machines.groups[process!.process]?.settled === false) return false;
      sent += process!.recorder.sentHere;
    }
    return running.every((node) => node.process!.recorder.deliveredHere === sent);
  }

  /** Neither down nor paused. */
  isRunning(node: number): boolean {
    return this.#machines.nodes[node]!.running;
  }

  // Called by processes.

  transmit(process: DaemonProcess, to: number | readonly number[], bytes: Uint8Array): void {
    const isMulticast = typeof to !== 'number';
    this.#traffic.count(this.#context.events.nowMs, bytes);
    if (this.#withTimeline) this.#notePacket(process.node, to, bytes);
    this.#faults.packetSent(process, isMulticast ? to : [to], bytes, (receivers) => {
      for (const node of receivers) if (node !== process.node) this.network.send(process.node, node, bytes);
      if (isMulticast) this.#machines.toOtherMachine(process, bytes);
    });
  }

  #notePacket(from: number, to: number | readonly number[], bytes: Uint8Array): void {
    const type = packetType(bytes);
    const kind = type === 'data' || type === 'token' || type === 'hurry' ? 'packet' : 'control';
    this.#context.ledger.note(kind, () => `${from} -> ${to}  ${describePacket(bytes)}`);
  }

  stateChanged(process: DaemonProcess, state: StateName): void {
    const { node, recorder } = process;
    this.#context.ledger.note('state', () => `node ${node} is in ${state.toUpperCase()} ${recorder.regularId}`);
    this.#faults.stateReached(node, state);
  }

  // Clients.

  #startClient(plan: ClientPlan): void {
    const log = {
      multicast: (message: MessageId, connection: Connection | null, frame: MulticastFrame) => {
        if (connection === null) return;
        const { events, process } = connection.trace!;
        const position = this.#context.ledger.processes[process]!.events.length;
        events.push({ kind: 'multicast-requested', multicast: message, position });
        this.#context.ledger.multicasts.push({
          multicast: message,
          client: connection.trace!.client,
          groups: frame.groups,
          service: frame.service,
          selfDiscard: frame.selfDiscard,
        });
      },
    };
    const client = new VirtualClient(plan, randomFor(this.#context.scenario.seed, `client ${plan.name}`), log);
    const turn = (): void => {
      if (!this.#working) return;
      const node = this.#machines.nodes[plan.node]!;
      const isTold = node.process !== null && this.#faults.endsClients(node.process);
      if (node.running && !isTold && client.act(node.process!, this.#machines.groups[node.process!.process] ?? null))
        node.wake();
      this.#context.events.after(client.nextPauseMs(), turn);
    };
    this.#context.events.after(client.nextPauseMs(), turn);
  }

  #gaugeLater(): void {
    this.#context.events.after(GAUGE_EVERY_MS, () => {
      for (const { process } of this.#machines.nodes)
        process?.recorder.gauge(
          process.engine.counters[RingCounter.PacketsHeld]!,
          this.#context.scenario.windows.window * BOUND_WINDOWS,
        );
      this.#gaugeLater();
    });
  }
}
