/** Serves monitors (client-protocol.md, section 10): anyone on a configured host gets status, the holders of a cluster key may command. */

import { type CountersMemory, NetworkCounter, networkCounters } from '../../engine/buffers/counters.ts';
import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import { ipv4FromNumber } from '../../engine/config/ipv4.ts';
import type { RingWindows } from '../../engine/host/ring-options.ts';
import { windowsProblem } from '../../engine/ring/flow-control.ts';
import { COMMAND_TRAILER_LENGTH } from '../../engine/wire/layout/command-trailer.ts';
import { MONITOR_HEADER_LENGTH } from '../../engine/wire/layout/monitor-header.ts';
import { type CommandVerdict, encodeAnswer, VERDICT_TEXTS } from '../../engine/wire/monitor-answer.ts';
import { decodeCommand, type MonitorCommand } from '../../engine/wire/monitor-commands.ts';
import {
  MONITOR_HASH,
  type MonitorRequest,
  MonitorType,
  readMonitorRequest,
} from '../../engine/wire/monitor-header.ts';
import { NO_TICKET } from '../../engine/wire/monitor-trailer.ts';
import type { Log } from '../log.ts';
import { OnceAMinute } from '../once-a-minute.ts';
import { CommandGuard, type Judgement } from './command-guard.ts';
import { sealMonitorDatagram } from './command-seal.ts';
import { changedWindows, withoutEffect } from './flow-command.ts';
import { statusExtension, statusReport } from './status-report.ts';

export interface MonitorOptions {
  readonly self: number;
  /** IPv4 address of every configured daemon as a number; a monitor must run on one of these hosts. */
  readonly daemonAddress: readonly number[];
  readonly configurationHash: number;
  /** Windows at the start, which are also the largest. */
  readonly windows: RingWindows;
  /** `DangerousMonitor` of the configuration. */
  readonly dangerousMonitor: boolean;
  /** Release of skein, for monitors. */
  readonly release: string;
}

export interface MonitorLinks {
  readonly counters: CountersMemory;
  readonly logger: Log;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly send: (datagram: Uint8Array, port: number, address: string) => void;
  readonly partition: (components: readonly number[]) => void;
  /** @returns false when the ring agent cannot take it now */
  readonly setWindows: (windows: RingWindows) => boolean;
  /** Asks for the daemon's orderly end. */
  readonly requestStop: () => void;
}

/** Accepted, or why not. */
interface Outcome {
  readonly verdict: CommandVerdict;
  readonly detail: string;
}

const DONE: Outcome = { verdict: 'accepted', detail: '' };

export class MonitorDesk {
  readonly #options: MonitorOptions;
  readonly #links: MonitorLinks;
  readonly #guard: CommandGuard;
  readonly #counters: Float64Array;
  readonly #refusals = new OnceAMinute();
  readonly #startedMs: number;
  #keys: readonly ClusterKey[] | null;
  #windows: RingWindows;

  constructor(options: MonitorOptions, keys: readonly ClusterKey[] | null, links: MonitorLinks) {
    this.#options = options;
    this.#links = links;
    this.#keys = keys;
    this.#windows = options.windows;
    this.#counters = networkCounters(links.counters);
    this.#startedMs = links.now();
    const address = options.daemonAddress[options.self]! >>> 0;
    this.#guard = new CommandGuard(options.dangerousMonitor, address);
  }

  /** Whether commands are obeyed that are sealed with one of the keys. */
  obey(isEnabled: boolean): void {
    this.#guard.isEnabled = isEnabled;
  }

  setKeys(keys: readonly ClusterKey[]): void {
    this.#keys = keys;
  }

  received(datagram: Uint8Array): void {
    const request = readMonitorRequest(datagram);
    const isStatus = request?.type === MonitorType.Status;
    const isCommand = request?.type === MonitorType.Partition || request?.type === MonitorType.FlowControl;
    if (request === null || !(isStatus || isCommand) || !this.#isAddressed(request)) {
      this.#counters[NetworkCounter.InvalidRequests]!++;
      return;
    }
    const isFromHere = this.#options.daemonAddress.some((known) => known >>> 0 === request.address);
    const length = MONITOR_HEADER_LENGTH + request.bodyLength;
    if (isCommand) this.#command(request, datagram, isFromHere);
    else if (isFromHere && datagram.length === length) this.#status(request);
    else this.#counters[NetworkCounter.InvalidRequests]!++;
  }

