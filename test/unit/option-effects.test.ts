/**
 * Walks over every option of a configuration: a test shows its effect, or the warning that it has none. The
 * table's type requires every option.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { createDaemonSpec } from '../../daemon/create-daemon-spec.ts';
import { DaemonLog } from '../../daemon/daemon-log.ts';
import { enterRuntimeDir, identityWarnings, resolveIdentity } from '../../daemon/identity.ts';
import { type ResolvedDaemonOptions, resolveDaemonOptions } from '../../daemon/options-resolve.ts';
import { startDaemon } from '../../daemon/start-daemon.ts';
import type { OptionKey } from '../../engine/config/configuration-options.ts';
import { keywordOf, OPTION_KINDS } from '../../engine/config/option-catalogue.ts';
import { OPTION_EFFECTS } from '../../engine/config/option-effects.ts';
import { parseConfig } from '../../engine/config/parse-config.ts';
import type { DaemonSpec } from '../../workers/daemon-spec.ts';
import { planThreads } from '../../workers/threading.ts';
import { Authority, type Issued } from '../e2e/support/certificates.ts';

const RING = 'Spread_Segment 10.0.0.255:5000 { a 10.0.0.1 b 10.0.0.2 }\n';
const MULTICAST = 'Spread_Segment 239.1.1.1:5000 { a 10.0.0.1 b 10.0.0.2 }\n';
const isRoot = process.geteuid?.() === 0;

function resolve(text: string): ResolvedDaemonOptions {
  const file = parseConfig(text.includes('Spread_Segment') ? text : `${RING}${text}`, 'test.conf');
  return resolveDaemonOptions({ name: 'a' }, { file, addressOf: () => null, localAddresses: [] });
}

const spec = async (text: string): Promise<DaemonSpec> => (await createDaemonSpec(resolve(text))).spec;
const warningsOf = (text: string): readonly string[] => resolve(text).warnings.map(({ message }) => message);

/** The lines change the value of `pick` to `expected`, and no warning calls them without effect. */
async function changes(lines: string, pick: (spec: DaemonSpec) => unknown, expected: unknown): Promise<void> {
  expect(pick(await spec(''))).not.toEqual(expected);
  expect(pick(await spec(lines))).toEqual(expected);
  expect(warningsOf(lines).filter((text) => text.includes('has no effect'))).toEqual([]);
}

/** A warning says that the option has no effect, and why; a check of the file gives its line. */
function warns(key: OptionKey, lines: string, because: string): void {
  const text = lines.includes('Spread_Segment') ? lines : `${RING}${lines}`;
  const found = resolve(text).warnings.filter(({ field }) => field === keywordOf(key));
  expect(found).toHaveLength(1);
  expect(found[0]).toMatchObject({ line: expect.any(Number), column: expect.any(Number) });
  expect(found[0]!.message).toMatch(new RegExp(`^${keywordOf(key)} has no effect: .*${because}`));
}

function temporaryFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'skein-options-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const timers = (changed: Readonly<Record<string, number>>): string => {
  const nine = {
    Token: 1250,
    Hurry: 500,
    Alive: 250,
    Join: 250,
    Rep: 625,
    Seg: 500,
    Gather: 1250,
    Form: 1250,
    Lookup: 30_000,
  };
  return Object.entries({ ...nine, ...changed })
    .map(([name, ms]) => `${name}Timeout = ${ms}`)
    .join('\n');
};

/** One of Spread's nine timers sets a timer of the ring. */
async function times(
  name: string,
  value: number,
  timer: keyof DaemonSpec['ring']['ring']['timeouts'],
  ms: number,
): Promise<void> {
  const pick = async (lines: string): Promise<number> => (await spec(lines)).ring.ring.timeouts[timer];
  expect(await pick(timers({}))).not.toBe(ms);
  expect(await pick(timers({ [name]: value }))).toBe(ms);
}

const KEYS = `1:${Buffer.from(Array.from({ length: 32 }, (_, i) => 7 * i + 1)).toString('base64')}\n`;

