/** Every option has exactly one class of change, and a reload treats it as docs/configuration.md says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DaemonLog } from '../../daemon/daemon-log.ts';
import { deliverySettings } from '../../daemon/delivery-options.ts';
import { readOperatorFiles } from '../../daemon/operator-files.ts';
import { loadOptions } from '../../daemon/options-load.ts';
import { type ChangeClass, compareConfigurations, type OptionChanges } from '../../daemon/reload/option-changes.ts';
import { Reloader } from '../../daemon/reload/reloader.ts';
import type { OptionKey, SPREAD_TIMEOUT_KEYS } from '../../engine/config/configuration-options.ts';
import { keywordOf, OPTION_KEYS, optionEntry } from '../../engine/config/option-catalogue.ts';
import type { SettingsSnapshot } from '../../workers/settings/settings-snapshot.ts';
import type { Prepared } from '../../workers/settings/two-steps.ts';
import { Authority, type Issued } from '../e2e/support/certificates.ts';

const keyOf = (id: number): string => Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7 + id)).toString('base64');
const KEY = (id: number): string => `${id}:${keyOf(id)}\n`;
const USER = (name: string): string => `${name}:scrypt$16$8$1$${Buffer.alloc(16, 1).toString('base64')}$${keyOf(2)}\n`;

/** Two values of each option, different from each other and from the default. Spread's timers are set all at once, below. */
const VALUES: Readonly<Record<Exclude<OptionKey, (typeof SPREAD_TIMEOUT_KEYS)[number]>, readonly [string, string]>> = {
  maxSessions: ['10', '20'],
  maxSessionMessages: ['10', '20'],
  maxSessionBytes: ['1M', '2M'],
  maxQueuedBytes: ['100M', '200M'],
  maxUserSessions: ['2000', '3000'],
  maxUserMessageRate: ['2000', '3000'],
  maxUserByteRate: ['2000', '3000'],
  maxAddressSessions: ['2000', '3000'],
  maxAddressMessageRate: ['2000', '3000'],
  maxAddressByteRate: ['2000', '3000'],
  rateLimitTimeout: ['2000', '3000'],
  maxSessionGroups: ['10', '20'],
  maxInputBytes: ['2M', '3M'],
  slowConsumerPolicy: ['disconnect', 'drop-unreliable'],
  maxHandshakes: ['10', '20'],
  maxWaitingPasswords: ['10', '20'],
  handshakeTimeout: ['1000', '2000'],
  drainTime: ['1000', '2000'],
  drainViewBytes: ['1M', '2M'],
  clientTimeout: ['20000', '30000'],
  listenBacklog: ['10', '20'],
  unixSocketDir: ['/tmp/a', '/tmp/b'],
  unixSocketMode: ['0600', '0660'],
  allowedAuthMethods: ['NULL', '"NULL IP"'],
  requiredAuthMethods: ['NULL', 'IP'],
  accessIpFile: ['ip.a', 'ip.b'],
  passwordFile: ['users.a', 'users.b'],
  scramFile: ['scram.a', 'scram.b'],
  accessFile: ['rights.a', 'rights.b'],
  accessControlPolicy: ['PERMIT', 'PERMIT'],
  stateDir: ['state.a', 'state.b'],
  volatile: ['yes', 'no'],
  clusterKeyFile: ['keys.a', 'keys.b'],
  transport: ['unicast', 'broadcast'],
  datagramSize: ['1000', '1200'],
  window: ['100', '200'],
  personalWindow: ['10', '12'],
  acceleratedRing: ['yes', 'no'],
  acceleratedWindow: ['5', '6'],
  wideAreaNetwork: ['yes', 'no'],
  activeIPVersion: ['IPv4', 'IPv4'],
  excludeSegAddrsFromHash: ['yes', 'no'],
  ignoreMulticastJoinErrors: ['yes', 'no'],
  ringProfile: ['lan', 'fast'],
  timeScale: ['2', '3'],
  threadingMode: ['shared', 'inline'],
  deliveryWorkers: ['1', '2'],
  daemonUser: ['root', 'nobody'],
  daemonGroup: ['root', 'daemon'],
  runtimeDir: ['run.a', 'run.b'],
  dangerousMonitor: ['yes', 'no'],
  logLevel: ['warn', 'error'],
  eventLogFile: ['log.a', 'log.b'],
  eventPriority: ['ERROR', 'FATAL'],
  eventTimeStamp: ['"%H"', '"%M"'],
  eventPreciseTimeStamp: ['', 'absent'],
  debugFlags: ['{ PRINT }', '{ EXIT }'],
  debugInitialSequence: ['', 'absent'],
  linkProtocol: ['Hop', 'TcpHop'],
  socketPortReuse: ['on', 'off'],
  webSocketListen: ['127.0.0.1:0', '[::1]:0'],
  webSocketTlsListen: [
    '127.0.0.1:1\nTlsCertificateFile = x\nTlsKeyFile = x',
    '127.0.0.1:2\nTlsCertificateFile = x\nTlsKeyFile = x',
  ],
  webSocketOrigins: ['https://a.example', 'https://b.example'],
  tlsListen: [
    '127.0.0.1:1\nTlsCertificateFile = x\nTlsKeyFile = x',
    '127.0.0.1:2\nTlsCertificateFile = x\nTlsKeyFile = x',
  ],
  tlsCertificateFile: ['cert.a', 'cert.b'],
  tlsKeyFile: ['cert.a', 'cert.b'],
  tlsAuthorityFile: ['cert.a', 'cert.b'],
  tlsClientCertificate: ['optional', 'required'],
  httpListen: ['127.0.0.1:0', '[::1]:0'],
  httpTlsListen: [
    '127.0.0.1:1\nTlsCertificateFile = x\nTlsKeyFile = x',
    '127.0.0.1:2\nTlsCertificateFile = x\nTlsKeyFile = x',
  ],
  httpTokenFile: ['token.a', 'token.b'],
};

