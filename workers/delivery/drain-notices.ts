/**
 * While the daemon drains: tells clients that can be told where else to go, a few at a time. Each client that moves causes a view at all
 * members of its groups when it leaves and another when it joins again, so what moving may cost is bounded in bytes of views a second.
 *
 * There is a random batch every tenth of a second, and all are told after 0.7 of the time, so that the last ones have time to move too.
 */
import type { ControlWords } from '../../engine/buffers/control-words.ts';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { encodeDrainNotice } from '../../engine/wire/drain-notice.ts';
import { changeFrameLength } from '../../engine/wire/membership-encode.ts';
import type { Log } from '../log.ts';
import type { ClientSession } from './client-session.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { DrainTarget } from './drain-target.ts';
import { addressFor } from './drain-target.ts';
import type { Live } from './live.ts';
import type { NameTable } from './name-table.ts';

const BATCH_MS = 100;
/** All are told within this part of the time. */
const TELL_PART = 0.7;
/** In one batch, of all workers together: each of them connects elsewhere at once. More only when time asks for it. */
const MAX_BATCH = 50;
/** A client that moves leaves each of its groups and joins it again. */
const VIEWS_PER_MOVE = 2;

export interface DrainNoticesParts {
  readonly workers: number;
  readonly daemonName: string;
  /** By handle. */
  readonly sessions: ReadonlyMap<number, ClientSession>;
  readonly names: NameTable;
  /** The other daemons of the configuration. */
  readonly targets: readonly DrainTarget[];
  /** Share of the worker. */
  readonly settings: Live<Pick<DeliverySettings, 'drainViewBytes'>>;
  /** They tell which members serve on. */
  readonly words: Pick<ControlWords, 'isServing'>;
  readonly counters: Float64Array;
  readonly logger: Log;
  readonly now: () => number;
  /** From 0 up to 1, exclusive. */
  readonly random: () => number;
  /** Something is to be written to the session. */
  readonly markDirty: (session: ClientSession) => void;
}

interface Waiting {
  readonly session: ClientSession;
  /** Bytes of views at each member of its groups. */
  readonly viewBytes: number;
}

export class DrainNotices {
  readonly #parts: DrainNoticesParts;
  #isMoving = false;
  #endMs = 0;
  #tellByMs = 0;
  #nextMs = Number.POSITIVE_INFINITY;
  /** Bytes of views that may be caused; below 0 after an expensive session. */
  #allowance = 0;
  /** In random order, the next at the end. */
  #waiting: Waiting[] = [];
  readonly #told = new Set<ClientSession>();
  /** What they were told last, as nodes. */
  #toldTargets = '';

  constructor(parts: DrainNoticesParts) {
    this.#parts = parts;
  }

  get isMoving(): boolean {
    return this.#isMoving;
  }

