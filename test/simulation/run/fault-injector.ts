/** Injects the faults of a scenario into a run and repairs them. */
import type { EventQueue } from '../core/event-queue.ts';
import { type Random, randomFor } from '../core/random.ts';
import { makeGarbage } from '../network/garbage.ts';
import { Recordings } from '../network/recordings.ts';
import type { VirtualNetwork } from '../network/virtual-network.ts';
import { describePacket } from '../network/wire-view.ts';
import { Wiretap } from '../network/wiretap.ts';
import type { DaemonProcess, StateName } from '../node/daemon-process.ts';
import { forgedRecord } from '../node/forged-records.ts';
import { TableForger } from '../node/forged-tables.ts';
import { daemonName } from '../node/group-service.ts';
import { OrderlyStop } from '../node/orderly-stop.ts';
import type { VirtualNode } from '../node/virtual-node.ts';
import { type FaultTarget, strike } from '../scenario/faults.ts';
import type { Fault, GarbageMode, ReplayMode } from '../scenario/scenario.ts';
import { Triggers } from '../scenario/triggers.ts';
import type { Machines } from './machines.ts';
import type { RunContext } from './run-context.ts';

/** The new key behind the old one, in front, alone (docs/operations.md). */
const ROTATION_STEPS = 3;
/** Interval at which a stopping daemon checks its progress. */
const STOP_POLL_MS = 1;

export class FaultInjector implements FaultTarget {
  readonly events: EventQueue;
  readonly network: VirtualNetwork;
  readonly nodeCount: number;
  faultsOpen = true;
  readonly #context: RunContext;
  readonly #machines: Machines;
  readonly #triggers = new Triggers();
  /** Null: no fault replays anything. */
  #recordings: Recordings | null = null;
  #wiretap: Wiretap | null = null;
  /** By process that was told to stop in order. */
  readonly #stops = new Map<number, OrderlyStop>();
  /** Null: nobody forges anything. */
  #forger: Random | null = null;

  constructor(context: RunContext, network: VirtualNetwork, machines: Machines) {
    this.#context = context;
    this.events = context.events;
    this.network = network;
    this.nodeCount = context.scenario.nodeCount;
    this.#machines = machines;
  }

  prepare(fault: Fault): void {
    const { trigger } = fault;
    if (trigger.kind === 'time') this.events.at(trigger.atMs, () => this.#strike(fault, 0));
    else this.#triggers.add(fault);
    if (fault.kind === 'garbage') this.#recordings ??= new Recordings(this.#context.random);
    if (fault.kind === 'replay') this.#wiretap ??= new Wiretap(this.#context.scenario.seed);
  }

  #strike(fault: Fault, node: number): void {
    if (!this.faultsOpen) return;
    this.#context.ledger.note('fault', () => `FAULT ${JSON.stringify(fault)}`);
    strike(this, fault, node);
  }

