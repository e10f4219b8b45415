/**
 * What programs pass to the embedding API, which in plain JavaScript can be anything. Fields are read once, and the copy is used. Every
 * error is a ConfigError that names field, value and limit.
 */
import { ConfigError, Findings, showValue } from '../engine/config/config-error.ts';
import { suggestion } from '../engine/config/did-you-mean.ts';

const LONGEST_DRAIN_MS = 600_000;
const LOGGER_METHODS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

function fail(field: string, value: unknown, limit: string): never {
  const findings = new Findings();
  findings.wrongValue(null, field, value, limit);
  findings.throwIfAny(null);
  throw new Error('unreachable');
}

/** What a value that is one of the options itself was meant to be. */
const MEANT: Readonly<Record<string, (value: string) => string>> = {
  'string for options of startDaemon': (value) => `startDaemon({ configFile: ${value} })`,
  'number for options of stop': (value) => `stop({ drainTimeoutMs: ${value} })`,
};

/** A copy of the enumerable fields of an object; undefined has none. @throws ConfigError when it is none, or a field cannot be read */
export function readOptions(what: string, options: unknown): Readonly<Record<string, unknown>> {
  if (options === undefined) return {};
  const meant = MEANT[`${typeof options} for ${what}`];
  if (meant !== undefined) return fail(what, options, `an object; write ${meant(showValue(options))}`);
  if (typeof options !== 'object' || options === null) return fail(what, options, 'an object');
  try {
    if (Array.isArray(options)) return fail(what, '[…]', 'an object');
    return { ...options };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(
      [{ message: `${what}: a field cannot be read; it threw ${showThrown(error)}`, field: what }],
      null,
    );
  }
}

const showThrown = (error: unknown): string => {
  try {
    return error instanceof Error ? showValue(error.message) : showValue(error);
  } catch {
    return 'something that cannot be shown';
  }
};

/** @throws ConfigError */
export function checkLogger(logger: unknown): void {
  if (logger === undefined) return;
  const limit = `a logger such as pino makes, with the functions ${LOGGER_METHODS.join(', ')}`;
  if (typeof logger !== 'object' || logger === null) fail('logger', logger, limit);
  for (const method of LOGGER_METHODS) {
    let found: unknown;
    try {
      found = (logger as Readonly<Record<string, unknown>>)[method];
    } catch {
      found = undefined;
    }
    if (typeof found !== 'function') fail('logger', 'an object', `${limit}; ${method} is missing`);
  }
}

/** @throws ConfigError */
export function checkWorkerUrl(workerUrl: unknown): void {
  if (workerUrl === undefined || (workerUrl instanceof URL && workerUrl.protocol === 'file:')) return;
  fail('workerUrl', workerUrl instanceof URL ? workerUrl.href : workerUrl, 'a URL object of a file');
}

/** `drainTimeoutMs` of `stop`. @throws ConfigError */
export function drainTimeoutOf(options: unknown, missing: number): number {
  const { drainTimeoutMs = missing, ...others } = readOptions('options of stop', options);
  for (const name of Object.keys(others)) {
    const message = `options of stop: unknown option ${showValue(name)}${suggestion(name.slice(0, 60), ['drainTimeoutMs'])}`;
    throw new ConfigError([{ message, field: name }], null);
  }
  if (
    typeof drainTimeoutMs !== 'number' ||
    !Number.isInteger(drainTimeoutMs) ||
    drainTimeoutMs < 0 ||
    drainTimeoutMs > LONGEST_DRAIN_MS
  )
    return fail('drainTimeoutMs', drainTimeoutMs, `an integer from 0 to ${LONGEST_DRAIN_MS}`);
  return drainTimeoutMs;
}
