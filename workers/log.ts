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

/** A log that hands records over, dropping those below `level` before anything is built. */
export function createLog(agent: string, level: LogRecordLevel | 'silent', deliver: (record: LogRecord) => void): Log {
  const threshold = level === 'silent' ? LOG_LEVELS.length : LOG_LEVELS.indexOf(level);
  const at = (own: LogRecordLevel): ((fields: LogFields, message: string) => void) => {
    if (LOG_LEVELS.indexOf(own) < threshold) return () => {};
    return (fields, message) => deliver({ level: own, agent, fields, message });
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
