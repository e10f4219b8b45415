/**
 * Notices daemons whose machine is gone without a word, while something is on its way to them: keep-alive does so for idle connections,
 * and the kernel alone would retransmit for a quarter of an hour. One look at the table of connections serves all sessions
 * of the program. Linux only; elsewhere the system decides.
 */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { endianness } from 'node:os';
import {
  keepAliveEndsMs,
  readTcpTables,
  SilenceTracker,
  silenceLookMs,
  socketKey,
  TCP_TABLES,
} from '../engine/wire/tcp-silence.ts';

const IS_LITTLE_ENDIAN = endianness() === 'LE';

interface Watched {
  readonly socket: Socket;
  readonly timeoutMs: number;
  readonly vanished: () => void;
  bytesRead: number;
  bytesWritten: number;
  /** It wrote something, and has heard nothing since. */
  waits: boolean;
}

class DaemonWatch {
  readonly #watched = new Set<Watched>();
  #tracker = new SilenceTracker();
  #timer: NodeJS.Timeout | undefined;
  #everyMs = Number.POSITIVE_INFINITY;
  #isLooking = false;

  /** Calls `vanished` when the peer of this connection has not answered for `timeoutMs`. Ends with the socket. */
  add(socket: Socket, timeoutMs: number, vanished: () => void): void {
    if (process.platform !== 'linux' || socket.destroyed) return;
    const watched: Watched = { socket, timeoutMs, vanished, bytesRead: 0, bytesWritten: 0, waits: true };
    this.#watched.add(watched);
    socket.once('close', () => {
      this.#watched.delete(watched);
      this.#setTimer();
    });
    this.#setTimer();
  }

  #setTimer(): void {
    let everyMs = Number.POSITIVE_INFINITY;
    for (const { timeoutMs } of this.#watched) everyMs = Math.min(everyMs, silenceLookMs(timeoutMs));
    if (everyMs === this.#everyMs) return;
    clearInterval(this.#timer);
    this.#everyMs = everyMs;
    if (everyMs === Number.POSITIVE_INFINITY) this.#tracker = new SilenceTracker();
    else this.#timer = setInterval(() => this.#tick(), everyMs).unref();
  }

  #tick(): void {
    let isNeeded = false;
    for (const watched of this.#watched) {
      const { socket, timeoutMs } = watched;
      // What is read was sent by a living machine; what is written waits for its answer from then on.
      if (socket.bytesRead !== watched.bytesRead) watched.waits = false;
      if (socket.bytesWritten !== watched.bytesWritten) watched.waits = true;
      watched.bytesRead = socket.bytesRead;
      watched.bytesWritten = socket.bytesWritten;
      isNeeded ||= watched.waits || keepAliveEndsMs(timeoutMs) > timeoutMs;
    }
    if (!isNeeded) this.#tracker = new SilenceTracker();
    if (!isNeeded || this.#isLooking) return;
    this.#isLooking = true;
    void Promise.all(TCP_TABLES.map((table) => readFile(table, 'latin1').catch(() => ''))).then((tables) => {
      this.#isLooking = false;
      this.#look(tables);
    });
  }

  #look(tables: readonly string[]): void {
    const nowMs = performance.now();
    this.#tracker.look(readTcpTables(tables).unanswered, nowMs);
    if (this.#tracker.isEmpty) return;
    for (const { socket, timeoutMs, vanished } of [...this.#watched]) {
      const key = socketKey(socket, IS_LITTLE_ENDIAN);
      if (key !== null && this.#tracker.isOver(key, timeoutMs, nowMs)) vanished();
    }
  }
}

/** For all sessions of this program. */
export const daemonWatch = new DaemonWatch();
