/** Rules between options (section 9.4), and the step from the options given to all options. */
import { authSettings } from './auth-methods.ts';
import type { Findings } from './config-error.ts';
import {
  type ConfigurationOptions,
  DEBUG_FLAGS,
  DEFAULT_OPTIONS,
  type DebugFlag,
  type EventPriority,
  type LogLevel,
  type OptionKey,
  type OptionValues,
  SPREAD_TIMEOUT_KEYS,
  type SpreadTimeouts,
} from './configuration-options.ts';
import { type Segment, segmentTransport } from './daemon-configuration.ts';
import { endpointText, isLoopbackEndpoint } from './endpoint.ts';
import { isMulticast } from './ipv4.ts';
import { keywordOf } from './option-catalogue.ts';
import { warnOfEffects } from './option-effects.ts';
import type { OriginOf } from './option-origin.ts';
import { MIN_TOKEN_LOSS_MS } from './ring-parameters.ts';
import { firstTlsListener } from './tls-listeners.ts';

/** Judges options together that are valid one by one. */
export function checkOptionRelations(
  values: OptionValues,
  segments: readonly Segment[],
  originOf: OriginOf,
  findings: Findings,
): void {
  checkWindows(values, originOf, findings);
  checkTimeouts(values, originOf, findings);
  checkTransport(values, segments, originOf, findings);
  warnOfAuthMethods(values, originOf, findings);
  checkScram(values, originOf, findings);
  checkHttpAccess(values, originOf, findings);
  checkTls(values, originOf, findings);
  warnOfEffects(values, segments, originOf, findings);
}

function checkWindows(values: OptionValues, originOf: OriginOf, findings: Findings): void {
  const { window, personalWindow } = completeWindows(values);
  if (personalWindow > window) {
    const { at, field } = originOf('personalWindow');
    findings.wrongValue(at, field, personalWindow, `at most the window of the ring, ${window}`);
  }
  const { acceleratedWindow } = values;
  if (values.acceleratedRing === true && acceleratedWindow !== undefined && acceleratedWindow > personalWindow) {
    const { at, field } = originOf('acceleratedWindow');
    findings.wrongValue(at, field, acceleratedWindow, `at most the personal window, ${personalWindow}`);
  }
}

function checkTimeouts(values: OptionValues, originOf: OriginOf, findings: Findings): void {
  const missing = SPREAD_TIMEOUT_KEYS.filter((key) => values[key] === undefined);
  const given = SPREAD_TIMEOUT_KEYS.find((key) => values[key] !== undefined);
  if (given === undefined) return;
  const { at, field } = originOf(given);
  if (missing.length > 0) {
    const limit = `all nine timeouts or none; missing: ${missing.map(keywordOf).join(', ')}`;
    findings.problem(at, `${field} is set alone; there must be ${limit}`, { field, value: values[given], limit });
  }
  if (values.ringProfile != null) {
    findings.problem(at, `${field} and ${originOf('ringProfile').field} exclude each other: give one of them`, {
      field,
    });
  }
  if (values.tokenTimeout !== undefined && values.tokenTimeout < MIN_TOKEN_LOSS_MS) {
    const token = originOf('tokenTimeout');
    findings.warn(
      token.at,
      `${token.field} is ${values.tokenTimeout}; ${MIN_TOKEN_LOSS_MS} ms are used instead, the minimum`,
    );
  }
}

function checkTransport(
  values: OptionValues,
  segments: readonly Segment[],
  originOf: OriginOf,
  findings: Findings,
): void {
  if (values.transport == null || values.transport === 'unicast') return;
  const { at, field } = originOf('transport');
  for (const segment of segments) {
    const wanted = segmentTransport(segment, { transport: values.transport });
    if ((wanted === 'multicast') === isMulticast(segment.address)) continue;
    const kind = isMulticast(segment.address) ? 'multicast' : 'no multicast';
    findings.problem(at, `${field} is ${wanted}, but the segment ${segment.address} has ${kind} address`, {
      field,
      value: wanted,
    });
  }
}

function warnOfAuthMethods(values: OptionValues, originOf: OriginOf, findings: Findings): void {
  const { allowed, unknown } = authSettings(values.allowedAuthMethods, values.requiredAuthMethods);
  const { at, field } = originOf(
    values.allowedAuthMethods === undefined ? 'requiredAuthMethods' : 'allowedAuthMethods',
  );
  if (unknown.length > 0)
    findings.warn(at, `unknown authentication methods are ignored: ${unknown.join(', ')}`, { field });
  if (allowed.length === 0)
    findings.warn(at, 'no authentication method is allowed, so no client can connect', { field });
}

