/**
 * The token's way in and out of one daemon: which tokens are accepted, sending a token again until there is a sign that
 * the successor has it, and when the token is lost (ring-protocol.md, 2.2 and 2.8).
 */

import type { NodeContext } from '../host/node-context.ts';
import { RingCounter } from '../host/ring-counters.ts';
import { PacketType } from '../wire/ring-header.ts';
import type { Token } from '../wire/ring-token.ts';
import type { Emitter } from './emitter.ts';
import type { RingMembers } from './ring-members.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** Smoothed rotations before a token is sent again. */
const RESEND_ROTATIONS = 3;
const MAX_RESEND_FACTOR = 20;
/** Two resends closer than this are answers to one trouble. */
const MIN_RESEND_GAP_MS = 2;
const FIRST_HURRY_MS = 2;
const MAX_HURRY_MS = 50;
const MAX_COPY = 255;

export type TokenVerdict = 'accept' | 'resend' | 'drop';

export class TokenLink {
  readonly #context: NodeContext;
  readonly #emitter: Emitter;
  #ring: RingMembers | null = null;
  /** The token as it was last sent, ready to be sent again. */
  #sent: Token | null = null;
  #lastHop = 0;
  #lastCopy = 0;
  #tokenAtMs = 0;
  #resendAtMs = NEVER;
  #resendEveryMs = 0;
  #resentAtMs = 0;
  #lossAtMs = NEVER;
  #hurryAtMs = NEVER;
  #hurryEveryMs = 0;
  #rotationMs = 0;

  constructor(context: NodeContext, emitter: Emitter) {
    this.#context = context;
    this.#emitter = emitter;
  }

  /** A ring was agreed on; its token must come within the loss timeout. */
  begin(ring: RingMembers): void {
    this.stop();
    this.#ring = ring;
    this.#lastHop = 0;
    this.#lastCopy = 0;
    this.#rotationMs = 0;
    this.#tokenAtMs = this.#context.nowMs;
    this.#lossAtMs = this.#context.nowMs + this.#context.options.timeouts.tokenLossMs;
  }

  stop(): void {
    this.#ring = null;
    this.#sent = null;
    this.#resendAtMs = NEVER;
    this.#lossAtMs = NEVER;
    this.#hurryAtMs = NEVER;
  }

  get nextDeadlineMs(): number {
    return Math.min(this.#resendAtMs, this.#lossAtMs, this.#hurryAtMs);
  }

  get isLost(): boolean {
    return this.#lossAtMs <= this.#context.nowMs;
  }

  /** Hop of the last token accepted. */
  get lastHop(): number {
    return this.#lastHop;
  }

  /** No token was sent yet: the ring's COMMIT may still be on its way. */
  get hasSent(): boolean {
    return this.#sent !== null;
  }

  judge(token: Token, relay: number): TokenVerdict {
    const ring = this.#ring;
    if (ring === null || relay !== ring.predecessor || token.hop % ring.size !== ring.myPlace) return 'drop';
    if (token.hop > this.#lastHop) return 'accept';
    if (token.hop === this.#lastHop && token.copy > this.#lastCopy) {
      this.#lastCopy = token.copy;
      return 'resend';
    }
    return 'drop';
  }

  /** The token is here: nothing to send again, and not lost as long as it is not passed on. */
  accepted(token: Token, measureRotation: boolean): void {
    const { nowMs, counters } = this.#context;
    if (measureRotation) {
      const rotationMs = nowMs - this.#tokenAtMs;
      this.#rotationMs += (rotationMs - this.#rotationMs) / 8;
      counters[RingCounter.RotationMicros] = this.#rotationMs * 1000;
    }
    counters[RingCounter.TokenRounds]++;
    this.#tokenAtMs = nowMs;
    this.#lastHop = token.hop;
    this.#lastCopy = token.copy;
    this.#resendAtMs = NEVER;
    this.#hurryAtMs = NEVER;
    this.#lossAtMs = NEVER;
  }

  /**
   * Sends the token to the successor and watches over it. `token` stays as it is until the next one is accepted.
   * @param extraWaitMs longest time the token may rest at the leader
   */
  pass(token: Token, extraWaitMs: number): void {
    const { nowMs, options } = this.#context;
    const ring = this.#ring!;
    this.#sent = token;
    this.#emitter.token(ring.id, token, ring.successor);
    this.#resendEveryMs = Math.max(options.timeouts.tokenResendMs, RESEND_ROTATIONS * this.#rotationMs);
    this.#resendAtMs = nowMs + this.#resendEveryMs + extraWaitMs;
    this.#resentAtMs = nowMs;
    this.#tokenAtMs = nowMs;
    this.#lossAtMs = nowMs + options.timeouts.tokenLossMs;
  }

  /** Data of this ring came: it is alive, for up to twice the loss timeout without a token. */
  dataArrived(provesProgress: boolean): void {
    if (this.#lossAtMs !== NEVER) {
      const { tokenLossMs } = this.#context.options.timeouts;
      const extended = Math.min(this.#context.nowMs + tokenLossMs, this.#tokenAtMs + 2 * tokenLossMs);
      if (extended > this.#lossAtMs) this.#lossAtMs = extended;
    }
    if (provesProgress) this.#resendAtMs = NEVER;
  }

  /** Work waits at a daemon that has reason to think the leader keeps the token. */
  hurry(): void {
    if (this.#hurryAtMs !== NEVER || this.#ring === null || this.#ring.isLeader) return;
    this.#hurryEveryMs = FIRST_HURRY_MS;
    this.#sendHurry(this.#ring);
  }

  /** Sends the last token again, if that was not just done. */
  resend(): void {
    const { nowMs, counters } = this.#context;
    if (this.#sent === null || this.#ring === null || nowMs - this.#resentAtMs < MIN_RESEND_GAP_MS) return;
    if (this.#sent.copy < MAX_COPY) this.#sent.copy++;
    this.#resentAtMs = nowMs;
    counters[RingCounter.Hurries]++;
    this.#emitter.token(this.#ring.id, this.#sent, this.#ring.successor);
  }

  /** A member requests the token. An overdue token may be lost. */
  hurried(): void {
    if (this.#context.nowMs - this.#tokenAtMs >= this.#resendEveryMs) this.resend();
  }

  /** Timers other than loss. */
  tick(): void {
    const { nowMs, options } = this.#context;
    if (this.#resendAtMs <= nowMs) {
      this.resend();
      const longest = MAX_RESEND_FACTOR * options.timeouts.tokenResendMs;
      this.#resendEveryMs = Math.min(longest, 2 * this.#resendEveryMs);
      this.#resendAtMs = nowMs + Math.max(MIN_RESEND_GAP_MS, this.#resendEveryMs);
    }
    if (this.#hurryAtMs <= nowMs && this.#ring !== null) {
      this.#hurryEveryMs = Math.min(MAX_HURRY_MS, 2 * this.#hurryEveryMs);
      this.#sendHurry(this.#ring);
    }
  }

  #sendHurry(ring: RingMembers): void {
    this.#hurryAtMs = this.#context.nowMs + this.#hurryEveryMs;
    this.#context.counters[RingCounter.Hurries]++;
    this.#emitter.bare(PacketType.Hurry, ring.id, ring.leader);
  }
}
