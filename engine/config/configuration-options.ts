/**
 * The options of a daemon as plain types (client-protocol.md, section 9.4, and skein's own), with their defaults.
 *
 * An option `Name` of the file is `name` here and in the embedding API. Times are in milliseconds. Where skein's
 * default differs from Spread's, the comment says so; values in a file have the meaning that Spread gives them.
 */

import { AUTH_METHODS, type AuthMethodName } from '../wire/server-handshake.ts';
import type { Endpoint } from './endpoint.ts';

export { AUTH_METHODS, type AuthMethodName };

export const DEBUG_FLAGS = [
  'PRINT',
  'EXIT',
  'DEBUG',
  'DATA_LINK',
  'NETWORK',
  'PROTOCOL',
  'SESSION',
  'CONFIGURATION',
  'MEMBERSHIP',
  'FLOW_CONTROL',
  'STATUS',
  'EVENTS',
  'GROUPS',
  'MEMORY',
  'SKIPLIST',
  'ACM',
  'SECURITY',
] as const;
export const EVENT_PRIORITIES = ['pDEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL', 'FATAL'] as const;
export const SOCKET_PORT_REUSES = ['on', 'off', 'auto'] as const;
export const LINK_PROTOCOLS = ['Hop', 'TcpHop'] as const;
export const THREADING_MODES = ['auto', 'dedicated', 'shared-network', 'shared', 'inline'] as const;
export const SLOW_CONSUMER_POLICIES = ['disconnect', 'drop-unreliable'] as const;
/** Whether clients show certificates: see `TlsClientCertificate`. */
export const CLIENT_CERTIFICATE_MODES = ['none', 'optional', 'required'] as const;
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const TRANSPORTS = ['unicast', 'multicast', 'broadcast'] as const;
export const RING_PROFILES = ['lan', 'wan', 'fast'] as const;

export type DebugFlag = (typeof DEBUG_FLAGS)[number];
export type EventPriority = (typeof EVENT_PRIORITIES)[number];
export type SocketPortReuse = (typeof SOCKET_PORT_REUSES)[number];
export type LinkProtocol = (typeof LINK_PROTOCOLS)[number];
export type ThreadingMode = (typeof THREADING_MODES)[number];
export type SlowConsumerPolicy = (typeof SLOW_CONSUMER_POLICIES)[number];
export type ClientCertificateMode = (typeof CLIENT_CERTIFICATE_MODES)[number];
export type LogLevel = (typeof LOG_LEVELS)[number];
export type SegmentTransport = (typeof TRANSPORTS)[number];
export type RingProfile = (typeof RING_PROFILES)[number];

/** Spread's nine protocol timers; a configuration gives all of them or none. */
export interface SpreadTimeouts {
  /** Milliseconds without the token after which a daemon begins a change of membership. */
  readonly tokenTimeout: number;
  /** Milliseconds: longest hold of an idle token. */
  readonly hurryTimeout: number;
  /** Milliseconds. Taken, without an effect of its own. */
  readonly aliveTimeout: number;
  /** Milliseconds between JOIN packets. */
  readonly joinTimeout: number;
  /** Milliseconds. Taken, without an effect of its own. */
  readonly repTimeout: number;
  /** Milliseconds. Taken, without an effect of its own. */
  readonly segTimeout: number;
  /** Milliseconds: longest time of gathering members. */
  readonly gatherTimeout: number;
  /** Milliseconds: longest time of committing to a membership. */
  readonly formTimeout: number;
  /** Milliseconds between looks for other rings, after a long time without a change. */
  readonly lookupTimeout: number;
}

export const SPREAD_TIMEOUT_KEYS = [
  'tokenTimeout',
  'hurryTimeout',
  'aliveTimeout',
  'joinTimeout',
  'repTimeout',
  'segTimeout',
  'gatherTimeout',
  'formTimeout',
  'lookupTimeout',
] as const satisfies readonly (keyof SpreadTimeouts)[];

