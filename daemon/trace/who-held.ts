/** Finds who held a probe back, from what the daemons remember. Pure: times are of the asked daemon's machine, milliseconds. */
import { plural } from '../../engine/plural.ts';
import type { FlightReport, Receivers } from '../../workers/watch/trace-reports.ts';
import type { Hold } from './trace-types.ts';

/** What is known of one daemon, its times moved to the clock of the asked one. */
export interface Witness {
  readonly name: string;
  /** Index in the configuration. */
  readonly node: number;
  readonly isPresent: boolean;
  /** Null: it did not tell. */
  readonly flight: FlightReport | null;
  readonly clockErrorMs: number;
  readonly deliveredAt: number | null;
  readonly receivers: Receivers | null;
}

export interface Evidence {
  readonly self: string;
  /** The ring was formed anew since it was asked for. */
  readonly isRingChanged: boolean;
  readonly isSafe: boolean;
  readonly askedAt: number;
  readonly submittedAt: number | null;
  readonly sequencedAt: number | null;
  readonly seq: number | null;
  readonly queuedBytes: number;
  readonly visits: number;
  readonly isDelivered: boolean;
  /** To whom the asked daemon passes the token; null: it is alone. */
  readonly next: string | null;
  /** Delivered here, or when it was given up. */
  readonly endAt: number;
  readonly witnesses: readonly Witness[];
}

/** Shorter ones are how a ring works. */
const NOTEWORTHY_MS = 5;
/** Bytes that wait for a receiver a moment long are no backlog. */
const BEHIND_MS = 100;

/** Longest first; the first one explains the delay. */
export function whoHeld(evidence: Evidence): readonly Hold[] {
  const holds = [
    ...submission(evidence),
    ...standstills(evidence),
    ...membership(evidence),
    ...silence(evidence),
    ...arus(evidence),
    ...token(evidence),
    ...notBack(evidence),
    ...delivery(evidence),
  ].filter(({ ms }) => ms >= NOTEWORTHY_MS);
  return [...explained(holds).sort((a, b) => b.ms - a.ms), ...receivers(evidence)];
}

/** A daemon that stood still also kept the token, and lowered the aru: one word for it is enough. */
function explained(holds: readonly Hold[]): Hold[] {
  const roots = holds.filter(({ cause }) => cause === 'standstill' || cause === 'membership');
  if (roots.length === 0) return [...holds];
  const most = Math.max(...roots.map(({ ms }) => ms));
  return holds.filter((hold) => {
    if (roots.includes(hold)) return true;
    const isEffect =
      hold.cause === 'token' || hold.cause === 'aru' || hold.cause === 'silent' || hold.cause === 'queue';
    return !isEffect || hold.ms > 1.5 * most;
  });
}

function submission({ self, askedAt, submittedAt, sequencedAt, queuedBytes, visits, endAt }: Evidence): Hold[] {
  const holds: Hold[] = [];
  if (submittedAt === null) {
    holds.push(
      hold(
        'submit',
        self,
        endAt - askedAt,
        'the queue of its clients to the ring has no room, or groups are exchanged',
      ),
    );
    return holds;
  }
  holds.push(
    hold(
      'submit',
      self,
      submittedAt - askedAt,
      'the queue of its clients to the ring had no room, or groups were exchanged',
    ),
  );
  if (sequencedAt !== null && (visits > 1 || queuedBytes > 0))
    holds.push(
      hold(
        'queue',
        self,
        sequencedAt - submittedAt,
        `${queuedBytes} ${plural(queuedBytes, 'byte')} ahead of it, which flow control let the ring take in ${visits} ${plural(visits, 'visit')} of the token`,
      ),
    );
  return holds;
}

const standstills = ({ witnesses, askedAt, endAt }: Evidence): Hold[] =>
  witnesses.flatMap((witness) => {
    const ms = stoodStill(witness, askedAt, endAt);
    return ms === 0
      ? []
      : [hold('standstill', witness.name, ms, 'the daemon did not run: it was stopped, or its machine was busy')];
  });

/** The longest standstill that overlaps the time of the probe. */
export function stoodStill({ flight, clockErrorMs }: Witness, fromAt: number, toAt: number): number {
  let most = 0;
  for (const { from, to } of flight?.standstills ?? [])
    if (from - clockErrorMs < toAt && to + clockErrorMs > fromAt)
      most = Math.max(most, to - Math.max(from, fromAt - clockErrorMs));
  return most;
}

