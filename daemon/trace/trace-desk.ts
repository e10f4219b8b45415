/**
 * Traces for those who look at the daemon: tells what passes in a group, and sends probes, which pass the ring as the messages of clients do
 * and reach no client. A probe's daemon then asks the others, in the order of messages as well, what they remember of it. Clocks differ: that
 * of another daemon is compared by the question and its answer, and may be off by half of what that took.
 */
import { AGREED_MESS } from '../../engine/wire/service.ts';
import { hostClockMs } from '../../workers/watch/host-clock.ts';
import type { FlightReport, Receivers, TracedEvent } from '../../workers/watch/trace-reports.ts';
import type {
  HeardReport,
  ProbePacketReport,
  SubmittedReport,
  WatchOrder,
  WatchReport,
} from '../../workers/watch/watch-messages.ts';
import { type ClockOffset, PeerClocks } from './peer-clocks.ts';
import { readWord, type Tell } from './peer-words.ts';
import { SERVICE_BITS, serviceName } from './trace-services.ts';
import type { ProbeAtDaemon, ProbeResult, ServiceName, TraceEvent } from './trace-types.ts';
import { stoodStill, type Witness, whoHeld } from './who-held.ts';

/** The daemon as traces see it. */
export interface TracedDaemon {
  readonly name: string;
  /** Of the configuration, in its order. */
  readonly daemonNames: readonly string[];
  /** Names of those in the ring. */
  readonly present: () => readonly string[];
  /** Number of the present ring. */
  readonly ringSeq: () => number;
  readonly deliveryWorkers: number;
  readonly order: (role: 'ring' | number, order: WatchOrder) => void;
}

export interface ProbeWish {
  readonly group: string;
  readonly service: ServiceName;
  /** How long to wait for the probe to be delivered here. */
  readonly timeoutMs: number;
}

/** How long the other daemons may take to tell. */
const TELL_MS = 3000;
/** Looks at what has come. */
const LOOK_MS = 2;
/** Probes of other daemons that are remembered. */
const MAX_REMEMBERED = 256;

/** A probe as it came to the delivery workers of this daemon. */
interface Arrival {
  readonly at: number;
  readonly receivers: Receivers;
}

interface Answer {
  readonly heardAt: number;
  readonly tell: Tell;
}

export class TraceDesk {
  readonly #daemon: TracedDaemon;
  /** Of the last probes of all daemons, by daemon and id. */
  readonly #arrivals = new Map<string, readonly Arrival[]>();
  readonly #packets = new Map<number, ProbePacketReport>();
  readonly #submitted = new Map<number, SubmittedReport>();
  readonly #answers = new Map<number, Map<string, Answer>>();
  readonly #flights = new Map<number, (flight: FlightReport) => void>();
  readonly #clocks = new PeerClocks();
  #lastId = Date.now();
  #traceId = 0;
  #token = 0;
  #onTraced: ((events: readonly TraceEvent[]) => void) | null = null;
  /** One probe after the other. */
  #probing: Promise<unknown> = Promise.resolve();

  constructor(daemon: TracedDaemon) {
    this.#daemon = daemon;
  }

  /** Whether a group is traced: one at a time. */
  get isTracing(): boolean {
    return this.#onTraced !== null;
  }