  /** @param timeMs until the connections of all clients are ended */
  begin(timeMs: number): void {
    const nowMs = this.#parts.now();
    this.#isMoving = true;
    this.#endMs = nowMs + timeMs;
    this.#tellByMs = nowMs + timeMs * TELL_PART;
    if (timeMs === 0) return;
    this.#waiting = this.#shuffledSessions();
    if (this.#waiting.length === 0) return;
    // The ring has delivered by then who else drains.
    this.#nextMs = nowMs + Math.min(BATCH_MS, timeMs * TELL_PART);
    this.#leaveOutWhatDoesNotFit(timeMs);
  }

  /** Nobody is told from here on. */
  end(): void {
    this.#tellChange(this.#parts.now(), this.#serving());
    this.#isMoving = false;
    this.#notTold(this.#waiting.length);
    this.#waiting = [];
    this.#nextMs = Number.POSITIVE_INFINITY;
  }

  nextDeadlineMs(): number {
    return this.#nextMs;
  }

  /** Sends a batch when it is time. @returns how many were told */
  poll(nowMs: number): number {
    if (nowMs < this.#nextMs) return 0;
    const serving = this.#serving();
    const toldAgain = this.#tellChange(nowMs, serving);
    const told = serving.length === 0 ? this.#tellAll(nowMs) : this.#tellBatch(nowMs, serving);
    this.#nextMs = this.#waiting.length + this.#told.size === 0 ? Number.POSITIVE_INFINITY : nowMs + BATCH_MS;
    return told + toldAgain;
  }

  /** Nobody is left to be told, and whoever was is gone, or has nowhere to go. */
  isDone(): boolean {
    if (this.#waiting.length > 0) return false;
    if (this.#serving().length === 0) return true;
    for (const session of this.#told) {
      if (session.state === 'open') return false;
      this.#told.delete(session);
    }
    return true;
  }

  #serving(): readonly DrainTarget[] {
    const { targets, words } = this.#parts;
    return targets.filter(({ node }) => words.isServing(node));
  }

  /** Other daemons drain too by now, or came: whoever was told and is still here learns it. */
  #tellChange(nowMs: number, serving: readonly DrainTarget[]): number {
    const nodes = serving.map(({ node }) => node).join(' ');
    const isChange = nodes !== this.#toldTargets;
    this.#toldTargets = nodes;
    if (!isChange) return 0;
    const told = [...this.#told].filter(({ state }) => state === 'open');
    for (const session of told) this.#tell(session, nowMs, serving);
    return told.length;
  }

  /** There is nowhere to go: all learn at once that this is the end. */
  #tellAll(nowMs: number): number {
    const waiting = this.#waiting.splice(0);
    for (const { session } of waiting) this.#tell(session, nowMs, []);
    return waiting.length;
  }

  #tellBatch(nowMs: number, serving: readonly DrainTarget[]): number {
    const batchesLeft = Math.max(1, Math.floor((this.#tellByMs - nowMs) / BATCH_MS) + 1);
    const needed = Math.ceil(this.#waiting.length / batchesLeft);
    const most = Math.max(needed, Math.ceil(MAX_BATCH / this.#parts.workers));
    this.#allowance = Math.min(this.#allowance, 0) + this.#bytesIn(BATCH_MS);
    let told = 0;
    while (told < most && this.#allowance > 0) {
      const next = this.#waiting.pop();
      if (next === undefined) break;
      if (next.session.state !== 'open') continue;
      this.#allowance -= next.viewBytes;
      this.#tell(next.session, nowMs, serving);
      told++;
    }
    if (nowMs >= this.#tellByMs && this.#waiting.length > 0) this.#notTold(this.#waiting.splice(0).length);
    return told;
  }

  #tell(session: ClientSession, nowMs: number, serving: readonly DrainTarget[]): void {
    if (session.state !== 'open') return;
    const { daemonName, counters, markDirty } = this.#parts;
    const addresses = this.#shuffled(serving.flatMap((target) => addressFor(target, session.transport.peer) ?? []));
    const frame = encodeDrainNotice(daemonName, { msLeft: serving.length === 0 ? 0 : this.#endMs - nowMs, addresses });
    session.output.addOwned(Buffer.from(frame.buffer), 1);
    if (!session.isToldToMove) counters[DeliveryCounter.NoticesSent]!++;
    session.isToldToMove = true;
    this.#told.add(session);
    markDirty(session);
  }

  /** More views than fit into the time are not caused: those who are not told stay until the end, which is one view for all of them. */
  #leaveOutWhatDoesNotFit(timeMs: number): void {
    const budget = this.#bytesIn(timeMs * TELL_PART);
    let viewBytes = 0;
    let fitting = 0;
    for (const waiting of this.#waiting.toReversed()) {
      if (viewBytes >= budget) break;
      viewBytes += waiting.viewBytes;
      fitting++;
    }
    const left = this.#waiting.splice(0, this.#waiting.length - fitting);
    if (left.length > 0) this.#notTold(left.length);
  }

  #notTold(sessions: number): void {
    if (sessions === 0) return;
    const { counters, logger, settings } = this.#parts;
    counters[DeliveryCounter.SessionsNotTold]! += sessions;
    logger.warn(
      { sessions, drainViewBytes: settings.current.drainViewBytes },
      'not all clients can be told to move: their views do not fit DrainTime, or it was cut short; they are served until the end',
    );
  }

  #bytesIn(ms: number): number {
    return (this.#parts.settings.current.drainViewBytes * ms) / 1000;
  }

  #shuffledSessions(): Waiting[] {
    const waiting: Waiting[] = [];
    for (const session of this.#parts.sessions.values())
      if (session.state === 'open' && session.takesNotices)
        waiting.push({ session, viewBytes: this.#viewBytes(session) });
    return this.#shuffled(waiting);
  }

  #viewBytes(session: ClientSession): number {
    let bytes = 0;
    for (const group of session.groups) bytes += VIEWS_PER_MOVE * changeFrameLength(this.#parts.names.sizeOf(group));
    return bytes;
  }

  /** Fisher and Yates. */
  #shuffled<Item>(items: readonly Item[]): Item[] {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = Math.floor(this.#parts.random() * (i + 1));
      [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
    }
    return shuffled;
  }
}
