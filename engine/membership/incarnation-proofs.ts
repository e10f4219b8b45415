/**
 * Incarnations of sealed daemons prove to each other that they are live. A daemon that receives a datagram of an unproven incarnation
 * challenges that daemon, at its configured address, with a fresh random number. The incarnation answers with its salt and its last counter
 * (greeting.ts). A recording cannot answer, so the proof needs neither a correct clock nor correct files.
 *
 * First contact takes one more round trip. A challenge also means that the datagram before it was dropped, so its sender repeats it
 * (`Asked`).
 *
 * There is one open question for each daemon at a time, and all its incarnations may answer it. So forged datagrams make this daemon send
 * at most one GREETING per `joinEveryMs`.
 */

import type { NodeContext } from '../host/node-context.ts';
import type { Emitter } from '../ring/emitter.ts';
import { decodeGreeting, encodeGreeting, type Greeting, NONCE_LENGTH } from '../seal/greeting.ts';
import type { SealedIncarnations } from '../seal/sealed-incarnations.ts';
import { type NodeIndex, nodeIndex } from '../wire/ids.ts';
import type { RingMember } from '../wire/ring-body.ts';
import type { RingHeader } from '../wire/ring-header.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** Times that an unanswered question is sent, unless the incarnation is heard again. */
const TRIES = 5;
/** Validity of a question, in token loss timeouts: longer than any answer takes. */
const GOOD_FOR_LOSS_TIMEOUTS = 4;
/** Validity of a proof outside the ring, in idle probe periods: the longest silence of a live daemon. */
const GOOD_FOR_PROBES = 3;
/** Least time between two repetitions to one daemon, ms. */
const MIN_AGAIN_GAP_MS = 5;

interface Question {
  readonly nonce: Uint8Array;
  readonly drawnAtMs: number;
  sentAtMs: number;
  /** NEVER: it is answered, or given up. */
  againAtMs: number;
  triesLeft: number;
}

/** Result of a GREETING. */
export const GreetingEffect = { Malformed: 0, None: 1, Asked: 2 } as const;
export type GreetingEffect = (typeof GreetingEffect)[keyof typeof GreetingEffect];

export class IncarnationProofs {
  readonly #context: NodeContext;
  readonly #emitter: Emitter;
  /** Null: traffic is not sealed. */
  readonly #incarnations: SealedIncarnations | null;
  readonly #questions: (Question | null)[];
  readonly #askedAtMs: Float64Array;
  /** 1: in the ring this daemon is in. */
  readonly #isMember: Uint8Array;
  /** When an incarnation of each was proven last. */
  readonly #provenAtMs: Float64Array;
  #deadlineMs = NEVER;

  constructor(context: NodeContext, emitter: Emitter) {
    this.#context = context;
    this.#emitter = emitter;
    this.#incarnations = context.sealer.incarnations;
    this.#questions = Array.from({ length: context.nodeCount }, () => null);
    this.#isMember = new Uint8Array(context.nodeCount);
    this.#provenAtMs = new Float64Array(context.nodeCount);
    this.#askedAtMs = new Float64Array(context.nodeCount).fill(Number.NEGATIVE_INFINITY);
  }

  get nextDeadlineMs(): number {
    return this.#deadlineMs;
  }

  /** A datagram of an unproven incarnation arrived; its header may be forged. */
  unknownHeard(node: number): void {
    const { nowMs } = this.#context;
    const question = this.#questionFor(node);
    question.triesLeft = TRIES;
    const dueMs = question.sentAtMs + this.#everyMs;
    if (dueMs <= nowMs) this.#ask(node, question);
    else this.#askAt(question, dueMs);
  }

