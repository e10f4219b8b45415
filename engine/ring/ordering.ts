/**
 * Normal operation of a ring of many (ring-protocol.md, 2.3 to 2.9): what one visit of the token does, and what becomes of
 * the data between visits.
 */

import type { NodeContext } from '../host/node-context.ts';
import { RingCounter } from '../host/ring-counters.ts';
import type { NodeIndex } from '../wire/ids.ts';
import { U48_MAX } from '../wire/ring-bytes.ts';
import { FLAG_POST_TOKEN } from '../wire/ring-header.ts';
import { MAX_CREDIT, type Token, TokenPhase } from '../wire/ring-token.ts';
import { updateAru } from './aru.ts';
import type { Emitter } from './emitter.ts';
import type { FlowControl } from './flow-control.ts';
import { classifyRecords } from './packet-class.ts';
import type { PacketDelivery } from './packet-delivery.ts';
import type { PacketStore, StoreSize } from './packet-store.ts';
import type { PathSize } from './path-size.ts';
import type { Retransmission } from './retransmission.ts';
import type { RingMembers } from './ring-members.ts';
import { SentBySession } from './sent-by-session.ts';
import type { TokenHandler } from './token-desk.ts';
import type { TokenLink } from './token-link.ts';

/** The leader's first hold of an idle token. Work that comes meanwhile ends a hold at once, so it may be long. */
const FIRST_HOLD_MS = 4;
/** A hold before it is certain that everyone has everything; as long as a member that lacks a packet may have to wait to say so. */
const LULL_HOLD_MS = 2;
/** Packets in a rotation up to which the ring counts as lightly loaded: far from any window, so that no window limited a member. */
const LULL_PACKETS = 8;
/** Each further hold is this many times longer than the one before. */
const HOLD_GROWTH = 4;
/** Forming a ring takes seconds: what is left of 48 bits is enough for a quarter of a minute at a million packets a second. */
const LAST_NUMBER = U48_MAX - 2 ** 24;
/** Requests of the ring itself, as opposed to one of several old rings. */
const OWN_RING_REF = 0;

/** What ordering works on, made by the ring node. */
export interface OrderingParts {
  readonly emitter: Emitter;
  readonly delivery: PacketDelivery;
  readonly retransmission: Retransmission;
  readonly flow: FlowControl;
  readonly link: TokenLink;
  readonly paths: PathSize;
  /** Of the first ring; `begin` brings those of the others. */
  readonly store: PacketStore;
  readonly size: StoreSize;
}

export class Ordering implements TokenHandler {
  readonly #context: NodeContext;
  readonly #emitter: Emitter;
  readonly #delivery: PacketDelivery;
  readonly #retransmission: Retransmission;
  readonly #flow: FlowControl;
  readonly #link: TokenLink;
  readonly #paths: PathSize;
  readonly #gap: number;
  readonly #sent = new SentBySession();
  #ring: RingMembers | null = null;
  #store: PacketStore;
  /** Sequence number and aru of the token this daemon sent one rotation ago. */
  #lastSentSeq = 0;
  #lastSentAru = 0;
  /** The last packet this daemon sent, and everything the ring began with. */
  #lastOwnSeq = 0;
  /** The token was passed on without requests of any member. */
  #passedWithoutRequests = false;
  /** The token was passed on with little on it, so the leader may be keeping it. */
  #passedQuiet = false;
  /** Holds in a row in which nothing happened on the ring. */
  #holds = 0;
  /** Somebody has asked for the token while it was under way: it is not held when it comes. */
  #isWanted = false;
  #stalledSinceMs = 0;
  #stalledAru = 0;
  #stalledHolder = -1;

  constructor(context: NodeContext, parts: OrderingParts) {
    this.#context = context;
    this.#emitter = parts.emitter;
    this.#delivery = parts.delivery;
    this.#retransmission = parts.retransmission;
    this.#flow = parts.flow;
    this.#link = parts.link;
    this.#paths = parts.paths;
    this.#store = parts.store;
    this.#gap = parts.size.gap;
  }

  /** A ring was installed; `store` holds what came of it already. */
  begin(ring: RingMembers, store: PacketStore): void {
    this.#ring = ring;
    this.#store = store;
    this.#sent.reset();
    this.#delivery.begin(store);
    const { sequence } = this.#context.firstNumbers;
    this.#lastSentSeq = sequence;
    this.#lastSentAru = sequence;
    this.#lastOwnSeq = store.highSeq;
    this.#passedWithoutRequests = false;
    this.#passedQuiet = false;
    this.#holds = 0;
    this.#isWanted = false;
    this.#stalledHolder = -1;
  }

