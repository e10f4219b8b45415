/** Commands that read a daemon's state, over the client port and over HTTP: same answers, same rights as every client. */
import { scryptSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Status } from '../../daemon/http/status-types.ts';
import type { StartDaemonOptions } from '../../daemon/start-daemon.ts';
import { Cli, skein } from './cli-process.ts';
import { deliveryCount, eventually, testClient, testDaemon } from './support/daemons.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'skein-cli-port-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** No contexts of the person who runs the tests. */
const alone = (): Readonly<Record<string, string>> => ({ XDG_CONFIG_HOME: folder() });

async function served(options: StartDaemonOptions = {}) {
  const daemon = await testDaemon({ httpListen: '127.0.0.1:0', ...options });
  const ways = [
    ['--http', daemon.httpUrls[0] ?? ''],
    ['--spread', `${daemon.port}@127.0.0.1`],
  ] as const;
  return { daemon, ways, port: ways[1] };
}

/** User and password of `alice` and `bob`. */
function passwords(path: string): string {
  const salt = Buffer.alloc(16, 1);
  const hash = scryptSync('secret', salt, 32, { N: 16, r: 8, p: 1 }).toString('base64');
  const file = join(path, 'passwords');
  writeFileSync(
    file,
    ['alice', 'bob'].map((user) => `${user}:scrypt$16$8$1$${salt.toString('base64')}$${hash}\n`).join(''),
  );
  return file;
}

describe.each(['inline', 'shared', 'dedicated'] as const)('a daemon with %s threads', (threadingMode) => {
  it('reports the same over HTTP and over the client port', async () => {
    const { daemon, ways } = await served({ threadingMode });
    const client = await testClient(daemon, 'member');
    await client.join('news');
    const told = await Promise.all(
      ways.map(async (way) => {
        const top = await skein(['top', '--json', ...way], '', alone());
        expect([top.stderr, top.code]).toEqual(['', 0]);
        const events = await skein(['events', '--no-follow', '--json', ...way], '', alone());
        const check = await skein(['check', '--json', '--only', 'up', 'ready', 'members-absent', ...way], '', alone());
        expect(check.code).toBe(0);
        const {
          daemon: info,
          health,
          limits,
          sessions,
        } = JSON.parse(top.stdout) as Omit<Status, 'sessions'> & {
          readonly sessions: readonly { readonly name: string }[];
        };
        const names = sessions.map(({ name }) => name).filter((name) => !name.startsWith('#r'));
        const { uptimeSeconds: _, ...same } = info;
        return { same, health, limits, names, events: events.stdout, check: JSON.parse(check.stdout) as unknown };
      }),
    );
    expect(told[1]).toEqual(told[0]);
    expect(told[0]!.names).toEqual(['#member#localhost']);
    expect(told[0]!.events).toContain('"kind":"membership"');
  });
});

it('without HTTP, reports the events since it started and follows new ones', async () => {
  const { daemon, port } = await served({ httpListen: '' });
  expect(daemon.httpUrls).toEqual([]);
  const follower = new Cli(['events', '--json', ...port], alone());
  onTestFinished(() => follower.kill('SIGKILL'));
  await follower.until((lines) => lines.length === 2);
  expect(follower.lines.map((line) => (JSON.parse(line) as { kind: string }).kind)).toEqual(['daemon', 'membership']);
  const rude = await testClient(daemon, 'rude');
  rude.send(Buffer.alloc(64, 0xff));
  await follower.until((lines) => lines.length === 3);
  expect(JSON.parse(follower.lines[2]!)).toMatchObject({ kind: 'session-ended', session: '#rude#localhost' });
  follower.kill('SIGINT');
  expect(await follower.ended).toMatchObject({ code: 0 });
});

it('on this machine is found without an address, over both', async () => {
  const { daemon, port } = await served({ httpListen: '' });
  const context = alone();
  expect(await skein(['context', 'add', 'here', '--spread', port[1]], '', context)).toMatchObject({ code: 0 });
  expect((await skein(['check', '--only', 'up'], '', context)).stdout).toContain('SKEIN OK - localhost');
  expect((await skein(['top', '--once'], '', { ...alone(), SKEIN_ADDRESS: port[1] })).code).toBe(0);
  const both = await skein(['top', ...port, '--http', 'http://127.0.0.1:1'], '', alone());
  expect([both.code, both.stderr]).toEqual([2, 'skein: give --http or --spread, not both\n']);
  await daemon.stop();
  const silent = await skein(['check', ...port], '', alone());
  expect([silent.code, silent.stdout]).toEqual([
    2,
    expect.stringMatching(/^SKEIN CRITICAL - \d+@127.0.0.1: could not/),
  ]);
});

it('with an AccessFile, answers only clients with the right admin and refuses the others', async () => {
  const path = folder();
  const accessFile = join(path, 'rules');
  writeFileSync(accessFile, 'user alice admin\nuser bob join * send * private\n');
  const { daemon, port } = await served({
    accessFile,
    passwordFile: passwords(path),
    allowedAuthMethods: ['NULL', 'PWORD'],
  });
  const as = (user: string, ...args: readonly string[]) =>
    skein([...args, ...port, '--auth', 'PWORD', '--login', user], '', { ...alone(), SKEIN_PASSWORD: 'secret' });
  expect(await as('alice', 'check', '--only', 'up')).toMatchObject({ code: 0 });
  expect(await as('alice', 'events', '--no-follow')).toMatchObject({ code: 0 });
  for (const args of [['top', '--once'], ['events'], ['events', '--no-follow']]) {
    const refused = await as('bob', ...args);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('refuses (not-allowed): AccessFile does not allow admin of the daemon');
  }
  const check = await as('bob', 'check');
  expect([check.code, check.stdout]).toEqual([3, expect.stringContaining('SKEIN UNKNOWN - ')]);
  expect((await skein(['top', '--once', ...port], '', alone())).code).toBe(1);
  await eventually(() => deliveryCount(daemon, 'MonitorRefused') === 5, 'refusals');
});