/** Every option with its effective value. */
export interface ConfigurationOptions {
  /** Event classes the original would print. Kept; skein's log has levels, see `logLevel`. */
  readonly debugFlags: readonly DebugFlag[];
  /** Spread's name for `logLevel`, which wins over it. */
  readonly eventPriority: EventPriority;
  /** File for the log, `%h` or `%H` standing for the host name; null: standard error. */
  readonly eventLogFile: string | null;
  /** strftime format of time stamps, at most 39 characters; null: off. */
  readonly eventTimeStamp: string | null;
  /** Time stamps with microseconds. */
  readonly eventPreciseTimeStamp: boolean;
  /** Start sequence numbers near their wrap, for tests of the original. Ours do not wrap. */
  readonly debugInitialSequence: boolean;
  /** Allow the monitor's partition, terminate and flow-control commands (section 10.3). */
  readonly dangerousMonitor: boolean;
  /** No effect unless `on`, which is how a daemon always opens its port. */
  readonly socketPortReuse: SocketPortReuse;
  /** Working folder of the daemon; null: none given, stay where it was started. */
  readonly runtimeDir: string | null;
  /** User to become when started as root; null: keep the user (Spread: `spread`). */
  readonly daemonUser: string | null;
  /** Group to become a member of when started as root, by name or number; null: none given. */
  readonly daemonGroup: string | null;
  /** Methods offered to clients, in the order of announcement. Empty: nobody can connect. */
  readonly allowedAuthMethods: readonly AuthMethodName[];
  /** Methods run for every client, whether or not it chose them (section 1.6). */
  readonly requiredAuthMethods: readonly AuthMethodName[];
  /** The only policy there is: every connected client may join every group and send to it. */
  readonly accessControlPolicy: 'PERMIT';
  /**
   * Longest queue of messages to one slow session (section 7.4); 0 ends a session on its first delivery.
   * Spread: 1000. Here 100,000: a daemon an order of magnitude faster than its clients would end them during bursts
   * that the original's own pace spreads out. The bound that matters for memory is `maxSessionBytes`.
   */
  readonly maxSessionMessages: number;
  /** Kept for `Hop`; no effect here. */
  readonly linkProtocol: 'Hop' | null;
  /** Packets of all daemons in one rotation of the token. */
  readonly window: number;
  /** Packets of one daemon in one rotation; at most `window`. */
  readonly personalWindow: number;
  /** Null: unset, accelerated on a LAN only. Part of the configuration hash when true. */
  readonly acceleratedRing: boolean | null;
  /** Packets a daemon may send after it passed the token on; at most `personalWindow`. */
  readonly acceleratedWindow: number;
  /** Spread's nine timers, null when none is set. */
  readonly timeouts: SpreadTimeouts | null;
  /** Spread 5: the family of addresses between daemons. */
  readonly activeIPVersion: 'IPv4';
  /** Spread 5: whether the segments are far apart; null: by their addresses. */
  readonly wideAreaNetwork: boolean | null;
  /** Spread 5: start although the segment's multicast address cannot be joined. */
  readonly ignoreMulticastJoinErrors: boolean;
  /** Spread 5: leave the segments' addresses out of the configuration hash, so that they may differ between daemons. */
  readonly excludeSegAddrsFromHash: boolean;

