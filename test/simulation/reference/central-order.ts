/**
 * A ring without a ring: one object that knows everything orders, delivers and changes configurations at once, so extended
 * virtual synchrony holds by construction. The simulator is tried on it, and scenario 41 compares the engine with it.
 */

import type { Configuration, ConfigurationMember } from '../../../engine/host/configuration.ts';
import { RING_COUNTER_COUNT, RingCounter, RingState } from '../../../engine/host/ring-counters.ts';
import type { RecordSpan, RingHost } from '../../../engine/host/ring-host.ts';
import type { RingNodeOptions } from '../../../engine/host/ring-options.ts';
import type { RingNodeContract, RingNodeFactory } from '../../../engine/node/ring-node-contract.ts';

/** The state of the world, which the reference knows without detecting it. */
export interface Oracle {
  isUp(from: number, to: number): boolean;
  /** The node runs: it is neither down nor paused. */
  isRunning(node: number): boolean;
}

const POLL_MS = 2;

class ReferenceNode implements RingNodeContract {
  readonly counters = new Float64Array(RING_COUNTER_COUNT);
  readonly options: RingNodeOptions;
  readonly host: RingHost;
  readonly #order: CentralOrder;
  configuration: Configuration | null = null;
  nextDeadlineMs = 0;
  stopped = false;

  constructor(options: RingNodeOptions, host: RingHost, order: CentralOrder) {
    this.options = options;
    this.host = host;
    this.#order = order;
  }

  start(nowMs: number): void {
    this.counters[RingCounter.State] = RingState.Operational;
    this.#order.add(this);
    this.tick(nowMs);
  }

  receive(): void {}

  tick(nowMs: number): void {
    this.#order.turn(this);
    this.nextDeadlineMs = nowMs + POLL_MS;
  }

  wake(): void {
    this.#order.turn(this);
  }

  keysChanged(): void {}

  readonly isSettled = true;

  leave(): void {
    this.stopped = true;
  }
}

export class CentralOrder {
  readonly #oracle: Oracle;
  readonly #nodes = new Map<number, ReferenceNode>();
  readonly #span: RecordSpan = { bytes: new Uint8Array(0), offset: 0, lengthBytes: 0 };
  #ringSeq = 0;

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  readonly createNode: RingNodeFactory = (options, host) => new ReferenceNode(options, host, this);

  add(node: ReferenceNode): void {
    this.#nodes.set(node.options.self, node);
    this.#ringSeq = Math.max(this.#ringSeq, node.options.ringSeqFloor ?? 0);
  }

  turn(node: ReferenceNode): void {
    if (node.stopped || this.#nodes.get(node.options.self) !== node) return;
    this.#formRings();
    const members = this.#running().filter((other) => other.configuration === node.configuration);
    const { self } = node.options;
    const span = this.#span;
    while (members.every((member) => member.host.canDeliver()) && node.host.borrowRecords(span)) {
      const { bytes, offset, lengthBytes } = span;
      node.host.deliverRecords(self, bytes, offset, lengthBytes);
      node.host.releaseRecords();
      const others = members.filter((member) => member !== node);
      for (const member of others) member.host.deliverRecords(self, bytes, offset, lengthBytes);
    }
  }

  #running(): ReferenceNode[] {
    return [...this.#nodes.values()]
      .filter((node) => !node.stopped && this.#oracle.isRunning(node.options.self))
      .sort((a, b) => a.options.self - b.options.self);
  }

  /** Nodes that hear each other, taken greedily, are together; everybody else is not. */
  #formRings(): void {
    let rest = this.#running();
    while (rest.length > 0) {
      const ring: ReferenceNode[] = [];
      for (const node of rest) if (ring.every((other) => this.#hear(node, other))) ring.push(node);
      rest = rest.filter((node) => !ring.includes(node));
      if (!this.#isInstalled(ring)) this.#install(ring);
    }
  }

  #hear(a: ReferenceNode, b: ReferenceNode): boolean {
    return this.#oracle.isUp(a.options.self, b.options.self) && this.#oracle.isUp(b.options.self, a.options.self);
  }

  #isInstalled(ring: readonly ReferenceNode[]): boolean {
    const { configuration } = ring[0]!;
    return (
      configuration !== null &&
      configuration.members.length === ring.length &&
      ring.every((node) => node.configuration === configuration)
    );
  }

  #install(ring: readonly ReferenceNode[]): void {
    this.#ringSeq++;
    const leader = ring[0]!.options;
    const memberOf = ({ options }: ReferenceNode): ConfigurationMember => ({
      node: options.self,
      incarnation: options.incarnation,
    });
    const next: Configuration = {
      id: { kind: 'regular', ringSeq: this.#ringSeq, leader: leader.self, leaderIncarnation: leader.incarnation },
      members: ring.map(memberOf),
    };
    for (const old of new Set(ring.map((node) => node.configuration))) {
      const together = ring.filter((node) => node.configuration === old);
      const first = together[0]!.options;
      const transitional: Configuration = {
        id: { ...next.id, kind: 'transitional', leader: first.self, leaderIncarnation: first.incarnation },
        members: together.map(memberOf),
      };
      for (const node of together) {
        if (old !== null) node.host.configurationChanged(transitional);
        node.configuration = next;
        node.host.configurationChanged(next);
      }
    }
  }
}
