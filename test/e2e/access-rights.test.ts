/** `AccessFile` in whole daemons: users with passwords, TCP and the Unix socket, the client library, a second daemon, a file with a mistake. */
import { scryptSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ConnectOptions, connect, type Reject, type Session } from '../../client/index.ts';
import { type StartDaemonOptions, startDaemon } from '../../daemon/start-daemon.ts';
import { ConfigError } from '../../engine/config/config-error.ts';
import { deliveryCount, eventually, freePort, testDaemon } from './support/daemons.ts';
import { testFolder } from './support/logged-daemon.ts';

const RULES = `
# Alice works with the web groups, everybody on this machine reads the news.
user alice              join web.* news  send web.*  private bob
user alice unix         send news
user bob                join *  send *  private
address 127.0.0.0/8     join news
unix                    join news local.*
`;

function files(rules: string) {
  const folder = testFolder();
  const salt = Buffer.alloc(16, 1);
  const line = (user: string): string => {
    const hash = scryptSync('secret', salt, 32, { N: 16, r: 8, p: 1 }).toString('base64');
    return `${user}:scrypt$16$8$1$${salt.toString('base64')}$${hash}\n`;
  };
  const passwordFile = join(folder, 'passwords');
  const accessFile = join(folder, 'rules');
  writeFileSync(passwordFile, `${line('alice')}${line('bob')}`);
  writeFileSync(accessFile, rules);
  return { folder, passwordFile, accessFile };
}

async function member(options: ConnectOptions): Promise<Session> {
  const session = await connect(options);
  session.on('error', () => {});
  onTestFinished(() => session.close());
  return session;
}

const login = (user: string) => ({ name: user, auth: { user, password: 'secret', methods: ['PWORD'] as const } });

/** Of a message. */
const nextReject = (session: Session): Promise<Reject> =>
  new Promise((resolve) => {
    session.on('reject', (reject) => {
      if (reject.request === 'multicast') resolve(reject);
    });
  });

/** Data of the next `count` messages, as text. */
function nextMessages(session: Session, count: number): Promise<readonly string[]> {
  const got: string[] = [];
  return new Promise((resolve) => {
    session.on('message', ({ data }) => {
      got.push(data.toString());
      if (got.length === count) resolve(got);
    });
  });
}