  /** Something may be in the store that has its turn, or the ordered log has room again. */
  deliver(): void {
    this.#delivery.deliver(this.#store);
  }

  /** Packet `seq` was taken in. */
  dataTaken(seq: number): void {
    const fromOther = this.#store.originOf(seq) !== this.#context.self;
    this.#delivery.taken(this.#store, seq);
    this.#link.dataArrived(seq > this.#lastSentSeq && fromOther);
  }

  isPlausible(token: Token): boolean {
    const store = this.#store;
    const reach = this.#gap + this.#context.options.windows.window;
    return token.seq <= store.highSeq + reach && token.seq <= store.discarded + store.capacity;
  }

  /** Packets that precede the token in the order, and are not here, may be in the socket still. */
  lacksDataOf(token: Token): boolean {
    return token.seq > this.#store.myAru;
  }

  /** The ring's numbers come to their end: another one has to begin anew, long before a number would be given twice. */
  get isUsedUp(): boolean {
    return this.#lastSentSeq > LAST_NUMBER || this.#link.lastHop > LAST_NUMBER;
  }

  /** What this daemon has sent is delivered here, and known to be held by every member. */
  get isSettled(): boolean {
    return this.#store.delivered >= this.#lastOwnSeq && this.#store.stable >= this.#lastOwnSeq;
  }

  get workWaits(): boolean {
    const { host } = this.#context;
    return host.queuedBytes() > 0 && host.canDeliver();
  }

  /** The leader may be keeping the token. */
  get mayBeHeld(): boolean {
    return this.#passedQuiet && !this.#ring!.isLeader;
  }

  /** Somebody has work, and the token is under way: when it comes it is not held. */
  tokenWanted(): void {
    this.#isWanted = true;
  }

