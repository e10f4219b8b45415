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
export const drainTimeoutOf = (options: unknown, drainTimeoutMs: number): number =>
  timesOf('stop', options, { drainTimeoutMs }).drainTimeoutMs;

/** Both times of `drain`. @throws ConfigError */
export const drainTimesOf = (
  options: unknown,
  missing: { readonly drainTimeMs: number; readonly drainTimeoutMs: number },
): { readonly drainTimeMs: number; readonly drainTimeoutMs: number } => timesOf('drain', options, missing);

/** @param missing every option there is, with what holds when it is absent */
function timesOf<Times extends Readonly<Record<string, number>>>(
  call: string,
  options: unknown,
  missing: Times,
): Times {
  const given = readOptions(`options of ${call}`, options);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(missing, name)) continue;
    const hint = suggestion(name.slice(0, 60), Object.keys(missing));
    throw new ConfigError(
      [{ message: `options of ${call}: unknown option ${showValue(name)}${hint}`, field: name }],
      null,
    );
  }
  const times = Object.entries(missing).map(
    ([name, time]) => [name, timeOf(name, given[name] === undefined ? time : given[name])] as const,
  );
  return Object.fromEntries(times) as Times;
}

function timeOf(name: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > LONGEST_DRAIN_MS)
    return fail(name, value, `an integer from 0 to ${LONGEST_DRAIN_MS}`);
  return value;
}
