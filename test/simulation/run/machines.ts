/** The machines of one run: starts and ends daemons on them, and hands them datagrams. */
import { incarnation, nodeIndex } from '../../../engine/wire/ids.ts';
import { randomFor } from '../core/random.ts';
import { DaemonProcess, type ProcessSurroundings } from '../node/daemon-process.ts';
import type { TableForger } from '../node/forged-tables.ts';
import type { GroupService } from '../node/group-service.ts';
import { VirtualNode } from '../node/virtual-node.ts';
import { largestDatagramBytes } from '../scenario/profile.ts';
import type { Fault } from '../scenario/scenario.ts';
import { Recorder, UnmarkedMessages } from '../trace/recorder.ts';
import type { RunContext } from './run-context.ts';

const GROUPS_BODY_BYTES = 240;

type DuplicateFault = Extract<Fault, { kind: 'duplicate' }>;

export class Machines {
  /** By node: the machine that runs as it. */
  readonly nodes: VirtualNode[] = [];
  /** By process. */
  readonly daemons: DaemonProcess[] = [];
  /** By process: which of the scenario's configurations it ran with. */
  readonly configurationOf: number[] = [];
  /** By process; null without process groups. */
  readonly groups: (GroupService | null)[] = [];
  /** By node whose tables are forged. */
  readonly tableForgers = new Map<number, TableForger>();
  readonly #context: RunContext;
  readonly #surroundings: ProcessSurroundings;
  readonly #unmarked = new UnmarkedMessages();
  /** Second machines, by the node they run as. */
  readonly #copies = new Map<number, { readonly machine: VirtualNode; readonly hears: DuplicateFault['hears'] }>();

  constructor(context: RunContext, surroundings: ProcessSurroundings) {
    this.#context = context;
    this.#surroundings = surroundings;
    const { scenario, events } = context;
    for (let i = 0; i < scenario.nodeCount; i++) {
      const random = randomFor(scenario.seed, `node ${i}`);
      const rate = scenario.clockRate[i] ?? 1;
      this.nodes.push(new VirtualNode(i, events, random, rate, scenario.network.socketBytes));
    }
  }

