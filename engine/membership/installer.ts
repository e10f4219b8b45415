/**
 * The configurations of one daemon: the ring it is in with what is held of it, and the step to the next one, in which the
 * old ring is delivered to its end (ring-protocol.md, 3.7). A step is one synchronous call.
 */

import type { Configuration } from '../host/configuration.ts';
import type { NodeContext } from '../host/node-context.ts';
import { RingCounter } from '../host/ring-counters.ts';
import type { PacketDelivery } from '../ring/packet-delivery.ts';
import { PacketStore, type StoreSize } from '../ring/packet-store.ts';
import { RingMembers } from '../ring/ring-members.ts';
import type { SingleRing } from '../ring/single-ring.ts';
import type { NodeIndex } from '../wire/ids.ts';
import type { RingMember } from '../wire/ring-body.ts';
import { NO_RING, type RingId } from '../wire/ring-header.ts';
import type { RecoveryBlock } from '../wire/ring-membership.ts';

export class Installer {
  readonly #context: NodeContext;
  readonly #delivery: PacketDelivery;
  readonly #single: SingleRing;
  /** The ring installed last. */
  ring: RingMembers;
  /** What is held of `ring`; empty for a ring of one, where nothing waits. */
  store: PacketStore;
  /** What has come of a ring that is agreed on and not installed. */
  nextStore: PacketStore;
  /**
   * Members of `ring` whose messages this daemon must deliver even behind a hole, because one that it promised to agree
   * with may have (3.7). Grows with every failed attempt to leave the ring.
   */
  obligations: ReadonlySet<NodeIndex>;

  constructor(context: NodeContext, delivery: PacketDelivery, single: SingleRing, size: StoreSize, slotBytes: number) {
    this.#context = context;
    this.#delivery = delivery;
    this.#single = single;
    // A daemon that is alone in its configuration never holds a packet.
    const capacity = context.nodeCount > 1 ? size.capacity : 1;
    const bytes = context.nodeCount > 1 ? slotBytes : 8;
    const { sequence } = context.firstNumbers;
    this.store = new PacketStore(capacity, bytes, sequence);
    this.nextStore = new PacketStore(capacity, bytes, sequence);
    this.ring = this.#alone(NO_RING);
    this.obligations = new Set([context.self]);
  }

  /** The first configuration after the start: no transitional one comes before it. */
  first(id: RingId): void {
    this.#installed(this.#alone(id));
  }

  /** Leaves the ring for a ring of one. `block` holds what this daemon alone has. */
  installAlone(id: RingId, block: RecoveryBlock): void {
    const { self, options } = this.#context;
    this.#leaveOldRing(block, [{ node: self, incarnation: options.incarnation }], id.seq);
    this.nextStore.reset();
    this.#enter(this.#alone(id));
  }

  /** Leaves the ring for `next`, together with `transitional`. */
  install(next: RingMembers, block: RecoveryBlock, transitional: readonly RingMember[]): void {
    this.#leaveOldRing(block, transitional, next.id.seq);
    this.#enter(next);
  }

  #leaveOldRing(block: RecoveryBlock, transitional: readonly RingMember[], nextRingSeq: number): void {
    this.#delivery.deliverOldRing(this.store, block, () => {
      const leader = transitional[0]!;
      // A daemon takes part in one attempt of each sequence number only, so this names one set of members.
      this.#announce({
        id: {
          kind: 'transitional',
          ringSeq: nextRingSeq,
          leader: leader.node,
          leaderIncarnation: leader.incarnation,
        },
        members: plain(transitional),
      });
    });
  }

  #enter(next: RingMembers): void {
    const left = this.store;
    this.store = this.nextStore;
    this.nextStore = left;
    left.reset();
    this.#installed(next);
  }

  #installed(ring: RingMembers): void {
    const { counters, options, self } = this.#context;
    this.ring = ring;
    this.obligations = new Set([self]);
    counters[RingCounter.MembershipChanges]++;
    counters[RingCounter.Members] = ring.size;
    counters[RingCounter.Leader] = ring.leader;
    counters[RingCounter.RingSeq] = ring.id.seq;
    counters[RingCounter.Segments] = new Set(ring.members.map(({ node }) => options.segmentOf[node])).size;
    if (ring.size === 1) this.#single.restart();
    this.#announce({
      id: {
        kind: 'regular',
        ringSeq: ring.id.seq,
        leader: ring.id.leader,
        leaderIncarnation: ring.id.leaderIncarnation,
      },
      members: plain(ring.members),
    });
  }

  #announce(configuration: Configuration): void {
    this.#context.host.configurationChanged(configuration);
  }

  #alone(id: RingId): RingMembers {
    const { self, options, nodeCount } = this.#context;
    return new RingMembers(id, [{ node: self, incarnation: options.incarnation }], self, nodeCount);
  }
}

const plain = (members: readonly RingMember[]): RingMember[] =>
  members.map(({ node, incarnation }) => ({ node, incarnation }));
