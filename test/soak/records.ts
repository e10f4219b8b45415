/**
 * The compact form of a trace: 32-bit words, one log for what a session received and one for what it asked for. The logs
 * live for one epoch; driver threads hand them over by transferring the memory.
 */

/** What was received. The number behind each name is the record's length in words. */
export const Received = {
  /** [kind, serial of the sending session, its sequence number, hash of the frame] */
  Message: 1,
  /** [kind, group, memberId, time, index, cause, changed name, hash A and hash B of the member list, one vs set as it should be] */
  View: 2,
  /** [kind, group] */
  SelfLeave: 3,
  /** [kind, group, memberId, time, index] */
  Transition: 4,
  /** [kind, kind of frame]: nothing that a soak client is ever sent. */
  Stray: 5,
} as const;

export const RECEIVED_WORDS: readonly number[] = [0, 4, 10, 2, 5, 2];

/** What was asked for. */
export const Requested = {
  /** [kind, sequence number, type bits, hash, open (1) or not, number of targets, targets...]: group or -(1 + name) */
  Send: 1,
  /** [kind, group] */
  Join: 2,
  /** [kind, group] */
  Leave: 3,
} as const;

/** `end` of a session in the block of a trace. */
export const SESSION_ENDS = ['alive', 'closed', 'crashed', 'lost'] as const;
export type SessionEnd = (typeof SESSION_ENDS)[number];

/** Each session's block in a trace: these words, then the two logs. */
export const BLOCK_HEADER_WORDS = 7;
/** [serial, name, flags, end, words received, words requested, 0] */
export const BlockFlag = { Membership: 1, Started: 2 } as const;

export const VIEW_CAUSES = ['join', 'leave', 'disconnect', 'network'] as const;
export type ViewCause = (typeof VIEW_CAUSES)[number];

/** Two hashes of a member list as one exact number of 53 bits. */
export const listKey = (hashA: number, hashB: number): number => (hashA >>> 0) * 0x20_0000 + (hashB & 0x1f_ffff);

/** A growing log of words. */
export class WordLog {
  #words: Int32Array;
  length = 0;

  constructor(capacityWords = 256) {
    this.#words = new Int32Array(capacityWords);
  }

  push(word: number): void {
    if (this.length === this.#words.length) {
      const larger = new Int32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words[this.length++] = word;
  }

  copyTo(target: Int32Array, offset: number): void {
    target.set(this.#words.subarray(0, this.length), offset);
  }

  toArray(): Int32Array<ArrayBuffer> {
    return Int32Array.from(this.#words.subarray(0, this.length));
  }

  clear(): void {
    this.length = 0;
  }
}
