/**
 * From the ordered log to the clients' sockets: walks the log, lists what each session is to receive, writes it, and looks after
 * sessions whose sockets do not take it. One for each delivery worker. It depends on sessions and their sockets, not on how they were
 * opened, so that the simulator runs the same.
 */
import type { ControlWords } from '../../engine/buffers/control-words.ts';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import type { LogPosition } from '../../engine/buffers/log-position.ts';
import type { ClientSession } from './client-session.ts';
import { dropNotice } from './drop-notice.ts';
import { KeptBytes } from './kept-bytes.ts';
import type { Live } from './live.ts';
import { type ConsumerSettings, LogConsumer } from './log-consumer.ts';
import type { NameTable } from './name-table.ts';
import type { QueueCap } from './queue-cap.ts';
import { SlowConsumers, type SlowReason } from './slow-consumers.ts';

export interface LogDeliveryEvents {
  /** The session has more waiting than the limits allow, is the slowest while all have too much, or keeps the log from going on. */
  tooSlow(session: ClientSession, waitingFrames: number, waitingBytes: number, reason: SlowReason): void;
  nameAccepted(session: ClientSession): void;
  nameRefused(session: ClientSession, code: number): void;
  /** The session's disconnect has been ordered; no entry of the log names it any more. */
  sessionEnded(session: ClientSession): void;
  clientsBlocked(blocked: boolean): void;
  /** Frames for a watched name. */
  heard?(bytes: Uint8Array, start: number, end: number): void;
  /** There is work again, from outside of `work`. */
  schedule(): void;
}

export class LogDelivery {
  /** What waits for slow sessions outside of the log. */
  readonly store: KeptBytes;
  /** Writes to sockets so far. */
  writeCount = 0;
  readonly #log: LogPosition;
  readonly #daemonName: string;
  readonly #counters: Float64Array;
  readonly #words: ControlWords;
  readonly #consumer: LogConsumer;
  readonly #slowConsumers: SlowConsumers;
  readonly #schedule: () => void;
  #dirty: ClientSession[] = [];
  #flushing: ClientSession[] = [];
  #logFullSeen = 0;
  /** When the duty cycle began. */
  #nowMs = 0;
  /** Term buffers of the log may have been given back outside of `work`. */
  #released = false;

  /**
   * @param sessions by handle, kept by the owner
   * @param counters the worker's own block
   * @param words show that the log is full
   * @param cap of all workers together
   */
  constructor(
    log: LogPosition,
    sessions: ReadonlyMap<number, ClientSession>,
    names: NameTable,
    daemonName: string,
    settings: Live<ConsumerSettings>,
    counters: Float64Array,
    words: ControlWords,
    cap: QueueCap,
    events: LogDeliveryEvents,
  ) {
    this.#log = log;
    this.#daemonName = daemonName;
    this.#counters = counters;
    this.#words = words;
    this.#schedule = () => events.schedule();
    this.store = new KeptBytes(log.shape.termBytes);
    this.#slowConsumers = new SlowConsumers(
      settings,
      counters,
      log,
      this.store,
      cap,
      (session, frames, bytes, reason) => events.tooSlow(session, frames, bytes, reason),
    );
    this.#consumer = new LogConsumer(log, sessions, names, settings, counters, {
      markDirty: (session) => this.markDirty(session),
      tooSlow: (session, frames, bytes) => events.tooSlow(session, frames, bytes, 'session'),
      nameAccepted: (session) => events.nameAccepted(session),
      nameRefused: (session, code) => events.nameRefused(session, code),
      sessionEnded: (session) => events.sessionEnded(session),
      clientsBlocked: (blocked) => events.clientsBlocked(blocked),
      heard: (bytes, start, end) => events.heard?.(bytes, start, end),
    });
  }

  /** Sessions that wait for their sockets. */
  get blockedCount(): number {
    return this.#slowConsumers.count;
  }

  /** Whether this many entries of the log, modulo 2^32, have been read. */
  hasReadTo(entries: number): boolean {
    return ((this.#log.head - entries) | 0) >= 0;
  }

  /**
   * One duty cycle: what is new in the log goes to the sockets, and what was read is given back.
   * @param nowMs for the time since when a session is behind; callers that do not need it omit it
   * @returns how much was done
   */
  work(nowMs = 0): number {
    this.#nowMs = nowMs;
    const released = this.#released ? 1 : 0;
    this.#released = false;
    const consumed = this.#consumer.consume();
    this.#slowConsumers.logAdvanced(this.#consumer.term);
    this.#relieveLog();
    const flushed = this.flush();
    this.#slowConsumers.enforceCap();
    if (consumed > 0) this.#log.finish();
    return consumed + flushed + released;
  }

  hasWork(): boolean {
    return this.#released || this.#log.hasMore() || this.#dirty.length > 0;
  }

  /** The session has something to be written. */
  markDirty(session: ClientSession): void {
    if (session.dirty) return;
    session.dirty = true;
    this.#dirty.push(session);
  }

  /** The session's socket has taken everything it was given. */
  unblocked(session: ClientSession): void {
    this.#slowConsumers.unblocked(session);
    if (session.droppedFrames > 0) {
      session.output.addOwned(dropNotice(session, this.#daemonName), 1);
      session.droppedFrames = 0;
    }
    this.markDirty(session);
    this.#schedule();
  }

  /** The session's socket is closed, and with it every use of the log's memory. */
  closed(session: ClientSession): void {
    session.receives = false;
    session.output.discard();
    this.#slowConsumers.unblocked(session);
    // The ring agent may be waiting for the term buffers that the write in flight held, and gets no other signal.
    this.#released = true;
    this.#schedule();
  }

  /** Writes what waits for the sessions. @returns how many had something */
  flush(): number {
    const flushing = this.#dirty;
    if (flushing.length === 0) return 0;
    this.#dirty = this.#flushing;
    this.#flushing = flushing;
    for (let i = 0; i < flushing.length; i++) {
      const session = flushing[i]!;
      session.dirty = false;
      if (session.state !== 'open') continue;
      const { output } = session;
      output.flush();
      this.writeCount += output.writes;
      this.#counters[DeliveryCounter.SocketWrites] = this.writeCount;
      this.#counters[DeliveryCounter.BytesSpilled]! += output.spilledBytes;
      output.writes = 0;
      output.spilledBytes = 0;
      session.lastSentMs = this.#nowMs;
      if (output.blocked) {
        if (session.behindSinceMs === 0) session.behindSinceMs = this.#nowMs;
        this.#slowConsumers.blocked(session);
      } else session.behindSinceMs = 0;
    }
    const work = flushing.length;
    flushing.length = 0;
    return work;
  }

  #relieveLog(): void {
    const logFull = this.#words.timesLogFull;
    if (logFull === this.#logFullSeen) return;
    this.#logFullSeen = logFull;
    this.#slowConsumers.logIsFull(this.#consumer.term, this.#log.shape.termBufferCount);
  }
}