  /** `bytes[offset, offset + lengthBytes)` was opened. */
  arrived(header: RingHeader, bytes: Uint8Array, offset: number, lengthBytes: number): GreetingEffect {
    const incarnations = this.#incarnations;
    const greeting = incarnations === null ? null : decodeGreeting(bytes, offset, lengthBytes);
    if (incarnations === null || greeting === null) return GreetingEffect.Malformed;
    const from = nodeIndex(header.relay);
    if (greeting.answers !== null) this.#answered(incarnations, from, header.incarnation, greeting);
    if (greeting.asks === null) return GreetingEffect.None;
    const isProven = incarnations.peers.isProven(from, header.incarnation, greeting.salt);
    this.#send(from, greeting.asks, isProven ? null : this.#questionFor(from));
    const { nowMs } = this.#context;
    if (nowMs - this.#askedAtMs[from]! < MIN_AGAIN_GAP_MS) return GreetingEffect.None;
    this.#askedAtMs[from] = nowMs;
    return GreetingEffect.Asked;
  }

  /** Before a datagram is opened that claims to be from `node`: a daemon outside the ring is believed for a while only. */
  before(node: number): void {
    if (this.#incarnations === null || this.#isMember[node] !== 0) return;
    const { nowMs, options } = this.#context;
    if (nowMs - this.#provenAtMs[node]! <= GOOD_FOR_PROBES * options.timeouts.probeIdleMs) return;
    this.#provenAtMs[node] = Number.POSITIVE_INFINITY;
    this.#putBack(this.#incarnations, node);
  }

  /** A daemon that the ring no longer has must prove itself again. */
  installed(members: readonly RingMember[]): void {
    const incarnations = this.#incarnations;
    if (incarnations === null) return;
    for (let node = 0; node < this.#isMember.length; node++) {
      const isMember = members.some((member) => member.node === node);
      if (this.#isMember[node] === 1 && !isMember) this.#putBack(incarnations, node);
      this.#isMember[node] = isMember ? 1 : 0;
    }
  }

  /** A key is gone. What its holders made others believe ends with it, and nothing is interrupted meanwhile. */
  keysChanged(): void {
    for (let node = 0; node < this.#questions.length; node++) {
      if (this.#incarnations?.peers.hasDoubted(node) !== true) continue;
      this.#questions[node] = null;
      this.unknownHeard(node);
    }
  }

  tick(): void {
    const { nowMs } = this.#context;
    if (this.#deadlineMs > nowMs) return;
    this.#deadlineMs = NEVER;
    for (let node = 0; node < this.#questions.length; node++) {
      const question = this.#questions[node]!;
      if (question === null || question.againAtMs === NEVER) continue;
      if (question.againAtMs > nowMs) this.#deadlineMs = Math.min(this.#deadlineMs, question.againAtMs);
      else this.#ask(node, this.#questionFor(node));
    }
  }

  get #everyMs(): number {
    return this.#context.options.timeouts.joinEveryMs;
  }

  /** The question that is open, or a new one. */
  #questionFor(node: number): Question {
    const { nowMs, options } = this.#context;
    const open = this.#questions[node] ?? null;
    if (open !== null && nowMs - open.drawnAtMs < GOOD_FOR_LOSS_TIMEOUTS * options.timeouts.tokenLossMs) return open;
    const question: Question = {
      nonce: this.#incarnations!.draw(NONCE_LENGTH),
      drawnAtMs: nowMs,
      sentAtMs: open?.sentAtMs ?? Number.NEGATIVE_INFINITY,
      againAtMs: NEVER,
      triesLeft: open?.triesLeft ?? TRIES,
    };
    this.#questions[node] = question;
    return question;
  }

  #ask(node: number, question: Question): void {
    question.triesLeft--;
    question.againAtMs = NEVER;
    this.#send(nodeIndex(node), null, question);
    if (question.triesLeft > 0) this.#askAt(question, question.sentAtMs + this.#everyMs);
  }

  #askAt(question: Question, atMs: number): void {
    question.againAtMs = Math.min(question.againAtMs, atMs);
    this.#deadlineMs = Math.min(this.#deadlineMs, question.againAtMs);
  }

  #send(to: NodeIndex, answers: Uint8Array | null, question: Question | null): void {
    const { salt, counter } = this.#incarnations!;
    if (question !== null) question.sentAtMs = this.#context.nowMs;
    this.#emitter.greeting(encodeGreeting({ salt, counter, answers, asks: question?.nonce ?? null }), to);
  }

  #putBack(incarnations: SealedIncarnations, node: number): void {
    incarnations.peers.putBack(node);
    this.#questions[node] = null;
  }

  #answered(
    incarnations: SealedIncarnations,
    from: NodeIndex,
    fromIncarnation: number,
    { salt, counter, answers }: Greeting,
  ): void {
    const { nowMs, options } = this.#context;
    const question = this.#questions[from] ?? null;
    if (question === null || !isSame(question.nonce, answers!)) return;
    if (nowMs - question.drawnAtMs >= GOOD_FOR_LOSS_TIMEOUTS * options.timeouts.tokenLossMs) return;
    question.againAtMs = NEVER;
    this.#provenAtMs[from] = nowMs;
    // Answers that an incarnation gave before the next one came prove nothing any more.
    if (incarnations.peers.prove(from, fromIncarnation, salt, counter)) this.#questions[from] = null;
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < NONCE_LENGTH; i++) if (a[i] !== b[i]) return false;
  return true;
}
