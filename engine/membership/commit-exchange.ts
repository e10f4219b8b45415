/** The COMMIT on its two ways round the ring to be, and sending it again until there is a sign that it went on. */

import type { NodeContext } from '../host/node-context.ts';
import type { Emitter } from '../ring/emitter.ts';
import { BodyWriter } from '../wire/ring-body.ts';
import { PacketType } from '../wire/ring-header.ts';
import { type CommitMessage, encodeCommit } from '../wire/ring-membership.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** Copies are answered with a resend, but two of them not closer than this. */
const MIN_RESEND_GAP_MS = 2;

export class CommitExchange {
  readonly #context: NodeContext;
  readonly #emitter: Emitter;
  readonly #body = new BodyWriter();
  #commit: CommitMessage | null = null;
  #resendAtMs = NEVER;
  #resendEveryMs = 0;
  #sentAtMs = 0;
  /** Of the message as sent first, so that copies of its parts add up. */
  #number: number | null = null;

  constructor(context: NodeContext, emitter: Emitter) {
    this.#context = context;
    this.#emitter = emitter;
  }

  /** The COMMIT as this daemon sent it last. */
  get current(): CommitMessage | null {
    return this.#commit;
  }

  get nextDeadlineMs(): number {
    return this.#resendAtMs;
  }

  /** Sends a pass of the COMMIT on to the next member. */
  pass(commit: CommitMessage): void {
    this.#commit = commit;
    this.#number = null;
    this.#resendEveryMs = this.#context.options.timeouts.commitResendMs;
    this.#send();
  }

  /** The previous member sent the same again: perhaps the next did not get it. */
  again(): void {
    if (this.#commit !== null && this.#context.nowMs - this.#sentAtMs >= MIN_RESEND_GAP_MS) this.#send();
  }

  /** The next member has it, as the token shows. */
  arrived(): void {
    this.#resendAtMs = NEVER;
  }

  stop(): void {
    this.#commit = null;
    this.#resendAtMs = NEVER;
  }

  tick(): void {
    if (this.#resendAtMs > this.#context.nowMs) return;
    this.#resendEveryMs *= 2;
    this.#send();
  }

  #send(): void {
    const { members, ring } = this.#commit!;
    const { nowMs, self, options } = this.#context;
    const place = members.findIndex(({ node }) => node === self);
    const next = members[(place + 1) % members.length]!.node;
    this.#body.reset();
    encodeCommit(this.#body, options.clusterHash, this.#commit!);
    const { bytes, lengthBytes } = this.#body;
    this.#number = this.#emitter.control(PacketType.Commit, 0, ring, bytes, lengthBytes, next, self, this.#number);
    this.#sentAtMs = nowMs;
    this.#resendAtMs = nowMs + this.#resendEveryMs;
  }
}
