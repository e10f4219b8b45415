/** Asking for lost packets, and answering (ring-protocol.md, 2.6). */

import type { NodeContext } from '../host/node-context.ts';
import { RingCounter } from '../host/ring-counters.ts';
import { type NodeIndex, nodeIndex } from '../wire/ids.ts';
import { FLAG_RETRANSMISSION } from '../wire/ring-header.ts';
import { REQUESTED_BY_SEVERAL, type Token, tokenRequestRoom } from '../wire/ring-token.ts';
import type { Emitter } from './emitter.ts';
import type { PacketStore } from './packet-store.ts';
import type { RingMembers } from './ring-members.ts';

/**
 * From this attempt on a member that answers leaves the request on the token, so that others answer too: the first may not be
 * able to reach the requester.
 */
const STUBBORN_ATTEMPT = 2;
const MAX_ATTEMPT = 3;
const MAX_RANGE = 0xffff;

export class Retransmission {
  readonly #context: NodeContext;
  readonly #emitter: Emitter;
  readonly #requestRoom: number;

  constructor(context: NodeContext, emitter: Emitter) {
    this.#context = context;
    this.#emitter = emitter;
    const datagramBytes = context.options.datagramBytes - context.sealer.trailerBytes;
    this.#requestRoom = Math.max(1, tokenRequestRoom(datagramBytes, context.nodeCount));
  }

  /**
   * Sends what others ask for, at once, and takes what was answered off the token; requests of this daemon are taken off
   * to be made anew. Requests with another `ref` are of other old rings and pass untouched.
   * @param ring the ring `store` belongs to
   * @param stableBelow requests up to here are errors: every member has these packets
   * @returns packets sent, at most `budget`
   */
  answer(
    token: Token,
    ring: RingMembers,
    store: PacketStore,
    ref: number,
    stableBelow: number,
    budget: number,
  ): number {
    const { counters, self } = this.#context;
    let sent = 0;
    let left = token.requestCount;
    for (let i = 0; left > 0; left--) {
      const from = token.requestFrom[i]!;
      const end = from + token.requestLength[i]!;
      if (token.requestRef[i] !== ref) {
        i++;
      } else if (token.requester[i] === self || from === end) {
        token.removeRequest(i);
      } else if (end - 1 <= stableBelow) {
        counters[RingCounter.OutOfWindow]++;
        token.removeRequest(i);
      } else {
        const answered = this.#answerRange(token, i, ring, store, budget - sent);
        sent += answered;
        if (token.requestLength[i] === 0) token.removeRequest(i);
        else i++;
      }
    }
    return sent;
  }

  /**
   * Puts the packets `from .. limit` that are not held on the token, as far as there is room.
   * @param isHole packets that no member has, which are not requested; null when there are none
   * @returns packets asked for
   */
  request(
    token: Token,
    store: PacketStore,
    ref: number,
    from: number,
    limit: number,
    isHole: ((seq: number) => boolean) | null,
  ): number {
    let asked = 0;
    let seq = from;
    const last = Math.min(limit, store.discarded + store.capacity);
    while (seq <= last && token.requestCount < this.#requestRoom) {
      if (store.has(seq) || isHole?.(seq)) {
        seq++;
        continue;
      }
      const start = seq;
      const attempt = Math.min(MAX_ATTEMPT, store.countRequest(seq));
      seq++;
      while (seq <= last && seq - start < MAX_RANGE && !store.has(seq) && !isHole?.(seq)) {
        store.countRequest(seq);
        seq++;
      }
      this.#addRange(token, ref, attempt, start, seq - start);
      asked += seq - start;
    }
    this.#context.counters[RingCounter.RequestsSent] += asked;
    return asked;
  }

  /** What several lack alike is asked for once, and sent to all. */
  #addRange(token: Token, ref: number, attempt: number, from: number, length: number): void {
    if (attempt < STUBBORN_ATTEMPT) {
      for (let i = 0; i < token.requestCount; i++) {
        if (
          token.requestFrom[i] === from &&
          token.requestLength[i] === length &&
          token.requestRef[i] === ref &&
          token.requestAttempt[i]! < STUBBORN_ATTEMPT
        ) {
          token.requester[i] = REQUESTED_BY_SEVERAL;
          return;
        }
      }
    }
    token.addRequest(ref, attempt, this.#context.self, from, length);
  }

  /** Answers request `i` and leaves in it what remains; length 0 when nothing does. */
  #answerRange(token: Token, i: number, ring: RingMembers, store: PacketStore, budget: number): number {
    const from = token.requestFrom[i]!;
    const end = from + token.requestLength[i]!;
    const attempt = token.requestAttempt[i]!;
    const requester = token.requester[i]!;
    const ref = token.requestRef[i]!;
    const to = requester === REQUESTED_BY_SEVERAL || !ring.has(requester) ? null : nodeIndex(requester);
    let sent = 0;
    let runStart = -1;
    let runs = 0;
    for (let seq = from; seq <= end; seq++) {
      const answer = seq < end && sent < budget && store.has(seq);
      if (answer) {
        this.#send(ring, store, seq, to);
        sent++;
      }
      if (attempt >= STUBBORN_ATTEMPT) continue;
      if (!answer && seq < end) {
        if (runStart < 0) runStart = seq;
      } else if (runStart >= 0) {
        if (runs === 0) {
          token.requestFrom[i] = runStart;
          token.requestLength[i] = seq - runStart;
        } else if (token.requestCount >= this.#requestRoom) {
          // No room to split: the requester asks again for what is dropped here.
          break;
        } else {
          token.addRequest(ref, attempt, requester, runStart, seq - runStart);
        }
        runs++;
        runStart = -1;
      }
    }
    if (attempt < STUBBORN_ATTEMPT && runs === 0) token.requestLength[i] = 0;
    return sent;
  }

  #send(ring: RingMembers, store: PacketStore, seq: number, to: NodeIndex | null): void {
    this.#emitter.data(ring.id, store, seq, 0, FLAG_RETRANSMISSION, to, ring.others);
    const scope = to === null ? RingCounter.RetransmissionsToAll : RingCounter.RetransmissionsToOne;
    this.#context.counters[scope]++;
  }
}
