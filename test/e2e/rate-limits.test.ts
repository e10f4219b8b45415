/** Limits of users and addresses in whole daemons: sessions, messages and bytes a second, over several delivery workers too. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { scramEntry } from '../../cli/passwords/password-keepers.ts';
import { connect, type Session } from '../../client/index.ts';
import type { Daemon, StartDaemonOptions } from '../../daemon/start-daemon.ts';
import { scramLine, scramSecretLine } from '../../engine/config/scram-file.ts';
import { deliveryCount, eventually, testDaemon } from './support/daemons.ts';
import { testFolder } from './support/logged-daemon.ts';

async function limited(options: StartDaemonOptions): Promise<Daemon> {
  const folder = testFolder();
  const scramFile = join(folder, 'scram');
  const entries = await Promise.all(['flood', 'calm'].map((user) => scramEntry(user, user, 4096)));
  const secret = scramSecretLine(Buffer.alloc(32).toString('base64'));
  writeFileSync(scramFile, `${[secret, ...entries.map(scramLine)].join('\n')}\n`, { mode: 0o600 });
  return testDaemon({ allowedAuthMethods: 'NULL SCRAM-SHA-256', scramFile, ...options });
}

/** @param user '': it does not say who it is */
async function member(daemon: Daemon, user: string): Promise<Session> {
  const address = { host: '127.0.0.1', port: daemon.port! };
  const session = await connect({ address, auth: user === '' ? 'NULL' : { user, password: user } });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  return session;
}

/** Counts what arrives in a group. */
async function counter(daemon: Daemon, group: string): Promise<{ messages: number; bytes: number }> {
  const session = await member(daemon, '');
  const count = { messages: 0, bytes: 0 };
  session.on('message', ({ data }) => {
    count.messages++;
    count.bytes += data.length;
  });
  await session.join(group);
  return count;
}

const send = (session: Session, group: string, messages: number, bytes: number): void => {
  const data = Buffer.alloc(bytes);
  for (let i = 0; i < messages; i++) session.multicast(group, data);
};

/** What came in so many seconds, from the first message on. */
async function within(seconds: number, count: () => number): Promise<number> {
  await eventually(() => count() > 0, 'the first message');
  await sleep(seconds * 1000);
  return count();
}

const ONE = { threadingMode: 'inline' } as const;
const TWO = { threadingMode: 'dedicated', deliveryWorkers: 2 } as const;