  /** How agents are laid out on worker threads. */
  readonly threadingMode: ThreadingMode;
  /** Worker threads that serve client sockets. */
  readonly deliveryWorkers: number | 'auto';
  /** Client connections of this daemon. Spread: 997. */
  readonly maxSessions: number;
  /** Longest queue of bytes to one slow session. */
  readonly maxSessionBytes: number;
  /** What may wait for all slow sessions together, shared bytes counted once; null: a quarter of the memory. */
  readonly maxQueuedBytes: number | null;
  /** Groups one session may be in; a join of one more is rejected. */
  readonly maxSessionGroups: number;
  /** Of all sessions of one user, at all its addresses; 0: no limit. */
  readonly maxUserSessions: number;
  /** Messages a second that all sessions of one user may send; 0: no limit. */
  readonly maxUserMessageRate: number;
  /** Bytes a second that all sessions of one user may send; 0: no limit. */
  readonly maxUserByteRate: number;
  /** Of all sessions from one IP address; 0: no limit. */
  readonly maxAddressSessions: number;
  /** Messages a second that all sessions from one IP address may send; 0: no limit. */
  readonly maxAddressMessageRate: number;
  /** Bytes a second that all sessions from one IP address may send; 0: no limit. */
  readonly maxAddressByteRate: number;
  /** Milliseconds that a session may be held to such a rate; 0: any time. */
  readonly rateLimitTimeout: number;
  /** What happens to a session over its limits. */
  readonly slowConsumerPolicy: SlowConsumerPolicy;
  /** Milliseconds a client has for CONNECT and for AUTH together. */
  readonly handshakeTimeout: number;
  /** Connections that are no sessions yet; more of them end the oldest of the address that has most. */
  readonly maxHandshakes: number;
  /** Passwords that may wait for their check. */
  readonly maxWaitingPasswords: number;
  /** What clients sent and the daemon keeps, because a frame is not whole or the submit queue has no room. */
  readonly maxInputBytes: number;
  /** Milliseconds that clients have to move to other daemons when this one drains; 0: nobody is told. */
  readonly drainTime: number;
  /** Bytes of views a second that clients of a daemon that drains may cause at each member by moving. */
  readonly drainViewBytes: number;
  /** Milliseconds without an answer of a client's machine after which its session ends; 0: when the kernel gives up, after hours. */
  readonly clientTimeout: number;
  /** Directory of the Unix socket, which is named after the port; null: no Unix socket. */
  readonly unixSocketDir: string | null;
  /** File mode of the Unix socket. */
  readonly unixSocketMode: number;
  /** Least severe line that the daemon logs. */
  readonly logLevel: LogLevel;
  /** Connections the kernel may hold before they are accepted. */
  readonly listenBacklog: number;
  /** Null: `spread.access_ip`, looked up as section 1.6 says. */
  readonly accessIpFile: string | null;
  /** Null: `spread.access_pword`, looked up like the access file. */
  readonly passwordFile: string | null;
  /** File with what is kept of passwords for SCRAM-SHA-256; null: none, and nobody logs in by it. */
  readonly scramFile: string | null;
  /** Largest datagram between daemons, in bytes, header included; null: fits any path, and larger where all daemons are on loopback. */
  readonly datagramSize: number | null;
  /** How daemons of one segment reach each other; null: by the segment's address, see `segmentTransport`. */
  readonly transport: SegmentTransport | null;
  /** File with the keys that seal traffic between daemons; null: not sealed. */
  readonly clusterKeyFile: string | null;
  /** Where the daemon keeps its incarnation number; null: none given. */
  readonly stateDir: string | null;
  /** Run without `stateDir`, with a random incarnation. */
  readonly volatile: boolean;
  /** Timers of the ring by name; null: by Spread's nine when set, else `lan` or `wan` by the segments' addresses. */
  readonly ringProfile: RingProfile | null;
  /** Stretches (above 1) or shrinks every timer of the ring. */
  readonly timeScale: number;
  /** Where clients connect with TLS; empty: nowhere. */
  readonly tlsListen: readonly Endpoint[];
  /** PEM: the daemon's certificate and those between it and its authority; null: none. */
  readonly tlsCertificateFile: string | null;
  /** PEM: the key of the certificate; null: none. */
  readonly tlsKeyFile: string | null;
  /** PEM: authorities of clients' certificates; null: none. */
  readonly tlsAuthorityFile: string | null;
  /** Whether clients show certificates. */
  readonly tlsClientCertificate: ClientCertificateMode;
  /** Where health, metrics and the dashboard are served; empty: nowhere. */
  readonly httpListen: readonly Endpoint[];
  /** Where the same is served over TLS; empty: nowhere. */
  readonly httpTlsListen: readonly Endpoint[];
  /** File with the tokens of HTTP requests; null: none is needed, and HTTP is served on loopback only. */
  readonly httpTokenFile: string | null;
  /** Where clients connect with WebSockets; empty: nowhere. */
  readonly webSocketListen: readonly Endpoint[];
  /** Where clients connect with WebSockets over TLS; empty: nowhere. */
  readonly webSocketTlsListen: readonly Endpoint[];
  /** Origins whose pages may connect, `*` for all; empty: pages of the same host. */
  readonly webSocketOrigins: readonly string[];
  /** File that says who may join, send to and administer what; null: everything is allowed. */
  readonly accessFile: string | null;
}