/** Options whose value depends on another. */
const FOLLOWERS: Partial<Readonly<Record<OptionKey, readonly (readonly [ChangeClass, string])[]>>> = {
  eventPriority: [['changed', 'LogLevel']],
  personalWindow: [['drift', 'AcceleratedWindow']],
};

/** Options with a single value cannot change. */
const CONSTANT: readonly OptionKey[] = ['accessControlPolicy', 'activeIPVersion'];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-reload-'));
  const users = { 'scram.a': SCRAM_USER('a'), 'scram.b': SCRAM_USER('b') };
  const files = { ...users, 'ip.a': 'local\n', 'ip.b': 'unix\n', 'users.a': USER('a'), 'users.b': USER('b') };
  const rights = { 'rights.a': 'anyone join a\n', 'rights.b': 'anyone join b\n' };
  for (const [name, text] of Object.entries({ ...files, ...rights, 'keys.a': KEY(1), 'keys.b': KEY(2) }))
    writeFileSync(join(folder, name), text, { mode: 0o600 });
});

afterEach(() => rmSync(folder, { recursive: true }));

let made: (Issued & { readonly authority: Authority }) | null = null;
afterAll(() => made?.authority.remove());

function certificates(): Issued & { readonly authority: Authority } {
  if (made === null) {
    const authority = new Authority();
    made = { ...authority.issue('daemon'), authority };
  }
  return made;
}

const SCRAM_KEY = Buffer.alloc(32, 7).toString('base64');
const SCRAM_USER = (name: string): string => `${name}:SCRAM-SHA-256$4096:${SCRAM_KEY}$${SCRAM_KEY}:${SCRAM_KEY}\n`;
const PATHS = /^(ip|users|scram|rights|state|keys|run|log|token|cert)\./;
const SEGMENT = 'Spread_Segment 127.0.0.255:4803 { one 127.0.0.1 }\n';

function line(key: OptionKey, value: string): string {
  if (value === 'absent') return '';
  const text = PATHS.test(value) ? join(folder, value) : value;
  return text === '' ? `${keywordOf(key)}\n` : `${keywordOf(key)} = ${text}\n`;
}

const TIMERS: readonly (readonly [OptionKey, number])[] = [
  ['tokenTimeout', 2000],
  ['hurryTimeout', 400],
  ['aliveTimeout', 200],
  ['joinTimeout', 100],
  ['repTimeout', 500],
  ['segTimeout', 400],
  ['gatherTimeout', 1000],
  ['formTimeout', 900],
  ['lookupTimeout', 20_000],
];

