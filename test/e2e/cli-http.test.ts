/** The commands that read a daemon's state over HTTP: top, events and check, and the contexts that name connections. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseRoundTrips, plain } from '../../cli/top/round-trips.ts';
import { CHECKS } from '../../daemon/http/checks.ts';
import type { LoggedEvent } from '../../daemon/http/status-types.ts';
import type { Daemon, StartDaemonOptions } from '../../daemon/start-daemon.ts';
import { DeliveryCounter, deliveryCounters } from '../../engine/buffers/counters.ts';
import { Cli, skein } from './cli-process.ts';
import { eventually, testClient, testDaemon } from './support/daemons.ts';
import { AGREED } from './support/wire-frames.ts';

const TOKEN = 'a-token-of-the-operator-0123456789';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'skein-cli-http-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

async function served(options: StartDaemonOptions = {}): Promise<{ readonly daemon: Daemon; readonly url: string }> {
  const daemon = await testDaemon({ httpListen: '127.0.0.1:0', ...options });
  return { daemon, url: daemon.httpUrls[0]! };
}

/** No contexts of the person who runs the tests. */
const alone = (): Readonly<Record<string, string>> => ({ XDG_CONFIG_HOME: folder() });

describe('skein top', () => {
  it('shows queues, rates and ends of sessions, sorted as asked', async () => {
    const { daemon, url } = await served({ maxSessionMessages: 1_000_000 });
    const [stuck, writer, gone] = [
      await testClient(daemon, 'stuck'),
      await testClient(daemon, 'writer'),
      await testClient(daemon, 'gone'),
    ];
    await stuck.join('prices');
    stuck.socket.pause();
    gone.close();
    let isWriting = true;
    let pauseMs = 1;
    const writing = (async () => {
      while (isWriting) {
        await writer.sendAll(writer.encode('prices', Buffer.alloc(5000, 65), AGREED));
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    })();
    await eventually(async () => {
      const { stdout } = await skein(['top', '--json', '--http', url], '', alone());
      const { sessions } = JSON.parse(stdout) as { readonly sessions: readonly { readonly isSlow: boolean }[] };
      return sessions.some(({ isSlow }) => isSlow);
    }, 'a slow client');
    // Continues while the test watches, without filling the queue.
    pauseMs = 20;
    const { code, stdout } = await skein(['top', '--http', url], '', alone());
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^localhost: ready, ring of 1\/1, 2 clients, 1 group$/);
    expect(lines[2]).toMatch(/^client +from +waiting +msgs +behind +in\/s +out\/s +B out\/s +rtt +idle +groups/);
    expect(lines[3]).toMatch(/^#stuck#localhost +127\.0\.0\.1:\d+ +[\d.]+[kM] .* slow$/);
    expect(stdout).toMatch(/#gone#localhost +\d{4}-.*client closed the connection/);
    const byRate = await skein(['top', '--http', url, '--sort', 'in', '--limit', '1'], '', alone());
    expect(byRate.stdout).toContain('#writer#localhost');
    expect(byRate.stdout).not.toMatch(/^#stuck/m);
    expect(byRate.stdout).toContain('and 1 more');
    isWriting = false;
    await writing;
  });

  it('reads the round trips that the kernel measures', () => {
    const lines = [
      '0      0      127.0.0.1:4803 127.0.0.1:51234  cubic wscale:7,7 rto:204 rtt:0.071/0.032 ato:40 mss:32768',
      '0      12     [::1]:4803 [::1]:40000  cubic rto:204 rtt:1.5/0.75 mss:32768',
      '0      0      [::ffff:10.0.0.1]:4803 [::ffff:10.0.0.2]:40001  cubic rtt:12.25/3 mss:1448',
      '0      0      10.0.0.1:22 10.0.0.9:1  cubic rto:204 mss:1448',
      'not a line of ss',
    ].join('\n');
    expect([...parseRoundTrips(lines)]).toEqual([
      ['127.0.0.1:51234', 0.071],
      ['::1:40000', 1.5],
      ['10.0.0.2:40001', 12.25],
    ]);
    expect(plain('::ffff:10.0.0.2:40001')).toBe('10.0.0.2:40001');
  });
});

describe('skein events', () => {
  it('prints the remembered events and ends, or follows new ones', async () => {
    const { daemon, url } = await served();
    await eventually(
      async () => (await skein(['events', '--no-follow', '--http', url], '', alone())).stdout.includes('membership'),
      'events',
    );
    const { stdout } = await skein(['events', '--no-follow', '--http', url], '', alone());
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z daemon +the daemon started$/m);
    expect(stdout).toMatch(/membership +ring \d+ of 1: localhost; joined: localhost$/m);
    const follower = new Cli(['events', '--json', '--kind', 'session-ended', '--http', url], alone());
    onTestFinished(() => follower.kill('SIGKILL'));
    const rude = await testClient(daemon, 'rude');
    rude.send(Buffer.alloc(64, 0xff));
    await follower.until((lines) => lines.length === 1);
    expect(JSON.parse(follower.lines[0]!) as LoggedEvent).toMatchObject({
      kind: 'session-ended',
      session: '#rude#localhost',
      cause: 'protocol',
    });
    follower.kill('SIGINT');
    expect((await follower.ended).code).toBe(0);
  });

  it('follows a restarted daemon from its first event', async () => {
    const first = await served();
    const { port } = new URL(first.url);
    const follower = new Cli(['events', '--http', first.url], alone());
    onTestFinished(() => follower.kill('SIGKILL'));
    await follower.until((lines) => lines.some((line) => line.includes('membership')));
    await first.daemon.stop();
    await testDaemon({ httpListen: `127.0.0.1:${port}` });
    await follower.until((lines) => lines.filter((line) => line.includes('the daemon started')).length === 2);
    expect(follower.stderr).toContain('lost; trying again');
  });

  it('fails at once when no daemon runs there', async () => {
    const { code, stderr } = await skein(['events', '--http', 'http://127.0.0.1:1'], '', alone());
    expect([code, stderr]).toEqual([1, expect.stringContaining('no daemon answers at http://127.0.0.1:1/')]);
  });
});

describe('skein check', () => {
  it('prints ok in the format of Nagios, with every check and its thresholds', async () => {
    const { url } = await served();
    await eventually(
      async () => (await skein(['check', '--only', 'ready', '--http', url], '', alone())).code === 0,
      'ready',
    );
    const skipped = ['event-loop-delay', 'thread-answers', 'open-files'];
    const { code, stdout } = await skein(['check', '--skip', ...skipped, '--http', url], '', alone());
    expect(stdout).toMatch(/^SKEIN OK - localhost: \d+ checks \| 'up'=1;;1: /);
    expect(code).toBe(0);
    for (const { name } of CHECKS) expect(stdout.includes(`'${name}'=`)).toBe(!skipped.includes(name));
  });

  it('exits with 1 for warning and 2 for critical, by thresholds that can be given', async () => {
    const { daemon, url } = await served();
    await eventually(
      async () => (await skein(['check', '--only', 'ready', '--http', url], '', alone())).code === 0,
      'ready',
    );
    const ended = deliveryCounters(daemon.counters, 0);
    ended[DeliveryCounter.SlowConsumersEnded]! += 3;
    const run = (...args: readonly string[]) =>
      skein(['check', '--only', 'slow-consumers-ended', '--http', url, ...args], '', alone());
    const warned = await run();
    expect([warned.code, warned.stdout]).toEqual([
      1,
      expect.stringMatching(/^SKEIN WARNING - localhost: slow-consumers-ended 3: sessions were ended/),
    ]);
    expect(warned.stdout).toContain("'slow-consumers-ended'=3;0;10\nslow-consumers-ended: docs/slow-consumers.md");
    expect((await run('--warning', 'slow-consumers-ended=3')).code).toBe(0);
    expect((await run('--warning', 'slow-consumers-ended=none')).code).toBe(0);
    ended[DeliveryCounter.SlowConsumersEnded]! += 8;
    expect((await run()).code).toBe(2);
    expect((await run('--critical', 'slow-consumers-ended=20')).code).toBe(1);
    const json = JSON.parse((await run('--json')).stdout);
    expect(json).toMatchObject({
      daemon: 'localhost',
      verdict: 'critical',
      checks: [{ value: 11, verdict: 'critical' }],
    });
  });

  it('is critical when no daemon answers, and unknown when it cannot tell', async () => {
    const { url } = await served({ httpTokenFile: tokenFile() });
    const { port } = new URL(url);
    const down = await skein(['check', '--http', 'http://127.0.0.1:1'], '', alone());
    expect([down.code, down.stdout]).toEqual([2, expect.stringMatching(/^SKEIN CRITICAL - no daemon answers/)]);
    const unknown = await skein(['check', '--http', `http://127.0.0.1:${port}`], '', alone());
    expect([unknown.code, unknown.stdout]).toEqual([3, expect.stringContaining('it needs a token: give --token-file')]);
    for (const args of [
      ['--bogus'],
      ['--only', 'nothing'],
      ['--warning', 'ready=x'],
      ['--critical', 'nothing=1'],
      ['--token-file', '/nowhere'],
    ])
      expect([args, (await skein(['check', ...args], '', alone())).code]).toEqual([args, 3]);
  });

  it('does not wait for a daemon that never answers', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      silent.closeAllConnections();
      silent.close();
    });
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const { code, stdout } = await skein(['check', '--timeout', '300ms', '--http', url], '', alone());
    expect([code, stdout]).toEqual([2, expect.stringContaining('within 300 ms')]);
  });

  it('lists its checks', async () => {
    const { code, stdout } = await skein(['check', '--list'], '', alone());
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(CHECKS.length + 1);
  });
});

