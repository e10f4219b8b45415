/** An attacker without a key who records all datagrams of the daemons and can replay them to anyone. */
import { type Random, randomFor } from '../core/random.ts';
import type { ReplayMode } from '../scenario/scenario.ts';

const MOST_PER_RUN = 3_000;
/** Of these, the latest: what receivers have not forgotten yet. */
const LATEST = 200;

/** One datagram as it was sent. */
interface Tapped {
  readonly bytes: Uint8Array;
  /** Node that sent it, and its receivers. */
  readonly from: number;
  readonly to: readonly number[];
}

export interface Replay {
  readonly bytes: Uint8Array;
  readonly to: readonly number[];
}

export class Wiretap {
  readonly #random: Random;
  /** By process. */
  readonly #runs: Tapped[][] = [];

  constructor(seed: number) {
    this.#random = randomFor(seed, 'wiretap');
  }

  heard(process: number, from: number, to: readonly number[], bytes: Uint8Array): void {
    this.#runs[process] ??= [];
    const run = this.#runs[process];
    if (run.length < MOST_PER_RUN) run.push({ bytes, from, to });
    else run[this.#random.integer(MOST_PER_RUN / 2, MOST_PER_RUN - 1)] = { bytes, from, to };
  }

  /**
   * @param isOver whether the process has ended
   * @returns null when there is nothing of the kind yet
   */
  replay(mode: ReplayMode, nodeCount: number, isOver: (process: number) => boolean): Replay | null {
    const random = this.#random;
    const wantsOver = mode === 'earlier-incarnation';
    const runs = this.#runs.filter((run, process) => run !== undefined && isOver(process) === wantsOver);
    if (runs.length === 0) return null;
    const run = random.pick(runs);
    const isLate = random.chance(0.5);
    const { bytes, from, to } = random.pick(isLate ? run.slice(-LATEST) : run);
    const all = Array.from({ length: nodeCount }, (_, node) => node);
    if (mode === 'to-sender') return { bytes, to: [from] };
    if (mode === 'reflected') return { bytes, to: all.filter((node) => !to.includes(node) && node !== from) };
    return { bytes, to: random.chance(0.5) ? to : all };
  }
}
