/**
 * Words by which agents steer each other, beside the queues and the log. Counters report and decide nothing (counters.ts); what another
 * agent acts on is here, and is read and written as atomics.
 *
 * | word | writer | reader |
 * |---|---|---|
 * | sessions | ring agent | delivery agents: whether another session may come |
 * | times the log was full | ring agent | delivery agents: whether writes in flight have to let go of it |
 * | members of the ring that serve on, a bit for each node index | ring agent | delivery agents: where clients of a daemon that drains can go |
 * | bytes that wait for clients, by worker | that worker | delivery agents: the cap over all of them |
 * | bytes that wait for its slowest client, by worker | that worker | delivery agents: who ends one |
 */

const SESSIONS = 0;
const LOG_FULL = 1;
/** Words of 32 bits, for at most 128 daemons. */
const SERVING = 2;
const SERVING_WORDS = 4;
const WORKERS = SERVING + SERVING_WORDS;
const WORDS_PER_WORKER = 2;
const QUEUED = 0;
const WORST = 1;
/** Bytes are told in steps, rounded up, so that a word holds any amount of memory. */
const STEP_BYTES = 64;
const MOST_STEPS = 0xffff_ffff;

export const createControlWords = (deliveryWorkers: number): SharedArrayBuffer =>
  new SharedArrayBuffer(4 * (WORKERS + WORDS_PER_WORKER * deliveryWorkers));

const stepsOf = (bytes: number): number => Math.min(MOST_STEPS, Math.ceil(bytes / STEP_BYTES));

export class ControlWords {
  readonly #words: Uint32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Uint32Array(memory);
  }

  get sessions(): number {
    return Atomics.load(this.#words, SESSIONS);
  }

  tellSessions(sessions: number): void {
    Atomics.store(this.#words, SESSIONS, sessions);
  }

  /** Modulo 2^32; only whether it changed means anything. */
  get timesLogFull(): number {
    return Atomics.load(this.#words, LOG_FULL);
  }

  logIsFull(): void {
    Atomics.add(this.#words, LOG_FULL, 1);
  }

  /** The node is a member of the ring, and does not drain. */
  isServing(node: number): boolean {
    return ((Atomics.load(this.#words, SERVING + (node >>> 5)) >>> (node & 31)) & 1) === 1;
  }

  tellServing(nodes: readonly number[]): void {
    const bits = new Uint32Array(SERVING_WORDS);
    for (const node of nodes) bits[node >>> 5]! |= 1 << (node & 31);
    for (let i = 0; i < SERVING_WORDS; i++) Atomics.store(this.#words, SERVING + i, bits[i]!);
  }

  tellQueued(worker: number, bytes: number): void {
    Atomics.store(this.#words, wordOf(worker, QUEUED), stepsOf(bytes));
  }

  /** Of all workers, in steps of 64 bytes each, rounded up. */
  get queuedBytes(): number {
    let steps = 0;
    for (let at = wordOf(0, QUEUED); at < this.#words.length; at += WORDS_PER_WORKER)
      steps += Atomics.load(this.#words, at);
    return steps * STEP_BYTES;
  }

  tellWorst(worker: number, bytes: number): void {
    Atomics.store(this.#words, wordOf(worker, WORST), stepsOf(bytes));
  }

  /** Whether no worker told of more, in steps of 64 bytes. */
  isWorst(bytes: number): boolean {
    const steps = stepsOf(bytes);
    for (let at = wordOf(0, WORST); at < this.#words.length; at += WORDS_PER_WORKER)
      if (Atomics.load(this.#words, at) > steps) return false;
    return true;
  }
}

const wordOf = (worker: number, word: number): number => WORKERS + worker * WORDS_PER_WORKER + word;
