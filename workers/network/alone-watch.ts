/**
 * Logs why a daemon of several is alone, as far as it can be known: it serves its clients and would look healthy otherwise. Also logs the
 * other side: a daemon that this one ignores.
 */
import {
  type CountersMemory,
  NetworkCounter,
  networkCounters,
  OrderingCounter,
  RING_NODE_COUNTERS,
  ringCounters,
  SEND_CAUSES,
} from '../../engine/buffers/counters.ts';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import { WHILE_MEMBER } from '../../engine/membership/incarnation-refusals.ts';
import { isNearEnd, MAX_CLOCK_SEQ } from '../../engine/ring/ring-seq-limits.ts';
import type { Log } from '../log.ts';
import { OnceAMinute } from '../once-a-minute.ts';

const LOOK_EVERY_MS = 500;
/** A daemon that starts, or was just left, may find the others in this time. */
const PATIENCE_MS = 10_000;
/** The same reasons are said again after this time; others at most once a minute. */
const REMIND_MS = 3_600_000;
const MIN_GAP_MS = 60_000;
const NEVER = Number.POSITIVE_INFINITY;
/** 2020: no machine that runs this has an earlier time, unless its clock is not set. */
const EARLIEST_CLOCK_SECONDS = 1_577_836_800;

export interface AloneWatchOptions {
  readonly daemonNames: readonly string[];
}

export interface AloneWatchLinks {
  readonly counters: CountersMemory;
  readonly logger: Log;
  /** Unix milliseconds. */
  readonly wallMs: () => number;
}

/** What counted up since the daemon was alone, by slot of the network agent. */
const HINTS: readonly (readonly [number, string])[] = [
  [NetworkCounter.OtherConfiguration, 'daemons with another configuration are ignored'],
  [NetworkCounter.OtherVersion, 'daemons that speak another version of the protocol are ignored'],
  [NetworkCounter.OtherSeal, 'sealed and unsealed traffic do not mix: ClusterKeyFile is set here or there only'],
  [NetworkCounter.IdentityConflicts, 'another machine runs as this daemon, or two machines run as one other daemon'],
];

export class AloneWatch {
  readonly #options: AloneWatchOptions;
  readonly #links: AloneWatchLinks;
  readonly #network: Float64Array;
  readonly #ring: Float64Array;
  /** Copies of both pages as they were when the daemon was alone first; null: it is not. */
  #since: { readonly atMs: number; readonly network: Float64Array; readonly ring: Float64Array } | null = null;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #said = '';
  #lookAtMs: number;
  readonly #warnings = new OnceAMinute();
  #ownRefusals = 0;
  #refusals = 0;
  #numbersRefused = 0;

  constructor(options: AloneWatchOptions, links: AloneWatchLinks) {
    this.#options = options;
    this.#links = links;
    this.#network = networkCounters(links.counters);
    this.#ring = ringCounters(links.counters);
    this.#lookAtMs = options.daemonNames.length > 1 ? 0 : NEVER;
  }

  get nextDeadlineMs(): number {
    return this.#lookAtMs;
  }

