/**
 * What one session sends takes effect in the order sent, at every daemon: messages of every service, joins, leaves, the disconnect.
 * The ring's order sees to that, except for RELIABLE and UNRELIABLE messages, which are delivered before their turn (ring-protocol.md,
 * 1.3 and 2.7; in Spread they overtake their own session). So the daemon that sends them says for each run which packet holds the session's
 * record before it (`RECORD_AFTER_OFFSET`), and a receiver delivers the packet early only when it has delivered those.
 *
 * Only the sender can say it: a receiver cannot know whether a packet that it lacks holds a record of the same session.
 *
 * A session that has sent nothing lately may be a new one with the name of one that ended, so it does not overtake the last disconnect
 * either: others would take it for the old one.
 */

import { RECORD_KIND_OFFSET, RECORD_LENGTH_OFFSET, RECORD_SESSION_OFFSET } from '../wire/layout/record-header.ts';
import { alignRecord, RECORD_AFTER_OFFSET, RecordKind } from '../wire/record.ts';
import { readU32, writeU32 } from '../wire/ring-bytes.ts';
import { PacketClass } from './packet-class.ts';

const FIRST_CAPACITY = 256;
/** Sequence numbers are above 0. */
const FREE = 0;

/** The last packet of each session of this daemon in the present ring, in a hash table that forgets what all have delivered. */
export class SentBySession {
  #sessions = new Uint32Array(FIRST_CAPACITY);
  /** By slot: sequence number of the packet with the session's last record, or FREE. */
  #lastSeqs = new Float64Array(FIRST_CAPACITY);
  #used = 0;
  #lastDisconnectSeq = FREE;

  /** A new ring: what was sent in the old one is delivered everywhere before anything of this one. */
  reset(): void {
    this.#lastSeqs.fill(FREE);
    this.#used = 0;
    this.#lastDisconnectSeq = FREE;
  }

  /** Slots of the table, for tests: it grows with the sessions that have sent lately, not with all there ever were. */
  get capacity(): number {
    return this.#lastSeqs.length;
  }

  /**
   * Packet `seq` is about to be sent: notes whose records are in it, and writes into those that may be delivered early what they
   * have to wait for.
   * @param settled every member has delivered all packets up to here, or will before it delivers anything early: what this
   * daemon knew to be stable a rotation ago
   */
  stamp(
    bytes: Uint8Array,
    offset: number,
    lengthBytes: number,
    packetClass: PacketClass,
    seq: number,
    settled: number,
  ): void {
    const end = offset + lengthBytes;
    for (let at = offset; at < end; at += alignRecord(readU32(bytes, at + RECORD_LENGTH_OFFSET))) {
      const kind = bytes[at + RECORD_KIND_OFFSET];
      if (kind >= RecordKind.Groups) continue;
      const before = this.#exchange(readU32(bytes, at + RECORD_SESSION_OFFSET), seq, settled);
      if (packetClass === PacketClass.Early) {
        writeU32(bytes, at + RECORD_AFTER_OFFSET, before > settled && before < seq ? seq - before : 0);
      } else if (kind === RecordKind.Disconnect) this.#lastDisconnectSeq = seq;
    }
  }

  /** @returns sequence number of the session's last packet before this one, or of the last disconnect when there is none that is known */
  #exchange(session: number, seq: number, settled: number): number {
    let slot = this.#find(session);
    const before = this.#lastSeqs[slot]!;
    if (before === FREE) {
      if (2 * (this.#used + 1) > this.#lastSeqs.length) {
        this.#makeRoom(settled);
        slot = this.#find(session);
      }
      this.#used++;
      this.#sessions[slot] = session;
    }
    this.#lastSeqs[slot] = seq;
    return before === FREE ? this.#lastDisconnectSeq : before;
  }

  /** @returns the session's slot, or the free one where it belongs */
  #find(session: number): number {
    const mask = this.#lastSeqs.length - 1;
    // The high bits of the product: handles are counted up, some in steps of a power of two.
    let slot = Math.imul(session, 0x9e3779b1) >>> (Math.clz32(mask + 1) + 1);
    while (this.#lastSeqs[slot] !== FREE && this.#sessions[slot] !== session) slot = (slot + 1) & mask;
    return slot;
  }

  /** Forgets sessions whose last packet is settled; twice the room when this is less than half of them. */
  #makeRoom(settled: number): void {
    const sessions = this.#sessions;
    const lastSeqs = this.#lastSeqs;
    let live = 0;
    for (const seq of lastSeqs) if (seq > settled) live++;
    const capacity = 4 * live > lastSeqs.length ? 2 * lastSeqs.length : lastSeqs.length;
    this.#sessions = new Uint32Array(capacity);
    this.#lastSeqs = new Float64Array(capacity);
    this.#used = live;
    for (let i = 0; i < lastSeqs.length; i++) {
      if (lastSeqs[i]! <= settled) continue;
      const slot = this.#find(sessions[i]!);
      this.#sessions[slot] = sessions[i]!;
      this.#lastSeqs[slot] = lastSeqs[i]!;
    }
  }
}
