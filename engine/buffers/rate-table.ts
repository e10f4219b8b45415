/**
 * Limits that the delivery workers of a daemon keep together, in shared memory: for each user and address how many sessions it has, and a
 * token bucket each for messages and bytes. Sessions are few and come and go under a lock; buckets are used without one, so that no worker
 * waits for another, and what one worker takes from a bucket is missing to all.
 *
 * A bucket holds the tokens of one second, and is full at first. Taking may leave it in debt, which is paid before anything else passes.
 *
 * Layout, in words of 32 bits:
 *
 *     header   lock, entries ever used, first free entry, (unused)
 *     heads    HEADS x first entry of those with this hash
 *     entries  capacity x ENTRY_WORDS
 *
 * Entries are numbered from 1; 0 is none. Levels of messages are in thousandths, levels of bytes in bytes. Times are milliseconds of a
 * clock that all workers share, modulo 2^32.
 */
const LOCK = 0;
const USED = 1;
const FREE = 2;
const HEADS_AT = 4;
const HEADS = 4096;
const ENTRIES_AT = HEADS_AT + HEADS;

const KEY_1 = 0;
const KEY_2 = 1;
const NEXT = 2;
const SESSIONS = 3;
/** When it lost its last session. */
const IDLE_SINCE = 4;
const MESSAGES = 5;
const BYTES = 7;
const ENTRY_WORDS = 9;
/** Of a bucket, from its place in the entry. */
const LEVEL = 0;
const FILLED_AT = 1;

/** Nobody has so much debt, and no level overflows. */
const DEEPEST = -1_000_000_000;
/** An entry without sessions is kept for so long, so that nobody gets a full bucket by connecting again. */
const KEEP_MS = 60_000;
/** A clock that is further back than this has gone round. */
const CLOCK_SKEW_MS = 60_000;
const MILLI = 1000;

/** A second; 0: no limit. */
export interface Rates {
  readonly messages: number;
  readonly bytes: number;
}

export const FULL = -1;

/** @param maxSessions each has two entries at most, and some are kept behind them */
export const createRateTable = (maxSessions: number): SharedArrayBuffer =>
  new SharedArrayBuffer((ENTRIES_AT + (2 * maxSessions + 1025) * ENTRY_WORDS) * 4);

/** A reload may allow more sessions than a table was made for; memory that is not touched costs nothing. */
export const FEWEST_TABLE_SESSIONS = 65_536;

