/** The daemon's log: structured lines through pino, or the caller's own pino logger. */
import { hostname } from 'node:os';
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { ConfigurationOptions } from '../engine/config/options.ts';
import type { LogRecord } from '../workers/log.ts';

export interface LoggerSettings {
  readonly daemon: string;
  readonly options: Pick<ConfigurationOptions, 'logLevel' | 'eventLogFile'>;
}

/** Writes to `eventLogFile` when one is configured, else to standard error: standard output belongs to the program. */
export function createLogger({ daemon, options }: LoggerSettings): Logger {
  const { eventLogFile, logLevel } = options;
  const stream: DestinationStream =
    eventLogFile === null
      ? destination({ fd: 2, sync: true })
      : destination({ dest: eventLogFile.replace(/%[hH]/g, hostname()), append: true, mkdir: true, sync: true });
  return pino({ name: 'skein', level: logLevel, base: { daemon } }, stream);
}

export function writeRecord(logger: Logger, record: LogRecord): void {
  logger[record.level]({ agent: record.agent, ...record.fields }, record.message);
}