  /** Starts a daemon on the machine, unless one runs there or the machine is not in use. */
  boot(node: VirtualNode): void {
    const { index } = node;
    const machines = this.#context.scenario.configurations[node.configuration] ?? [];
    const self = machines.indexOf(index);
    if (self < 0) return;
    const isInUse = this.nodes[index] === node || this.#copies.get(index)?.machine === node;
    if (node.process !== null || !isInUse) return;
    const scenario = this.#context.scenario;
    if (!scenario.keepsState) node.forgetState(this.#context.random);
    // A daemon without stored state counts as another machine each time.
    const machineOf = (process: number): number =>
      scenario.keepsState ? node.machine : 2 * this.#context.scenario.nodeCount + process;
    const trace = this.#context.ledger.openProcess(index, machineOf, ++node.incarnation);
    const { process } = trace;
    this.configurationOf.push(node.configuration);
    const context = {
      nowMs: () => this.#context.events.nowMs,
      processOf: (other: number, run: number) => this.#context.ledger.processOf(other, run),
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
        randomSeed: this.#context.random.word(),
        ringSeqFloor: node.ringSeqFloor,
        forgetsRingSeq: !scenario.keepsState,
        firstNumbers: scenario.firstNumbers,
      },
      machines,
      this.#context.engine.createNode,
      this.#surroundings,
      this.#context.delivery.maxSpanBytes,
      this.#context.sealing?.sealerFor(
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
    this.daemons[process] = daemon;
    this.groups[process] =
      this.#context.engine.createGroups === null || !scenario.groups
        ? null
        : this.#context.engine.createGroups({
            process: daemon,
            groupsBodyBytes: scenario.groupsBodyBytes ?? GROUPS_BODY_BYTES,
            delivery: this.#context.delivery,
            recordsAreForged: scenario.faults.some((fault) => fault.kind === 'forge'),
            mayBeLeftOut: (machine) =>
              scenario.faults.some(
                (fault) => fault.kind === 'forge' && (fault.node === machine || fault.node === 'trigger'),
              ),
            tableForger: () => this.tableForgers.get(index) ?? null,
            messagesAreForged: scenario.faults.some((fault) => fault.kind === 'garbage' && fault.mode === 'sealed'),
            merged: (bytes) => node.work(((scenario.groupsMsPerKilobyte ?? 0) * bytes) / 1_000),
            wake: () => this.#context.events.after(0, () => this.#wake(daemon)),
            after: (ms, action) =>
              this.#context.events.after(ms, () => {
                if (!daemon.dead) action();
              }),
            openClient: (session, member, wantsViews) =>
              this.#context.ledger.openClient(process, session, member, wantsViews),
          });
    daemon.target = this.groups[process]!;
    this.#context.ledger.note('state', () => `node ${index} starts as incarnation ${node.incarnation}`);
    node.boot(daemon);
  }

  #wake(daemon: DaemonProcess): void {
    if (daemon.dead) return;
    const node = this.nodes[daemon.node]!;
    (node.process === daemon ? node : this.#copies.get(daemon.node)?.machine)?.wake();
  }

  /** @param restartAfterMs null: it stays down */
  down(node: VirtualNode, end: 'crashed' | 'stopped', restartAfterMs: number | null): void {
    const { index, process } = node;
    if (process === null) return;
    const trace = this.#context.ledger.processes[process.process]!;
    trace.end = end;
    trace.endedAtMs = this.#context.events.nowMs;
    trace.unsent = process.recorder.unsent;
    for (const event of trace.events)
      if (event.kind === 'configuration') node.ringSeqFloor = Math.max(node.ringSeqFloor, event.ringSeq);
    this.#context.ledger.note('state', () => `node ${index} ${end}`);
    this.groups[process.process]?.lost();
    node.shutDown();
    if (restartAfterMs === null) return;
    const fromMs = this.#context.events.nowMs;
    const restart = (): void => {
      if (!this.#context.repairs.delete(restart)) return;
      this.#context.ledger.disturb(0);
      this.boot(node);
    };
    this.#context.repairs.add(restart);
    this.#context.events.at(fromMs + restartAfterMs, restart);
  }

  /** Starts a second machine that runs as the node `index`. @returns what ends one of the two */
  duplicate({ node: index, incarnationStep, hears, survivor }: DuplicateFault): () => void {
    const original = this.nodes[index]!;
    const { scenario, events } = this.#context;
    const { seed, network, nodeCount } = scenario;
    const random = randomFor(seed, `copy of node ${index}`);
    const machine = new VirtualNode(index, events, random, 1, network.socketBytes, nodeCount + index);
    machine.incarnation = original.incarnation + incarnationStep;
    this.#copies.set(index, { machine, hears });
    this.boot(machine);
    return () => {
      this.#copies.delete(index);
      if (survivor === 'copy') this.nodes[index] = machine;
      this.down(survivor === 'copy' ? original : machine, 'crashed', null);
    };
  }

  arrived(to: number, bytes: Uint8Array): void {
    const copy = this.#copies.get(to);
    if (copy?.hears !== 'copy') this.nodes[to]!.receive(bytes);
    if (copy !== undefined && copy.hears !== 'original') copy.machine.receive(bytes);
  }

  /** A multicast of one of two machines that run as the same node also reaches the other machine. */
  toOtherMachine(process: DaemonProcess, bytes: Uint8Array): void {
    const copy = this.#copies.get(process.node);
    if (copy?.hears !== 'both') return;
    const original = this.nodes[process.node]!;
    const other = original.process === process ? copy.machine : original;
    this.#context.events.after(this.#context.scenario.network.delayMs, () => other.receive(bytes));
  }
}

const clusterHash = (configuration: number): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? configuration : i * 17));