/** Two files that differ in this option alone. */
function twoFiles(key: OptionKey): readonly [string, string] {
  if (key in VALUES) {
    const [a, b] = VALUES[key as keyof typeof VALUES];
    return [SEGMENT + line(key, a), SEGMENT + line(key, b)];
  }
  const withTimer = (change: number): string =>
    SEGMENT + TIMERS.map(([timer, ms]) => line(timer, String(timer === key ? ms + change : ms))).join('');
  return [withTimer(0), withTimer(1)];
}

const load = (configText: string) => loadOptions({ configText, name: 'one', port: 0 });

const classesOf = (changes: OptionChanges): readonly (readonly [ChangeClass, string])[] =>
  (['changed', 'restart', 'drift'] as const).flatMap((name) =>
    changes[name].map(({ option }) => [name, option] as const),
  );

/** Null: a change has no effect, and is not told. */
function documentedClass(key: OptionKey): ChangeClass | null {
  const { change, ringWide } = optionEntry(key);
  if (ringWide === true) return 'drift';
  if (change === 'never') return null;
  return change === 'reload' ? 'changed' : 'restart';
}

it.each(OPTION_KEYS.filter((key) => !CONSTANT.includes(key)))('%s is in the class of its entry', async (key) => {
  const [a, b] = await Promise.all(twoFiles(key).map(load));
  const found = classesOf(compareConfigurations(a!.configuration, b!.configuration));
  const documented = documentedClass(key);
  if (documented === null) expect(found).toEqual([]);
  else expect(found).toContainEqual([documented, keywordOf(key)]);
  const others = found.filter(([, option]) => option !== keywordOf(key));
  expect(others).toEqual(FOLLOWERS[key] ?? []);
});

it('finds no change in the same file', async () => {
  for (const key of OPTION_KEYS) {
    const [text] = twoFiles(key);
    const [a, b] = [await load(text), await load(text)];
    expect(classesOf(compareConfigurations(a.configuration, b.configuration))).toEqual([]);
  }
});

it('treats segments and daemons as part of the ring', async () => {
  const more = 'Spread_Segment 127.0.0.255:4803 { one 127.0.0.1 }\nSpread_Segment 127.0.0.255:4813 { two 127.0.0.2 }\n';
  const [a, b] = [await load(SEGMENT), await load(more)];
  expect(classesOf(compareConfigurations(a.configuration, b.configuration))).toEqual([['drift', 'Spread_Segment']]);
});

it.each([
  ['given', '', line],
  ['taken away', line, ''],
])('a key file that is %s takes a restart', async (_, was, now) => {
  const text = (part: string | typeof line): string => SEGMENT + (part === '' ? '' : line('clusterKeyFile', 'keys.a'));
  const [a, b] = [await load(text(was)), await load(text(now))];
  expect(classesOf(compareConfigurations(a.configuration, b.configuration))).toEqual([['restart', 'ClusterKeyFile']]);
});

/** A reloader over a file that the test rewrites, with the changes that it made to the daemon. */
async function reloading(text: string) {
  const file = join(folder, 'spread.conf');
  writeFileSync(file, text);
  const options = { configFile: file, name: 'one', port: 0 };
  const start = await loadOptions(options);
  const files = await readOperatorFiles(start.configuration.options, []);
  const applied: SettingsSnapshot[] = [];
  let discards = 0;
  let refusal: string | null = null;
  const part = (snapshot: SettingsSnapshot | null, reason: string | null): Prepared => {
    if (reason !== null) throw new Error(reason);
    return {
      apply: () => {
        if (snapshot !== null) applied.push(snapshot);
      },
      discard: () => void discards++,
    };
  };
  const supervisor = {
    preparations: (snapshot: SettingsSnapshot) => [
      { name: 'delivery-0', prepare: () => part(snapshot, null) },
      { name: 'delivery-1', prepare: () => part(null, refusal) },
    ],
  };
  const nothing = (): void => {};
  const log = { prepare: () => part(null, null), warn: nothing, info: nothing, error: nothing } as unknown as DaemonLog;
  const reloader = new Reloader(start.configuration, files, {
    load: () => loadOptions(options),
    folder,
    supervisor,
    log,
    http: () => part(null, null),
  });
  return {
    reloader,
    applied,
    discards: () => discards,
    refuse: (reason: string | null) => {
      refusal = reason;
    },
    start,
    rewrite: (next: string) => writeFileSync(file, next),
  };
}