export const DEFAULT_OPTIONS: ConfigurationOptions = {
  debugFlags: ['PRINT', 'EXIT'],
  eventPriority: 'INFO',
  eventLogFile: null,
  eventTimeStamp: null,
  eventPreciseTimeStamp: false,
  debugInitialSequence: false,
  dangerousMonitor: false,
  socketPortReuse: 'auto',
  runtimeDir: null,
  daemonUser: null,
  daemonGroup: null,
  allowedAuthMethods: ['NULL'],
  requiredAuthMethods: [],
  accessControlPolicy: 'PERMIT',
  maxSessionMessages: 100_000,
  linkProtocol: null,
  window: 160,
  personalWindow: 20,
  acceleratedRing: null,
  acceleratedWindow: 15,
  timeouts: null,
  activeIPVersion: 'IPv4',
  wideAreaNetwork: null,
  ignoreMulticastJoinErrors: false,
  excludeSegAddrsFromHash: false,
  threadingMode: 'auto',
  deliveryWorkers: 'auto',
  maxSessions: 4096,
  maxSessionBytes: 64 * 1024 * 1024,
  maxQueuedBytes: null,
  maxUserSessions: 0,
  maxUserMessageRate: 0,
  maxUserByteRate: 0,
  maxAddressSessions: 0,
  maxAddressMessageRate: 0,
  maxAddressByteRate: 0,
  rateLimitTimeout: 0,
  maxSessionGroups: 100_000,
  slowConsumerPolicy: 'disconnect',
  handshakeTimeout: 5000,
  maxHandshakes: 1024,
  maxWaitingPasswords: 256,
  maxInputBytes: 64 * 1024 * 1024,
  drainTime: 30_000,
  drainViewBytes: 8 * 1024 * 1024,
  clientTimeout: 60_000,
  unixSocketDir: '/tmp',
  unixSocketMode: 0o666,
  logLevel: 'info',
  listenBacklog: 511,
  accessIpFile: null,
  passwordFile: null,
  scramFile: null,
  datagramSize: null,
  transport: null,
  clusterKeyFile: null,
  stateDir: null,
  volatile: false,
  ringProfile: null,
  timeScale: 1,
  tlsListen: [],
  tlsCertificateFile: null,
  tlsKeyFile: null,
  tlsAuthorityFile: null,
  tlsClientCertificate: 'none',
  httpListen: [],
  httpTlsListen: [],
  httpTokenFile: null,
  webSocketListen: [],
  webSocketTlsListen: [],
  webSocketOrigins: [],
  accessFile: null,
};

export const DEFAULT_TIME_STAMP_FORMAT = '[%a %d %b %Y %H:%M:%S]';

type Optional<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

/** Options that are kept as written until all are known, because their meaning depends on others. */
interface UnsettledOptions extends SpreadTimeouts {
  readonly debugFlags: readonly string[];
  readonly allowedAuthMethods: readonly string[];
  readonly requiredAuthMethods: readonly string[];
  readonly linkProtocol: LinkProtocol | null;
}

type SettledOptions = Omit<ConfigurationOptions, keyof UnsettledOptions | 'timeouts'>;

/** Options that were given, each valid by itself. `option-rules.ts` makes `ConfigurationOptions` of them. */
export type OptionValues = Optional<SettledOptions> & Optional<UnsettledOptions>;

export type OptionKey = keyof SettledOptions | keyof UnsettledOptions;

/** Forms that are accepted beside the plain ones. */
interface LenientInputs {
  /** Names from `DEBUG_FLAGS`, `ALL`, `NONE`, or one with `!` in front to take it out; evaluated left to right. */
  readonly debugFlags: readonly string[];
  /** True: the original's default format. */
  readonly eventTimeStamp: string | boolean | null;
  /** Method names, or one string of them separated by blanks, below 90 characters. Setting it drops `NULL`. */
  readonly allowedAuthMethods: string | readonly string[];
  /** Like `allowedAuthMethods`. Required does not imply allowed. */
  readonly requiredAuthMethods: string | readonly string[];
  /** `PERMIT`, the only policy there is. */
  readonly accessControlPolicy: string;
  /** No effect, which a warning says. */
  readonly linkProtocol: LinkProtocol | null;
  /** Bytes, or text such as `64M` (K, M, G are powers of 1024). */
  readonly maxSessionBytes: number | string;
  /** Like `maxSessionBytes`. */
  readonly maxInputBytes: number | string;
  /** Like `maxSessionBytes`. */
  readonly drainViewBytes: number | string;
  /** Likewise; null: the default. */
  readonly maxQueuedBytes: number | string | null;
  /** `127.0.0.1:4880`, several separated by blanks, or a list of them; null: none. */
  readonly httpListen: string | readonly string[] | null;
  /** Like `httpListen`. */
  readonly httpTlsListen: string | readonly string[] | null;
  /** `127.0.0.1:4880`, several separated by blanks, or a list of them; null: none. */
  readonly webSocketListen: string | readonly string[] | null;
  /** Like `webSocketListen`. */
  readonly webSocketTlsListen: string | readonly string[] | null;
  /** `https://app.example.com`, several separated by blanks, or a list of them; null: none. */
  readonly webSocketOrigins: string | readonly string[] | null;
  /** Like `httpListen`. */
  readonly tlsListen: string | readonly string[] | null;
  /** A number such as 0o660, or octal text such as `0660`. */
  readonly unixSocketMode: number | string;
}

/** Options as the embedding API takes them. Undefined means not given. */
export type OptionInputs = Optional<Omit<SettledOptions, keyof LenientInputs>> &
  Optional<LenientInputs> &
  Optional<SpreadTimeouts>;
