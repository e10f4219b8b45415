/**
 * The delivery agent: owns client connections. Takes what clients send to the ring agent, and what is ordered to the clients. Each
 * part of that is a class in `delivery/`; here they are put together and take turns.
 */
import type { ControlWords } from '../engine/buffers/control-words.ts';
import { DeliveryCounter } from '../engine/buffers/counters.ts';
import type { DoorbellRinger } from '../engine/buffers/doorbell.ts';
import type { LogPosition } from '../engine/buffers/log-position.ts';
import { nameWords } from '../engine/wire/name-hash.ts';
import type { Agent } from './agent.ts';
import type { DaemonEvent } from './daemon-event.ts';
import { AccessControl } from './delivery/access-control.ts';
import { Authenticator } from './delivery/authenticator.ts';
import type {
  BoundAddress,
  ClientListener,
  ConnectionHost,
  ListenAddress,
  ListenerOptions,
} from './delivery/client-listener.ts';
import type { ClientSession } from './delivery/client-session.ts';
import { keepAliveOf } from './delivery/client-transport.ts';
import { type DeliverySettings, shareOfWorker } from './delivery/delivery-settings.ts';
import { Departures } from './delivery/departures.ts';
import { DrainNotices } from './delivery/drain-notices.ts';
import type { DrainTarget } from './delivery/drain-target.ts';
import { EndReports } from './delivery/end-reports.ts';
import { Farewell } from './delivery/farewell.ts';
import { HANDSHAKE_READ_BYTES, Handshakes } from './delivery/handshakes.ts';
import { Intake } from './delivery/intake.ts';
import { LiveValue } from './delivery/live.ts';
import { LogDelivery } from './delivery/log-delivery.ts';
import { MonitorRequests } from './delivery/monitor-requests.ts';
import { NameTable } from './delivery/name-table.ts';
import { PasswordChecker } from './delivery/password-checker.ts';
import { QueueCap } from './delivery/queue-cap.ts';
import { ReadBuffers } from './delivery/read-buffers.ts';
import { RecentEnds } from './delivery/recent-ends.ts';
import { Reception } from './delivery/reception.ts';
import { RefusalLog } from './delivery/refusal-log.ts';
import { RightsReview, takesAway } from './delivery/rights-review.ts';
import { ScramCredentials } from './delivery/scram-credentials.ts';
import { SessionEnds } from './delivery/session-ends.ts';
import { type ReceiverParts, SessionReceiver } from './delivery/session-receiver.ts';
import { reportSessions } from './delivery/session-reports.ts';
import { SubmitPort } from './delivery/submit-port.ts';
import { TracePort } from './delivery/trace-port.ts';
import { VanishedClients } from './delivery/vanished-clients.ts';
import { NOTHING_TO_REPORT, type ThreadInspection } from './inspection.ts';
import type { Log } from './log.ts';
import type { SettingsSnapshot } from './settings/settings-snapshot.ts';
import type { WatchOrder, WatchReport } from './watch/watch-messages.ts';

/** All connections of a worker read into one buffer of this size: what one read brings is handled before the next. */
const READ_BUFFER_BYTES = 128 * 1024;

/** What does not change while the daemon runs. */
export interface DeliveryOptions {
  readonly worker: number;
  readonly workers: number;
  readonly daemonName: string;
  /** The other daemons of the configuration, as clients can reach them. */
  readonly drainTargets: readonly DrainTarget[];
}

export interface DeliveryLinks {
  /** The worker's own position. */
  readonly log: LogPosition;
  readonly submit: SharedArrayBuffer;
  readonly requests: SharedArrayBuffer;
  readonly ringDoorbell: DoorbellRinger;
  readonly counters: Float64Array;
  /** Limits of users and addresses, which the workers share. */
  readonly rates: SharedArrayBuffer;
  /** The clock of `rates`, the same in all threads; left out: `now`. */
  readonly sharedNow?: () => number;
  readonly words: ControlWords;
  readonly logger: Log;
  /** What an operator follows. */
  readonly tell: (event: DaemonEvent) => void;
  /** What those who look at the daemon need. */
  readonly report: (report: WatchReport) => void;
  /** Where clients come from: TCP and Unix sockets, and whatever else there is. */
  readonly createListener: (host: ConnectionHost) => ClientListener;
  /** Asks the thread to run a duty cycle soon: a connection brought work. */
  readonly schedule: () => void;
  readonly now: () => number;
}

