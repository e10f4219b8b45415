/**
 * Which runs of other daemons are believed. A run is its salt. It is proven when it answered a number that this run drew
 * (greeter.ts): so it goes on now, and what was recorded of runs that ended opens nothing.
 *
 * A run that is proven for the first time puts the others of its daemon back: they ended, or they prove themselves again. Two machines
 * with one id both can, and the ring sees both. What a run sealed before it was proven is refused from any sender.
 */
import { REPLAY_WINDOW, ReplayWindow } from './replay-window.ts';
import { RunKeys } from './run-keys.ts';
import type { RunIdentity } from './seal-cipher.ts';
import { epochOf, RUN_MARK_LENGTH } from './seal-trailer.ts';

/** Runs of one daemon that are remembered: one, or two machines with its id, and one more. */
export const MAX_RUNS = 3;

export class PeerRun implements RunIdentity {
  readonly node: number;
  readonly incarnation: number;
  readonly salt: Uint8Array;
  readonly window = new ReplayWindow();
  readonly keys = new RunKeys();
  /** Its datagrams are opened. */
  isProven = false;
  /** A key it may have been proven by was taken away: what its window says is not trusted. */
  isDoubted = false;

  constructor(node: number, incarnation: number, salt: Uint8Array) {
    this.node = node;
    this.incarnation = incarnation;
    this.salt = salt.slice();
  }
}

export class PeerRuns {
  /** By daemon, the last one proven first. */
  readonly #runs: PeerRun[][];

  constructor(nodeCount: number) {
    this.#runs = Array.from({ length: nodeCount }, () => []);
  }

  /** The run whose salt begins with the bytes at `at`; null when it is not remembered. */
  find(node: number, bytes: Uint8Array, at: number): PeerRun | null {
    const runs = this.#runs[node]!;
    for (let i = 0; i < runs.length; i++) {
      if (begins(runs[i]!.salt, bytes, at, RUN_MARK_LENGTH)) return runs[i]!;
    }
    return null;
  }

  isProven(node: number, incarnation: number, salt: Uint8Array): boolean {
    return this.#known(node, incarnation, salt)?.isProven === true;
  }

  /**
   * The run answered a question of now.
   * @param counter its last one: whatever it sealed before is refused from here on
   * @returns whether the run is new, which puts others of its daemon back
   */
  prove(node: number, incarnation: number, salt: Uint8Array, counter: number): boolean {
    const runs = this.#runs[node]!;
    const known = this.#known(node, incarnation, salt);
    if (known === undefined) {
      for (const other of runs) other.isProven = false;
      const run = new PeerRun(node, incarnation, salt);
      run.isProven = true;
      run.window.reset(counter);
      runs.unshift(run);
      runs.length = Math.min(runs.length, MAX_RUNS);
      return true;
    }
    const { window } = known;
    // A number so far ahead that everything of now would be refused: the holder of a removed key claimed it.
    const isPoisoned = known.isDoubted && counter <= window.highest - REPLAY_WINDOW;
    const isFarAhead = epochOf(counter) > epochOf(window.highest) + 1;
    if (isPoisoned || isFarAhead) window.reset(counter);
    // An answer that comes late has a lower number than what was opened meanwhile, and that must not be opened again.
    else if (known.isDoubted || !known.isProven) window.refuseUpTo(counter);
    known.isProven = true;
    known.isDoubted = false;
    return false;
  }

  /** The daemon was lost: its runs have to prove themselves again. */
  putBack(node: number): void {
    for (const run of this.#runs[node]!) run.isProven = false;
  }

  /** The cluster's keys are others now. @param isOneGone a holder of a removed key could have claimed anything about any run */
  keysChanged(isOneGone: boolean): void {
    for (const runs of this.#runs) {
      for (const run of runs) {
        run.keys.forget();
        run.isDoubted ||= isOneGone;
      }
    }
  }

  hasDoubted(node: number): boolean {
    return this.#runs[node]!.some((run) => run.isDoubted && run.isProven);
  }

  #known(node: number, incarnation: number, salt: Uint8Array): PeerRun | undefined {
    return this.#runs[node]!.find(
      (run) => run.incarnation === incarnation && begins(run.salt, salt, 0, run.salt.length),
    );
  }
}

function begins(salt: Uint8Array, bytes: Uint8Array, at: number, lengthBytes: number): boolean {
  for (let i = 0; i < lengthBytes; i++) if (salt[i] !== bytes[at + i]) return false;
  return true;
}