  tick(nowMs: number): void {
    if (nowMs < this.#lookAtMs) return;
    this.#lookAtMs = nowMs + LOOK_EVERY_MS;
    this.#lookAtRefusals(nowMs);
    if (this.#node(RingCounter.Members) !== 1) {
      if (this.#said !== '') this.#links.logger.info({}, 'this daemon is no longer alone');
      this.#said = '';
      this.#since = null;
      return;
    }
    this.#since ??= { atMs: nowMs, network: this.#network.slice(), ring: this.#ring.slice() };
    if (nowMs - this.#since.atMs < PATIENCE_MS || nowMs - this.#saidAtMs < MIN_GAP_MS) return;
    const reason = this.#reasons(this.#since.network, this.#since.ring).join('; ');
    if (reason === this.#said && nowMs - this.#saidAtMs < REMIND_MS) return;
    this.#said = reason;
    this.#saidAtMs = nowMs;
    const aloneSeconds = Math.round((nowMs - this.#since.atMs) / 1000);
    const unixSeconds = Math.round(this.#links.wallMs() / 1000);
    const fields = { aloneSeconds, unixSeconds, daemons: this.#options.daemonNames.length, reason };
    this.#links.logger.warn(fields, 'this daemon is alone, of several in its configuration');
  }

  /** Without numbers that rise, or every look would find a new reason. */
  #reasons(networkThen: Float64Array, ringThen: Float64Array): readonly string[] {
    const reasons: string[] = [];
    const grew = (slot: number): number => this.#network[slot]! - networkThen[slot]!;
    if (this.#network[NetworkCounter.Partitioned] === 1) reasons.push('a monitor has partitioned the network');
    if (
      this.#node(RingCounter.OwnIncarnationRefused) > ringThen[RING_NODE_COUNTERS + RingCounter.OwnIncarnationRefused]!
    )
      reasons.push('the others remember a later incarnation of this daemon');
    if (isNearEnd(this.#node(RingCounter.RingSeq)))
      reasons.push(
        'its ring sequence numbers are near their end: stop it and run "skein state repair" on its StateDir',
      );
    if (this.#node(RingCounter.NumbersRefused) > ringThen[RING_NODE_COUNTERS + RingCounter.NumbersRefused]!)
      reasons.push('the ring sequence numbers of others are near their end');
    for (const [slot, text] of HINTS) if (grew(slot) > 0) reasons.push(text);
    if (this.#ring[OrderingCounter.SealsRefused]! > ringThen[OrderingCounter.SealsRefused]!)
      reasons.push('datagrams arrive that our keys do not open');
    if (SEND_CAUSES.some((_, cause) => grew(NetworkCounter.SendsFailed + cause) > 0))
      reasons.push('datagrams could not be sent');
    if (grew(NetworkCounter.ReceiveErrors) > 0) reasons.push('the UDP sockets report errors');
    const clockSeconds = this.#links.wallMs() / 1000;
    if (!(clockSeconds > EARLIEST_CLOCK_SECONDS && clockSeconds < MAX_CLOCK_SEQ))
      reasons.push('the clock of this machine is wrong');
    if (grew(NetworkCounter.DatagramsReceived) > 0) {
      if (reasons.length === 0)
        reasons.push('others are heard, but no ring forms: perhaps datagrams pass in one direction only');
    } else if (reasons.length === 0) {
      reasons.push(
        'no other daemon is heard: none is running, or UDP is blocked on the port of the segment or the port above it',
      );
    }
    return reasons;
  }

  /** Both sides of an incarnation that is ignored, and numbers that are not followed. */
  #lookAtRefusals(nowMs: number): void {
    const own = this.#node(RingCounter.OwnIncarnationRefused);
    if (own !== this.#ownRefusals && this.#warnings.allows('own incarnation', nowMs)) this.#sayOwnRefusal();
    this.#ownRefusals = own;
    const refusals = this.#node(RingCounter.IncarnationsRefused);
    const node = this.#node(RingCounter.RefusedNode);
    if (refusals !== this.#refusals && this.#warnings.allows(`incarnation of ${node}`, nowMs)) {
      const fields = { peerName: this.#nameOf(node), ...waitFields(this.#node(RingCounter.RefusedWaitMs)) };
      this.#links.logger.warn(fields, `a daemon is ignored for now: a later incarnation of it is remembered. ${WHY}`);
    }
    this.#refusals = refusals;
    const numbers = this.#node(RingCounter.NumbersRefused);
    if (numbers !== this.#numbersRefused && this.#warnings.allows('numbers', nowMs)) {
      const fields = { peerName: this.#nameOf(this.#node(RingCounter.NumbersRefusedFrom)) };
      this.#links.logger.warn(
        fields,
        'a daemon is not followed: its ring sequence numbers are near their end, from a wrong clock or state file; stop it and run "skein state repair" on its StateDir',
      );
    }
    this.#numbersRefused = numbers;
  }

  #sayOwnRefusal(): void {
    const peerName = this.#nameOf(this.#node(RingCounter.OwnIncarnationRefusedBy));
    const laterIncarnation = this.#node(RingCounter.OwnIncarnationRefusedFor);
    const fields = { peerName, laterIncarnation, ...waitFields(this.#node(RingCounter.OwnIncarnationWaitMs)) };
    this.#links.logger.warn(
      fields,
      `this daemon is ignored for now: others remember a later incarnation of it. ${WHY}`,
    );
  }

  #node(counter: number): number {
    return this.#ring[RING_NODE_COUNTERS + counter]!;
  }

  #nameOf(node: number): string | null {
    return this.#options.daemonNames[node] ?? null;
  }
}

const WHY =
  'Its clock was set back and it has no StateDir, it is volatile, its state was restored from a copy, or another machine runs under its name. It is accepted once the later incarnation has been silent for waitMs; StateDir avoids the wait';

const waitFields = (waitMs: number): { readonly waitMs: number | null; readonly laterIncarnationIsMember: boolean } =>
  waitMs === WHILE_MEMBER
    ? { waitMs: null, laterIncarnationIsMember: true }
    : { waitMs, laterIncarnationIsMember: false };
