/** What agents say to the operator. Agents log only what is rare: connections, refusals, membership, trouble. */
export type LogRecordLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const LOG_LEVELS: readonly LogRecordLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export interface LogRecord {
  readonly level: LogRecordLevel;
  readonly agent: string;
  readonly fields: LogFields;
  readonly message: string;
}

/** The least severe level that the logs of a thread hand over. It may change while they are in use. */
export class LogThreshold {
  #lowest: number;

  constructor(level: LogRecordLevel | 'silent') {
    this.#lowest = rank(level);
  }

  set(level: LogRecordLevel | 'silent'): void {
    this.#lowest = rank(level);
  }

  allows(level: LogRecordLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= this.#lowest;
  }
}

const rank = (level: LogRecordLevel | 'silent'): number =>
  level === 'silent' ? LOG_LEVELS.length : LOG_LEVELS.indexOf(level);

/** A log that hands records over, dropping those below the threshold before anything is built. */
export function createLog(agent: string, threshold: LogThreshold, deliver: (record: LogRecord) => void): Log {
  const at =
    (level: LogRecordLevel) =>
    (fields: LogFields, message: string): void => {
      if (threshold.allows(level)) deliver({ level, agent, fields, message });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
