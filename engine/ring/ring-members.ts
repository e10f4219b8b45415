/** One ring: its identity and its members in ring order, with the questions the token asks of them. */
import { type Incarnation, type NodeIndex, nodeIndex } from '../wire/ids.ts';
import type { RingMember } from '../wire/ring-body.ts';
import type { RingId } from '../wire/ring-header.ts';
import { NO_INCARNATION } from '../wire/ring-membership.ts';

export class RingMembers {
  readonly id: RingId;
  /** In ring order, which is configuration order; the first is the leader. */
  readonly members: readonly RingMember[];
  /** All but this daemon. */
  readonly others: readonly NodeIndex[];
  readonly size: number;
  readonly myPlace: number;
  readonly leader: NodeIndex;
  readonly successor: NodeIndex;
  readonly predecessor: NodeIndex;
  readonly #places: Int16Array;

  constructor(id: RingId, members: readonly RingMember[], self: NodeIndex, nodeCount: number) {
    this.id = id;
    this.members = members;
    this.size = members.length;
    this.others = members.map((member) => member.node).filter((node) => node !== self);
    this.#places = new Int16Array(nodeCount).fill(-1);
    members.forEach((member, place) => {
      this.#places[member.node] = place;
    });
    this.myPlace = this.#places[self]!;
    this.leader = nodeIndex(members[0]!.node);
    this.successor = members[(this.myPlace + 1) % this.size]!.node;
    this.predecessor = members[(this.myPlace + this.size - 1) % this.size]!.node;
  }

  get isLeader(): boolean {
    return this.myPlace === 0;
  }

  /** Place in the ring, -1 for a stranger. */
  placeOf(node: number): number {
    return this.#places[node] ?? -1;
  }

  has(node: number): boolean {
    return this.placeOf(node) >= 0;
  }

  incarnationOf(node: number): Incarnation {
    const place = this.placeOf(node);
    return place < 0 ? NO_INCARNATION : this.members[place]!.incarnation;
  }
}