  end(): void {
    this.faultsOpen = false;
    this.network.forgetDrops();
    for (const undo of [...this.#context.repairs]) undo();
    this.#context.ledger.note('fault', () => 'all faults end');
  }

  during(forMs: number, component: readonly number[] | null, undo: () => void): void {
    const fromMs = this.events.nowMs;
    const untilMs = Math.min(fromMs + forMs, this.#context.scenario.faultsEndMs);
    this.#context.ledger.disruptions.push(
      component === null ? { kind: 'other', fromMs, untilMs } : { kind: 'partition', fromMs, untilMs, component },
    );
    const once = (): void => {
      if (!this.#context.repairs.delete(once)) return;
      this.#context.ledger.note('fault', () => 'a fault ends');
      undo();
    };
    this.#context.repairs.add(once);
    this.events.at(untilMs, once);
  }

  crash(index: number, restartAfterMs: number | null, wallStepSeconds: number, isSetBack = false): void {
    const node = this.#machines.nodes[index]!;
    if (node.process === null) return;
    node.wallStepSeconds += wallStepSeconds;
    this.#context.ledger.disruptions.push({
      kind: 'crash',
      fromMs: this.events.nowMs,
      untilMs: this.events.nowMs,
      process: node.process.process,
    });
    node.isSetBack = isSetBack;
    this.#machines.down(node, 'crashed', restartAfterMs);
  }

  /** Not at once: the trigger may be inside a call of that node's engine. */
  leave(index: number, restartAfterMs: number | null, isSetBack = false): void {
    this.events.after(0, () => {
      const node = this.#machines.nodes[index]!;
      if (!node.running) return;
      this.#context.ledger.disturb(0);
      node.leave();
      node.isSetBack = isSetBack;
      this.#machines.down(node, 'stopped', restartAfterMs);
    });
  }

  /** What is not done when faults end is cut off. */
  stop(index: number, { drainMs, clientsGoOn, restartAfterMs }: Extract<Fault, { kind: 'stop' }>): void {
    const { events } = this;
    const forMs = Math.min(drainMs, this.#context.scenario.faultsEndMs - events.nowMs);
    events.after(0, () => {
      const node = this.#machines.nodes[index]!;
      const daemon = node.process;
      const groups = daemon === null ? null : this.#machines.groups[daemon.process]!;
      if (daemon === null || groups === null || this.#stops.has(daemon.process)) return;
      const stop = new OrderlyStop(groups, events.nowMs, forMs, clientsGoOn);
      this.#stops.set(daemon.process, stop);
      this.#context.ledger.disturb(forMs);
      this.#context.ledger.note('state', () => `node ${index} is told to stop`);
      const poll = (): void => {
        if (daemon.dead || node.process !== daemon) return;
        if (!node.running || !stop.poll(events.nowMs)) events.after(STOP_POLL_MS, poll);
        else {
          node.leave();
          this.#machines.down(node, 'stopped', restartAfterMs);
        }
      };
      poll();
    });
  }

  setPaused(node: number, paused: boolean): void {
    if (paused) this.#machines.nodes[node]!.pause();
    else this.#machines.nodes[node]!.resume();
  }

  setSlow(node: number, perPacketMs: number): void {
    this.#machines.nodes[node]!.perPacketMs = perPacketMs;
  }

  setLogFull(node: number, full: boolean): void {
    const { process } = this.#machines.nodes[node]!;
    if (process === null) return;
    process.logFull = full;
    this.#machines.groups[process.process]?.setStopped(full);
    if (!full) this.#machines.nodes[node]!.wake();
  }

  stepWallClock(node: number, seconds: number): void {
    this.#machines.nodes[node]!.wallStepSeconds += seconds;
  }

  forge(index: number): void {
    const node = this.#machines.nodes[index]!;
    const { clients, seed } = this.#context.scenario;
    this.#forger ??= randomFor(seed, 'forger');
    if (!node.running || this.#machines.groups[node.process!.process] === null || clients.length === 0) return;
    const groups = this.#forger.pick(clients).groups;
    node.process!.queue.push(forgedRecord(this.#forger, `#eve#${daemonName(index)}`, groups));
    this.events.after(0, () => node.wake());
  }

  forgeTables(index: number): () => void {
    const forger = new TableForger(randomFor(this.#context.scenario.seed, `table forger ${index}`));
    this.#machines.tableForgers.set(index, forger);
    return () => this.#machines.tableForgers.delete(index);
  }

  garbage(mode: GarbageMode): void {
    const bytes = makeGarbage(mode, this.#recordings!.datagrams, this.#context.random);
    // Not at once: the trigger may be inside a call of an engine.
    this.events.after(0, () => {
      for (const node of this.#machines.nodes) node.receive(bytes);
    });
  }

  replay(modes: readonly ReplayMode[]): void {
    const isOver = (process: number): boolean => this.#context.ledger.processes[process]!.end !== 'running';
    // One of each kind.
    for (const mode of modes) {
      const replay = this.#wiretap!.replay(mode, this.nodeCount, isOver);
      if (replay === null) continue;
      this.#context.ledger.note('control', () => `replayed (${mode}) to ${replay.to}: ${describePacket(replay.bytes)}`);
      this.events.after(0, () => {
        for (const node of replay.to) this.#machines.nodes[node]!.receive(replay.bytes);
      });
    }
  }

  /** Finishes everywhere by the end of the faults. */
  rotate(stepMs: number): void {
    const random = randomFor(this.#context.scenario.seed, 'rotation');
    const reload = (node: VirtualNode, step: number): void => {
      if (node.keyStep >= step) return;
      node.keyStep = step;
      node.reloadKeys(this.#context.sealing!.keys(step));
    };
    for (let step = 1; step <= ROTATION_STEPS; step++)
      for (const node of this.#machines.nodes)
        this.events.after((step - 1 + random.unit()) * stepMs, () => reload(node, step));
    const finish = (): void => {
      this.#context.repairs.delete(finish);
      for (const node of this.#machines.nodes) reload(node, ROTATION_STEPS);
    };
    this.#context.repairs.add(finish);
  }

  reconfigure({ steps }: Extract<Fault, { kind: 'reconfigure' }>): void {
    for (const { node: index, afterMs, downMs, end } of steps) {
      const node = this.#machines.nodes[index];
      if (node === undefined) continue;
      const step = (): void => {
        if (!this.#context.repairs.delete(step)) return;
        node.configuration++;
        this.#context.ledger.disturb(downMs);
        if (node.process === null) this.#machines.boot(node);
        else if (end === 'leave' && node.running) this.leave(index, downMs);
        else this.crash(index, downMs, 0);
      };
      this.#context.repairs.add(step);
      this.events.after(afterMs, step);
    }
  }

  duplicate(fault: Extract<Fault, { kind: 'duplicate' }>): () => void {
    return this.#machines.duplicate(fault);
  }

  /** The clients of this process send nothing any more, because it stops. */
  endsClients(process: DaemonProcess): boolean {
    return this.#stops.get(process.process)?.endsClients === true;
  }

  stateReached(node: number, state: StateName): void {
    if (!this.faultsOpen) return;
    for (const { fault, trigger } of this.#triggers.hitByState(this.events.nowMs, node, state))
      this.events.after(trigger.delayMs, () => this.#strike(fault, node));
  }

  /** Lets attackers listen, and injects the fault that waits for this packet before, while or after `send` runs. */
  packetSent(
    process: DaemonProcess,
    receivers: readonly number[],
    bytes: Uint8Array,
    send: (receivers: readonly number[]) => void,
  ): void {
    const hit = this.faultsOpen ? this.#triggers.hitByPacket(this.events.nowMs, process.node, bytes) : null;
    this.#recordings?.add(bytes);
    this.#wiretap?.heard(process.process, process.node, receivers, bytes);
    if (hit?.trigger.moment === 'before') this.#strike(hit.fault, process.node);
    if (process.dead) return;
    const isDuring = hit?.trigger.moment === 'during';
    send(isDuring ? receivers.filter(() => this.#context.random.chance(0.5)) : receivers);
    if (hit !== null && hit.trigger.moment !== 'before') this.#strike(hit.fault, process.node);
  }
}
