/**
 * Who is there (ring-protocol.md, 3.4, GATHER): the JOINs heard in this attempt, and the decision whom to form a ring with.
 */
import { type Incarnation, type NodeIndex, nodeIndex } from '../wire/ids.ts';
import type { RingMember } from '../wire/ring-body.ts';
import { type JoinMessage, memberOf } from '../wire/ring-membership.ts';

interface HeardJoin {
  readonly incarnation: Incarnation;
  readonly attempt: number;
  /** By node: the incarnation it hears, 0 when it does not hear the node. */
  readonly hears: Float64Array;
  readonly hearsCount: number;
}

export type GatherDecision =
  /** A lower daemon that hears me will form the ring. */
  | { readonly kind: 'follow'; readonly leader: NodeIndex }
  /** I lead; `agreed` when all I hear hear just these and everyone expected is among them. */
  | { readonly kind: 'lead'; readonly members: readonly RingMember[]; readonly agreed: boolean };

export class Gather {
  readonly #self: NodeIndex;
  readonly #selfIncarnation: Incarnation;
  /** By node; null when no JOIN came in this attempt. */
  readonly #heard: (HeardJoin | null)[];
  readonly #ignoredUntilMs: Float64Array;
  #expected: ReadonlySet<NodeIndex> = new Set();

  constructor(self: NodeIndex, selfIncarnation: Incarnation, nodeCount: number) {
    this.#self = self;
    this.#selfIncarnation = selfIncarnation;
    this.#heard = Array.from({ length: nodeCount }, () => null);
    this.#ignoredUntilMs = new Float64Array(nodeCount);
  }

  /** @param expected daemons without which there is no early decision: old members and those to merge with */
  begin(expected: ReadonlySet<NodeIndex>): void {
    this.#heard.fill(null);
    this.#expected = expected;
  }

  /** Leaves a daemon out until then: it does not receive, or it should have led and did not. */
  ignore(node: NodeIndex, untilMs: number): void {
    this.#ignoredUntilMs[node] = Math.max(this.#ignoredUntilMs[node]!, untilMs);
    this.#heard[node] = null;
  }

  isIgnored(node: number, nowMs: number): boolean {
    return this.#ignoredUntilMs[node]! > nowMs;
  }

  forget(node: NodeIndex): void {
    this.#heard[node] = null;
    if (this.#expected.has(node)) this.#expected = new Set([...this.#expected].filter((other) => other !== node));
  }

  /** @returns whether the sender is heard for the first time, and whether what it hears is new */
  record(node: NodeIndex, nodeIncarnation: Incarnation, join: JoinMessage): { isNew: boolean; isChange: boolean } {
    const before = this.#heard[node]!;
    const hears = new Float64Array(this.#heard.length);
    for (const member of join.hears) hears[member.node] = member.incarnation;
    this.#heard[node] = {
      incarnation: nodeIncarnation,
      attempt: join.attempt,
      hears,
      hearsCount: join.hears.length,
    };
    if (before === null || before.incarnation !== nodeIncarnation) return { isNew: true, isChange: true };
    const isChange = before.attempt !== join.attempt || hears.some((heard, other) => heard !== before.hears[other]);
    return { isNew: false, isChange };
  }

  /** All heard in this attempt and this daemon, in order. */
  hears(): RingMember[] {
    const hears: RingMember[] = [];
    for (let node = 0; node < this.#heard.length; node++) {
      const nodeIncarnation = node === this.#self ? this.#selfIncarnation : this.#heard[node]?.incarnation;
      if (nodeIncarnation !== undefined) hears.push({ node: nodeIndex(node), incarnation: nodeIncarnation });
    }
    return hears;
  }

  attemptOf(node: NodeIndex): number {
    return this.#heard[node]?.attempt ?? 0;
  }

  decide(): GatherDecision {
    const heard = this.hears();
    const me: RingMember = { node: this.#self, incarnation: this.#selfIncarnation };
    const lower = heard.find(({ node }) => node < this.#self && this.#hearEachOther(me, node));
    if (lower !== undefined) return { kind: 'follow', leader: lower.node };
    const clique: RingMember[] = [me];
    for (const candidate of heard) {
      if (candidate.node === this.#self) continue;
      if (clique.every((kept) => this.#hearEachOther(kept, candidate.node))) clique.push(candidate);
    }
    clique.sort((a, b) => a.node - b.node);
    const agreed =
      clique.length === heard.length &&
      heard.every(({ node }) => node === this.#self || this.#hearsJust(node, clique)) &&
      [...this.#expected].every((node) => memberOf(clique, node) !== undefined);
    return { kind: 'lead', members: clique, agreed };
  }

  #hearEachOther(a: RingMember, b: NodeIndex): boolean {
    const ofB = this.#heard[b]!;
    if (ofB === null || ofB.hears[a.node] !== a.incarnation) return false;
    return a.node === this.#self || this.#heard[a.node]?.hears[b] === ofB.incarnation;
  }

  #hearsJust(node: NodeIndex, members: readonly RingMember[]): boolean {
    const heard = this.#heard[node]!;
    return (
      heard.hearsCount === members.length && members.every((member) => heard.hears[member.node] === member.incarnation)
    );
  }
}
