/** One of two threads that wake each other in turn: takes the ball, passes it back, sleeps until it returns. */
import { parentPort, workerData } from 'node:worker_threads';
import { DoorbellRinger, DoorbellWaiter } from '../../../engine/buffers/doorbell.ts';
import { Random } from './random.ts';

export interface DoorbellThreadInput {
  readonly ball: SharedArrayBuffer;
  readonly own: SharedArrayBuffer;
  readonly other: SharedArrayBuffer;
  /** Whose turn it is when the ball is even (0) or odd (1). */
  readonly parity: 0 | 1;
  readonly rounds: number;
}

export interface DoorbellThreadResult {
  readonly sleeps: number;
  /** Sleeps that ended by themselves although the ball was there: wake-ups that were lost. */
  readonly lost: number;
}

const LONGEST_SLEEP_MS = 5000;

const { ball, own, other, parity, rounds } = workerData as DoorbellThreadInput;
const word = new Int32Array(ball);
const waiter = new DoorbellWaiter(own);
const ringer = new DoorbellRinger(other, null);
const random = new Random(parity + 1);
let sleeps = 0;
let lost = 0;
const isMine = (): boolean => (Atomics.load(word, 0) & 1) === parity;

const hasEnded = (): boolean => Atomics.load(word, 0) >= 2 * rounds;

while (lost === 0 && !hasEnded()) {
  if (!isMine()) {
    waiter.prepareToSleep();
    if (isMine()) {
      waiter.awake();
      continue;
    }
    sleeps++;
    const started = performance.now();
    waiter.block(LONGEST_SLEEP_MS);
    if (performance.now() - started >= LONGEST_SLEEP_MS && isMine()) lost++;
    continue;
  }
  // Delays of different lengths put the ring at every point of the other side's way to sleep.
  for (let spin = random.below(4) === 0 ? random.below(2000) : 0; spin > 0; spin--) Atomics.load(word, 0);
  Atomics.add(word, 0, 1);
  ringer.ring();
}
parentPort!.postMessage({ sleeps, lost } satisfies DoorbellThreadResult);
