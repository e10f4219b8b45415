/** The daemon's log: structured lines through pino to a sink that never waits, or the caller's own pino logger. */

import { hostname } from 'node:os';
import { type Logger, pino } from 'pino';
import { type CountersMemory, SupervisorCounter, supervisorCounters } from '../engine/buffers/counters.ts';
import { ConfigError } from '../engine/config/config-error.ts';
import type { ConfigurationOptions } from '../engine/config/configuration-options.ts';
import type { LogRecord, LogRecordLevel } from '../workers/log.ts';
import type { Prepared } from '../workers/settings/two-steps.ts';
import { fileReason } from './file-reason.ts';
import { type LogGap, LogSink } from './log-sink.ts';
import { absoluteLogPath, type LogTarget, openLogTarget } from './log-target.ts';

export interface DaemonLogSettings {
  readonly daemon: string;
  readonly options: Pick<ConfigurationOptions, 'logLevel' | 'eventLogFile'>;
  /** Takes all lines instead of `eventLogFile` or standard error. */
  readonly logger: Logger | undefined;
}

/** Pino's number for the level of the line that reports a gap. */
const WARN = 40;

type Fields = Readonly<Record<string, unknown>>;

export class DaemonLog {
  readonly #logger: Logger;
  readonly #sink: LogSink | null;
  /** Null: standard error, or the caller's logger. */
  #file: string | null;
  /** Lines that the caller's own logger threw at. */
  #refused = 0;
  #countLost: () => void = () => {};

  /** @throws ConfigError when the log file cannot be opened, nor could be later */
  constructor({ daemon, options, logger }: DaemonLogSettings) {
    if (logger !== undefined) {
      this.#logger = logger;
      this.#sink = null;
      this.#file = null;
      return;
    }
    const sink = openSink(daemon, options.eventLogFile);
    sink.onLost = () => this.#countLost();
    this.#sink = sink;
    this.#file = options.eventLogFile;
    this.#logger = pino({ name: 'skein', level: options.logLevel, base: { daemon } }, sink);
  }

  debug = (fields: Fields, message: string): void => this.#say('debug', fields, message);
  info = (fields: Fields, message: string): void => this.#say('info', fields, message);
  warn = (fields: Fields, message: string): void => this.#say('warn', fields, message);
  error = (fields: Fields, message: string): void => this.#say('error', fields, message);

  fatal(fields: Fields, message: string): void {
    this.#say('fatal', fields, message);
  }

  record(record: LogRecord): void {
    this.#say(record.level, { agent: record.agent, ...record.fields }, record.message);
  }

  /** Opens the log file anew. @returns false when there is none @throws the error of the system; the old file stays in use then */
  reopen(): boolean {
    if (this.#file === null) return false;
    this.#sink?.reopen();
    return true;
  }

  /**
   * Another file and another level, in two steps. A logger of the caller's own stays as it is.
   * @param eventLogFile null: standard error
   * @throws when the file cannot be opened; nothing has changed then
   */
  prepare({ eventLogFile, logLevel }: Pick<ConfigurationOptions, 'eventLogFile' | 'logLevel'>): Prepared {
    const sink = this.#sink;
    if (sink === null) return { apply: () => {}, discard: () => {} };
    const open = opener(eventLogFile);
    const target = eventLogFile === this.#file ? null : openNamed(open);
    return {
      apply: () => {
        if (target !== null) sink.moveTo(target, open);
        this.#file = eventLogFile;
        this.#logger.level = logLevel;
      },
      discard: () => target?.close(),
    };
  }

  /** Lets another user open the log file again. @throws the error of the system */
  handOver(uid: number, gid: number): void {
    this.#sink?.handOver(uid, gid);
  }

  /** Shows lost lines in the daemon's counters from now on. */
  countIn(counters: CountersMemory): void {
    const slots = supervisorCounters(counters);
    this.#countLost = () => {
      slots[SupervisorCounter.LogLinesLost] = (this.#sink?.linesLost ?? 0) + this.#refused;
    };
    this.#countLost();
  }

  /** Writes waiting lines while the target accepts them. Never rejects. */
  async close(): Promise<void> {
    await this.#sink?.close();
  }

  /** A logger of the caller may throw; the daemon has better things to do than to end for that. */
  #say(level: LogRecordLevel, fields: Fields, message: string): void {
    try {
      this.#logger[level](fields, message);
    } catch {
      this.#refused++;
      this.#countLost();
    }
  }
}

/** Its path does not depend on the working folder, which may change. */
function pathOf(eventLogFile: string | null): string | null {
  return eventLogFile === null ? null : absoluteLogPath(eventLogFile.replace(/%[hH]/g, hostname()), process.cwd());
}

function opener(eventLogFile: string | null): () => LogTarget {
  const path = pathOf(eventLogFile);
  return () => openLogTarget(path);
}

function openNamed(open: () => LogTarget): LogTarget {
  try {
    return open();
  } catch (error) {
    throw new Error(`EventLogFile: ${(error as Error).message}`, { cause: error });
  }
}

function openSink(daemon: string, eventLogFile: string | null): LogSink {
  try {
    return new LogSink({ open: opener(eventLogFile), describeGap: (gap) => gapLine(daemon, gap) });
  } catch (error) {
    const message = `the log file ${pathOf(eventLogFile) ?? 'standard error'} cannot be opened: ${fileReason(error)}`;
    throw new ConfigError([{ message, field: 'eventLogFile', value: eventLogFile }], null);
  }
}

/** Written below pino, whatever its level: readers of the log must know that something is missing. */
function gapLine(daemon: string, { lost, late, reason }: LogGap): string {
  const msg =
    lost > 0
      ? 'log lines were lost here because there was no room for them'
      : 'the log could not be written for a while; nothing is lost';
  const line = { level: WARN, time: Date.now(), name: 'skein', daemon, linesLost: lost, linesLate: late, reason, msg };
  return `${JSON.stringify(line)}\n`;
}
