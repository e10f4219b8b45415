/**
 * Where an arrived token waits for its visit: for data that precedes it and is likely still in the socket (the data or
 * token priority of ring-protocol.md, 2.5), or, at the leader of an idle ring, to keep the ring from spinning (2.8).
 */

import type { NodeContext } from '../host/node-context.ts';
import { RingCounter } from '../host/ring-counters.ts';
import { DATA_ROUND_OFFSET } from '../wire/layout/data-packet.ts';
import { readU16 } from '../wire/ring-bytes.ts';
import { FLAG_POST_TOKEN, type RingHeader } from '../wire/ring-header.ts';
import { readToken, Token } from '../wire/ring-token.ts';
import type { RingMembers } from './ring-members.ts';
import type { TokenLink } from './token-link.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** A token that waits for data is handled after this many datagrams at the latest. */
const MAX_DATAGRAMS_WAITED = 32;

/** Who handles tokens: normal operation, or recovery. */
export interface TokenHandler {
  /** The token's sequence number can be true: an honest ring does not run further ahead than its windows. */
  isPlausible(token: Token): boolean;
  /** Handles the token and passes it on through the link. */
  visit(token: Token): void;
  /** Data that would be asked for now may be in the socket still. */
  lacksDataOf(token: Token): boolean;
  /** How long to keep the token, 0 to handle it now. */
  holdTimeMs(token: Token): number;
  /** The rotation time says nothing about the network: the leader may have held the token. */
  readonly mayBeHeld: boolean;
}

export class TokenDesk {
  readonly #context: NodeContext;
  readonly #link: TokenLink;
  #handler: TokenHandler | null = null;
  #ring: RingMembers | null = null;
  // Three tokens in turn: the one being read, the one that waits here, the one the link may send again.
  #incoming: Token;
  #waiting: Token;
  #passed: Token;
  #isWaiting = false;
  #datagramsWaited = 0;
  #handleAtMs = NEVER;
  #isHeld = false;

  constructor(context: NodeContext, link: TokenLink) {
    this.#context = context;
    this.#link = link;
    this.#incoming = new Token(context.nodeCount);
    this.#waiting = new Token(context.nodeCount);
    this.#passed = new Token(context.nodeCount);
  }

  begin(ring: RingMembers, handler: TokenHandler): void {
    this.#ring = ring;
    this.#handler = handler;
    this.#isWaiting = false;
    this.#handleAtMs = NEVER;
  }

  /** The ring is given up: whatever waits here is not handled any more. */
  stop(): void {
    this.#handler = null;
    this.#isWaiting = false;
    this.#handleAtMs = NEVER;
  }

  /** The same ring continues under another handler. */
  handOver(handler: TokenHandler): void {
    this.#handler = handler;
  }

  get nextDeadlineMs(): number {
    return this.#handleAtMs;
  }

  get isHolding(): boolean {
    return this.#isWaiting && this.#isHeld;
  }

  /** The first token of a ring, made by its leader. */
  create(): void {
    const { sequence, hop } = this.#context.firstNumbers;
    // The remainder by the ring's size gives the member whose turn it is.
    this.#waiting.reset(sequence, hop - (hop % this.#ring!.size));
    this.#link.accepted(this.#waiting, false);
    this.#handle();
  }

  /** A TOKEN datagram of the current ring. */
  arrived(header: RingHeader, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const { counters } = this.#context;
    if (!readToken(this.#incoming, bytes, offset, lengthBytes)) {
      counters[RingCounter.Malformed]++;
      return;
    }
    const ring = this.#ring;
    const handler = this.#handler;
    if (ring === null || handler === null || ring.incarnationOf(header.relay) !== header.incarnation) {
      counters[RingCounter.Stale]++;
      return;
    }
    if (!handler.isPlausible(this.#incoming)) {
      counters[RingCounter.OutOfWindow]++;
      return;
    }
    const verdict = this.#link.judge(this.#incoming, header.relay);
    if (verdict === 'resend' && !this.#isWaiting) this.#link.resend();
    if (verdict !== 'accept' || this.#isWaiting) {
      counters[RingCounter.Stale]++;
      return;
    }
    const token = this.#incoming;
    this.#incoming = this.#waiting;
    this.#waiting = token;
    const holdMs = handler.holdTimeMs(token);
    this.#link.accepted(token, !handler.mayBeHeld);
    this.#isWaiting = true;
    this.#isHeld = holdMs > 0;
    this.#datagramsWaited = 0;
    if (holdMs > 0) {
      counters[RingCounter.TokensHeld]++;
      this.#handleAtMs = this.#context.nowMs + holdMs;
    } else if (handler.lacksDataOf(token)) {
      this.#handleAtMs = this.#context.nowMs;
    } else {
      this.#handle();
    }
  }

  /**
   * A DATA packet of the current ring was handled. A packet that its predecessor sent after passing the token proves that the
   * token has overtaken nothing that it should wait for.
   */
  dataArrived(header: RingHeader, bytes: Uint8Array, offset: number): void {
    if (!this.#isWaiting || this.#isHeld) return;
    this.#datagramsWaited++;
    const ring = this.#ring!;
    const isPostToken =
      (header.flags & FLAG_POST_TOKEN) !== 0 &&
      header.origin === ring.predecessor &&
      readU16(bytes, offset + DATA_ROUND_OFFSET) === ((this.#waiting.hop - 1) & 0xffff);
    if (isPostToken || this.#datagramsWaited >= MAX_DATAGRAMS_WAITED || !this.#handler!.lacksDataOf(this.#waiting)) {
      this.#handle();
    }
  }

  /** Work came up while the token is kept. */
  release(): void {
    if (this.isHolding) this.#handle();
  }

  tick(): void {
    if (this.#isWaiting && this.#handleAtMs <= this.#context.nowMs) this.#handle();
  }

  #handle(): void {
    this.#isWaiting = false;
    this.#handleAtMs = NEVER;
    const token = this.#waiting;
    this.#waiting = this.#passed;
    this.#passed = token;
    this.#handler?.visit(token);
  }
}
