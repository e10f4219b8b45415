/** One daemon with its clients: a witness, and walkers that join, leave, send, disconnect and reconnect at random. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Service } from '../../client/index.ts';
import type { Random } from '../simulation/core/random.ts';
import type { DaemonProcess } from './daemon-process.ts';
import { type ClientPlace, ObservedClient } from './observed-client.ts';
import type { ProcessRecord, RunRecord } from './run-record.ts';
import { isPassing, WITNESS_GROUP } from './trace-of-run.ts';

/** Groups of the walkers. Witnesses are in all of them, because an emptied group starts its ids again without its clients noticing. */
const GROUPS = ['g1', 'g2', 'g3', 'g4'];
const ORDERED: readonly Service[] = ['fifo', 'causal', 'agreed', 'agreed', 'agreed', 'safe'];
const ALL_SERVICES: readonly Service[] = ['unreliable', 'reliable', ...ORDERED];
const HANG_UP_CHANCE = 0.01;
const CHURN_CHANCE = 0.1;
const SELF_DISCARD_CHANCE = 0.1;
const LARGE_CHANCE = 0.05;
const SMALL_BYTES = 300;
const LARGE_BYTES = 12_000;

export interface StationOptions {
  readonly run: RunRecord;
  /** Place in the configuration, from 0. */
  readonly node: number;
  readonly daemon: DaemonProcess;
  readonly address: ClientPlace['address'];
  readonly walkers: number;
  /** Mean pause between two actions of a client. */
  readonly pauseMs: number;
  readonly random: Random;
}

export class Station {
  readonly options: StationOptions;
  witness: ObservedClient | null = null;
  walkers: ObservedClient[] = [];
  #process: ProcessRecord | null = null;
  #loops: Promise<void>[] = [];
  #isLoaded = false;

  constructor(options: StationOptions) {
    this.options = options;
  }

  get clients(): readonly ObservedClient[] {
    return this.witness === null ? [] : [this.witness, ...this.walkers];
  }

  /** Starts the daemon and connects its clients. */
  async up(): Promise<void> {
    const { run, node, daemon, walkers } = this.options;
    await daemon.start();
    this.#process = run.started(node);
    const { incarnation } = this.#process;
    const witness = await ObservedClient.connect(this.#place(), `w${incarnation}`, true);
    for (const group of [WITNESS_GROUP, ...GROUPS]) await witness.join(group);
    await witness.until(() => isInProperView(witness), 'a regular view of its group');
    this.witness = witness;
    this.walkers = await Promise.all(
      Array.from({ length: walkers }, (_, i) => ObservedClient.connect(this.#place(), `c${i}-${incarnation}`)),
    );
    if (this.#isLoaded) this.startLoad();
  }

  async kill(): Promise<void> {
    await this.#down('crashed', () => this.options.daemon.kill());
  }

  async stop(): Promise<void> {
    await this.#down('stopped', () => this.options.daemon.stop());
  }

  pause(): void {
    this.options.daemon.pause();
  }

  resume(): void {
    this.options.daemon.resume();
  }

  /** Every client sends, including those of a daemon that starts later. */
  startLoad(): void {
    this.#isLoaded = true;
    if (this.witness === null) return;
    this.#loops.push(this.#publish(this.witness, this.options.random.fork()));
    for (const i of this.walkers.keys()) this.#loops.push(this.#walk(i, this.options.random.fork()));
  }

  async stopLoad(): Promise<void> {
    this.#isLoaded = false;
    await Promise.all(this.#loops.splice(0));
  }

  async #down(end: 'crashed' | 'stopped', finish: () => Promise<void>): Promise<void> {
    const process = this.#process;
    if (process === null) return;
    this.#process = null;
    // Recorded before the end itself: the trace expects nothing of a process from this moment on.
    this.options.run.ended(process, end);
    await finish();
    this.witness = null;
    this.walkers = [];
    await Promise.all(this.#loops.splice(0));
  }

  #place(): ClientPlace {
    return { run: this.options.run, process: this.#process!, address: this.options.address };
  }

  async #publish(witness: ObservedClient, random: Random): Promise<void> {
    while (this.#isLoaded && !witness.ended) {
      for (let i = random.integer(1, 3); i > 0; i--)
        witness.multicast([WITNESS_GROUP], { service: random.pick(ORDERED), lengthBytes: lengthOf(random) });
      await delay(random.exponential(this.options.pauseMs));
    }
  }

  async #walk(index: number, random: Random): Promise<void> {
    const process = this.#process;
    const joined = new Set<string>();
    while (this.#isLoaded && process !== null && this.#process === process) {
      const walker = this.walkers[index];
      if (walker === undefined || walker.ended) return;
      try {
        if (random.chance(HANG_UP_CHANCE)) {
          await this.#reconnect(index, walker);
          joined.clear();
        } else await act(walker, joined, random);
      } catch {
        // Its daemon ended; the code that ended it adds that to the record.
        return;
      }
      await delay(random.exponential(this.options.pauseMs));
    }
  }

  async #reconnect(index: number, walker: ObservedClient): Promise<void> {
    walker.session.destroy();
    const name = walker.name.split('#')[1]!;
    const place = this.#place();
    const next = await ObservedClient.connect(place, name);
    if (this.#process === place.process) this.walkers[index] = next;
  }
}

/** In a view outside of transitional periods, so that the view of what it sends is known. */
function isInProperView(witness: ObservedClient): boolean {
  const last = witness.lastViewOf(WITNESS_GROUP);
  return last !== null && !isPassing(last);
}

const lengthOf = (random: Random): number =>
  random.chance(LARGE_CHANCE) ? random.integer(SMALL_BYTES, LARGE_BYTES) : random.integer(16, SMALL_BYTES);

async function act(walker: ObservedClient, joined: Set<string>, random: Random): Promise<void> {
  if (joined.size === 0 || random.chance(CHURN_CHANCE)) {
    const group = random.pick(GROUPS);
    const leaves = joined.delete(group);
    if (!leaves) joined.add(group);
    await (leaves ? walker.leave(group) : walker.join(group));
    return;
  }
  walker.multicast(random.sample(GROUPS, random.integer(1, 2)), {
    service: random.pick(ALL_SERVICES),
    lengthBytes: lengthOf(random),
    selfDiscard: random.chance(SELF_DISCARD_CHANCE),
  });
}