/** A client has to choose it, so it must be allowed; and somebody's keys are needed. */
function checkScram(values: OptionValues, originOf: OriginOf, findings: Findings): void {
  const { allowed, required } = authSettings(values.allowedAuthMethods, values.requiredAuthMethods);
  const isRequired = required.includes('SCRAM-SHA-256');
  const isAllowed = allowed.includes('SCRAM-SHA-256');
  if (!isRequired && !isAllowed) return;
  const { at, field } = originOf(isAllowed ? 'allowedAuthMethods' : 'requiredAuthMethods');
  if (!isAllowed)
    findings.problem(
      at,
      `${field} has SCRAM-SHA-256, which AllowedAuthMethods must have too: a client has to choose it`,
      {
        field,
      },
    );
  if (values.scramFile == null)
    findings.problem(at, `${field} has SCRAM-SHA-256, which needs ${at === null ? 'scramFile' : 'ScramFile'}`, {
      field,
    });
}

/** Anyone who reaches the port could read names and messages of clients. */
function checkHttpAccess(values: OptionValues, originOf: OriginOf, findings: Findings): void {
  if (values.httpTokenFile != null) return;
  for (const key of ['httpListen', 'httpTlsListen'] as const) {
    const open = (values[key] ?? []).find((endpoint) => !isLoopbackEndpoint(endpoint));
    if (open === undefined) continue;
    const { at, field } = originOf(key);
    const limit = `an address of loopback, or ${originOf('httpTokenFile').field} must be set as well`;
    findings.wrongValue(at, field, endpointText(open), limit);
  }
}

/** Encryption needs a certificate with its key; judging clients' certificates needs their authority. */
function checkTls(values: OptionValues, originOf: OriginOf, findings: Findings): void {
  const { tlsClientCertificate = 'none' } = values;
  const listener = firstTlsListener(values);
  if (listener === null) return;
  const missing = (because: OptionKey, wanted: OptionKey): void => {
    if (values[wanted] != null) return;
    const { at, field } = originOf(because);
    findings.problem(at, `${field} needs ${at === null ? wanted : keywordOf(wanted)}, which is not set`, { field });
  };
  missing(listener, 'tlsCertificateFile');
  missing(listener, 'tlsKeyFile');
  if (tlsClientCertificate !== 'none') missing('tlsClientCertificate', 'tlsAuthorityFile');
}

/** Fills in what was not given. `values` have passed `checkOptionRelations`. */
export function completeOptions(values: OptionValues): ConfigurationOptions {
  const { debugFlags, allowedAuthMethods, requiredAuthMethods, linkProtocol, ...others } = values;
  const auth = authSettings(allowedAuthMethods, requiredAuthMethods);
  const rest: Partial<ConfigurationOptions> = Object.fromEntries(
    Object.entries(others).filter(([key, value]) => value !== undefined && Object.hasOwn(DEFAULT_OPTIONS, key)),
  );
  return {
    ...DEFAULT_OPTIONS,
    ...rest,
    ...completeWindows(values),
    debugFlags: debugFlags === undefined ? DEFAULT_OPTIONS.debugFlags : evaluateDebugFlags(debugFlags),
    allowedAuthMethods: auth.allowed,
    requiredAuthMethods: auth.required,
    linkProtocol: linkProtocol === 'Hop' ? 'Hop' : null,
    timeouts: completeTimeouts(values),
    logLevel: values.logLevel ?? LEVEL_OF_PRIORITY[values.eventPriority ?? DEFAULT_OPTIONS.eventPriority],
  };
}

type Windows = Pick<ConfigurationOptions, 'window' | 'personalWindow' | 'acceleratedWindow'>;

/** A window that was not given yields to a smaller one that was. */
function completeWindows(values: OptionValues): Windows {
  const window = values.window ?? DEFAULT_OPTIONS.window;
  const personalWindow = values.personalWindow ?? Math.min(DEFAULT_OPTIONS.personalWindow, window);
  const acceleratedWindow = values.acceleratedWindow ?? Math.min(DEFAULT_OPTIONS.acceleratedWindow, personalWindow);
  return { window, personalWindow, acceleratedWindow };
}

function completeTimeouts(values: OptionValues): SpreadTimeouts | null {
  const entries = SPREAD_TIMEOUT_KEYS.map((key) => [key, values[key]] as const);
  if (entries.some(([, value]) => value === undefined)) return null;
  return Object.fromEntries(entries) as { [Key in keyof SpreadTimeouts]: number };
}

const LEVEL_OF_PRIORITY: Readonly<Record<EventPriority, LogLevel>> = {
  pDEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
  FATAL: 'fatal',
};

/** Left to right: a name adds, `!name` takes out, `ALL` and `NONE` mean every class and no class. */
export function evaluateDebugFlags(words: readonly string[]): readonly DebugFlag[] {
  let flags = new Set<string>();
  for (const word of words) {
    const negated = word.startsWith('!');
    const name = negated ? word.slice(1) : word;
    if (name === 'ALL') flags = new Set(negated ? [] : DEBUG_FLAGS);
    else if (name === 'NONE') flags = negated ? flags : new Set();
    else if (negated) flags.delete(name);
    else flags.add(name);
  }
  return DEBUG_FLAGS.filter((flag) => flags.has(flag));
}
