/**
 * What each option does here. One that a configuration may hold for the sake of Spread and that does nothing is named in a warning:
 * an operator must not believe that it is in force.
 */
import type { Findings } from './config-error.ts';
import type { OptionKey, OptionValues } from './configuration-options.ts';
import { type Segment, segmentTransport } from './daemon-configuration.ts';
import type { OriginOf } from './option-origin.ts';
import { servesTls } from './tls-listeners.ts';

/**
 * - `honoured`
 * - a text: never has an effect, and why
 * - a function: why this value has none beside the other options; null when it has
 */
type Effect = 'honoured' | { readonly never: string } | { readonly unless: Reason };
type Reason = (values: OptionValues, segments: readonly Segment[]) => string | null;

const honoured = 'honoured';
const never = (because: string): Effect => ({ never: because });
const unless = (reason: Reason): Effect => ({ unless: reason });

const TIME_OF_LINES = 'every log line has its time, in milliseconds since 1970';
const NO_REPRESENTATIVES = 'this ring elects no representatives of segments';

const allows = (method: string, { allowedAuthMethods, requiredAuthMethods }: OptionValues): boolean =>
  [...(allowedAuthMethods ?? []), ...(requiredAuthMethods ?? [])].includes(method);

const withoutTls = (values: OptionValues): string | null =>
  servesTls(values) ? null : 'there is no TlsListen, WebSocketTlsListen nor HttpTlsListen, so nobody connects with TLS';
const withoutClientCertificates = ({
  tlsClientCertificate = 'none',
  httpTlsListen = [],
}: OptionValues): string | null =>
  tlsClientCertificate === 'none' && httpTlsListen.length === 0
    ? 'TlsClientCertificate is none, so no certificate is checked'
    : null;

const RATES = ['maxUserMessageRate', 'maxUserByteRate', 'maxAddressMessageRate', 'maxAddressByteRate'] as const;

