/** Runs a soak: the daemon, the driver threads, epoch after epoch of random work, each checked while the next one runs. */

import { setTimeout as delay } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { DaemonAddress } from '../../client/address.ts';
import { connect } from '../../client/index.ts';
import { type DaemonChild, type DaemonCounts, startDaemonChild } from './daemon-child.ts';
import { HistoryBuilder } from './history/history-builder.ts';
import { judgeMemory, type MemorySample, type MemoryVerdict, residentBytes } from './memory.ts';
import type { DriverCommand, DriverReply, DriverTask, EpochTrace } from './messages.ts';
import { soakShape } from './shape.ts';
import { Tally } from './tally.ts';

export interface SoakOptions {
  readonly clients: number;
  readonly groups: number;
  readonly minutes: number;
  readonly seed: number;
  readonly pace: number;
  readonly mode: 'auto' | 'dedicated' | 'shared-network' | 'shared' | 'inline';
  /** Daemons that run already, in the order of their configuration; none: one is started. */
  readonly attach: readonly DaemonAddress[];
  /** Of the process whose memory is watched, when attached. */
  readonly pid: number | null;
}

export interface SoakResult {
  readonly tally: Tally;
  readonly lengthMs: number;
  readonly threadingMode: string;
  readonly memory: MemoryVerdict | null;
  /** What the daemon said of itself while all were there, and when all had gone. */
  readonly counts: { readonly loaded: DaemonCounts | null; readonly rest: DaemonCounts | null } | null;
  /** Its log lines of level warn or worse. */
  readonly warnings: readonly string[];
  /** Its last log lines of any level. */
  readonly recentLog: readonly string[];
  /** Why the run ended early. */
  readonly failure: string | null;
}

const DRIVERS = 2;
const EPOCH_MS = 4_000;
const SAMPLE_MS = 1_000;
const WARM_UP_PART = 0.15;
const MAX_WARM_UP_MS = 90_000;
const REST_MS = 5_000;
/** Driver threads share two cores with the daemon; a stall of theirs must not look like a slow consumer, or one who never finishes. */
const MAX_SESSION_MESSAGES = 100_000;
const HANDSHAKE_TIMEOUT_MS = 60_000;

/** One driver thread, and its answers one at a time. */
class DriverLink {
  readonly #port: MessagePort;
  readonly #failed: Promise<never>;
  #waiting: ((reply: DriverReply) => void) | undefined;