function membership({ isRingChanged, witnesses, askedAt, endAt }: Evidence): Hold[] {
  if (!isRingChanged) return [];
  return witnesses
    .filter(({ isPresent }) => !isPresent)
    .map(({ name }) =>
      hold(
        'membership',
        name,
        endAt - askedAt,
        'the ring was formed anew without this daemon while the probe was on its way',
      ),
    );
}

const silence = ({ witnesses, askedAt, endAt, isDelivered, seq }: Evidence): Hold[] =>
  !isDelivered || seq === null
    ? []
    : witnesses
        .filter(({ flight, isPresent }) => flight === null && isPresent)
        .map(({ name }) => hold('silent', name, endAt - askedAt, 'the daemon is in the ring and does not tell of it'));

/** It is not delivered, and the token is away. */
function notBack({ isDelivered, next, self, witnesses, askedAt, endAt }: Evidence): Hold[] {
  if (isDelivered || next === null) return [];
  const last = witnesses.find(({ name }) => name === self)?.flight?.visits.at(-1)?.at ?? askedAt;
  const why = 'the token was passed on to this daemon and did not come back; it may be one behind it';
  return [hold('token', next, endAt - Math.max(last, askedAt), why)];
}

/** Whose word kept the aru below the packet, and for how long after the ring had it. */
function arus({ witnesses, seq, sequencedAt, isSafe }: Evidence): Hold[] {
  if (seq === null || sequencedAt === null || !isSafe) return [];
  const last = new Map<number, number>();
  for (const { flight } of witnesses)
    for (const visit of flight?.visits ?? [])
      if (visit.seq >= seq && visit.aru < seq) last.set(visit.holder, Math.max(last.get(visit.holder) ?? 0, visit.at));
  return [...last].flatMap(([holder, at]) => {
    const witness = witnesses.find(({ node }) => node === holder);
    if (witness === undefined) return [];
    return [
      hold(
        'aru',
        witness.name,
        at - sequencedAt,
        'it was the last to have everything up to the probe, and said so on the token',
      ),
    ];
  });
}

/** The longest way of the token from one daemon to the next, while the probe waited for it. */
function token({ witnesses, askedAt, endAt }: Evidence): Hold[] {
  const visits = witnesses
    .flatMap((witness) => (witness.flight?.visits ?? []).map((visit) => ({ ...visit, witness })))
    .sort((a, b) => a.hop - b.hop);
  let longest: Hold | null = null;
  for (let i = 1; i < visits.length; i++) {
    const before = visits[i - 1]!;
    const visit = visits[i]!;
    if (visit.hop !== before.hop + 1 || visit.at < askedAt || before.at > endAt) continue;
    const ms = visit.at - Math.max(before.at, askedAt);
    const errorMs = before.witness.clockErrorMs + visit.witness.clockErrorMs;
    if (ms <= errorMs || ms <= (longest?.ms ?? 0)) continue;
    longest = hold(
      'token',
      visit.witness.name,
      ms,
      `the token was on its way from ${before.witness.name} to it, or waited there`,
    );
  }
  return longest === null ? [] : [longest];
}

const delivery = ({ witnesses, isSafe }: Evidence): Hold[] =>
  witnesses.flatMap(({ name, flight, deliveredAt }) => {
    const readyAt = isSafe ? flight?.stableAt : flight?.receivedAt;
    if (readyAt === null || readyAt === undefined || deliveredAt === null) return [];
    return [
      hold(
        'delivery',
        name,
        deliveredAt - readyAt,
        'its delivery workers came to it late, or its ordered log was full',
      ),
    ];
  });

/** What waits for slow receivers waits behind the delivery, so it does not hold back the others. */
const receivers = ({ witnesses }: Evidence): Hold[] =>
  witnesses
    .flatMap(({ receivers: own }) => own?.slowest ?? [])
    .filter(({ behindMs }) => behindMs >= BEHIND_MS)
    .sort((a, b) => b.behindMs - a.behindMs)
    .map(({ name, behindMs, waitingBytes }) =>
      hold(
        'receiver',
        name,
        behindMs,
        `the client does not read: ${waitingBytes} ${plural(waitingBytes, 'byte')} for it ahead of the message`,
      ),
    );

const hold = (cause: Hold['cause'], who: string, ms: number, why: string): Hold => ({
  cause,
  who,
  ms: Math.round(ms * 100) / 100,
  why,
});