const EVIDENCE: Readonly<Record<OptionKey, () => void | Promise<void>>> = {
  debugFlags: () => warns('debugFlags', 'DebugFlags = { PRINT EXIT }', 'LogLevel'),
  eventPriority: async () => {
    await changes('EventPriority = ERROR', ({ logLevel }) => logLevel, 'error');
    warns('eventPriority', 'EventPriority = ERROR\nLogLevel = debug', 'LogLevel');
  },
  eventLogFile: async () => {
    const path = temporaryFile('');
    const { options } = resolve(`EventLogFile = ${path}`).configuration;
    const log = new DaemonLog({ daemon: 'a', options, logger: undefined });
    log.info({}, 'a line');
    await log.close();
    expect(readFileSync(path, 'utf8')).toContain('"msg":"a line"');
  },
  eventTimeStamp: () => warns('eventTimeStamp', 'EventTimeStamp = "%H"', 'has its time'),
  eventPreciseTimeStamp: () => warns('eventPreciseTimeStamp', 'EventPreciseTimeStamp', 'has its time'),
  debugInitialSequence: () => warns('debugInitialSequence', 'DebugInitialSequence', 'do not wrap'),
  dangerousMonitor: async () => {
    const keys = temporaryFile(KEYS);
    const pick = ({ network }: DaemonSpec): unknown => network.dangerousMonitor;
    await changes(`DangerousMonitor = yes\nClusterKeyFile = ${keys}`, pick, true);
    warns('dangerousMonitor', 'DangerousMonitor = yes', 'ClusterKeyFile');
  },
  socketPortReuse: () => {
    warns('socketPortReuse', 'SocketPortReuse = off', 'SO_REUSEADDR');
    warns('socketPortReuse', 'SocketPortReuse = auto', 'SO_REUSEADDR');
    expect(warningsOf('SocketPortReuse = on')).toEqual([]);
  },
  runtimeDir: () => {
    const before = process.cwd();
    const { options } = resolve('RuntimeDir = /').configuration;
    // Worker threads cannot change the working folder; the daemon's process can (test/e2e/identity.test.ts).
    const said = enterRuntimeDir(options);
    process.chdir(before);
    expect(said).toEqual([expect.stringContaining('RuntimeDir / is the working folder')]);
  },
  daemonUser: () => {
    const { options } = resolve('DaemonUser = nobody').configuration;
    if (isRoot) expect(resolveIdentity(options)).toMatchObject({ userName: 'nobody' });
    else expect(identityWarnings(options, true)).toEqual([expect.stringContaining('DaemonUser nobody: no effect')]);
  },
  daemonGroup: () => {
    const { options } = resolve('DaemonUser = nobody\nDaemonGroup = 12345').configuration;
    if (isRoot) expect(resolveIdentity(options)).toMatchObject({ gid: 12_345 });
    else expect(identityWarnings(options, true)).toEqual([expect.stringContaining('DaemonGroup 12345: no effect')]);
  },
  allowedAuthMethods: () =>
    changes('AllowedAuthMethods = "NULL IP"', ({ delivery: { auth } }) => auth.allowed, ['NULL', 'IP']),
  requiredAuthMethods: () =>
    changes('AllowedAuthMethods = NULL\nRequiredAuthMethods = IP', ({ delivery: { auth } }) => auth.required, ['IP']),
  // The only value permits what is permitted anyway; the schema refuses others.
  accessControlPolicy: () => {
    expect(warningsOf('AccessControlPolicy = PERMIT')).toEqual([]);
    expect(() => resolve('AccessControlPolicy = DENY')).toThrow('it must be PERMIT, the only policy there is');
  },
  maxUserSessions: () => changes('MaxUserSessions = 2000', ({ delivery: { rates } }) => rates.user.sessions, 2000),
  maxUserMessageRate: () =>
    changes('MaxUserMessageRate = 2000', ({ delivery: { rates } }) => rates.user.messages, 2000),
  maxUserByteRate: () => changes('MaxUserByteRate = 2000', ({ delivery: { rates } }) => rates.user.bytes, 2000),
  maxAddressSessions: () =>
    changes('MaxAddressSessions = 2000', ({ delivery: { rates } }) => rates.address.sessions, 2000),
  maxAddressMessageRate: () =>
    changes('MaxAddressMessageRate = 2000', ({ delivery: { rates } }) => rates.address.messages, 2000),
  maxAddressByteRate: () =>
    changes('MaxAddressByteRate = 2000', ({ delivery: { rates } }) => rates.address.bytes, 2000),
  rateLimitTimeout: async () => {
    const rate = 'MaxUserByteRate = 2000\n';
    await changes(`${rate}RateLimitTimeout = 2000`, ({ delivery: { rates } }) => rates.timeoutMs, 2000);
    warns('rateLimitTimeout', 'RateLimitTimeout = 2000', 'no user and no address has a rate');
  },
  maxSessionMessages: () =>
    changes('MaxSessionMessages = 7', ({ delivery: { limits } }) => limits.maxSessionMessages, 7),
  linkProtocol: () => {
    warns('linkProtocol', 'LinkProtocol = Hop', 'one way between daemons');
    warns('linkProtocol', 'LinkProtocol = TcpHop', 'one way between daemons');
  },
  window: () => changes('Window = 77', ({ ring }) => ring.ring.windows.window, 77),
  personalWindow: () => changes('PersonalWindow = 7', ({ ring }) => ring.ring.windows.personalWindow, 7),
  acceleratedRing: () => changes('AcceleratedRing = no', ({ ring }) => ring.ring.windows.acceleratedRing, false),
  acceleratedWindow: async () => {
    await changes('AcceleratedWindow = 9', ({ ring }) => ring.ring.windows.acceleratedWindow, 9);
    warns('acceleratedWindow', 'AcceleratedRing = no\nAcceleratedWindow = 9', 'AcceleratedRing is off');
  },
  tokenTimeout: () => times('Token', 900, 'tokenLossMs', 900),
  hurryTimeout: () => times('Hurry', 400, 'idleHoldMaxMs', 400),
  aliveTimeout: () => warns('aliveTimeout', timers({}), 'representatives'),
  joinTimeout: () => times('Join', 100, 'joinEveryMs', 100),
  repTimeout: () => warns('repTimeout', timers({}), 'representatives'),
  segTimeout: () => warns('segTimeout', timers({}), 'representatives'),
  gatherTimeout: () => times('Gather', 900, 'gatherMaxMs', 900),
  formTimeout: () => times('Form', 900, 'commitMs', 900),
  lookupTimeout: () => times('Lookup', 9000, 'probeIdleMs', 9000),
  activeIPVersion: () => {
    expect(warningsOf('ActiveIPVersion = IPv4')).toEqual([]);
    expect(() => resolve('ActiveIPVersion = IPv6')).toThrow('it must be IPv4: daemons do not speak IPv6 yet');
  },
  wideAreaNetwork: async () => {
    await changes('WideAreaNetwork = yes', ({ ring }) => ring.ring.timeouts.tokenLossMs, 4000);
    const wide = 'Spread_Segment 10.0.0.255 { a 10.0.0.1 } Spread_Segment 10.9.0.255 { b 10.9.0.1 }\n';
    expect((await spec(wide)).ring.ring.timeouts.tokenLossMs).toBe(4000);
    expect((await spec(`${wide}WideAreaNetwork = no`)).ring.ring.timeouts.tokenLossMs).toBe(600);
  },
  // A failed join is tested in test/unit/send-failures.test.ts.
  ignoreMulticastJoinErrors: async () => {
    const text = `${MULTICAST}IgnoreMulticastJoinErrors = yes`;
    expect((await spec(MULTICAST)).network.segment).toMatchObject({ ignoresJoinErrors: false });
    expect((await spec(text)).network.segment).toMatchObject({ ignoresJoinErrors: true });
    expect(warningsOf(text)).toEqual([]);
    warns('ignoreMulticastJoinErrors', 'IgnoreMulticastJoinErrors = yes', 'multicast');
  },
  excludeSegAddrsFromHash: async () => {
    const hash = async (text: string): Promise<unknown> => (await spec(text)).ring.ring.clusterHash;
    const other = RING.replace('10.0.0.255', '10.0.1.255');
    const exclude = 'ExcludeSegAddrsFromHash = yes';
    expect(await hash(other)).not.toEqual(await hash(RING));
    expect(await hash(`${other}${exclude}`)).toEqual(await hash(`${RING}${exclude}`));
    expect(await hash(`${RING.replace('5000', '5001')}${exclude}`)).not.toEqual(await hash(`${RING}${exclude}`));
  },
  threadingMode: () => {
    const { threadingMode } = resolve('ThreadingMode = dedicated').configuration.options;
    expect(planThreads(threadingMode, 1, { cores: 1, nodeVersion: '20.0.0' }).threads).toHaveLength(3);
  },
  deliveryWorkers: () => {
    const { deliveryWorkers } = resolve('DeliveryWorkers = 3').configuration.options;
    const plan = planThreads('dedicated', deliveryWorkers, { cores: 1, nodeVersion: '20.0.0' });
    expect(plan.deliveryWorkers).toBe(3);
  },
  maxSessions: () =>
    changes('MaxSessions = 7', ({ delivery, ring }) => [delivery.maxSessions, ring.maxSessions], [7, 7]),
  maxSessionBytes: () =>
    changes('MaxSessionBytes = 2M', ({ delivery: { limits } }) => limits.maxSessionBytes, 2 * 1024 * 1024),
  slowConsumerPolicy: () =>
    changes('SlowConsumerPolicy = drop-unreliable', ({ delivery: { limits } }) => limits.policy, 'drop-unreliable'),
  handshakeTimeout: () =>
    changes('HandshakeTimeout = 77', ({ delivery: { handshakeTimeoutMs } }) => handshakeTimeoutMs, 77),
  maxHandshakes: () => changes('MaxHandshakes = 7', ({ delivery: { maxHandshakes } }) => maxHandshakes, 7),
  maxQueuedBytes: () =>
    changes('MaxQueuedBytes = 2M', ({ delivery: { maxQueuedBytes } }) => maxQueuedBytes, 2 * 1024 * 1024),
  maxSessionGroups: () => changes('MaxSessionGroups = 7', ({ delivery: { maxSessionGroups } }) => maxSessionGroups, 7),
  drainTime: async () => {
    const lines: string[] = [];
    const logger = pino({}, { write: (line: string) => void lines.push(line) });
    const daemon = await startDaemon({ port: 0, unixSocketDir: null, drainTime: 12_345, logger });
    await daemon.drain();
    expect(lines.join('')).toContain('"drainTimeMs":12345');
  },
  drainViewBytes: () =>
    changes('DrainViewBytes = 2M', ({ delivery: { drainViewBytes } }) => drainViewBytes, 2 * 1024 * 1024),
  maxInputBytes: () =>
    changes('MaxInputBytes = 2M', ({ delivery: { maxInputBytes } }) => maxInputBytes, 2 * 1024 * 1024),
  maxWaitingPasswords: async () => {
    const file = temporaryFile('');
    const text = `AllowedAuthMethods = PWORD\nPasswordFile = ${file}\nMaxWaitingPasswords = 7`;
    await changes(text, ({ delivery: { maxWaitingPasswords } }) => maxWaitingPasswords, 7);
    warns('maxWaitingPasswords', 'MaxWaitingPasswords = 7', 'PWORD');
  },
  clientTimeout: () => changes('ClientTimeout = 12345', ({ delivery: { clientTimeoutMs } }) => clientTimeoutMs, 12_345),
  unixSocketDir: () =>
    changes('UnixSocketDir = /x', unixSocket, { kind: 'unix', path: '/x/5000', mode: 0o666, owner: null }),
  unixSocketMode: async () => {
    await changes('UnixSocketMode = 0600', unixSocket, { kind: 'unix', path: '/tmp/5000', mode: 0o600, owner: null });
    warns('unixSocketMode', 'UnixSocketDir = none\nUnixSocketMode = 0600', 'there is no Unix socket');
  },
  logLevel: () => changes('LogLevel = trace', ({ logLevel }) => logLevel, 'trace'),
  listenBacklog: () => changes('ListenBacklog = 7', ({ listenBacklog }) => listenBacklog, 7),
  accessIpFile: async () => {
    const file = temporaryFile('10.9.8.7\n');
    const without = (await spec(`AllowedAuthMethods = IP\nAccessIpFile = ${temporaryFile('')}`)).delivery.access;
    expect((await spec(`AllowedAuthMethods = IP\nAccessIpFile = ${file}`)).delivery.access).not.toEqual(without);
    warns('accessIpFile', `AccessIpFile = ${file}`, 'IP');
  },
  scramFile: async () => {
    const key = Buffer.alloc(32, 1).toString('base64');
    const file = temporaryFile(`*:secret$${key}\nalice:SCRAM-SHA-256$4096:${key}$${key}:${key}\n`);
    const text = `AllowedAuthMethods = SCRAM-SHA-256\nScramFile = ${file}`;
    await changes(text, ({ delivery: { scram } }) => [...scram.entries.keys()], ['alice']);
    warns('scramFile', `ScramFile = ${file}`, 'SCRAM-SHA-256');
  },
  passwordFile: async () => {
    const file = temporaryFile(`bob:scrypt$16384$8$1$${'A'.repeat(22)}==$${'A'.repeat(43)}=\n`);
    const text = `AllowedAuthMethods = PWORD\nPasswordFile = ${file}`;
    await changes(text, ({ delivery: { passwords } }) => [...passwords.keys()], ['bob']);
    warns('passwordFile', `PasswordFile = ${file}`, 'PWORD');
  },
  accessFile: async () => {
    const file = temporaryFile('anyone join news\n');
    await changes(`AccessFile = ${file}`, ({ delivery: { rights } }) => rights?.lines[0]?.grants.join, ['news']);
  },
  datagramSize: () => changes('DatagramSize = 8900', ({ ring }) => ring.ring.datagramBytes, 8900),
  transport: () => changes('Transport = unicast', ({ network }) => network.segment, null),
  clusterKeyFile: () =>
    changes(`ClusterKeyFile = ${temporaryFile(KEYS)}`, ({ clusterKeys }) => clusterKeys?.map(({ id }) => id), [1]),
  stateDir: async () => {
    const folder = join(temporaryFile(''), '..');
    await changes(`StateDir = ${folder}`, ({ ring }) => ring.ringSeqFile, join(folder, 'ring-seq-a'));
    warns('stateDir', `StateDir = ${folder}\nVolatile = yes`, 'Volatile');
  },
  volatile: async () => {
    const folder = join(temporaryFile(''), '..');
    expect((await spec(`StateDir = ${folder}`)).ring.ringSeqFile).not.toBeNull();
    expect((await spec(`StateDir = ${folder}\nVolatile = yes`)).ring.ringSeqFile).toBeNull();
  },
  ringProfile: () => changes('RingProfile = fast', ({ ring }) => ring.ring.timeouts.tokenLossMs, 150),
  // Connections are tested in test/e2e/websocket.test.ts.
  webSocketListen: async () => {
    const listen = async (lines: string) => (await spec(lines)).listen.filter(({ kind }) => kind === 'websocket');
    expect(await listen('')).toEqual([]);
    expect(await listen('WebSocketListen = 127.0.0.1:4884')).toEqual([
      { kind: 'websocket', host: '127.0.0.1', port: 4884 },
    ]);
    expect(warningsOf('WebSocketListen = 127.0.0.1:4884')).toEqual([]);
  },
  webSocketTlsListen: async () => {
    const text = tlsLines('WebSocketTlsListen = 127.0.0.1:4885').replace(/^TlsListen.*\n/, '');
    const encrypted = ({ listen }: DaemonSpec): unknown => listen.filter(({ kind }) => kind === 'websocket-tls');
    await changes(text, encrypted, [{ kind: 'websocket-tls', host: '127.0.0.1', port: 4885 }]);
    expect((await spec(text)).delivery.tls).not.toBeNull();
    expect(warningsOf(text)).toEqual([]);
    expect(() => resolve('WebSocketTlsListen = 127.0.0.1:4885')).toThrow(
      'WebSocketTlsListen needs TlsCertificateFile, which is not set',
    );
  },
  webSocketOrigins: async () => {
    const origins = 'WebSocketOrigins = https://a.example:443';
    for (const text of [
      `WebSocketListen = 127.0.0.1:4884\n${origins}`,
      tlsLines(`WebSocketTlsListen = [::1]:1\n${origins}`),
    ]) {
      expect((await spec(text)).delivery.webSocketOrigins).toEqual(['https://a.example']);
      expect(warningsOf(text)).toEqual([]);
    }
    warns('webSocketOrigins', 'WebSocketOrigins = https://a.example', 'WebSocketListen');
  },
  // Connections are tested in test/e2e/tls.test.ts.
  tlsListen: () => changes(tlsLines(''), tlsListen, [{ kind: 'tls', host: '10.0.0.1', port: 4804 }]),
  tlsCertificateFile: () => certificateOption('tlsCertificateFile', 'certificate'),
  tlsKeyFile: () => certificateOption('tlsKeyFile', 'key'),
  tlsAuthorityFile: async () => {
    const { ca, caFile } = authority();
    await changes(
      tlsLines(`TlsClientCertificate = required\nTlsAuthorityFile = ${caFile}`),
      ({ delivery: { tls } }) => tls?.authority,
      ca,
    );
    warns('tlsAuthorityFile', tlsLines(`TlsAuthorityFile = ${caFile}`), 'TlsClientCertificate is none');
    warns('tlsAuthorityFile', `TlsAuthorityFile = ${caFile}`, 'TlsListen');
  },
  tlsClientCertificate: async () => {
    const lines = `TlsClientCertificate = optional\nTlsAuthorityFile = ${authority().caFile}`;
    await changes(tlsLines(lines), ({ delivery: { tls } }) => tls?.clientCertificate, 'optional');
    warns('tlsClientCertificate', 'TlsClientCertificate = required', 'TlsListen');
  },
  // The content is tested in test/e2e/http.test.ts.
  httpListen: () => {
    const listen = (lines: string): unknown => resolve(lines).configuration.options.httpListen;
    expect(listen('')).toEqual([]);
    expect(listen('HttpListen = 127.0.0.1:4880')).toEqual([{ host: '127.0.0.1', port: 4880 }]);
    expect(warningsOf('HttpListen = 127.0.0.1:4880')).toEqual([]);
  },
  httpTlsListen: async () => {
    const text = tlsLines('HttpTlsListen = 127.0.0.1:4881').replace(/^TlsListen.*\n/, '');
    expect(resolve(text).configuration.options.httpTlsListen).toEqual([{ host: '127.0.0.1', port: 4881 }]);
    expect((await spec(text)).delivery.tls).not.toBeNull();
    expect(warningsOf(text)).toEqual([]);
    expect(() => resolve('HttpTlsListen = 127.0.0.1:1')).toThrow('HttpTlsListen needs TlsCertificateFile');
    expect(() => resolve(text.replace('127.0.0.1', '10.0.0.1'))).toThrow(/ttpTokenFile must be set as well/);
  },
  httpTokenFile: () => {
    const file = temporaryFile('');
    const text = `HttpListen = 0.0.0.0:4880\nHttpTokenFile = ${file}`;
    expect(resolve(text).configuration.options.httpTokenFile).toBe(file);
    expect(warningsOf(text)).toEqual([]);
    warns('httpTokenFile', `HttpTokenFile = ${file}`, 'HttpListen');
  },
  timeScale: () => changes('TimeScale = 3', ({ ring }) => ring.ring.timeouts.tokenLossMs, 1800),
};

