/**
 * Which TCP peers do not answer, by Linux's table of connections (/proc/net/tcp, /proc/net/tcp6).
 *
 * A peer whose machine is gone is not told from one that reads slowly by what a socket takes: neither takes anything. The kernel knows
 * better. To data in flight a living machine sends acknowledgements, and to the probes of a closed window and of
 * keep-alive it sends answers, however stuck its program is. The table counts, for each connection, how often the kernel repeated
 * itself without an answer, and begins anew with every answer.
 */
import { addressBytes } from './address-bytes.ts';

/** Where a line has what, from behind `sl: ` on, with both ends `endWidth` characters wide. */
const IPV4_END_WIDTH = 13;
const IPV6_END_WIDTH = 37;
const NUMBER_WIDTH = 8;
const stateAt = (endWidth: number): number => 2 * endWidth + 2;
const sendQueueAt = (endWidth: number): number => stateAt(endWidth) + 3;
const timerAt = (endWidth: number): number => sendQueueAt(endWidth) + 2 * NUMBER_WIDTH + 2;
const repeatsAt = (endWidth: number): number => timerAt(endWidth) + NUMBER_WIDTH + 4;

/** Timers, as digits: for data that is not acknowledged, for keep-alive, and for a closed window. */
const DATA_TIMER = '1';
const KEEP_ALIVE_TIMER = '2';
const WINDOW_TIMER = '4';
/** Ours is still open: ESTABLISHED, and CLOSE_WAIT when the peer has closed its side. */
const OPEN_STATES = ['01', '08'];
const NOTHING = '00000000';

export interface TcpTable {
  /** Connections that wait for an answer -> repeats without one. Keys are those of `connectionKey`. */
  readonly unanswered: ReadonlyMap<string, number>;
  /** Some open connection has bytes that its peer has not acknowledged. */
  readonly hasUnsent: boolean;
}

/** Where Linux has them; each may be missing. */
export const TCP_TABLES: readonly string[] = ['/proc/net/tcp', '/proc/net/tcp6'];

/** What several tables say together. */
export function readTcpTables(tables: readonly string[]): TcpTable {
  const unanswered = new Map<string, number>();
  let hasUnsent = false;
  for (const table of tables) hasUnsent = readTcpTable(table, unanswered) || hasUnsent;
  return { unanswered, hasUnsent };
}

/** Tables may be long, and most lines are irrelevant: those are not parsed. @returns `hasUnsent` */
function readTcpTable(table: string, unanswered: Map<string, number>): boolean {
  let hasUnsent = false;
  for (let line = table.indexOf('\n') + 1; line > 0; line = table.indexOf('\n', line) + 1) {
    const from = table.indexOf(': ', line) + 2;
    if (from < 2) break;
    const endWidth = table[from + IPV4_END_WIDTH] === ' ' ? IPV4_END_WIDTH : IPV6_END_WIDTH;
    const state = from + stateAt(endWidth);
    const timer = table[from + timerAt(endWidth) + 1];
    if (timer !== DATA_TIMER && timer !== KEEP_ALIVE_TIMER && timer !== WINDOW_TIMER) continue;
    if (!OPEN_STATES.includes(table.slice(state, state + 2))) continue;
    const sendQueue = from + sendQueueAt(endWidth);
    hasUnsent ||= table.slice(sendQueue, sendQueue + NUMBER_WIDTH) !== NOTHING;
    const repeatsFrom = from + repeatsAt(endWidth);
    const repeats = timer === DATA_TIMER ? ofData(table, repeatsFrom) : ofProbes(table, repeatsFrom);
    if (repeats > 0) unanswered.set(table.slice(from, from + 2 * endWidth + 1), repeats);
  }
  return hasUnsent;
}

const ofData = (table: string, from: number): number => Number.parseInt(table.slice(from, from + NUMBER_WIDTH), 16);

/** Behind the repeats of data and the user's id. */
function ofProbes(table: string, from: number): number {
  const [, , probes = '0'] = table.slice(from, from + 40).split(/ +/);
  return Number(probes);
}

export interface TcpEnd {
  /** As Node gives it: IPv4, IPv6, or IPv4 within IPv6. */
  readonly address: string;
  readonly port: number;
}

/** How the table names a connection. */
export const connectionKey = (local: TcpEnd, remote: TcpEnd, isLittleEndian: boolean): string =>
  `${endKey(local, isLittleEndian)} ${endKey(remote, isLittleEndian)}`;

/** A socket of Node; without addresses when it is a Unix socket, or closed. */
export interface SocketEnds {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** Its `connectionKey`; null when the table does not have it. */
export function socketKey(socket: SocketEnds, isLittleEndian: boolean): string | null {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  if (localAddress === undefined || localPort === undefined) return null;
  if (remoteAddress === undefined || remotePort === undefined) return null;
  const local = { address: localAddress, port: localPort };
  return connectionKey(local, { address: remoteAddress, port: remotePort }, isLittleEndian);
}

function endKey({ address, port }: TcpEnd, isLittleEndian: boolean): string {
  const bytes = addressBytes(address);
  let text = '';
  for (let word = 0; word < bytes.length; word += 4) {
    // The kernel prints words as its processor reads them.
    for (let i = 0; i < 4; i++) text += hex(bytes[word + (isLittleEndian ? 3 - i : i)]!, 2);
  }
  return `${text}:${hex(port, 4)}`;
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');

/** Times that a table is read within the time after which silence counts. */
const LOOKS = 8;

/** How often to look, for silence of `timeoutMs` to be noticed in about that time. */
export const silenceLookMs = (timeoutMs: number): number => timeoutMs / LOOKS;

interface Silence {
  readonly sinceMs: number;
  readonly repeats: number;
}

/** Follows connections from one reading to the next: silence counts only while there is no answer at all. */
export class SilenceTracker {
  #silences = new Map<string, Silence>();

  get isEmpty(): boolean {
    return this.#silences.size === 0;
  }

  look(unanswered: ReadonlyMap<string, number>, nowMs: number): void {
    const silences = new Map<string, Silence>();
    for (const [key, repeats] of unanswered) {
      const before = this.#silences.get(key);
      // A smaller count began anew: there was an answer.
      const goesOn = before !== undefined && repeats >= before.repeats;
      silences.set(key, { sinceMs: goesOn ? before.sinceMs : nowMs, repeats });
    }
    this.#silences = silences;
  }

  /** Whether the peer has not answered for `timeoutMs`: the look that found it first may have come a little late. */
  isOver(key: string, timeoutMs: number, nowMs: number): boolean {
    const silence = this.#silences.get(key);
    return silence !== undefined && nowMs - silence.sinceMs >= timeoutMs - silenceLookMs(timeoutMs);
  }
}

/** Probes, a second apart, after which libuv gives an idle connection up. */
const KEEP_ALIVE_PROBES_MS = 10_000;

/** After how long without a byte keep-alive is to begin, for an idle connection to be given up in about `timeoutMs`. */
export const keepAliveDelayMs = (timeoutMs: number): number => Math.max(1000, timeoutMs - KEEP_ALIVE_PROBES_MS);

/** When it does give it up. */
export const keepAliveEndsMs = (timeoutMs: number): number => keepAliveDelayMs(timeoutMs) + KEEP_ALIVE_PROBES_MS;

/** How the system says that it gave a peer up: time ran out, or the network said on the way that it cannot be reached. */
const SILENCE_ERRORS = ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'];

export const isSilenceError = (code: string | undefined): boolean =>
  code !== undefined && SILENCE_ERRORS.includes(code);