  constructor(pool: Piscina, task: Omit<DriverTask, 'port'>) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    let fail: (error: Error) => void = () => undefined;
    this.#failed = new Promise((_, reject) => {
      fail = reject;
    });
    this.#failed.catch(() => undefined);
    port1.on('message', (reply: DriverReply) => {
      if (reply.kind === 'failed') fail(new Error(reply.reason));
      else this.#waiting?.(reply);
    });
    pool.run({ ...task, port: port2 }, { transferList: [port2] }).catch(fail);
  }

  async ask<Kind extends DriverReply['kind']>(
    command: DriverCommand,
    kind: Kind,
  ): Promise<Extract<DriverReply, { kind: Kind }>> {
    const answered = new Promise<DriverReply>((resolve) => {
      this.#waiting = resolve;
    });
    this.#port.postMessage(command);
    const reply = await Promise.race([answered, this.#failed]);
    if (reply.kind !== kind) throw new Error(`a driver answered ${reply.kind} to ${command.kind}`);
    return reply as Extract<DriverReply, { kind: Kind }>;
  }
}

/** A daemon's name is in the private name it gives. */
async function daemonNameAt(address: DaemonAddress): Promise<string> {
  const session = await connect({ address });
  await session.close();
  return session.privateName.slice(session.privateName.lastIndexOf('#') + 1);
}

class Soak {
  readonly #options: SoakOptions;
  readonly #progress: (text: string) => void;
  readonly #tally = new Tally();
  readonly #samples: MemorySample[] = [];
  #startMs = performance.now();

  constructor(options: SoakOptions, progress: (text: string) => void) {
    this.#options = options;
    this.#progress = progress;
  }

  async run(): Promise<SoakResult> {
    const { attach, mode } = this.#options;
    const daemon =
      attach.length > 0
        ? null
        : await startDaemonChild(new URL('../cli.js', import.meta.url), [
            '-o',
            `maxSessionMessages=${MAX_SESSION_MESSAGES}`,
            '-o',
            `handshakeTimeout=${HANDSHAKE_TIMEOUT_MS}`,
            ...(mode === 'auto' ? [] : ['--threading-mode', mode]),
          ]);
    try {
      const addresses = daemon === null ? attach : [{ host: '127.0.0.1', port: daemon.port }];
      return await this.#withDaemon(daemon, addresses);
    } finally {
      await daemon?.stop();
    }
  }

  async #withDaemon(daemon: DaemonChild | null, addresses: readonly DaemonAddress[]): Promise<SoakResult> {
    const { clients, groups, seed, pace } = this.#options;
    const daemonNames = await Promise.all(addresses.map(daemonNameAt));
    const pool = new Piscina({
      filename: new URL('./driver-task.js', import.meta.url).href,
      minThreads: DRIVERS,
      maxThreads: DRIVERS,
    });
    const links = Array.from(
      { length: DRIVERS },
      (_, driver) =>
        new DriverLink(pool, { driver, drivers: DRIVERS, addresses, daemonNames, clients, groups, seed, pace }),
    );
    const pid = daemon?.pid ?? this.#options.pid;
    const sampling = pid === null ? undefined : setInterval(() => this.#sample(pid), SAMPLE_MS);
    let failure: string | null = null;
    let loaded: DaemonCounts | null = null;
    let lengthMs = 0;
    try {
      await this.#epochs(links, addresses.length);
      lengthMs = performance.now() - this.#startMs;
      loaded = (await daemon?.counts()) ?? null;
      await Promise.all(links.map((link) => link.ask({ kind: 'disconnect' }, 'disconnected')));
    } catch (error) {
      lengthMs = performance.now() - this.#startMs;
      failure = daemon?.obituary ?? (error instanceof Error ? error.message : String(error));
    }
    clearInterval(sampling);
    if (failure === null) await delay(REST_MS);
    const memory = pid === null || daemon?.obituary ? null : this.#judge(pid, lengthMs);
    const rest = daemon === null || failure !== null ? null : await daemon.counts();
    await pool.destroy();
    return {
      tally: this.#tally,
      lengthMs,
      threadingMode: daemon?.threadingMode ?? 'attached',
      memory,
      counts: daemon === null ? null : { loaded, rest },
      warnings: daemon?.log.warnings ?? [],
      recentLog: daemon?.log.recent ?? [],
      failure,
    };
  }

  async #epochs(links: readonly DriverLink[], daemons: number): Promise<void> {
    const { clients, groups, minutes } = this.#options;
    const builder = new HistoryBuilder(soakShape(clients, groups), daemons);
    await Promise.all(links.map((link) => link.ask({ kind: 'connect' }, 'connected')));
    this.#startMs = performance.now();
    const lengthMs = minutes * 60_000;
    let traces: readonly EpochTrace[] = [];
    for (;;) {
      const leftMs = lengthMs - (performance.now() - this.#startMs);
      const running =
        leftMs <= 0 ? null : Promise.all(links.map((link) => link.ask({ kind: 'run', lengthMs: EPOCH_MS }, 'quiet')));
      running?.catch(() => undefined);
      if (traces.length > 0) this.#check(builder, traces);
      if (running === null) return;
      await running;
      traces = await Promise.all(links.map((link) => link.ask({ kind: 'flush' }, 'trace')));
    }
  }

  #check(builder: HistoryBuilder, traces: readonly EpochTrace[]): void {
    this.#tally.check(builder.next(traces));
    for (const { figures } of traces) this.#tally.add(figures);
    const seconds = (performance.now() - this.#startMs) / 1000;
    const { delivered, views } = this.#tally.traffic;
    const resident = this.#samples.at(-1)?.residentBytes ?? 0;
    this.#progress(
      `${seconds.toFixed(0)} of ${this.#options.minutes * 60} s: ${delivered} deliveries, ${views} views, ` +
        `${(resident / 1024 / 1024).toFixed(0)} MiB, ${this.#tally.violations} violations`,
    );
  }

  #sample(pid: number): void {
    try {
      this.#samples.push({ atMs: performance.now() - this.#startMs, residentBytes: residentBytes(pid) });
    } catch {
      // The process is gone; the clients notice.
    }
  }

  #judge(pid: number, lengthMs: number): MemoryVerdict {
    return judgeMemory(this.#samples, Math.min(lengthMs * WARM_UP_PART, MAX_WARM_UP_MS), residentBytes(pid));
  }
}

/** `progress` is called with a line of text after each epoch. Rejects only when no daemon could be started. */
export const runSoak = (options: SoakOptions, progress: (text: string) => void): Promise<SoakResult> =>
  new Soak(options, progress).run();