let made: { readonly authority: Authority; readonly daemon: Issued } | null = null;
afterAll(() => made?.authority.remove());

function certificates() {
  if (made === null) {
    const fresh = new Authority();
    made = { authority: fresh, daemon: fresh.issue('a') };
  }
  return made;
}

const authority = (): Authority => certificates().authority;

function tlsLines(more: string): string {
  const { certFile, keyFile } = certificates().daemon;
  return `TlsListen = 10.0.0.1:4804\nTlsCertificateFile = ${certFile}\nTlsKeyFile = ${keyFile}\n${more}`;
}

const tlsListen = ({ listen }: DaemonSpec): unknown => listen.filter(({ kind }) => kind === 'tls');

async function certificateOption(key: 'tlsCertificateFile' | 'tlsKeyFile', part: 'certificate' | 'key') {
  const { cert, key: privateKey, certFile } = certificates().daemon;
  await changes(tlsLines(''), ({ delivery: { tls } }) => tls?.[part], part === 'key' ? privateKey : cert);
  warns(key, `${keywordOf(key)} = ${certFile}`, 'TlsListen');
  const without = tlsLines('').replace(new RegExp(`^${keywordOf(key)}.*$`, 'm'), '');
  expect(() => resolve(without)).toThrow(`TlsListen needs ${keywordOf(key)}, which is not set`);
}

function unixSocket({ listen }: DaemonSpec): unknown {
  return listen.find(({ kind }) => kind === 'unix');
}

describe('every option of the catalogue', () => {
  it('is in the tables of effects and of this test', () => {
    const all = Object.keys(OPTION_KINDS).sort();
    expect(Object.keys(OPTION_EFFECTS).sort()).toEqual(all);
    expect(Object.keys(EVIDENCE).sort()).toEqual(all);
  });

  it.each(Object.keys(OPTION_KINDS) as OptionKey[])(
    '%s has an effect, or a warning says that it has none',
    async (key) => {
      await EVIDENCE[key]();
    },
  );
});

it('gives no warning for an option that only switches something off', () => {
  expect(warningsOf('DangerousMonitor = no\nIgnoreMulticastJoinErrors = no\nVolatile = no')).toEqual([]);
});
