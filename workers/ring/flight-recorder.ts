/**
 * Remembers the last visits of the token, and how far the order was known, held and delivered at each: so that one can say afterwards when a
 * packet was received, stable and delivered here, and who held it back. It only looks at the counters of the ring node and at tokens that the
 * node has accepted. The cost is a few numbers for a duty cycle in which something moved, whatever the number of messages.
 */
import { RingCounter } from '../../engine/host/ring-counters.ts';
import { RING_HEADER_TYPE_OFFSET } from '../../engine/wire/layout/ring-header.ts';
import {
  TOKEN_ARU_HOLDER_OFFSET,
  TOKEN_ARU_OFFSET,
  TOKEN_FIXED_LENGTH,
  TOKEN_HOP_OFFSET,
  TOKEN_SEQUENCE_OFFSET,
} from '../../engine/wire/layout/token-packet.ts';
import { readU16, readU48 } from '../../engine/wire/ring-bytes.ts';
import { PacketType } from '../../engine/wire/ring-header.ts';
import type { FlightReport, Standstill, TokenVisit } from '../watch/trace-reports.ts';

const ENTRIES = 4096;
const AT = 0;
/** Of the token that was visited; 0: none was. */
const HOP = 1;
const TOKEN_SEQ = 2;
const TOKEN_ARU = 3;
const HOLDER = 4;
const RING_SEQ = 5;
const MY_ARU = 6;
const STABLE = 7;
const DELIVERED = 8;
const FIELDS = 9;
/** An agent sleeps a tenth of a second at most. */
const STANDSTILL_MS = 150;
const MAX_STANDSTILLS = 16;
const MAX_VISITS = 64;

export class FlightRecorder {
  readonly #counters: Float64Array;
  /** Seals that were refused so far. */
  readonly #refusedSeals: () => number;
  readonly #entries = new Float64Array(ENTRIES * FIELDS);
  /** Entries so far. */
  #count = 0;
  readonly #standstills: Standstill[] = [];
  #lastWorkMs = 0;
  #rounds = 0;
  /** Of the last token that was accepted. */
  #hop = 0;
  #tokenSeq = 0;
  #tokenAru = 0;
  #holder = 0;
  #ringSeq = 0;
  #myAru = 0;
  #stable = 0;
  #delivered = 0;

  /** @param counters of the ring node */
  constructor(counters: Float64Array, refusedSeals: () => number) {
    this.#counters = counters;
    this.#refusedSeals = refusedSeals;
  }

  /** Hop of the last token, and visits so far. */
  get hop(): number {
    return this.#hop;
  }

  get rounds(): number {
    return this.#counters[RingCounter.TokenRounds]!;
  }

  /** Whether the datagram says that it is a token. */
  isToken(bytes: Uint8Array, offset: number, lengthBytes: number): boolean {
    return lengthBytes >= TOKEN_FIXED_LENGTH && bytes[offset + RING_HEADER_TYPE_OFFSET] === PacketType.Token;
  }

  /** Datagrams that the node has refused. */
  get refusals(): number {
    const c = this.#counters;
    return (
      c[RingCounter.Malformed]! +
      c[RingCounter.Stale]! +
      c[RingCounter.ForeignRing]! +
      c[RingCounter.ForeignCluster]! +
      c[RingCounter.OutOfWindow]! +
      this.#refusedSeals()
    );
  }

  /** The node has taken the token at `offset`, which it has opened in place. */
  tokenTaken(bytes: Uint8Array, offset: number): void {
    this.#hop = readU48(bytes, offset + TOKEN_HOP_OFFSET);
    this.#tokenSeq = readU48(bytes, offset + TOKEN_SEQUENCE_OFFSET);
    this.#tokenAru = readU48(bytes, offset + TOKEN_ARU_OFFSET);
    this.#holder = readU16(bytes, offset + TOKEN_ARU_HOLDER_OFFSET);
  }

  /** At the end of a duty cycle. */
  note(nowMs: number): void {
    const c = this.#counters;
    if (nowMs - this.#lastWorkMs > STANDSTILL_MS && this.#lastWorkMs > 0) this.#stoodStill(nowMs);
    this.#lastWorkMs = nowMs;
    const rounds = c[RingCounter.TokenRounds]!;
    const isVisit = rounds !== this.#rounds;
    const myAru = c[RingCounter.MyAru]!;
    const stable = c[RingCounter.Aru]!;
    const delivered = c[RingCounter.Delivered]!;
    if (!isVisit && myAru === this.#myAru && stable === this.#stable && delivered === this.#delivered) return;
    this.#rounds = rounds;
    this.#myAru = myAru;
    this.#stable = stable;
    this.#delivered = delivered;
    this.#ringSeq = c[RingCounter.RingSeq]!;
    const e = this.#entries;
    const at = (this.#count++ % ENTRIES) * FIELDS;
    e[at + AT] = nowMs;
    e[at + HOP] = isVisit ? this.#hop : 0;
    e[at + TOKEN_SEQ] = this.#tokenSeq;
    e[at + TOKEN_ARU] = this.#tokenAru;
    e[at + HOLDER] = this.#holder;
    e[at + RING_SEQ] = this.#ringSeq;
    e[at + MY_ARU] = myAru;
    e[at + STABLE] = stable;
    e[at + DELIVERED] = delivered;
  }

  /**
   * @param seq of a packet of the ring `ringSeq`
   * @param fromHop visits from this one on, until everything before the packet and itself is stable
   * @param toHostMs what turns a time of this agent into one of the machine
   */
  report(ringSeq: number, seq: number, fromHop: number, toHostMs: number): FlightReport {
    const e = this.#entries;
    let receivedAt: number | null = null;
    let stableAt: number | null = null;
    let deliveredAt: number | null = null;
    const visits: TokenVisit[] = [];
    for (let i = Math.max(0, this.#count - ENTRIES); i < this.#count; i++) {
      const entry = (i % ENTRIES) * FIELDS;
      if (e[entry + RING_SEQ] !== ringSeq) continue;
      const at = e[entry + AT]! + toHostMs;
      const hop = e[entry + HOP]!;
      if (hop >= fromHop && hop > 0 && stableAt === null)
        visits.push({ hop, at, seq: e[entry + TOKEN_SEQ]!, aru: e[entry + TOKEN_ARU]!, holder: e[entry + HOLDER]! });
      if (e[entry + MY_ARU]! >= seq) receivedAt ??= at;
      if (e[entry + STABLE]! >= seq) stableAt ??= at;
      if (e[entry + DELIVERED]! >= seq) deliveredAt ??= at;
    }
    const standstills = this.#standstills.map(({ from, to }) => ({ from: from + toHostMs, to: to + toHostMs }));
    return { ringSeq, receivedAt, stableAt, deliveredAt, visits: visits.slice(-MAX_VISITS), standstills };
  }

  #stoodStill(nowMs: number): void {
    this.#standstills.push({ from: this.#lastWorkMs, to: nowMs });
    if (this.#standstills.length > MAX_STANDSTILLS) this.#standstills.shift();
  }
}