  /** @returns how to end it */
  trace(group: string, hasData: boolean, onEvents: (events: readonly TraceEvent[]) => void): () => void {
    const id = ++this.#traceId;
    this.#onTraced = onEvents;
    this.#daemon.order('ring', { kind: 'trace', id, group, hasData });
    return () => {
      if (this.#traceId !== id) return;
      this.#onTraced = null;
      this.#daemon.order('ring', { kind: 'trace', id, group: null, hasData: false });
    };
  }

  probe(wish: ProbeWish): Promise<ProbeResult> {
    const done = this.#probing.then(() => this.#probe(wish));
    this.#probing = done.catch(() => undefined);
    return done;
  }

  /** What agents have for traces. */
  report(report: WatchReport): void {
    if (report.kind === 'heard') this.#heard(report);
    else if (report.kind === 'submitted') this.#submitted.set(report.token, report);
    else if (report.kind === 'probe-packet') this.#packets.set(report.id, report);
    else if (report.kind === 'flight') {
      this.#flights.get(report.token)?.(report.flight);
      this.#flights.delete(report.token);
    } else if (report.kind === 'traced' && report.id === this.#traceId) this.#traced(report.events, report.missed);
  }

  async #probe({ group, service, timeoutMs }: ProbeWish): Promise<ProbeResult> {
    const { name, deliveryWorkers } = this.#daemon;
    const id = ++this.#lastId;
    const askedAt = hostClockMs();
    const at = Date.now();
    const before = new Set(this.#daemon.present());
    const ringSeqBefore = this.#daemon.ringSeq();
    const text = JSON.stringify({ say: 'probe', id, group });
    this.#daemon.order('ring', { kind: 'probe', id, mark: `"say":"probe","id":${id},` });
    this.#submit(id, SERVICE_BITS[service], text);
    const key = keyOf(name, id);
    const isHere = (): boolean => (this.#arrivals.get(key)?.length ?? 0) >= deliveryWorkers;
    const isDelivered = await until(isHere, timeoutMs);
    const endAt = isDelivered ? Math.max(...this.#arrivals.get(key)!.map((arrival) => arrival.at)) : hostClockMs();
    const packet = this.#packets.get(id) ?? null;
    const witnesses = await this.#ask(id, packet, isDelivered, before);
    const submitted = this.#submitted.get(id) ?? null;
    this.#packets.delete(id);
    this.#submitted.delete(id);
    const isRingChanged = ringSeqBefore !== this.#daemon.ringSeq();
    const holds = whoHeld({
      self: name,
      isRingChanged,
      isSafe: service === 'safe',
      askedAt,
      submittedAt: submitted?.submittedAt ?? null,
      sequencedAt: packet?.at ?? null,
      seq: packet?.seq ?? null,
      queuedBytes: submitted?.queuedBytes ?? 0,
      visits: packet?.visits ?? 0,
      isDelivered,
      next: this.#next(),
      endAt,
      witnesses,
    });
    const since = (time: number | null | undefined): number | null =>
      time === null || time === undefined ? null : Math.round((time - askedAt) * 1000) / 1000;
    return {
      kind: 'probe',
      id,
      group,
      service,
      daemon: name,
      at,
      outcome: isDelivered ? 'delivered' : 'timeout',
      submittedMs: since(submitted?.submittedAt),
      sequencedMs: since(packet?.at),
      packet: packet === null ? null : { ringSeq: packet.ringSeq, seq: packet.seq },
      queuedBytes: submitted?.queuedBytes ?? null,
      tokenVisits: packet?.visits ?? null,
      daemons: witnesses.map((witness): ProbeAtDaemon => {
        const { flight } = witness;
        const isKnown = flight !== null;
        return {
          daemon: witness.name,
          answered: isKnown,
          clockErrorMs: isKnown ? Math.round(witness.clockErrorMs * 1000) / 1000 : null,
          receivedMs: since(flight?.receivedAt),
          stableMs: since(flight?.stableAt),
          orderedMs: since(flight?.deliveredAt ?? (packet === null ? witness.deliveredAt : null)),
          deliveredMs: since(witness.deliveredAt),
          receivers: witness.receivers,
          stoodStillMs: Math.round(stoodStill(witness, askedAt, endAt)),
        };
      }),
      holds,
      heldBy: holds[0] ?? null,
    };
  }

  /** What each daemon remembers of the probe, its times moved to this machine's clock. */
  async #ask(
    id: number,
    packet: ProbePacketReport | null,
    isDelivered: boolean,
    before: ReadonlySet<string>,
  ): Promise<readonly Witness[]> {
    const { name, daemonNames, present } = this.#daemon;
    const question = { ringSeq: packet?.ringSeq ?? 0, seq: packet?.seq ?? 0, fromHop: packet?.hopBefore ?? 0 };
    const answers = new Map<string, Answer>();
    this.#answers.set(id, answers);
    const askedAt = hostClockMs();
    const awaited = (): boolean => present().every((one) => one === name || answers.has(one));
    if (isDelivered && packet !== null) {
      this.#submit(id + 0.5, AGREED_MESS, JSON.stringify({ say: 'ask', id, ...question }));
      await until(awaited, TELL_MS);
      this.#submitted.delete(id + 0.5);
    }
    this.#answers.delete(id);
    const flight = await this.#flight(question);
    const here = new Set(present());
    return daemonNames.flatMap((daemon, node): readonly Witness[] => {
      const isPresent = here.has(daemon);
      if (daemon === name) return [{ name, node, isPresent, flight, clockErrorMs: 0, ...this.#arrival(name, id) }];
      const answer = answers.get(daemon);
      if (answer === undefined) {
        const unknown = { flight: null, clockErrorMs: 0, deliveredAt: null, receivers: null };
        // A daemon that was never there has nothing to do with it.
        return before.has(daemon) || isPresent ? [{ name: daemon, node, isPresent, ...unknown }] : [];
      }
      return [{ name: daemon, node, isPresent, ...moved(answer, this.#clocks.compare(daemon, askedAt, answer)) }];
    });
  }

  /** To whom this daemon passes the token. */
  #next(): string | null {
    const { name, daemonNames, present } = this.#daemon;
    const ring = daemonNames.filter((one) => present().includes(one));
    const next = ring[(ring.indexOf(name) + 1) % ring.length];
    return next === undefined || next === name ? null : next;
  }

  #arrival(daemon: string, id: number): { readonly deliveredAt: number | null; readonly receivers: Receivers | null } {
    const arrivals = this.#arrivals.get(keyOf(daemon, id)) ?? [];
    if (arrivals.length === 0) return { deliveredAt: null, receivers: null };
    const all = arrivals.map(({ receivers }) => receivers);
    return {
      deliveredAt: Math.max(...arrivals.map(({ at }) => at)),
      receivers: {
        count: all.reduce((sum, { count }) => sum + count, 0),
        waitingBytes: all.reduce((sum, { waitingBytes }) => sum + waitingBytes, 0),
        slowest: all
          .flatMap(({ slowest }) => slowest)
          .sort((a, b) => b.waitingBytes - a.waitingBytes)
          .slice(0, 3),
      },
    };
  }

  #heard(report: HeardReport): void {
    const word = readWord(report.text);
    const { name } = this.#daemon;
    if (word === null) return;
    if (word.say === 'probe') {
      if (report.receivers === null) return;
      const key = keyOf(report.from, word.id);
      const arrivals = this.#arrivals.get(key) ?? [];
      this.#arrivals.set(key, [...arrivals, { at: report.at, receivers: report.receivers }]);
      if (this.#arrivals.size > MAX_REMEMBERED) this.#arrivals.delete(this.#arrivals.keys().next().value!);
    } else if (word.say === 'ask') {
      if (report.from !== name) void this.#answer(report, word);
    } else if (word.to === name) this.#answers.get(word.id)?.set(report.from, { heardAt: report.at, tell: word });
  }

  async #answer(
    { from, at }: HeardReport,
    { id, ringSeq, seq, fromHop }: { readonly id: number } & Question,
  ): Promise<void> {
    const flight = await this.#flight({ ringSeq, seq, fromHop });
    const tell: Tell = {
      say: 'tell',
      id,
      to: from,
      heardAt: at,
      saidAt: hostClockMs(),
      ...(this.#arrival(from, id) as Pick<Tell, 'deliveredAt' | 'receivers'>),
      flight: flight as Tell['flight'],
    };
    this.#submit(0, AGREED_MESS, JSON.stringify(tell));
  }

  #flight(question: Question): Promise<FlightReport> {
    const token = ++this.#token;
    return new Promise((resolve) => {
      this.#flights.set(token, resolve);
      this.#daemon.order('ring', { kind: 'flight', token, ...question });
    });
  }

  #submit(token: number, service: number, text: string): void {
    this.#daemon.order(0, { kind: 'submit', token, service, text });
  }

  #traced(events: readonly TracedEvent[], missed: number): void {
    const toWallMs = Date.now() - hostClockMs();
    const told = events.map((event) => this.#named(event, toWallMs));
    this.#onTraced?.(missed === 0 ? told : [...told, { kind: 'missed', count: missed }]);
  }

  #named(event: TracedEvent, toWallMs: number): TraceEvent {
    const { daemonNames } = this.#daemon;
    const { at, record, ringSeq } = event;
    const place = { at: Math.round((at + toWallMs) * 1000) / 1000, position: { ringSeq, record } };
    if (event.kind === 'network') {
      const { kind, members, membersBefore } = event;
      return { kind, ...place, members, membersBefore };
    }
    const daemon = daemonNames[event.origin] ?? String(event.origin);
    if (event.kind === 'message') {
      const { kind, sender, service, type, bytes, targets, data } = event;
      return { kind, ...place, daemon, sender, service: serviceName(service), type, bytes, targets, data };
    }
    const { kind, member, members } = event;
    return { kind, ...place, daemon, member, members };
  }
}

interface Question {
  readonly ringSeq: number;
  readonly seq: number;
  readonly fromHop: number;
}

const keyOf = (daemon: string, id: number): string => `${daemon} ${id}`;

/** The times of another daemon by this machine's clock. */
function moved(
  { tell }: Answer,
  { offsetMs, errorMs }: ClockOffset,
): Pick<Witness, 'flight' | 'clockErrorMs' | 'deliveredAt' | 'receivers'> {
  const move = (time: number | null): number | null => (time === null ? null : time - offsetMs);
  const { flight, deliveredAt, receivers } = tell;
  return {
    clockErrorMs: errorMs,
    deliveredAt: move(deliveredAt),
    receivers,
    flight: {
      ringSeq: flight.ringSeq,
      receivedAt: move(flight.receivedAt),
      stableAt: move(flight.stableAt),
      deliveredAt: move(flight.deliveredAt),
      visits: flight.visits.map((visit) => ({ ...visit, at: visit.at - offsetMs })),
      standstills: flight.standstills.map(({ from, to }) => ({ from: from - offsetMs, to: to - offsetMs })),
    },
  };
}

async function until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const endAt = hostClockMs() + timeoutMs;
  while (!condition()) {
    if (hostClockMs() >= endAt) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}