describe('a reload', () => {
  // Certificate and key change together, and must be real ones: test/e2e/tls.test.ts.
  const isTls = (key: OptionKey): boolean => /^tls|TlsListen/.test(key);
  it.each(OPTION_KEYS.filter((key) => !CONSTANT.includes(key) && !isTls(key)))(
    'puts %s into force, or gives the reason why not',
    async (key) => {
      const [before, after] = twoFiles(key);
      const auth =
        key === 'passwordFile'
          ? 'AllowedAuthMethods = PWORD\n'
          : key === 'scramFile'
            ? 'AllowedAuthMethods = SCRAM-SHA-256\n'
            : key === 'accessIpFile'
              ? 'AllowedAuthMethods = IP\n'
              : '';
      const { reloader, applied, start, rewrite } = await reloading(before + auth);
      rewrite(after + auth);
      const report = await reloader.reload();
      const documented = documentedClass(key);
      if (documented !== null) expect(classesOf(report)).toContainEqual([documented, keywordOf(key)]);
      expect(report.generation).toBe(2);
      const wasDelivery = deliverySettings(
        start.configuration.options,
        await readOperatorFiles(start.configuration.options, []),
      );
      const isOfDelivery =
        optionEntry(key).change === 'reload' && ['clients', 'access'].includes(optionEntry(key).section);
      const [{ generation, delivery, ring, logLevel }] = applied as [SettingsSnapshot];
      expect(generation).toBe(2);
      if (isOfDelivery) expect(delivery).not.toEqual(wasDelivery);
      else expect(delivery).toEqual(wasDelivery);
      const keys = key === 'clusterKeyFile' ? [{ id: 2, key: keyOf(2) }] : null;
      const maxSessions = key === 'maxSessions' ? 20 : 4096;
      expect(ring).toEqual({ clusterKeys: keys, maxSessions, dangerousMonitor: false });
      expect(logLevel).toBe(
        key === 'logLevel' ? 'error' : key === 'eventPriority' ? 'fatal' : start.configuration.options.logLevel,
      );
    },
  );

  it('names changes that need a restart, each time', async () => {
    const { reloader, rewrite } = await reloading(`${SEGMENT}ListenBacklog = 10\n`);
    rewrite(`${SEGMENT}ListenBacklog = 20\n`);
    const because = 'the kernel takes it when a port is opened';
    const difference = { option: 'ListenBacklog', was: '10', now: '20', because };
    expect((await reloader.reload()).restart).toEqual([difference]);
    expect((await reloader.reload()).restart).toEqual([difference]);
    rewrite(`${SEGMENT}ListenBacklog = 10\n`);
    expect(await reloader.reload()).toMatchObject({ generation: 4, changed: [], restart: [], drift: [] });
  });

  it('detects changes in a file, and logs no secret', async () => {
    const methods = `AllowedAuthMethods = "PWORD IP SCRAM-SHA-256"\n`;
    const text =
      SEGMENT +
      methods +
      (['passwordFile', 'scramFile', 'accessIpFile', 'accessFile', 'clusterKeyFile'] as const)
        .map((key) => line(key, VALUES[key][0]))
        .join('');
    const { reloader } = await reloading(text);
    writeFileSync(join(folder, 'users.a'), USER('a') + USER('c'));
    writeFileSync(join(folder, 'scram.a'), SCRAM_USER('a') + SCRAM_USER('c'));
    writeFileSync(join(folder, 'ip.a'), 'unix\n');
    writeFileSync(join(folder, 'rights.a'), '# moved\nanyone join a\nuser c send c\n');
    writeFileSync(join(folder, 'keys.a'), KEY(3) + KEY(1));
    const report = await reloader.reload();
    expect(report.changed).toEqual([
      { option: 'AccessIpFile', was: '1 rule', now: '1 rule' },
      { option: 'PasswordFile', was: '1 user', now: '2 users' },
      { option: 'ScramFile', was: '1 user', now: '2 users' },
      { option: 'AccessFile', was: '1 line', now: '2 lines' },
      { option: 'ClusterKeyFile', was: 'keys 1', now: 'keys 3 1' },
    ]);
  });

  it.each([
    ['the configuration', 'spread.conf', `${SEGMENT}MaxHandshakes = nonsense\n`],
    ['the configuration, which is gone', 'spread.conf', null],
    ['the key file', 'keys.a', 'nonsense\n'],
    ['the password file', 'users.a', `${USER('a')}nonsense\n`],
    ['the file of SCRAM', 'scram.a', `${SCRAM_USER('a')}nonsense\n`],
    ['the file of SCRAM, which is gone', 'scram.a', null],
    ['the access file', 'ip.a', 'local\nnonsense/99\n'],
    ['the rights', 'rights.a', 'anyone join a\nnonsense\n'],
    ['the rights, which are gone', 'rights.a', null],
    ['the key file, which is gone', 'keys.a', null],
    ['the password file, which is gone', 'users.a', null],
  ])('changes nothing when something is wrong in %s', async (_, name, content) => {
    const text = `${SEGMENT}AllowedAuthMethods = "PWORD IP SCRAM-SHA-256"\n${(
      ['passwordFile', 'scramFile', 'accessIpFile', 'accessFile', 'clusterKeyFile'] as const
    )
      .map((key) => line(key, VALUES[key][0]))
      .join('')}`;
    const { reloader, applied, rewrite } = await reloading(text);
    rewrite(`${text}MaxHandshakes = 77\n`);
    if (content === null) rmSync(join(folder, name));
    else writeFileSync(join(folder, name), content);
    await expect(reloader.reload()).rejects.toThrow(name);
    expect(applied).toEqual([]);
  });

  it('waits for the previous one', async () => {
    const { reloader, applied, rewrite } = await reloading(`${SEGMENT}MaxHandshakes = 1\n`);
    rewrite(`${SEGMENT}MaxHandshakes = 2\n`);
    const reports = await Promise.all([reloader.reload(), reloader.reload(), reloader.reload()]);
    expect(reports.map(({ generation, changed }) => [generation, changed.length])).toEqual([
      [2, 1],
      [3, 0],
      [4, 0],
    ]);
    expect(applied.map(({ generation }) => generation)).toEqual([2, 3, 4]);
  });

  it('that a part refuses changes nothing, names the part, and does not count', async () => {
    const { reloader, applied, discards, refuse, rewrite } = await reloading(`${SEGMENT}MaxHandshakes = 1\n`);
    rewrite(`${SEGMENT}MaxHandshakes = 2\n`);
    refuse('no room');
    await expect(reloader.reload()).rejects.toThrow('delivery-1: no room');
    // The other worker, HTTP and the log.
    expect([applied, discards()]).toEqual([[], 3]);
    refuse(null);
    const difference = { option: 'MaxHandshakes', was: '1', now: '2' };
    expect(await reloader.reload()).toMatchObject({ generation: 2, changed: [difference] });
    expect(discards()).toBe(3);
  });

  it('keeps what an open port with TLS needs, though the file gives up TLS', async () => {
    const { certFile, keyFile, authority } = certificates();
    const tls = `TlsListen = 127.0.0.1:1\nTlsCertificateFile = ${certFile}\nTlsKeyFile = ${keyFile}\n`;
    const asks = `TlsClientCertificate = required\nTlsAuthorityFile = ${authority.caFile}\n`;
    const { reloader, applied, rewrite } = await reloading(SEGMENT + tls + asks);
    rewrite(SEGMENT);
    const { changed, restart } = await reloader.reload();
    expect(restart.map(({ option }) => option)).toEqual(['TlsListen', 'TlsCertificateFile', 'TlsKeyFile']);
    expect(changed.map(({ option }) => option)).toEqual(['TlsAuthorityFile', 'TlsClientCertificate']);
    expect(applied[0]!.delivery.tls).toMatchObject({ authority: null, clientCertificate: 'none' });
  });
});
