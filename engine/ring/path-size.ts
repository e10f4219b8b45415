/**
 * Finds out whether long datagrams pass between all members of a ring, and lets this daemon send them once they do.
 *
 * On a network whose MTU is smaller they travel in pieces that IP cuts and joins, which costs far less than as many datagrams of
 * their own; but some networks drop pieces. So every ring begins with datagrams that pass everywhere. Each member sends the others a
 * SIZE_PROBE as long as it would like to send, the way its data goes, and when all have answered (SIZE_ACK) it is ready and says so
 * (SIZE_READY). It sends long data when all members are ready: then any of them can also send again what another one sent first.
 *
 * A daemon that keeps to its `datagramBytes` answers probes and is never ready, so the others keep to theirs. A member that misses many
 * packets while long ones are in use, because pieces are lost or a queue on the way has room for a few of them only, withdraws its
 * SIZE_READY for a while (SIZE_WITHDRAWN). A path that stops passing them at all is found like any member that stops receiving
 * (ring-protocol.md, 3.5): the ring forms anew, and begins short.
 */

import type { NodeContext } from '../host/node-context.ts';
import { RingCounter } from '../host/ring-counters.ts';
import { nodeIndex } from '../wire/ids.ts';
import { DATA_HEADER_LENGTH } from '../wire/layout/data-packet.ts';
import { FLAG_ASKS, PacketType, type RingHeader } from '../wire/ring-header.ts';
import type { Emitter } from './emitter.ts';
import type { RingMembers } from './ring-members.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** After a ring is installed, for each of its members: probes of a large ring are spread, so that they overflow no buffer. */
const SPREAD_MS = 5;
/** Between two tries; after `TRIES` that were not answered by all, the path is taken to be short and tried seldom. */
const RETRY_MS = 250;
const TRIES = 6;
const SELDOM_MS = 60_000;
/** A member that misses more than this share of the packets, counted over this many, asks for short ones. */
const MISSED_SHARE = 0.2;
const MISSED_OF = 128;

export class PathSize {
  /** Most bytes of records in one DATA packet now, a multiple of 8. */
  recordBytes: number;
  nextDeadlineMs = NEVER;
  readonly #context: NodeContext;
  readonly #emitter: Emitter;
  readonly #longBytes: number;
  #ring: RingMembers | null = null;
  #tries = 0;
  /** By place in the ring: got a probe of this daemon; is ready itself. */
  #answered = new Uint8Array(0);
  #ready = new Uint8Array(0);
  #answersMissing = 0;
  #readyMissing = 0;
  /** Long ones were in use in this ring. */
  #wasLong = false;
  #isWithdrawn = false;
  #receivedBefore = 0;
  #missedBefore = 0;

  constructor(context: NodeContext, emitter: Emitter) {
    this.#context = context;
    this.#emitter = emitter;
    this.#longBytes = context.options.longDatagramBytes ?? 0;
    this.recordBytes = this.#recordRoom(context.options.datagramBytes);
    context.counters[RingCounter.DatagramBytes] = context.options.datagramBytes;
  }

  installed(ring: RingMembers): void {
    this.#ring = ring;
    this.#tries = 0;
    this.#answered = new Uint8Array(ring.size);
    this.#ready = new Uint8Array(ring.size);
    this.#answersMissing = ring.others.length;
    this.#readyMissing = ring.others.length;
    this.#wasLong = false;
    this.#isWithdrawn = false;
    this.#use(this.#context.options.datagramBytes);
    const tries = ring.size > 1 && this.#longBytes > this.#context.options.datagramBytes;
    this.nextDeadlineMs = tries ? this.#context.nowMs + SPREAD_MS * ring.size * (1 + this.#context.random()) : NEVER;
  }

  /** No ring is to be looked after until the next is installed. */
  stop(): void {
    this.#ring = null;
    this.nextDeadlineMs = NEVER;
  }