  #isAddressed({ hash }: MonitorRequest): boolean {
    return hash === MONITOR_HASH || hash === this.#options.configurationHash;
  }

  #status(request: MonitorRequest): void {
    this.#counters[NetworkCounter.StatusRequests]!++;
    const { daemonAddress, self, release } = this.#options;
    const { counters, now } = this.#links;
    const uptimeSeconds = Math.floor((now() - this.#startedMs) / 1000);
    const report = statusReport(counters, daemonAddress, self, uptimeSeconds, this.#windows);
    const answer = request.wantsExtension
      ? Buffer.concat([report, statusExtension(counters, daemonAddress, release)])
      : report;
    this.#links.send(answer, request.port, ipv4FromNumber(request.address));
  }

  #command(request: MonitorRequest, datagram: Uint8Array, isFromHere: boolean): void {
    const { logger, now } = this.#links;
    const monitor = ipv4FromNumber(request.address);
    if (!isFromHere) {
      this.#refuse(monitor, 'its host is not in the configuration');
      return;
    }
    const { verdict, seal } = this.#guard.judge(request, datagram, this.#keys, now());
    const command = verdict === 'accepted' ? this.#decode(request, datagram) : null;
    const outcome: Outcome =
      command !== null ? this.#obey(command) : { verdict: verdict === 'accepted' ? 'malformed' : verdict, detail: '' };
    if (outcome.verdict === 'accepted') {
      this.#counters[NetworkCounter.CommandsAccepted]!++;
      logger.debug({ monitor, command: command?.kind ?? null }, 'command of a monitor');
    } else if (outcome.verdict !== 'ticket') {
      this.#refuse(monitor, outcome.detail || VERDICT_TEXTS[outcome.verdict]);
    }
    this.#answer(request, datagram, outcome, seal);
    // Behind the answer: the sockets close soon.
    if (outcome.verdict === 'accepted' && command?.kind === 'terminate') {
      logger.warn({ monitor }, 'a monitor ends this daemon');
      this.#links.requestStop();
    }
  }

  #decode(request: MonitorRequest, datagram: Uint8Array): MonitorCommand | null {
    const { self, daemonAddress } = this.#options;
    const { type, bodyLength, littleEndian } = request;
    return decodeCommand(datagram, type, bodyLength, littleEndian, self, daemonAddress.length);
  }

  #obey(command: MonitorCommand): Outcome {
    if (command.kind === 'terminate') return DONE;
    if (command.kind === 'partition') {
      this.#links.partition(command.components);
      return DONE;
    }
    const windows = changedWindows(this.#windows, command);
    const problem = withoutEffect(this.#windows, command) ?? windowsProblem(windows, this.#options.windows);
    if (problem !== null) return { verdict: 'wrong-value', detail: problem };
    if (!this.#links.setWindows(windows))
      return { verdict: 'wrong-value', detail: 'the daemon is too busy; try again' };
    this.#windows = windows;
    const { window, personalWindow, acceleratedWindow } = windows;
    this.#links.logger.warn({ window, personalWindow, acceleratedWindow }, 'a monitor changed flow control');
    return DONE;
  }

  #refuse(monitor: string, reason: string): void {
    this.#counters[NetworkCounter.CommandsRefused]!++;
    if (this.#refusals.allows(`${monitor} ${reason}`, this.#links.now()))
      this.#links.logger.warn({ monitor, reason }, 'command of a monitor refused');
  }

  /** Monitors of the original know no answer, and send no trailer. */
  #answer(request: MonitorRequest, datagram: Uint8Array, outcome: Outcome, seal: Judgement['seal']): void {
    if (datagram.length !== MONITOR_HEADER_LENGTH + request.bodyLength + COMMAND_TRAILER_LENGTH) return;
    const plain = encodeAnswer(outcome, this.#options.daemonAddress[this.#options.self]!);
    const answer = seal === null ? plain : sealMonitorDatagram(plain, seal.key, seal.attempt, seal.ticket ?? NO_TICKET);
    this.#links.send(answer, request.port, ipv4FromNumber(request.address));
  }
}