describe.each([
  ['one delivery worker', ONE],
  ['two delivery workers', TWO],
])('with %s', (_, threads) => {
  it('the sessions of a user share its messages a second, and others are served at once', async () => {
    const daemon = await limited({ ...threads, maxUserMessageRate: 400 });
    const flooded = await counter(daemon, 'flooded');
    const calm = await counter(daemon, 'calm');
    const floods = await Promise.all(Array.from({ length: 6 }, () => member(daemon, 'flood')));
    const other = await member(daemon, 'calm');
    const nobody = await member(daemon, '');
    for (const session of floods) send(session, 'flooded', 2000, 100);
    const started = Date.now();
    send(other, 'calm', 300, 100);
    send(nobody, 'calm', 2000, 100);
    await eventually(() => calm.messages === 2300, 'the messages of the others');
    const tookMs = Date.now() - started;
    const inThree = await within(3, () => flooded.messages);
    const seconds = (Date.now() - started) / 1000;
    // A second's worth at first, then the rate, whatever the machine does meanwhile.
    expect(inThree).toBeLessThanOrEqual(400 * (1 + seconds) * 1.05 + 10);
    expect(inThree).toBeGreaterThanOrEqual(400 * (1 + 3) * 0.8);
    expect(tookMs).toBeLessThan(3000);
    expect(deliveryCount(daemon, 'RatePauses')).toBeGreaterThan(0);
    expect(deliveryCount(daemon, 'SessionsHeld')).toBeGreaterThan(0);
    expect(deliveryCount(daemon, 'RateEnds')).toBe(0);
  });

  it('those of an address share its bytes a second', async () => {
    const daemon = await limited({ ...threads, maxAddressByteRate: 200_000 });
    const flooded = await counter(daemon, 'flooded');
    const started = Date.now();
    const floods = await Promise.all(Array.from({ length: 4 }, () => member(daemon, '')));
    for (const session of floods) send(session, 'flooded', 600, 4000);
    const inThree = await within(3, () => flooded.bytes);
    const seconds = (Date.now() - started) / 1000;
    expect(inThree).toBeLessThanOrEqual(200_000 * (1 + seconds) * 1.05 + 4000);
    expect(inThree).toBeGreaterThanOrEqual(200_000 * 4 * 0.8);
  });

  it('have so many sessions and no more, which is told once', async () => {
    const lines: Record<string, unknown>[] = [];
    const logger = pino({ base: {} }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const options = { ...threads, maxUserSessions: 2, maxAddressSessions: 4, logger, logLevel: 'info' } as const;
    const daemon = await limited(options);
    const two = [await member(daemon, 'flood'), await member(daemon, 'flood')];
    for (let i = 0; i < 5; i++) await expect(member(daemon, 'flood')).rejects.toMatchObject({ code: 'REJECT_QUOTA' });
    expect(deliveryCount(daemon, 'UserSessionsRefused')).toBe(5);
    await member(daemon, 'calm');
    await member(daemon, '');
    for (let i = 0; i < 3; i++) await expect(member(daemon, '')).rejects.toMatchObject({ code: 'REJECT_QUOTA' });
    expect(deliveryCount(daemon, 'AddressSessionsRefused')).toBe(3);
    await two[0]!.close();
    await eventually(
      () =>
        member(daemon, 'flood').then(
          () => true,
          () => false,
        ),
      'room for another',
    );
    const told = lines.filter(({ reason }) => /Max(User|Address)Sessions/.test(String(reason)));
    const reasons = told.map(({ reason }) => String(reason));
    const user = 'MaxUserSessions 2: user "flood" has as many sessions';
    const address = 'MaxAddressSessions 4: address 127.0.0.1 has as many sessions';
    // Each worker tells for itself.
    expect(new Set(reasons)).toEqual(new Set([user, address]));
    const workers = threads === TWO ? 2 : 1;
    for (const reason of [user, address])
      expect(reasons.filter((one) => one === reason).length).toBeLessThanOrEqual(workers);
  });
});

describe('a session that keeps sending too much', () => {
  it('is ended when that is wanted, with a reason, and nobody else', async () => {
    const lines: Record<string, unknown>[] = [];
    const logger = pino({ base: {} }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const options = { ...ONE, maxUserMessageRate: 100, rateLimitTimeout: 1500, logger, logLevel: 'info' } as const;
    const daemon = await limited(options);
    const [flood, calm] = [await member(daemon, 'flood'), await member(daemon, 'calm')];
    // More than its second has, and then nothing: it is held for a while, and stays.
    send(calm, 'room', 150, 10);
    send(flood, 'room', 20_000, 10);
    await eventually(() => flood.closed, 'the end of the session');
    const line = lines.find(
      ({ msg }) => msg === 'session ended: it kept sending more than the rate of its user or address',
    );
    expect(line).toMatchObject({ user: 'flood', rateLimitTimeoutMs: 1500, session: flood.privateName });
    expect(line!['heldMs']).toBeGreaterThanOrEqual(1500);
    expect([deliveryCount(daemon, 'RateEnds'), deliveryCount(daemon, 'SessionsOpen')]).toEqual([1, 1]);
    await calm.join('still-here');
  });
});

describe('a reload', () => {
  it('sets limits, changes and takes them away, for sessions that are open', async () => {
    const folder = testFolder();
    const file = join(folder, 'spread.conf');
    const conf = 'Spread_Segment 127.0.0.255:4803 { one 127.0.0.1 }\nUnixSocketDir = none\n';
    writeFileSync(file, conf);
    const daemon = await testDaemon({ configFile: file, unixSocketDir: undefined, threadingMode: 'inline' });
    const count = await counter(daemon, 'room');
    const session = await member(daemon, '');
    writeFileSync(file, `${conf}MaxAddressMessageRate = 100\nMaxAddressSessions = 1\n`);
    await daemon.reload();
    // Those that are there stay, and count.
    await expect(member(daemon, '')).rejects.toMatchObject({ code: 'REJECT_QUOTA' });
    send(session, 'room', 1000, 10);
    const inOne = await within(1, () => count.messages);
    expect(inOne).toBeLessThan(700);
    writeFileSync(file, conf);
    const { changed } = await daemon.reload();
    expect(changed).toEqual([
      { option: 'MaxAddressSessions', was: '1', now: '0' },
      { option: 'MaxAddressMessageRate', was: '100', now: '0' },
    ]);
    const started = Date.now();
    await eventually(() => count.messages === 1000, 'the rest');
    expect(Date.now() - started).toBeLessThan(2500);
    await member(daemon, '');
  });
});

it('a stop takes what was sent, whatever the rate', async () => {
  const daemon = await limited({ ...ONE, maxAddressMessageRate: 50 });
  const count = await counter(daemon, 'room');
  const session = await member(daemon, '');
  send(session, 'room', 400, 10);
  await session.flushed();
  await eventually(() => count.messages > 0, 'the first');
  await daemon.stop({ drainTimeoutMs: 4000 });
  await eventually(
    () => count.messages === 400,
    () => `all messages, of which ${count.messages} came`,
  );
});