  tick(): void {
    const { nowMs } = this.#context;
    const ring = this.#ring;
    if (ring === null || nowMs < this.nextDeadlineMs) return;
    this.nextDeadlineMs = nowMs + this.#context.jitter(++this.#tries < TRIES ? RETRY_MS : SELDOM_MS);
    this.#isWithdrawn = false;
    if (this.#answersMissing > 0) this.#emitter.sizeProbe(ring.id, this.#longBytes, ring.others);
    else this.#emitter.toMembers(PacketType.SizeReady, FLAG_ASKS, ring.id, ring.others);
    // The others may be unchanged since this one withdrew its SIZE_READY.
    this.#decide();
  }

  /** To be called at visits of the token: looks at what this daemon has missed lately. */
  watch(): void {
    if (!this.#wasLong) return;
    const received = this.#context.counters[RingCounter.PacketsReceived]! - this.#receivedBefore;
    const missed = this.#missedSoFar - this.#missedBefore;
    if (received + missed < MISSED_OF) return;
    this.#beginWatch();
    if (missed > MISSED_SHARE * received) this.#withdraw();
  }

  /** What was asked for and did not come after all: on a busy machine many a packet is still in the socket when its token is handled. */
  get #missedSoFar(): number {
    const { counters } = this.#context;
    return counters[RingCounter.RequestsSent]! - counters[RingCounter.Duplicates]!;
  }

  #beginWatch(): void {
    this.#receivedBefore = this.#context.counters[RingCounter.PacketsReceived]!;
    this.#missedBefore = this.#missedSoFar;
  }

  /** Said again as long as it is true, since it may not have reached all. */
  #withdraw(): void {
    const ring = this.#ring!;
    this.#emitter.toMembers(PacketType.SizeWithdrawn, 0, ring.id, ring.others);
    if (this.#isWithdrawn) return;
    this.#isWithdrawn = true;
    this.#use(this.#context.options.datagramBytes);
    this.nextDeadlineMs = this.#context.nowMs + this.#context.jitter(SELDOM_MS);
  }

  /** SIZE_PROBE, SIZE_ACK, SIZE_READY or SIZE_WITHDRAWN of a member of this ring. */
  arrived(header: RingHeader): void {
    const ring = this.#ring;
    const place = ring?.placeOf(header.relay) ?? -1;
    if (ring === null || place < 0) {
      this.#context.counters[RingCounter.Stale]++;
      return;
    }
    const from = nodeIndex(header.relay);
    if (header.type === PacketType.SizeProbe) {
      this.#emitter.bare(PacketType.SizeAck, ring.id, from);
    } else if (header.type === PacketType.SizeAck) {
      if (this.#answered[place] === 1) return;
      this.#answered[place] = 1;
      if (--this.#answersMissing === 0) this.#becomeReady(ring);
    } else if (header.type === PacketType.SizeWithdrawn) {
      if (this.#ready[place] === 0) return;
      this.#ready[place] = 0;
      this.#readyMissing++;
      this.#use(this.#context.options.datagramBytes);
    } else {
      if ((header.flags & FLAG_ASKS) !== 0 && this.#isReady) this.#emitter.bare(PacketType.SizeReady, ring.id, from);
      if (this.#ready[place] === 1) return;
      this.#ready[place] = 1;
      this.#readyMissing--;
      this.#decide();
    }
  }

  get #isReady(): boolean {
    return this.#answersMissing === 0 && this.#longBytes > 0 && !this.#isWithdrawn;
  }

  #becomeReady(ring: RingMembers): void {
    this.#emitter.toMembers(PacketType.SizeReady, 0, ring.id, ring.others);
    this.#tries = 0;
    this.nextDeadlineMs = this.#context.nowMs + this.#context.jitter(RETRY_MS);
    this.#decide();
  }

  #decide(): void {
    if (!this.#isReady || this.#readyMissing > 0) return;
    this.nextDeadlineMs = NEVER;
    this.#wasLong = true;
    this.#beginWatch();
    this.#use(this.#longBytes);
  }

  #use(datagramBytes: number): void {
    this.recordBytes = this.#recordRoom(datagramBytes);
    this.#context.counters[RingCounter.DatagramBytes] = datagramBytes;
  }

  #recordRoom(datagramBytes: number): number {
    return (datagramBytes - DATA_HEADER_LENGTH - this.#context.sealer.trailerBytes) & ~7;
  }
}