function tokenFile(): string {
  const path = join(folder(), 'tokens');
  writeFileSync(path, `# mine\n${TOKEN}\n`, { mode: 0o600 });
  return path;
}

describe('contexts', () => {
  it('name connections for all commands, in a file that only their user can read', async () => {
    const tokens = tokenFile();
    const { daemon, url } = await served({ httpTokenFile: tokens });
    const other = await served({ name: 'other' });
    const env = alone();
    const run = (...args: readonly string[]) => skein(args, '', env);
    const spread = `${daemon.port}@127.0.0.1`;
    const added = await run('context', 'add', 'first', '--http', url, '--token-file', tokens, '--spread', spread);
    expect([added.code, added.stdout]).toEqual([0, 'first: the current context\n']);
    await run('context', 'add', 'second', '--http', other.url);
    const file = join(env['XDG_CONFIG_HOME']!, 'skein', 'contexts.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain(TOKEN);
    expect(readdirSync(join(file, '..'))).toEqual(['contexts.json']);

    const nameOf = async (...args: readonly string[]): Promise<unknown> =>
      (JSON.parse((await run('check', '--json', '--only', 'alive', ...args)).stdout) as { readonly daemon: unknown })
        .daemon;
    expect(await nameOf()).toBe('localhost');
    expect(await nameOf('--context', 'second')).toBe('other');
    expect(await nameOf('--http', other.url)).toBe('other');
    await run('context', 'use', 'second');
    expect(await nameOf()).toBe('other');
    expect((await run('context', 'list')).stdout).toMatch(/^ +first .*\n\* +second /m);

    const published = await skein(['publish', 'news', '--context', 'first', '-u', 'pub'], 'hello\n', env);
    expect(published.code).toBe(0);

    await run('context', 'remove', 'second');
    expect(JSON.parse((await run('context', 'list', '--json')).stdout)).toMatchObject([
      { name: 'first', isCurrent: false },
    ]);
    const missing = await run('top', '--context', 'second');
    expect([missing.code, missing.stderr]).toEqual([2, 'skein: there is no context "second"; there are: first\n']);
  });

  it('are refused when the file is damaged or a name is wrong', async () => {
    const env = alone();
    const run = (...args: readonly string[]) => skein(args, '', env);
    expect((await run('context', 'add', '../x', '--http', 'http://a')).code).toBe(2);
    expect((await run('context', 'add', 'x', '--http', 'ftp://a')).code).toBe(2);
    expect((await run('context', 'add', 'x')).stderr).toContain('give --http or --spread');
    expect((await run('context', 'use', 'x')).stderr).toContain('there is no context "x"; there are: none');
    expect(existsSync(join(env['XDG_CONFIG_HOME']!, 'skein'))).toBe(false);
    await run('context', 'add', 'x', '--http', 'http://127.0.0.1:1');
    const file = join(env['XDG_CONFIG_HOME']!, 'skein', 'contexts.json');
    chmodSync(file, 0o644);
    expect((await run('context', 'list')).stderr).toContain('mode 0644 lets others read or change it: chmod 600 it');
    chmodSync(file, 0o600);
    writeFileSync(file, '{"current":"x","contexts":{"x":{"url":"http://a"}}}');
    expect((await run('context', 'list')).stderr).toContain('contexts.json cannot be used');
    writeFileSync(file, '{');
    expect((await run('top')).code).toBe(2);
  });
});
