/**
 * Finds sessions whose client's machine is gone without a word: no FIN, no RST, and nothing that answers. Keep-alive finds those
 * that nothing is sent to; here are the others, for which the kernel would retransmit for a quarter of an hour.
 *
 * A client that is only slow is not among them: its machine answers. What becomes of it is the slow-consumer policy's business.
 */
import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import {
  keepAliveEndsMs,
  readTcpTables,
  SilenceTracker,
  silenceLookMs,
  socketKey,
  TCP_TABLES,
} from '../../engine/wire/tcp-silence.ts';
import type { ClientSession } from './client-session.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';

/** Looks after the last write: the kernel repeats itself a little later. */
const LOOKS_AFTER_WRITES = 8;
const IS_LITTLE_ENDIAN = endianness() === 'LE';

export interface VanishedClientsOptions {
  readonly now: () => number;
  readonly vanished: (session: ClientSession) => void;
}

export class VanishedClients {
  readonly #settings: Live<Pick<DeliverySettings, 'clientTimeoutMs'>>;
  readonly #options: VanishedClientsOptions;
  readonly #sessions: ReadonlyMap<number, ClientSession>;
  readonly #tracker = new SilenceTracker();
  /** Keep-alive takes longer than the timeout, so it is watched as well. */
  #probes = false;
  #nextLookMs = Number.POSITIVE_INFINITY;
  #writesSeen = 0;
  #looksLeft = 0;
  #hasUnsent = false;
  #isLooking = false;

  constructor(
    settings: Live<Pick<DeliverySettings, 'clientTimeoutMs'>>,
    options: VanishedClientsOptions,
    sessions: ReadonlyMap<number, ClientSession>,
  ) {
    this.#settings = settings;
    this.#options = options;
    this.#sessions = sessions;
    this.timeoutChanged();
  }

  /** `clientTimeoutMs` is another one; 0: nobody is looked for. */
  timeoutChanged(): void {
    const { clientTimeoutMs } = this.#settings.current;
    this.#probes = keepAliveEndsMs(clientTimeoutMs) > clientTimeoutMs;
    const isOn = clientTimeoutMs > 0 && process.platform === 'linux';
    this.#nextLookMs = isOn ? this.#options.now() + silenceLookMs(clientTimeoutMs) : Number.POSITIVE_INFINITY;
    this.#looksLeft = LOOKS_AFTER_WRITES;
  }

  nextDeadlineMs(): number {
    return this.#nextLookMs;
  }

  /** @param writes made by this worker so far: without new ones none can be waited for */
  poll(nowMs: number, writes: number): void {
    if (nowMs < this.#nextLookMs) return;
    this.#nextLookMs = nowMs + silenceLookMs(this.#settings.current.clientTimeoutMs);
    this.#looksLeft = writes === this.#writesSeen ? this.#looksLeft - 1 : LOOKS_AFTER_WRITES;
    this.#writesSeen = writes;
    if (this.#isLooking || this.#sessions.size === 0) return;
    // Silent peers are among those with unsent bytes, but for idle ones that keep-alive probes.
    if (this.#looksLeft <= 0 && !this.#hasUnsent && !this.#probes) {
      this.#tracker.look(new Map(), nowMs);
      return;
    }
    this.#isLooking = true;
    void readTables().then((tables) => {
      this.#isLooking = false;
      this.#look(tables);
    });
  }

  #look(tables: readonly string[]): void {
    const { now, vanished } = this.#options;
    const { clientTimeoutMs } = this.#settings.current;
    if (clientTimeoutMs === 0) return;
    const nowMs = now();
    const { unanswered, hasUnsent } = readTcpTables(tables);
    this.#hasUnsent = hasUnsent;
    this.#tracker.look(unanswered, nowMs);
    if (this.#tracker.isEmpty) return;
    for (const session of [...this.#sessions.values()]) {
      if (session.state !== 'open') continue;
      const key = socketKey(session.transport.tcpEnds, IS_LITTLE_ENDIAN);
      if (key !== null && this.#tracker.isOver(key, clientTimeoutMs, nowMs)) vanished(session);
    }
  }
}

/** A table that cannot be read counts as empty: no session is ended on a guess. */
const readTables = (): Promise<readonly string[]> =>
  Promise.all(TCP_TABLES.map((table) => readFile(table, 'latin1').catch(() => '')));