  /**
   * How long the leader holds an arrived token while no member has work for it, ms; 0: not at all. A member that gets work requests the
   * token, so on a lightly loaded ring it moves on demand.
   *
   * Each member that has passed a token with aru = seq on had every packet. When it left here like that and comes back
   * unchanged, this is true of all. The rotation after it, in which the others learn that all is stable, is needed only when
   * a SAFE message waits for it. Before that, after a rotation with new packets, some have not been asked yet: the token
   * rests only for a moment. The other holds lengthen, so that a daemon whose HURRY is lost after a short pause waits little.
   */
  holdTimeMs(token: Token): number {
    const { options } = this.#context;
    const store = this.#store;
    if (!this.#ring!.isLeader) return 0;
    const isWanted = this.#isWanted;
    this.#isWanted = false;
    const { seq } = token;
    const mayRest =
      token.phase === TokenPhase.Operational &&
      seq === store.highSeq &&
      token.aru === seq &&
      token.requestCount === 0 &&
      token.flow <= LULL_PACKETS;
    if (!mayRest || isWanted || this.workWaits) return 0;
    const noneWaits = store.stable === seq || store.delivered === seq;
    if (!noneWaits) return 0;
    const longestMs = this.#longestHoldMs(options.timeouts.idleHoldMaxMs);
    if (seq !== this.#lastSentSeq || this.#lastSentAru !== seq) return Math.min(LULL_HOLD_MS, longestMs);
    return Math.min(FIRST_HOLD_MS * HOLD_GROWTH ** this.#holds++, longestMs);
  }

  visit(token: Token): void {
    // Back at the leader, the token has told everyone to install.
    if (this.#ring!.isLeader) token.phase = TokenPhase.Operational;
    this.visitInstalling(token);
  }

  /**
   * One visit, with the token's phase left as it is. The token is passed on before data of the accelerated window is sent
   * and before anything is delivered.
   */
  visitInstalling(token: Token): void {
    const { options, counters, self } = this.#context;
    const ring = this.#ring!;
    const store = this.#store;
    const { windows } = this.#flow;
    const arrivedSeq = token.seq;
    const round = token.hop;
    if (token.seq > store.highSeq) store.highSeq = token.seq;

    this.#flow.beginVisit(token, this.#mostOfOthers(token));
    this.#flow.grantCredit(token, ring.isLeader, this.#deliveryCredit());
    const budget = this.#flow.retransmissionBudget(token);
    const retransmitted = this.#retransmission.answer(token, ring, store, OWN_RING_REF, store.stable, budget);

    this.#paths.watch();

    const firstFresh = store.highSeq + 1;
    this.#originate(token, retransmitted);
    const lastFresh = store.highSeq;
    const fresh = lastFresh - firstFresh + 1;
    // A token that overtakes a few packets only waits for them at the next member, or continues without them and lowers the aru.
    const isLight = token.flow + fresh <= LULL_PACKETS;
    const behindToken = windows.acceleratedRing && !isLight ? Math.min(fresh, windows.acceleratedWindow) : 0;
    const lastBefore = lastFresh - behindToken;
    for (let seq = firstFresh; seq <= lastBefore; seq++) {
      this.#emitter.data(ring.id, store, seq, round, 0, null, ring.others);
    }
    this.#flow.endVisit(token, fresh, retransmitted);

    const limit = windows.acceleratedRing ? this.#lastSentSeq : store.highSeq;
    this.#retransmission.request(token, store, OWN_RING_REF, store.myAru + 1, limit, null);
    // A holder that is no member never raises the aru again.
    if (!ring.has(token.aruHolder)) token.aruHolder = self;
    updateAru(token, arrivedSeq, store.myAru, self);
    token.seq = store.highSeq;
    this.#passedWithoutRequests = token.requestCount === 0;
    this.#passedQuiet = token.aru === token.seq && token.requestCount === 0 && token.flow <= LULL_PACKETS;
    if (token.seq !== this.#lastSentSeq) this.#holds = 0;
    token.hop++;
    token.copy = 0;
    this.#link.pass(token, this.mayBeHeld ? this.#longestHoldMs(options.timeouts.idleHoldMaxMs) : 0);

    for (let seq = lastBefore + 1; seq <= lastFresh; seq++) {
      this.#emitter.data(ring.id, store, seq, round, FLAG_POST_TOKEN, null, ring.others);
    }
    counters[RingCounter.PacketsSent] += fresh;
    store.stable = Math.max(store.stable, Math.min(token.aru, this.#lastSentAru));
    this.#watchHolder(token);
    this.#lastSentSeq = token.seq;
    this.#lastSentAru = token.aru;
    this.#delivery.originated(store, firstFresh, lastFresh);
  }

  /** A member that has held the ring's aru down for twice the loss timeout, or -1. */
  get stalledMember(): NodeIndex | -1 {
    const limitMs = 2 * this.#context.options.timeouts.tokenLossMs;
    if (this.#stalledHolder < 0 || this.#stalledHolder === this.#context.self) return -1;
    return this.#context.nowMs - this.#stalledSinceMs > limitMs ? (this.#stalledHolder as NodeIndex) : -1;
  }

  /** Takes packets from the send queue into the store, as many as every window allows. */
  #originate(token: Token, retransmitted: number): void {
    const { host, self } = this.#context;
    const store = this.#store;
    const recordBytes = this.#paths.recordBytes;
    const backlog = host.canDeliver() ? Math.ceil(host.queuedBytes() / recordBytes) : 0;
    const allowed = this.#flow.allowance(token, retransmitted, backlog);
    if (backlog === 0) return;
    const last = Math.min(store.highSeq + allowed, store.stable + this.#gap, store.discarded + store.capacity);
    for (let seq = store.highSeq + 1; seq <= last; seq++) {
      const offset = store.reserve(seq);
      const lengthBytes = host.fillPacket(store.bytes, offset, recordBytes);
      if (lengthBytes === 0) break;
      const packetClass = classifyRecords(store.bytes, offset, lengthBytes);
      // Stable at this daemon's visit before: since then each member has had the token, and delivered all that.
      this.#sent.stamp(store.bytes, offset, lengthBytes, packetClass, seq, store.stable);
      this.#lastOwnSeq = seq;
      store.putOwn(seq, self, packetClass, lengthBytes);
    }
  }

  /**
   * What the others can have sent since this daemon's last visit, by an arrived token. None of them sent a packet again when the token left
   * without requests and no member lacked anything: a member that requests a packet lowers the aru, and raises it a rotation later.
   */
  #mostOfOthers(token: Token): number {
    const noneWasSentAgain = this.#passedWithoutRequests && token.requestCount === 0 && token.aru === token.seq;
    return noneWasSentAgain ? Math.max(0, token.seq - this.#lastSentSeq) : Number.POSITIVE_INFINITY;
  }

  /** Packets this daemon can take before its ordered log must have room. */
  #deliveryCredit(): number {
    if (this.#context.host.canDeliver()) return MAX_CREDIT;
    return 2 * this.#flow.windows.window - (this.#store.highSeq - this.#store.delivered);
  }

  /** The loss timers of the others run while the leader holds the token. */
  #longestHoldMs(idleHoldMaxMs: number): number {
    return Math.min(idleHoldMaxMs, this.#context.options.timeouts.tokenLossMs / 4);
  }

  #watchHolder(token: Token): void {
    const behind = token.aru < token.seq;
    if (behind && token.aruHolder === this.#stalledHolder && token.aru === this.#stalledAru) return;
    this.#stalledHolder = behind ? token.aruHolder : -1;
    this.#stalledAru = token.aru;
    this.#stalledSinceMs = this.#context.nowMs;
  }
}
