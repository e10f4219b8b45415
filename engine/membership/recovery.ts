/**
 * The RECOVER phase (ring-protocol.md, 3.6): the new ring's token turns, members of each old ring give each other what
 * they lack of it, and when all have said that they have everything the ring is installed.
 */

import type { NodeContext } from '../host/node-context.ts';
import type { FlowControl } from '../ring/flow-control.ts';
import { isHole } from '../ring/packet-delivery.ts';
import type { PacketStore } from '../ring/packet-store.ts';
import type { Retransmission } from '../ring/retransmission.ts';
import type { RingMembers } from '../ring/ring-members.ts';
import type { TokenHandler } from '../ring/token-desk.ts';
import type { TokenLink } from '../ring/token-link.ts';
import type { NodeIndex } from '../wire/ids.ts';
import type { CommitMessage, RecoveryBlock } from '../wire/ring-membership.ts';
import { isDone, setDone, type Token, TokenPhase } from '../wire/ring-token.ts';
import { transitionalMembers } from './commit.ts';

/** What recovery does to the node it is in. */
export interface RecoveryEffects {
  /** This daemon has all it can get and promises to deliver as the block says, even if this attempt fails (3.6). */
  adoptObligations(obliged: ReadonlySet<NodeIndex>): void;
  /** All members are complete: install the ring now and handle its first token with `Ordering.visit`. */
  install(token: Token): void;
}

export class Recovery implements TokenHandler {
  readonly #context: NodeContext;
  readonly #retransmission: Retransmission;
  readonly #flow: FlowControl;
  readonly #link: TokenLink;
  readonly #effects: RecoveryEffects;
  readonly #done: Uint8Array;
  #progressAtMs = 0;
  #commit: CommitMessage | null = null;
  #ring: RingMembers | null = null;
  #oldRing: RingMembers | null = null;
  #oldStore: PacketStore | null = null;
  #blockIndex = 0;

  constructor(
    context: NodeContext,
    retransmission: Retransmission,
    flow: FlowControl,
    link: TokenLink,
    effects: RecoveryEffects,
  ) {
    this.#context = context;
    this.#retransmission = retransmission;
    this.#flow = flow;
    this.#link = link;
    this.#effects = effects;
    this.#done = new Uint8Array((context.nodeCount + 7) >>> 3);
  }

  /** @param commit a COMMIT of pass 2 with this daemon in it */
  begin(commit: CommitMessage, ring: RingMembers, oldRing: RingMembers, oldStore: PacketStore): void {
    this.#commit = commit;
    this.#ring = ring;
    this.#oldRing = oldRing;
    this.#oldStore = oldStore;
    this.#blockIndex = commit.members[ring.myPlace]!.block;
    this.#done.fill(0);
    this.#progressAtMs = this.#context.nowMs;
    this.#flow.reset();
  }

  /** The block of this daemon's old ring. */
  get block(): RecoveryBlock {
    return this.#commit!.blocks[this.#blockIndex]!;
  }

  /** Members of this daemon's old ring that move on together. */
  get transitional(): CommitMessage['members'] {
    return transitionalMembers(this.#commit!, this.#blockIndex);
  }

  visit(token: Token): void {
    const ring = this.#ring!;
    if (token.phase === TokenPhase.Install) {
      this.#effects.install(token);
      return;
    }
    const store = this.#oldStore!;
    const block = this.block;
    this.#flow.beginVisit(token, Number.POSITIVE_INFINITY);
    const budget = this.#flow.retransmissionBudget(token);
    const sent = this.#retransmission.answer(token, this.#oldRing!, store, this.#blockIndex, block.stable, budget);
    this.#flow.endVisit(token, 0, sent);
    if (!isDone(token.done, ring.myPlace)) {
      if (this.#lacksAny()) {
        const isLost = (seq: number): boolean => isHole(block, seq);
        const from = block.stable + 1;
        this.#retransmission.request(token, store, this.#blockIndex, from, block.high, isLost);
      } else {
        this.#effects.adoptObligations(block.obliged);
        setDone(token.done, ring.myPlace);
      }
    }
    this.#noteProgress(token);
    if (ring.isLeader && this.#allDone(token)) {
      token.phase = TokenPhase.Install;
      token.requestCount = 0;
      this.#effects.install(token);
      return;
    }
    token.hop++;
    token.copy = 0;
    this.#link.pass(token, 0);
  }

  readonly mayBeHeld = false;

  /** Nothing is sent on a ring before it is installed, and little before the INSTALL token has come round. */
  isPlausible(token: Token): boolean {
    const sent = token.seq - this.#context.firstNumbers.sequence;
    return token.phase === TokenPhase.Recover ? sent === 0 : sent <= this.#oldStore!.capacity;
  }

  lacksDataOf(token: Token): boolean {
    return token.phase === TokenPhase.Recover && !isDone(token.done, this.#ring!.myPlace) && this.#lacksAny();
  }

  holdTimeMs(): number {
    return 0;
  }

  /** A member that has kept the recovery from ending for twice the loss timeout, or -1. */
  get stalledMember(): NodeIndex | -1 {
    const ring = this.#ring!;
    if (this.#context.nowMs - this.#progressAtMs <= 2 * this.#context.options.timeouts.tokenLossMs) return -1;
    for (let place = ring.size - 1; place >= 0; place--) {
      if (place !== ring.myPlace && !isDone(this.#done, place)) return ring.members[place]!.node;
    }
    return -1;
  }

  #lacksAny(): boolean {
    const block = this.block;
    const store = this.#oldStore!;
    for (let seq = block.stable + 1; seq <= block.high; seq++) {
      if (!store.has(seq) && !isHole(block, seq)) return true;
    }
    return false;
  }

  #allDone(token: Token): boolean {
    for (let place = 0; place < this.#ring!.size; place++) {
      if (!isDone(token.done, place)) return false;
    }
    return true;
  }

  #noteProgress(token: Token): void {
    for (let i = 0; i < this.#done.length; i++) {
      if (this.#done[i] === token.done[i]) continue;
      this.#done.set(token.done);
      this.#progressAtMs = this.#context.nowMs;
      return;
    }
  }
}
