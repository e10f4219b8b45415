import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type ResolvedDaemonOptions,
  resolveConfiguration,
  resolveDaemonOptions,
} from '../../daemon/options-resolve.ts';
import type { DaemonOptions } from '../../daemon/options-schema.ts';
import { authSettings } from '../../engine/config/auth-methods.ts';
import { ConfigError, type ConfigProblem } from '../../engine/config/config-error.ts';
import {
  AUTH_METHODS,
  type ConfigurationOptions,
  DEBUG_FLAGS,
  DEFAULT_OPTIONS,
} from '../../engine/config/configuration-options.ts';
import { evaluateDebugFlags } from '../../engine/config/option-rules.ts';
import { parseConfig } from '../../engine/config/parse-config.ts';

const SEGMENT = 'Spread_Segment 127.0.0.255:4900 { d1 127.0.0.1 d2 127.0.0.2 { D 127.0.0.2 } }';

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/conf/${name}`, import.meta.url), 'utf8');

function resolve(options: DaemonOptions, text: string | null = null): ResolvedDaemonOptions {
  const file = text === null ? null : parseConfig(text, 'test.conf');
  return resolveDaemonOptions(options, { file, addressOf: () => null, localAddresses: ['127.0.0.1'] });
}

/** Options of a file that holds `text` behind a segment on line 1. */
const fromFile = (text: string, options: DaemonOptions = {}): ConfigurationOptions =>
  resolve(options, `${SEGMENT}\n${text}`).configuration.options;

function problems(run: () => unknown): readonly ConfigProblem[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const fileProblems = (text: string): string[] =>
  problems(() => fromFile(text)).map(({ line, column, message }) => `${line}:${column}: ${message}`);
const apiProblems = (options: unknown): string[] =>
  problems(() => resolve(options as DaemonOptions)).map((problem) => problem.message);

describe('defaults', () => {
  it('without a file: alone on loopback and on the Unix socket', () => {
    const resolved = resolve({});
    expect(resolved.configuration.options).toEqual(DEFAULT_OPTIONS);
    expect(resolved.self).toMatchObject({ name: 'localhost', address: '127.0.0.1' });
    expect(resolved.listen).toEqual({ addresses: ['127.0.0.1'], port: 4803 });
    expect(resolved.configuration.options.unixSocketDir).toBe('/tmp');
    expect(resolved.source).toBeNull();
    expect(resolved.warnings).toEqual([]);
  });

  it('are the same with a file that sets no option', () => {
    expect(fromFile('')).toEqual(DEFAULT_OPTIONS);
  });

  it('are those of section 9.4, apart from deliberate differences', () => {
    expect(DEFAULT_OPTIONS).toMatchObject({
      debugFlags: ['PRINT', 'EXIT'],
      eventPriority: 'INFO',
      eventTimeStamp: null,
      dangerousMonitor: false,
      socketPortReuse: 'auto',
      allowedAuthMethods: ['NULL'],
      requiredAuthMethods: [],
      accessControlPolicy: 'PERMIT',
      window: 160,
      personalWindow: 20,
      acceleratedRing: null,
      acceleratedWindow: 15,
      timeouts: null,
    });
  });
});

describe('options of a file', () => {
  it('all reach their field', () => {
    const file = parseConfig(fixture('every-option.conf'), 'every-option.conf');
    const { configuration, warnings } = resolveConfiguration({}, { file, addressOf: () => null });
    expect(warnings.map(({ field }) => field)).toEqual([
      'DebugFlags',
      'EventPriority',
      'EventTimeStamp',
      'EventPreciseTimeStamp',
      'DebugInitialSequence',
      'SocketPortReuse',
      'LinkProtocol',
      'AliveTimeout',
      'RepTimeout',
      'SegTimeout',
      'IgnoreMulticastJoinErrors',
    ]);
    const expected: ConfigurationOptions = {
      debugFlags: ['PRINT', 'MEMBERSHIP'],
      eventPriority: 'ERROR',
      eventLogFile: '/var/log/skein-%h.log',
      eventTimeStamp: '%H:%M:%S',
      eventPreciseTimeStamp: true,
      debugInitialSequence: true,
      dangerousMonitor: true,
      socketPortReuse: 'auto',
      runtimeDir: '/run/ring',
      daemonUser: 'ring',
      daemonGroup: 'ring users',
      allowedAuthMethods: ['NULL', 'IP', 'PWORD', 'SCRAM-SHA-256'],
      requiredAuthMethods: ['IP'],
      accessControlPolicy: 'PERMIT',
      maxSessionMessages: 2500,
      linkProtocol: 'Hop',
      window: 200,
      personalWindow: 40,
      acceleratedRing: true,
      acceleratedWindow: 30,
      timeouts: {
        tokenTimeout: 2000,
        hurryTimeout: 400,
        aliveTimeout: 200,
        joinTimeout: 100,
        repTimeout: 500,
        segTimeout: 400,
        gatherTimeout: 1000,
        formTimeout: 900,
        lookupTimeout: 20_000,
      },
      activeIPVersion: 'IPv4',
      wideAreaNetwork: true,
      ignoreMulticastJoinErrors: true,
      excludeSegAddrsFromHash: true,
      threadingMode: 'shared-network',
      deliveryWorkers: 3,
      maxSessions: 997,
      maxSessionBytes: 16 * 1024 * 1024,
      maxQueuedBytes: 2 * 1024 ** 3,
      maxSessionGroups: 500,
      maxUserSessions: 2000,
      maxUserMessageRate: 2001,
      maxUserByteRate: 2002,
      maxAddressSessions: 2010,
      maxAddressMessageRate: 2011,
      maxAddressByteRate: 2012,
      rateLimitTimeout: 4000,
      slowConsumerPolicy: 'drop-unreliable',
      handshakeTimeout: 2500,
      maxHandshakes: 300,
      maxWaitingPasswords: 40,
      maxInputBytes: 8 * 1024 * 1024,
      drainTime: 15_000,
      drainViewBytes: 4 * 1024 * 1024,
      clientTimeout: 30_000,
      unixSocketDir: '/run/skein',
      unixSocketMode: 0o660,
      logLevel: 'debug',
      listenBacklog: 128,
      accessIpFile: '/etc/skein/access_ip',
      passwordFile: '/etc/skein/passwords',
      scramFile: '/etc/skein/scram',
      datagramSize: 8900,
      transport: 'broadcast',
      clusterKeyFile: '/etc/skein/cluster.key',
      stateDir: '/var/lib/skein',
      volatile: false,
      ringProfile: null,
      timeScale: 1.5,
      webSocketListen: [
        { host: '127.0.0.1', port: 4884 },
        { host: '::1', port: 4884 },
      ],
      webSocketTlsListen: [{ host: '0.0.0.0', port: 4885 }],
      webSocketOrigins: ['https://app.example.com', 'http://localhost:3000'],
      tlsListen: [{ host: '0.0.0.0', port: 4804 }],
      tlsCertificateFile: '/etc/skein/tls.crt',
      tlsKeyFile: '/etc/skein/tls.key',
      tlsAuthorityFile: '/etc/skein/clients.crt',
      tlsClientCertificate: 'optional',
      httpListen: [
        { host: '127.0.0.1', port: 4880 },
        { host: '::1', port: 4880 },
      ],
      httpTlsListen: [{ host: '0.0.0.0', port: 4881 }],
      httpTokenFile: '/etc/skein/http-tokens',
      accessFile: '/etc/skein/access',
    };
    expect(configuration.options).toEqual(expected);
  });

  it('survive every trap of the original lexer', () => {
    const { configuration } = resolve({ name: 'D' }, fixture('lexer-traps.conf'));
    expect(configuration.options).toMatchObject({
      maxSessionMessages: 1500,
      window: 120,
      personalWindow: 12,
      timeouts: { lookupTimeout: 1_000_000_000, tokenTimeout: 1, formTimeout: 1 },
      debugFlags: ['PRINT'],
      eventLogFile: 'a=b.log',
    });
  });

  it.each([
    ['the last of an option given twice wins', 'Window = 50 Window = 60', { window: 60 }],
    ['debug flags replace earlier ones', 'DebugFlags = { ALL } DebugFlags = { ACM }', { debugFlags: ['ACM'] }],
    [
      'authentication methods add up',
      'AllowedAuthMethods = IP AllowedAuthMethods = "PWORD"',
      { allowedAuthMethods: ['IP', 'PWORD'] },
    ],
    [
      'booleans in any case',
      'DangerousMonitor = YES AcceleratedRing = False',
      { dangerousMonitor: true, acceleratedRing: false },
    ],
    ['a bare time stamp', 'EventTimeStamp', { eventTimeStamp: '[%a %d %b %Y %H:%M:%S]' }],
    ['session limit 0', 'MaxSessionMessages = 0', { maxSessionMessages: 0 }],
    ['bytes with a suffix', 'MaxSessionBytes = 2g', { maxSessionBytes: 2 * 1024 ** 3 }],
    ['bytes without', 'MaxSessionBytes = 4096', { maxSessionBytes: 4096 }],
    ['no Unix socket', 'UnixSocketDir = none', { unixSocketDir: null }],
    ['workers by themselves', 'DeliveryWorkers = auto', { deliveryWorkers: 'auto' }],
    ['a user that is a number', 'DaemonUser = 1000', { daemonUser: '1000' }],
  ])('%s', (_, text, expected) => {
    expect(fromFile(text)).toMatchObject(expected);
  });

  it.each([
    ['pDEBUG', 'debug'],
    ['INFO', 'info'],
    ['WARNING', 'warn'],
    ['ERROR', 'error'],
    ['CRITICAL', 'fatal'],
    ['FATAL', 'fatal'],
  ])('EventPriority %s logs at level %s, unless LogLevel says otherwise', (priority, level) => {
    expect(fromFile(`EventPriority = ${priority}`).logLevel).toBe(level);
    expect(fromFile(`LogLevel = trace EventPriority = ${priority}`).logLevel).toBe('trace');
  });
});

describe('problems of a file', () => {
  it.each([
    ['Window = 0', '2:10: Window is 0; it must be an integer from 1 to 32767 packets'],
    ['Window = many', '2:10: Window is "many"; it must be an integer from 1 to 32767 packets'],
    ['Window = 1.5', '2:10: Window is 1.5; it must be an integer'],
    ['Window = -7', '2:10: Window is -7'],
    ['Window = 99999999999999999999', '2:10: Window is 100000000000000000000'],
    ['MaxSessionMessages = -1', '2:22: MaxSessionMessages is -1; it must be an integer from 0'],
    ['PersonalWindow = 161', '2:18: PersonalWindow is 161; it must be at most the window of the ring, 160'],
    [
      'AcceleratedRing = yes AcceleratedWindow = 21',
      '2:43: AcceleratedWindow is 21; it must be at most the personal window, 20',
    ],
    ['DangerousMonitor = maybe', '2:20: DangerousMonitor is "maybe"; it must be true, yes, false or no'],
    ['EventPriority = info', '2:17: EventPriority is "info"; it must be one of pDEBUG, INFO'],
    ['SocketPortReuse = true', '2:19: SocketPortReuse is "true"; it must be one of on, off, auto'],
    ['AccessControlPolicy = DENY', '2:23: AccessControlPolicy is "DENY"; it must be PERMIT'],
    ['LinkProtocol = Leap', '2:16: LinkProtocol is "Leap"; it must be one of Hop, TcpHop'],
    [`EventTimeStamp = "${'%H'.repeat(20)}"`, 'it must be a strftime format of 1 to 39 characters'],
    [`DaemonUser = ${'u'.repeat(33)}`, 'it must be a name of 1 to 32 characters'],
    [
      `AllowedAuthMethods = "${'NULL '.repeat(18)}"`,
      'it must be method names separated by blanks, below 90 characters',
    ],
    ['DebugFlags = { PRINT !EXITS }', '2:22: DebugFlags is "!EXITS"; it must be one of PRINT, EXIT'],
    ['MaxSessionBytes = 64MB', '2:19: MaxSessionBytes is "64MB"; it must be a number of bytes'],
    ['MaxQueuedBytes = 64K', '2:18: MaxQueuedBytes is "64K"; it must be a number of bytes from 1048576'],
    ['MaxSessionBytes = 1', '2:19: MaxSessionBytes is "1"; it must be a number of bytes from 1024'],
    ['UnixSocketMode = 0888', '2:18: UnixSocketMode is "0888"; it must be octal'],
    ['UnixSocketMode = 7777', 'it must be octal from 0 to 0777'],
    ['DatagramSize = 575', '2:16: DatagramSize is 575; it must be an integer from 576 to 65000 bytes'],
    ['DeliveryWorkers = 0', '2:19: DeliveryWorkers is 0; it must be auto, or an integer from 1'],
    ['ActiveIPVersion = IPv6', '2:19: ActiveIPVersion is "IPv6"; it must be IPv4: daemons do not speak IPv6 yet'],
    ['WideAreaNetwork = far', '2:19: WideAreaNetwork is "far"; it must be true, yes, false or no'],
    ['TimeScale = 0', '2:13: TimeScale is 0; it must be a number from 0.01 to 100'],
    ['Transport = multicast', '2:13: Transport is multicast, but the segment 127.0.0.255 has no multicast address'],
    [
      'TokenTimeout = 500 JoinTimeout = 5',
      '2:16: TokenTimeout is set alone; there must be all nine timeouts or none; missing: HurryTimeout, AliveTimeout, RepTimeout',
    ],
    ['TokenTimeout = 0', '2:16: TokenTimeout is 0; it must be an integer from 1 to 2147483647 ms'],
    ['Windw = 5', '2:1: unknown option "Windw"; did you mean "Window"?'],
    ['maxsessionmessages = 5', '2:1: unknown option "maxsessionmessages"; did you mean "MaxSessionMessages"?'],
    ['Xylophone = 5', '2:1: unknown option "Xylophone"'],
    ['EventPreciseTimeStamp = yes', '2:1: EventPreciseTimeStamp takes no value'],
    ['DebugFlags = PRINT', '2:1: DebugFlags needs a list: DebugFlags = { … }'],
    ['Window = { 5 }', '2:1: Window takes one value, not a list'],
    ['SocketPortReuse on', '2:1: SocketPortReuse needs a value: SocketPortReuse = …'],
    ['Window PersonalWindow = 5', '2:1: Window needs a value'],
  ])('%s', (text, message) => {
    const found = fileProblems(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  it('are all reported, in the order of the file, with field, value and limit as data', () => {
    const text =
      'Spread_Segment 127.0.0.300 { a 127.0.0.1 }\nWindow = 0\nUnknown\nPersonalWindow = 999\nDatagramSize = 1';
    const found = problems(() => resolve({ maxSessions: 0 }, text));
    expect(found.map(({ line, field }) => [line, field])).toEqual([
      [undefined, 'maxSessions'],
      [1, 'address'],
      [2, 'Window'],
      [3, 'Unknown'],
      [4, 'PersonalWindow'],
      [5, 'DatagramSize'],
    ]);
    expect(found[5]).toMatchObject({
      value: 1,
      limit: 'an integer from 576 to 65000 bytes',
      column: 16,
      lengthChars: 1,
    });
  });
});

describe('options of the API', () => {
  it('override the file one by one', () => {
    const options = fromFile('Window = 50\nLogLevel = trace\nMaxSessions = 7', { window: 60, logLevel: undefined });
    expect(options).toMatchObject({ window: 60, logLevel: 'trace', maxSessions: 7 });
  });

  it('also override options of the file that they make meaningless', () => {
    const nine = ['Token', 'Hurry', 'Alive', 'Join', 'Rep', 'Seg', 'Gather', 'Form', 'Lookup'];
    const text = nine.map((name) => `${name}Timeout = 500`).join('\n');
    expect(fromFile(text, { ringProfile: 'fast' })).toMatchObject({ ringProfile: 'fast', timeouts: null });
    expect(fromFile(text, { tokenTimeout: 900 }).timeouts).toMatchObject({ tokenTimeout: 900, hurryTimeout: 500 });
    expect(fromFile('LogLevel = trace', { eventPriority: 'ERROR' }).logLevel).toBe('error');
    expect(fileProblems(`${text}\nRingProfile = fast`)).toEqual([
      '2:16: TokenTimeout and RingProfile exclude each other: give one of them',
    ]);
  });

  it('are checked together with those of the file', () => {
    expect(problems(() => fromFile('Window = 10', { personalWindow: 12 }))).toMatchObject([
      {
        field: 'personalWindow',
        value: 12,
        message: 'personalWindow is 12; it must be at most the window of the ring, 10',
      },
    ]);
    expect(problems(() => fromFile('PersonalWindow = 12', { window: 10 }))).toMatchObject([
      { field: 'PersonalWindow', line: 2 },
    ]);
  });

  it.each([
    [{ port: 65_536 }, 'port is 65536; it must be an integer from 0 to 65535'],
    [{ port: '4803' }, 'port is "4803"; it must be an integer from 0 to 65535'],
    [{ name: 'a#b' }, 'name is "a#b"; it must be 1 to 19 printable ASCII characters without blanks and "#"'],
    [{ listen: ['127.0.0.1', 'localhost'] }, 'listen[1] is "localhost"; it must be an IPv4 address'],
    [{ listen: '::1' }, 'listen is "::1"; it must be an IPv4 address'],
    [{ threadingMode: 'Dedicated' }, 'threadingMode is "Dedicated"; it must be one of auto, dedicated'],
    [{ debugFlags: ['ALL', 'x'] }, 'debugFlags[1] is "x"; it must be one of PRINT'],
    [{ maxSessions: Number.NaN }, 'maxSessions is NaN; it must be an integer from 1 to 1000000'],
    [{ maxSessionBytes: 1e20 }, 'maxSessionBytes is 100000000000000000000; it must be a number of bytes'],
    [{ unixSocketMode: 0o1000 }, 'unixSocketMode is 512; it must be octal from 0 to 0777'],
    [{ unixSocketDir: '' }, 'unixSocketDir is ""; it must be a path of 1 to 4096 characters'],
    [{ stateDir: 'a\0b' }, 'stateDir is "a\\u0000b"; it must be a path'],
    [{ volatile: 'yes' }, 'volatile is "yes"; it must be true'],
    [{ maxSesions: 5 }, 'unknown option "maxSesions"; did you mean "maxSessions"?'],
    [{ configFile: 'a', configText: 'b' }, 'configFile and configText exclude each other'],
    [{ listen: [], unixSocketDir: null }, 'no client could connect'],
  ])('%j is refused', (options, message) => {
    const found = apiProblems(options);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(message);
  });

  it('also accept the forms of the file', () => {
    const { options } = resolve({
      maxSessionBytes: '1M',
      unixSocketMode: '0600',
      unixSocketDir: 'none',
      allowedAuthMethods: ['IP', 'NULL'],
      requiredAuthMethods: 'IP',
      eventTimeStamp: true,
      debugFlags: ['ALL', '!ACM'],
    }).configuration;
    expect(options).toMatchObject({
      maxSessionBytes: 1024 ** 2,
      unixSocketMode: 0o600,
      unixSocketDir: null,
      allowedAuthMethods: ['NULL', 'IP'],
      requiredAuthMethods: ['IP'],
      eventTimeStamp: '[%a %d %b %Y %H:%M:%S]',
    });
    expect(options.debugFlags).toEqual(DEBUG_FLAGS.filter((flag) => flag !== 'ACM'));
  });

  it('set the name, port and addresses of the daemon', () => {
    expect(resolve({ name: 'x', port: 5001 })).toMatchObject({
      self: { name: 'x' },
      listen: { addresses: ['127.0.0.1'], port: 5001 },
      configuration: { segments: [{ port: 5001 }] },
    });
    expect(resolve({ port: 0, listen: '0.0.0.0' }).listen).toEqual({ addresses: ['0.0.0.0'], port: 0 });
    expect(resolve({}, SEGMENT)).toMatchObject({
      self: { name: 'd1' },
      listen: { addresses: ['127.0.0.1'], port: 4900 },
    });
    expect(resolve({ name: 'd2', port: 7 }, SEGMENT)).toMatchObject({
      self: { name: 'd2' },
      listen: { addresses: [], port: 7 },
      configuration: { segments: [{ port: 4900 }] },
    });
    expect(apiProblems({ name: 5 })).toHaveLength(1);
    expect(() => resolve({ name: 'd3' }, SEGMENT)).toThrow('no daemon is called "d3" in test.conf');
  });
});

describe('authentication methods (section 1.6)', () => {
  it.each([
    [undefined, undefined, ['NULL'], []],
    [['IP', 'NULL'], ['IP'], ['NULL', 'IP'], ['IP']],
    [undefined, ['IP'], [], ['IP']],
    [['PWORD'], undefined, ['PWORD'], []],
    [[], undefined, [], []],
  ])('allowed %j, required %j', (allowed, required, expectedAllowed, expectedRequired) => {
    expect(authSettings(allowed, required)).toEqual({
      allowed: expectedAllowed,
      required: expectedRequired,
      unknown: [],
    });
  });

  it('ignore unknown names with a warning', () => {
    const { configuration, warnings } = resolve({}, `${SEGMENT}\nAllowedAuthMethods = "NULL KERBEROS ip"`);
    expect(configuration.options.allowedAuthMethods).toEqual(['NULL']);
    expect(warnings.map(({ line, message }) => [line, message])).toContainEqual([
      2,
      'unknown authentication methods are ignored: KERBEROS, ip',
    ]);
  });

  it('warn when no client could connect', () => {
    expect(resolve({ requiredAuthMethods: 'IP' }).warnings).toMatchObject([
      { field: 'requiredAuthMethods', message: 'no authentication method is allowed, so no client can connect' },
    ]);
  });

  it('announce methods in a fixed order', () => {
    expect(authSettings([...AUTH_METHODS].reverse(), undefined).allowed).toEqual(AUTH_METHODS);
  });
});

describe('debug flags', () => {
  it.each([
    [['ALL'], DEBUG_FLAGS],
    [['PRINT', 'NONE'], []],
    [['ALL', 'NONE', 'ACM'], ['ACM']],
    [['ACM', '!ACM'], []],
    [['!ACM', 'ACM'], ['ACM']],
    [['PRINT', '!ALL', 'EXIT'], ['EXIT']],
    [['PRINT', '!NONE'], ['PRINT']],
    [[], []],
  ])('%j', (words, expected) => {
    expect(evaluateDebugFlags(words)).toEqual(expected);
  });
});

describe('warnings', () => {
  it('name a timeout that is too short', () => {
    const nine = ['Token', 'Hurry', 'Alive', 'Join', 'Rep', 'Seg', 'Gather', 'Form', 'Lookup'];
    const text = nine.map((name) => `${name}Timeout=9`).join(' ');
    const { warnings } = resolve({}, `Spread_Segment 127.0.0.255 { d1 127.0.0.1 }\n${text}`);
    expect(warnings.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('TokenTimeout is 9; 150 ms are used instead'),
    );
  });
});