describe.each(['inline', 'shared', 'dedicated'] as const)('a daemon with %s threads', (threadingMode) => {
  it('gives each client the rights of its user, address and socket', async () => {
    const { folder, passwordFile, accessFile } = files(RULES);
    const port = await freePort();
    const lines: { readonly msg: string; readonly user?: string | null; readonly target?: string }[] = [];
    const logger = pino({ base: {} }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const options: StartDaemonOptions = {
      ...{ threadingMode, port, unixSocketDir: folder, logLevel: 'warn', logger },
      ...{ allowedAuthMethods: ['NULL', 'PWORD'], passwordFile, accessFile },
    };
    const daemon = await testDaemon(options);
    const tcp = `${port}@127.0.0.1`;
    const unix = join(folder, String(port));
    const alice = await member({ address: tcp, ...login('alice') });
    const bob = await member({ address: tcp, ...login('bob') });
    const stranger = await member({ address: tcp, name: 'stranger' });
    const local = await member({ address: unix, name: 'local' });
    const aliceHere = await member({ address: unix, ...login('alice'), name: 'alice2' });

    const may = async (session: Session, group: string): Promise<boolean> =>
      session.join(group).then(
        () => true,
        (error: { code: string; message: string }) => {
          expect(error.code).toBe('REJECT_AUTH');
          expect(error.message).toContain(`join of group "${group}": refused by the daemon: its access control`);
          return false;
        },
      );
    const joins: readonly (readonly [Session, string, boolean])[] = [
      ...([
        [alice, 'web.404', true],
        [alice, 'news', true],
        [alice, 'local.x', false],
      ] as const),
      ...([
        [bob, 'web.404', true],
        [bob, 'news', true],
        [bob, 'anything', true],
      ] as const),
      ...([
        [stranger, 'news', true],
        [stranger, 'web.404', false],
        [stranger, 'local.x', false],
      ] as const),
      ...([
        [local, 'news', true],
        [local, 'local.x', true],
        [local, 'web.404', false],
      ] as const),
      ...([
        [aliceHere, 'local.x', true],
        [aliceHere, 'web.404', true],
        [aliceHere, 'other', false],
      ] as const),
    ];
    for (const [session, group, expected] of joins)
      expect([session.privateName, group, await may(session, group)]).toEqual([session.privateName, group, expected]);

    const toBob = nextMessages(bob, 4);
    const refused = nextReject(alice);
    alice.multicast('web.404', '1', { service: 'fifo' });
    alice.multicast(['web.404', 'news'], 'never', { service: 'safe', type: 7 });
    alice.multicast(bob.privateName, '2');
    const { request, service, type, groups, data } = await refused;
    expect([request, service, type, groups, data.toString()]).toEqual([
      ...['multicast', 'safe', 7, ['news', 'web.404'], 'never'],
    ]);
    const anonymous = nextReject(stranger);
    stranger.multicast('news', 'spam');
    expect((await anonymous).groups).toEqual(['news']);
    aliceHere.multicast('news', '3');
    const hidden = nextReject(aliceHere);
    aliceHere.multicast(stranger.privateName, 'psst');
    expect((await hidden).groups).toEqual([stranger.privateName]);
    bob.multicast('anything', '4');
    expect([...(await toBob)].sort()).toEqual(['1', '2', '3', '4']);

    expect(deliveryCount(daemon, 'JoinsForbidden')).toBe(joins.filter(([, , expected]) => !expected).length);
    expect([deliveryCount(daemon, 'MessagesForbidden'), deliveryCount(daemon, 'PrivatesForbidden')]).toEqual([2, 1]);
    await alice.leave('web.404');
    const told = (): readonly unknown[] =>
      lines.filter(({ msg }) => msg.startsWith('AccessFile')).map(({ user, target }) => [user, target]);
    await eventually(
      () => told().length >= 7,
      () => JSON.stringify(lines),
    );
    expect(told()).toContainEqual(['alice', 'news']);
    expect(told()).toContainEqual([null, 'web.404']);
  });
});

it.each(['inline', 'dedicated'] as const)(
  'a reload changes the rights of sessions that are open (%s)',
  async (threadingMode) => {
    const { accessFile } = files('anyone join a  send a\n');
    const daemon = await testDaemon({ accessFile, threadingMode });
    const session = await member({ address: `${daemon.port}@127.0.0.1`, name: 'me' });
    const mayJoin = (group: string): Promise<boolean> =>
      session.join(group).then(
        () => true,
        () => false,
      );
    expect([await mayJoin('a'), await mayJoin('b')]).toEqual([true, false]);
    writeFileSync(accessFile, 'anyone join b\nanyone jion a\n');
    await expect(daemon.reload()).rejects.toThrow(`${accessFile}:2:8: right is "jion"`);
    expect(await mayJoin('b')).toBe(false);
    writeFileSync(accessFile, 'anyone join b\nanyone join c\n');
    expect((await daemon.reload()).changed).toEqual([{ option: 'AccessFile', was: '1 line', now: '2 lines' }]);
    await eventually(() => mayJoin('b'), 'the new rights');
    // What it may not join any more it leaves.
    await eventually(() => !session.groups.has('a'), 'the group to be left');
    expect([[...session.groups], await mayJoin('d')]).toEqual([['b'], false]);
    const refused = nextReject(session);
    session.multicast('a', 'x');
    expect((await refused).groups).toEqual(['a']);
  },
);

describe('a start', () => {
  it('is refused for a mistake in the file, with line and column', async () => {
    const { accessFile } = files('# fine\nuser alice join web.* sned news\n');
    const error = await startDaemon({ port: 0, unixSocketDir: null, accessFile }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toMatch(new RegExp(`^${accessFile}:2:\\d+: `));
  });

  it('warns of user rules when no authentication method proves a user', async () => {
    const { accessFile } = files('anyone join a\nuser alice join b\n');
    const lines: { readonly msg: string }[] = [];
    const logger = pino({ base: {} }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    await testDaemon({ accessFile, logger, logLevel: 'warn' });
    expect(lines.map(({ msg }) => msg)).toContain(
      `${accessFile}:2:1: user has no effect: no authentication method proves who a client is`,
    );
  });
});

it('of a daemon with rules checks only its own clients, whatever daemon a private name is at', async () => {
  const { accessFile } = files('anyone join shared  send shared  private ann#d2');
  const ports = [await freePort(), await freePort()];
  const configText = `${ports.map((port, i) => `Spread_Segment 127.0.0.255:${port} { d${i + 1} 127.0.0.${i + 1} }\n`).join('')}RingProfile = fast\n`;
  const common = {
    configText,
    threadingMode: 'inline',
    unixSocketDir: null,
    volatile: true,
    logLevel: 'silent',
  } as const;
  const daemons = await Promise.all([
    startDaemon({ ...common, name: 'd1', accessFile }),
    startDaemon({ ...common, name: 'd2' }),
  ]);
  onTestFinished(async () => {
    await Promise.all(daemons.map((daemon) => daemon.stop({ drainTimeoutMs: 200 })));
  });
  const me = await member({ address: `${ports[0]}@127.0.0.1`, name: 'me' });
  const ann = await member({ address: `${ports[1]}@127.0.0.2`, name: 'ann' });
  const zoe = await member({ address: `${ports[1]}@127.0.0.2`, name: 'zoe' });
  await Promise.all([me, ann, zoe].map((session) => session.join('shared')));
  const toAnn = nextMessages(ann, 2);
  const toMe = nextMessages(me, 1);
  const refused = nextReject(me);
  // The ring may still be forming: refusals come at once, allowed messages when both daemons are in one ring.
  me.multicast(zoe.privateName, 'psst');
  expect((await refused).groups).toEqual([zoe.privateName]);
  await eventually(async () => {
    me.multicast(ann.privateName, 'hello');
    return Promise.race([toAnn.then(() => true), new Promise<boolean>((resolve) => setTimeout(resolve, 100, false))]);
  }, 'a message at the other daemon');
  expect(await toAnn).toEqual(['hello', 'hello']);
  // The other daemon has no file.
  zoe.multicast(me.privateName, 'anything');
  expect(await toMe).toEqual(['anything']);
});
