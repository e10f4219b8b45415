/** Which sessions are slow consumers (docs/slow-consumers.md), and since when: what is not ended yet, and may be. */
import type { Inspection, SessionReport } from '../../workers/inspection.ts';
import type { EventLog } from './event-log.ts';
import type { SessionRates, SessionStatus } from './status-types.ts';

/** Something has been waiting for so long without a break … */
const BEHIND_MS = 1000;
/** … and it is so much, or such a part of a limit; */
const BEHIND_BYTES = 1024 * 1024;
const BEHIND_PART = 0.1;
/** or anything has been waiting for so long. */
const STUCK_MS = 10_000;

export interface SessionLimits {
  readonly maxSessionMessages: number;
  readonly maxSessionBytes: number;
}

export function isSlow({ behindMs, waitingBytes, waitingMessages }: SessionReport, limits: SessionLimits): boolean {
  if (behindMs >= STUCK_MS) return true;
  if (behindMs < BEHIND_MS) return false;
  return (
    waitingBytes >= BEHIND_BYTES ||
    waitingBytes >= BEHIND_PART * limits.maxSessionBytes ||
    waitingMessages >= BEHIND_PART * limits.maxSessionMessages
  );
}

interface Earlier {
  readonly report: SessionReport;
  readonly atMs: number;
  readonly rates: SessionRates | null;
}

/** Readings closer together than this give no rate. */
const RATE_MS = 500;

/** Keeps the last reading, for rates, and reports sessions that become slow and recover. */
export class SessionWatch {
  readonly #limits: () => SessionLimits;
  readonly #events: EventLog;
  #earlier: ReadonlyMap<string, Earlier> = new Map();
  #slow: ReadonlyMap<string, SessionReport> = new Map();
  #last: Inspection | null = null;
  #list: readonly SessionStatus[] = [];

  constructor(limits: () => SessionLimits, events: EventLog) {
    this.#limits = limits;
    this.#events = events;
  }

  get slowCount(): number {
    return this.#slow.size;
  }

  /** The sessions of an inspection; the same one twice is one look. */
  look(inspection: Inspection, nowMs: number): readonly SessionStatus[] {
    if (inspection === this.#last) return this.#list;
    this.#last = inspection;
    const limits = this.#limits();
    const earlier = this.#earlier;
    const now = new Map<string, Earlier>();
    const slow = new Map<string, SessionReport>();
    this.#list = inspection.sessions.map((report) => {
      const seen = isSame(earlier.get(report.name), report);
      const rates = seen === null ? null : nowMs - seen.atMs < RATE_MS ? seen.rates : ratesOf(seen, report, nowMs);
      now.set(report.name, { report, atMs: nowMs, rates });
      const isNowSlow = isSlow(report, limits);
      if (isNowSlow) slow.set(report.name, report);
      return { ...report, isSlow: isNowSlow, rates };
    });
    this.#earlier = now;
    this.#tell(slow, now);
    return this.#list;
  }

  #tell(slow: ReadonlyMap<string, SessionReport>, now: ReadonlyMap<string, Earlier>): void {
    for (const [name, { peer, waitingBytes }] of slow)
      if (!this.#slow.has(name)) this.#events.add({ kind: 'slow', session: name, peer, waitingBytes });
    for (const [name, { peer }] of this.#slow)
      if (!slow.has(name) && now.has(name)) this.#events.add({ kind: 'recovered', session: name, peer });
    this.#slow = slow;
  }
}

/** A name may belong to another connection by now, which has had less traffic. */
function isSame(earlier: Earlier | undefined, { peer, messagesIn, bytesOut }: SessionReport): Earlier | null {
  if (earlier === undefined || earlier.report.peer !== peer) return null;
  return earlier.report.messagesIn <= messagesIn && earlier.report.bytesOut <= bytesOut ? earlier : null;
}

function ratesOf({ report: before, atMs }: Earlier, report: SessionReport, nowMs: number): SessionRates {
  const seconds = (nowMs - atMs) / 1000;
  const rate = (key: keyof SessionRates): number => (report[key] - before[key]) / seconds;
  return {
    messagesIn: rate('messagesIn'),
    messagesOut: rate('messagesOut'),
    bytesIn: rate('bytesIn'),
    bytesOut: rate('bytesOut'),
  };
}