export class RateTable {
  readonly #words: Int32Array;
  readonly #capacity: number;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#capacity = Math.floor((this.#words.length - ENTRIES_AT) / ENTRY_WORDS) - 1;
  }

  /**
   * Counts a session in.
   * @param key1 with `key2` what the sessions have in common, hashed
   * @param maxSessions 0: any number
   * @returns its entry, or `FULL`; 0 when so many have one that there is no room, and then it is not limited
   */
  acquire(key1: number, key2: number, maxSessions: number, rates: Rates, nowMs: number): number {
    const words = this.#words;
    this.#lock();
    try {
      let entry = this.#find(key1, key2);
      if (entry === 0) entry = this.#add(key1, key2, rates, nowMs);
      if (entry === 0) return 0;
      const at = this.#at(entry);
      if (maxSessions > 0 && words[at + SESSIONS]! >= maxSessions) return FULL;
      words[at + SESSIONS]!++;
      return entry;
    } finally {
      this.#unlock();
    }
  }

  release(entry: number, nowMs: number): void {
    const at = this.#at(entry);
    this.#lock();
    if (--this.#words[at + SESSIONS]! === 0) this.#words[at + IDLE_SINCE] = nowMs;
    this.#unlock();
  }

  sessions(entry: number): number {
    return this.#words[this.#at(entry) + SESSIONS]!;
  }

  /** Messages that may pass now; below 1: none. @param rate a second */
  messages(entry: number, rate: number, nowMs: number): number {
    return this.#level(this.#at(entry) + MESSAGES, rate * MILLI, rate, 1, nowMs) / MILLI;
  }

  /** Bytes that may pass now; below 1: none. @param rate a second */
  bytes(entry: number, rate: number, nowMs: number): number {
    // Parts of a byte are lost at each filling: few of them, when a filling has a thousand bytes.
    const stepMs = Math.ceil((MILLI * MILLI) / rate);
    return this.#level(this.#at(entry) + BYTES, rate, rate / MILLI, stepMs, nowMs);
  }

  takeMessages(entry: number, count: number): void {
    this.#take(this.#at(entry) + MESSAGES, count * MILLI);
  }

  takeBytes(entry: number, count: number): void {
    this.#take(this.#at(entry) + BYTES, count);
  }

  #level(bucket: number, burst: number, perMs: number, stepMs: number, nowMs: number): number {
    const words = this.#words;
    const filledAt = Atomics.load(words, bucket + FILLED_AT);
    const now = nowMs | 0;
    let passedMs = (now - filledAt) | 0;
    if (passedMs < -CLOCK_SKEW_MS) passedMs = 2 ** 31;
    // One of the workers fills; the others see what it adds.
    if (passedMs >= stepMs && Atomics.compareExchange(words, bucket + FILLED_AT, filledAt, now) === filledAt) {
      const more = Math.floor(passedMs * perMs);
      for (let level = Atomics.load(words, bucket + LEVEL); level !== burst; ) {
        const found = Atomics.compareExchange(words, bucket + LEVEL, level, Math.min(burst, level + more));
        if (found === level) break;
        level = found;
      }
    }
    return Atomics.load(words, bucket + LEVEL);
  }

  #take(bucket: number, tokens: number): void {
    if (Atomics.load(this.#words, bucket + LEVEL) > DEEPEST) Atomics.sub(this.#words, bucket + LEVEL, tokens);
  }

  #at(entry: number): number {
    return ENTRIES_AT + entry * ENTRY_WORDS;
  }

  #head(key1: number): number {
    return HEADS_AT + ((key1 >>> 0) % HEADS);
  }

  #find(key1: number, key2: number): number {
    const words = this.#words;
    for (let entry = words[this.#head(key1)]!; entry !== 0; entry = words[this.#at(entry) + NEXT]!) {
      const at = this.#at(entry);
      if (words[at + KEY_1] === (key1 | 0) && words[at + KEY_2] === (key2 | 0)) return entry;
    }
    return 0;
  }

  #add(key1: number, key2: number, rates: Rates, nowMs: number): number {
    const words = this.#words;
    if (words[FREE] === 0 && words[USED] === this.#capacity) this.#sweep(nowMs);
    let entry = words[FREE]!;
    if (entry !== 0) words[FREE] = words[this.#at(entry) + NEXT]!;
    else if (words[USED]! < this.#capacity) entry = ++words[USED]!;
    else return 0;
    const at = this.#at(entry);
    const head = this.#head(key1);
    words[at + KEY_1] = key1;
    words[at + KEY_2] = key2;
    words[at + NEXT] = words[head]!;
    words[at + SESSIONS] = 0;
    words[at + IDLE_SINCE] = nowMs;
    words[at + MESSAGES + LEVEL] = rates.messages * MILLI;
    words[at + BYTES + LEVEL] = rates.bytes;
    for (const bucket of [MESSAGES, BYTES]) words[at + bucket + FILLED_AT] = nowMs;
    words[head] = entry;
    return entry;
  }

  /** Takes entries without sessions back: those that are old, and all of them when none is. */
  #sweep(nowMs: number): void {
    const isOld = (at: number): boolean => ((nowMs - this.#words[at + IDLE_SINCE]!) | 0) > KEEP_MS;
    if (this.#unlink(isOld) === 0) this.#unlink(() => true);
  }

  /** @returns how many entries are free now */
  #unlink(isOver: (at: number) => boolean): number {
    const words = this.#words;
    let count = 0;
    for (let head = HEADS_AT; head < ENTRIES_AT; head++) {
      for (let link = head; words[link] !== 0; ) {
        const entry = words[link]!;
        const at = this.#at(entry);
        if (words[at + SESSIONS]! > 0 || !isOver(at)) {
          link = at + NEXT;
          continue;
        }
        words[link] = words[at + NEXT]!;
        words[at + NEXT] = words[FREE]!;
        words[FREE] = entry;
        count++;
      }
    }
    return count;
  }

  /** Held for a few instructions, or for one sweep. */
  #lock(): void {
    while (Atomics.compareExchange(this.#words, LOCK, 0, 1) !== 0) Atomics.wait(this.#words, LOCK, 1, 1);
  }

  #unlock(): void {
    Atomics.store(this.#words, LOCK, 0);
    Atomics.notify(this.#words, LOCK, 1);
  }
}