export class DeliveryAgent implements Agent {
  readonly name: string;
  readonly counters: Float64Array;
  readonly #options: DeliveryOptions;
  readonly #links: DeliveryLinks;
  readonly #settings: LiveValue<DeliverySettings>;
  readonly #sessions = new Map<number, ClientSession>();
  readonly #names = new NameTable();
  readonly #port: SubmitPort;
  readonly #refusals: RefusalLog;
  readonly #departures: Departures;
  readonly #farewell: Farewell;
  readonly #monitor: MonitorRequests;
  readonly #notices: DrainNotices;
  readonly #trace: TracePort;
  readonly #intake: Intake;
  readonly #handshakes: Handshakes;
  readonly #delivery: LogDelivery;
  readonly #ends: SessionEnds;
  readonly #recent = new RecentEnds();
  readonly #vanished: VanishedClients;
  readonly #reception: Reception;
  readonly #review: RightsReview;
  readonly #listener: ClientListener;
  /** The present step of a stop is one of the ring agent. */
  #isMeeting = false;

  /** @param settings of the whole daemon */
  constructor(options: DeliveryOptions, settings: DeliverySettings, links: DeliveryLinks) {
    const { counters, logger, now, schedule } = links;
    this.name = `delivery-${options.worker}`;
    this.counters = counters;
    this.#options = options;
    this.#links = links;
    this.#settings = new LiveValue(shareOfWorker(settings, options.workers));
    this.#port = new SubmitPort(links.submit, links.requests);
    this.#refusals = new RefusalLog(logger);
    this.#departures = new Departures(this.#sessions, this.#names, this.#port, counters, schedule);
    this.#farewell = new Farewell(this.#sessions, counters, logger, now);
    this.#monitor = this.#createMonitor();
    this.#trace = new TracePort({
      worker: options.worker,
      daemonName: options.daemonName,
      names: this.#names,
      port: this.#port,
      isBlocked: () => this.#intake.isBlocked,
      now: () => links.now(),
      report: links.report,
    });
    this.#intake = this.#createIntake();
    this.#handshakes = this.#createHandshakes();
    this.#delivery = this.#createDelivery();
    this.#notices = this.#createNotices();
    this.#ends = new SessionEnds({
      handshakes: this.#handshakes,
      intake: this.#intake,
      delivery: this.#delivery,
      departures: this.#departures,
      farewell: this.#farewell,
      reports: new EndReports(this.#settings, counters, logger),
      refusals: this.#refusals,
      recent: this.#recent,
      counters,
      logger,
      tell: links.tell,
      now,
      schedule,
    });
    const vanished = (session: ClientSession): void => this.#ends.vanished(session);
    this.#vanished = new VanishedClients(this.#settings, { now, vanished }, this.#sessions);
    this.#review = new RightsReview(this.#settings, this.#sessions, {
      port: this.#port,
      counters,
      logger,
      now,
      end: (session, reason) => this.#ends.revoked(session, reason),
    });
    this.#reception = this.#createReception();
    this.#listener = links.createListener(this.#reception);
  }

  listen(address: ListenAddress, options: ListenerOptions): Promise<BoundAddress> {
    return this.#listener.listen(address, options);
  }

  /**
   * @returns goes by these settings, of the whole daemon, from the next duty cycle on; it cannot fail
   * @throws when a listener cannot use them
   */
  prepare({ delivery }: Pick<SettingsSnapshot, 'delivery'>): () => void {
    const before = this.#settings.current;
    const settings = Object.freeze(shareOfWorker(delivery, this.#options.workers));
    this.#listener.checkSettings(settings);
    return () => {
      this.#settings.replace(settings);
      this.#listener.settingsChanged();
      this.#intake.rates.settingsChanged();
      if (settings.clientTimeoutMs !== before.clientTimeoutMs) {
        this.#vanished.timeoutChanged();
        for (const { transport } of this.#sessions.values()) transport.keepAlive(keepAliveOf(settings.clientTimeoutMs));
      }
      if (takesAway(before, settings)) this.#review.begin();
      this.#links.schedule();
    };
  }

  /** Of the thread that started the daemon. */
  order(order: WatchOrder): void {
    if (order.kind === 'monitor-answer') this.#monitor.answer(order);
    else if (order.kind === 'submit') this.#trace.submit(order);
    this.#links.schedule();
  }

  doWork(nowMs: number): number {
    let work = this.#handshakes.poll(nowMs);
    this.#refusals.poll(nowMs);
    this.#vanished.poll(nowMs, this.#delivery.writeCount + this.#reception.acceptedCount);
    work += this.#review.poll();
    work += this.#departures.poll();
    work += this.#notices.poll(nowMs);
    work += this.#intake.resume(nowMs);
    work += this.#trace.poll();
    work += this.#delivery.work(nowMs);
    if (this.#farewell.isHangingUp) this.#farewell.sayGoodbye(this.#delivery);
    if (this.#port.publish()) work++;
    // Records for the ring agent, or room in the log that it may be waiting for.
    if (work > 0) this.#links.ringDoorbell.ring();
    return work;
  }

  /** Walks over all sessions: for operators who look, not for duty cycles. */
  inspect(): ThreadInspection {
    const { sessions, sessionCount } = reportSessions(this.#sessions.values(), this.#options.worker, this.#links.now());
    return { ...NOTHING_TO_REPORT, sessions, sessionCount, ended: this.#recent.list() };
  }

  nextDeadlineMs(): number {
    return Math.min(
      this.#handshakes.nextDeadlineMs(),
      this.#vanished.nextDeadlineMs(),
      this.#notices.nextDeadlineMs(),
      this.#intake.rates.nextDeadlineMs(this.#links.now()),
    );
  }

  hasWork(): boolean {
    return this.#delivery.hasWork();
  }

  /** Clients that are here are served on, and those that understand it are told to move. */
  move(timeMs: number): void {
    this.#acceptNobody();
    this.#notices.begin(timeMs);
  }

  /** Clients that are here are served on: what they have sent is taken, and what comes of it is delivered. */
  drain(): void {
    if (this.#notices.isMoving) this.#notices.end();
    else this.#acceptNobody();
    this.#farewell.begin();
    this.#intake.rates.lift();
  }

  hangUp(): void {
    this.#isMeeting = false;
    this.#farewell.hangUp(this.#links.log.tail);
  }

  /** The ring agent sees to it. Clients are served on meanwhile. */
  meet(): void {
    this.#isMeeting = true;
  }

  /** Then what was submitted is ordered and in the log, and hanging up delivers the log. */
  drained(): boolean {
    if (this.#notices.isMoving) return this.#notices.isDone();
    if (!this.#farewell.isStopping) return false;
    if (this.#isMeeting) return true;
    if (this.#farewell.isHangingUp && this.#delivery.blockedCount > 0) return false;
    return this.#farewell.isDone() && this.#intake.isIdle && this.#port.isEmpty();
  }

  close(): void {
    this.#listener.close();
    this.#handshakes.close();
    this.#farewell.tellWhatIsLost();
    for (const session of this.#sessions.values()) session.transport.destroy();
  }

  #acceptNobody(): void {
    this.#listener.close();
    this.#reception.close('the daemon drains');
  }

  #createNotices(): DrainNotices {
    const { counters, logger, now, words } = this.#links;
    const { daemonName, drainTargets, workers } = this.#options;
    return new DrainNotices({
      workers,
      daemonName,
      sessions: this.#sessions,
      names: this.#names,
      targets: drainTargets,
      settings: this.#settings,
      words,
      counters,
      logger,
      now,
      random: Math.random,
      markDirty: (session) => this.#delivery.markDirty(session),
    });
  }

  #createIntake(): Intake {
    const { ringDoorbell, counters, logger, now, schedule } = this.#links;
    const access = new AccessControl(counters, logger, now);
    return new Intake(
      this.#settings,
      {
        ...{ sessions: this.#sessions, port: this.#port, access, monitor: this.#monitor, ringDoorbell, counters, now },
        ...{ rateTable: this.#links.rates, sharedNow: this.#links.sharedNow ?? now },
      },
      {
        refused: (session, reason, protocolError) => this.#ends.byInput(session, reason, protocolError),
        overRate: (session, heldMs) => this.#ends.overRate(session, heldMs),
        incomplete: (session, keptBytes) => this.#ends.incomplete(session, keptBytes),
        inputEnded: (session) => this.#ends.inputEnded(session),
        markDirty: (session) => this.#delivery.markDirty(session),
        schedule,
      },
    );
  }

  #createMonitor(): MonitorRequests {
    const { counters, logger, now, report } = this.#links;
    return new MonitorRequests({
      worker: this.#options.worker,
      daemonName: this.#options.daemonName,
      sessions: this.#sessions,
      settings: this.#settings,
      counters,
      logger,
      now,
      report,
      markDirty: (session) => this.#delivery.markDirty(session),
    });
  }

  #createHandshakes(): Handshakes {
    const { counters, now } = this.#links;
    const passwords = new PasswordChecker(this.#settings, counters);
    const scram = new ScramCredentials(this.#settings, counters);
    const authenticator = new Authenticator(this.#settings, passwords, scram);
    return new Handshakes(this.#options.daemonName, this.#settings, this.#port, authenticator, counters, {
      admit: (session) => this.#intake.rates.admit(session),
      opened: (session) => this.#opened(session),
      refused: (session, bytes, reason, isTold) => this.#ends.refuse(session, bytes, reason, isTold),
      crowded: (reason) => this.#refusals.crowded(reason, now()),
    });
  }

  #createDelivery(): LogDelivery {
    const { log, counters, words, schedule } = this.#links;
    return new LogDelivery(
      log,
      this.#sessions,
      this.#names,
      this.#options.daemonName,
      this.#settings,
      counters,
      words,
      new QueueCap(this.#settings, this.#options.worker, words, counters),
      {
        tooSlow: (session, frames, bytes, reason) => this.#ends.tooSlow(session, frames, bytes, reason),
        nameAccepted: (session) => {
          this.#handshakes.nameAccepted(session);
          if (session.state === 'closed') this.#departures.answered(session, true);
        },
        nameRefused: (session, code) => {
          session.nameState = 'none';
          if (session.state === 'closed') this.#departures.answered(session, false);
          else this.#handshakes.nameRefused(session, code);
        },
        sessionEnded: (session) => this.#departures.ended(session),
        clientsBlocked: (blocked) => this.#intake.blockClients(blocked),
        heard: (bytes, start, end) => this.#trace.heard(bytes, start, end),
        schedule,
      },
    );
  }

  #createReception(): Reception {
    const { log, counters, words, now, schedule } = this.#links;
    const intake = this.#intake;
    const handshakes = this.#handshakes;
    const ends = this.#ends;
    const receiverParts: ReceiverParts = { intake, handshakes, ends, farewell: this.#farewell, schedule };
    return new Reception(this.#options, {
      buffers: new ReadBuffers(READ_BUFFER_BYTES, HANDSHAKE_READ_BYTES),
      log,
      sessions: this.#sessions,
      settings: this.#settings,
      handshakes,
      delivery: this.#delivery,
      ends,
      refusals: this.#refusals,
      counters,
      words,
      now,
      schedule,
      receiverFor: (session) => new SessionReceiver(session, receiverParts),
    });
  }

  #opened(session: ClientSession): void {
    const { privateName, transport, user } = session;
    this.counters[DeliveryCounter.SessionsOpen]!++;
    session.openedMs = this.#links.now();
    this.#names.add(nameWords(privateName), session);
    this.#links.logger.debug({ session: privateName, peer: transport.peer.label, user }, 'session opened');
    this.#intake.opened(session);
  }
}