export const OPTION_EFFECTS: Readonly<Record<OptionKey, Effect>> = {
  debugFlags: never('the log has levels instead of classes; use LogLevel'),
  eventPriority: unless(({ logLevel }) =>
    logLevel === undefined ? null : 'LogLevel is set too, and takes precedence',
  ),
  eventLogFile: honoured,
  eventTimeStamp: never(TIME_OF_LINES),
  eventPreciseTimeStamp: never(TIME_OF_LINES),
  debugInitialSequence: never('sequence numbers do not wrap here'),
  dangerousMonitor: unless(({ dangerousMonitor, clusterKeyFile }) =>
    dangerousMonitor === true && clusterKeyFile == null
      ? 'without ClusterKeyFile every command of a monitor is refused'
      : null,
  ),
  socketPortReuse: unless(({ socketPortReuse }) =>
    socketPortReuse === 'on' ? null : 'the port for clients is always opened with SO_REUSEADDR',
  ),
  runtimeDir: honoured,
  daemonUser: honoured,
  daemonGroup: honoured,
  allowedAuthMethods: honoured,
  requiredAuthMethods: honoured,
  accessControlPolicy: honoured,
  maxSessionMessages: honoured,
  linkProtocol: never('there is one way between daemons; Transport chooses how datagrams are sent'),
  window: honoured,
  personalWindow: honoured,
  acceleratedRing: honoured,
  acceleratedWindow: unless(({ acceleratedRing }) => (acceleratedRing === false ? 'AcceleratedRing is off' : null)),
  tokenTimeout: honoured,
  hurryTimeout: honoured,
  aliveTimeout: never(NO_REPRESENTATIVES),
  joinTimeout: honoured,
  repTimeout: never(NO_REPRESENTATIVES),
  segTimeout: never(NO_REPRESENTATIVES),
  gatherTimeout: honoured,
  formTimeout: honoured,
  lookupTimeout: honoured,
  activeIPVersion: honoured,
  wideAreaNetwork: honoured,
  ignoreMulticastJoinErrors: unless((values, segments) =>
    values.ignoreMulticastJoinErrors === true && !segments.some((segment) => isMulticast(segment, values))
      ? 'no segment is reached by multicast'
      : null,
  ),
  excludeSegAddrsFromHash: honoured,
  threadingMode: honoured,
  deliveryWorkers: honoured,
  maxSessions: honoured,
  maxSessionBytes: honoured,
  maxUserSessions: honoured,
  maxUserMessageRate: honoured,
  maxUserByteRate: honoured,
  maxAddressSessions: honoured,
  maxAddressMessageRate: honoured,
  maxAddressByteRate: honoured,
  rateLimitTimeout: unless((values) =>
    RATES.some((key) => (values[key] ?? 0) > 0) ? null : 'no user and no address has a rate to keep to',
  ),
  slowConsumerPolicy: honoured,
  handshakeTimeout: honoured,
  drainTime: honoured,
  drainViewBytes: unless(({ drainTime }) =>
    drainTime === 0 ? 'DrainTime is 0, so that no client is told to move' : null,
  ),
  maxHandshakes: honoured,
  maxInputBytes: honoured,
  maxQueuedBytes: honoured,
  maxSessionGroups: honoured,
  maxWaitingPasswords: unless((values) =>
    allows('PWORD', values) ? null : 'no authentication method is PWORD, so no password is ever checked',
  ),
  clientTimeout: honoured,
  unixSocketDir: honoured,
  unixSocketMode: unless(({ unixSocketDir }) => (unixSocketDir === null ? 'there is no Unix socket' : null)),
  logLevel: honoured,
  listenBacklog: honoured,
  accessIpFile: unless((values) => (allows('IP', values) ? null : 'no authentication method is IP')),
  accessFile: honoured,
  passwordFile: unless((values) => (allows('PWORD', values) ? null : 'no authentication method is PWORD')),
  scramFile: unless((values) => (allows('SCRAM-SHA-256', values) ? null : 'no authentication method is SCRAM-SHA-256')),
  datagramSize: honoured,
  transport: honoured,
  clusterKeyFile: honoured,
  stateDir: unless((values) => (values.volatile === true ? 'Volatile is set, and nothing is kept' : null)),
  volatile: honoured,
  ringProfile: honoured,
  timeScale: honoured,
  webSocketListen: honoured,
  webSocketTlsListen: honoured,
  webSocketOrigins: unless(({ webSocketListen = [], webSocketTlsListen = [] }) =>
    webSocketListen.length + webSocketTlsListen.length === 0
      ? 'neither WebSocketListen nor WebSocketTlsListen is set, so no page can connect'
      : null,
  ),
  tlsListen: honoured,
  tlsCertificateFile: unless(withoutTls),
  tlsKeyFile: unless(withoutTls),
  tlsAuthorityFile: unless((values) => withoutTls(values) ?? withoutClientCertificates(values)),
  tlsClientCertificate: unless((values) => (values.tlsClientCertificate === 'none' ? null : withoutTls(values))),
  httpListen: honoured,
  httpTlsListen: honoured,
  httpTokenFile: unless(({ httpListen = [], httpTlsListen = [] }) =>
    httpListen.length + httpTlsListen.length === 0
      ? 'neither HttpListen nor HttpTlsListen is set, so nothing is served over HTTP'
      : null,
  ),
};

/** Warns of every option that was given and has no effect. One that is given only to switch something off has none to miss. */
export function warnOfEffects(
  values: OptionValues,
  segments: readonly Segment[],
  originOf: OriginOf,
  findings: Findings,
): void {
  for (const key of Object.keys(OPTION_EFFECTS) as OptionKey[]) {
    const value = values[key];
    if (value === undefined || value === null || value === false) continue;
    const effect = OPTION_EFFECTS[key];
    if (effect === 'honoured') continue;
    const because = 'never' in effect ? effect.never : effect.unless(values, segments);
    const { at, field } = originOf(key);
    if (because !== null) findings.warn(at, `${field} has no effect: ${because}`, { field, value });
  }
}

const isMulticast = (segment: Segment, { transport }: OptionValues): boolean =>
  segmentTransport(segment, { transport: transport ?? null }) === 'multicast';
