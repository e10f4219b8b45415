import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cli, type RunningDaemon, skein, startDaemonProcess } from './cli-process.ts';

let daemon: RunningDaemon;
let folder: string;
let to: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skein-cli-'));
  daemon = await startDaemonProcess();
  to = ['-s', daemon.address];
});

afterAll(async () => {
  daemon.cli.kill('SIGTERM');
  await daemon.cli.ended;
  await rm(folder, { recursive: true });
});

/** A subscriber whose views show that it has joined its groups. */
async function subscriber(groups: readonly string[], ...args: readonly string[]): Promise<Cli> {
  const cli = new Cli(['subscribe', ...groups, ...to, '--json', '--membership', ...args]);
  await cli.until((lines) => lines.filter((line) => line.includes('"membership"')).length === groups.length);
  return cli;
}

interface PrintedMessage {
  readonly kind: string;
  readonly data: string;
  readonly groups: readonly string[];
  readonly type: number;
  readonly service: string;
}

const messagesOf = (lines: readonly string[]): readonly PrintedMessage[] =>
  lines.map((line) => JSON.parse(line) as PrintedMessage).filter(({ kind }) => kind === 'message');

describe('skein start', () => {
  it('prints one line when it is ready, and ends with 0 by SIGINT and SIGTERM, clients or not', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const other = await startDaemonProcess('-n', 'berlin');
      const client = new Cli(['subscribe', 'news', '-s', other.address, '--membership']);
      await client.until((lines) => lines.length > 0);
      expect(client.lines[0]).toMatch(/^# news: #.*#berlin joined; 1 member:/);
      other.cli.kill(signal);
      const { code, stdout, stderr } = await other.cli.ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ event: 'ready', name: 'berlin', port: other.port });
      const lost = await client.ended;
      expect(lost.code).toBe(1);
      expect(lost.stderr).toMatch(/^skein: .*closed the connection\n$/);
    }
  });

  it('names the address that is taken', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
    const { code, stdout, stderr } = await skein([
      'start',
      '--port',
      String(port),
      '--no-unix-socket',
      '--log-level',
      'silent',
    ]);
    server.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(
        `^skein: port: cannot listen on 127\\.0\\.0\\.1:${port}: EADDRINUSE, .*; --port chooses another port\\n$`,
      ),
    );
  });

  it('checks passwords made with skein passwd', async () => {
    const passwordFile = join(folder, 'spread.access_pword');
    const made = await skein(['passwd', passwordFile, 'alice', '--method', 'PWORD'], 'secret\n');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const guarded = await startDaemonProcess('-o', 'allowedAuthMethods=PWORD', '-o', `passwordFile=${passwordFile}`);
    const login = (password: string) =>
      skein(['publish', 'news', '-s', guarded.address, '--auth', 'PWORD', '--login', 'alice'], 'hello\n', {
        SKEIN_PASSWORD: password,
      });
    expect((await login('secret')).code).toBe(0);
    const refused = await login('guess');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^skein: .*refused.*"alice"\n$/);
    guarded.cli.kill('SIGTERM');
    await guarded.cli.ended;
  });
});

describe('skein publish and skein subscribe', () => {
  it('carry lines in order, once each however many groups they share', async () => {
    const receiver = await subscriber(['north', 'south'], '--count', '4');
    const sent = await skein(
      ['publish', 'north', 'south', ...to, '--type', '-5', '--service', 'safe'],
      'one\n\nzwölf\nlast',
    );
    expect(sent).toMatchObject({ code: 0, stdout: '' });
    expect(sent.stderr).toMatch(/^skein: published 4 lines \(4 messages, 13 bytes\) in .*\n$/);
    const { code, stderr } = await receiver.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const messages = messagesOf(receiver.lines);
    expect(messages.map(({ data }) => data)).toEqual(['one', '', 'zwölf', 'last']);
    for (const message of messages)
      expect(message).toMatchObject({ groups: ['north', 'south'], type: -5, service: 'safe' });
  });

  it('print plain text, of one type only, from the join on', async () => {
    const receiver = new Cli(['subscribe', 'plain', ...to, '--type', '2', '--since-now', '--count', '2']);
    const watcher = await subscriber(['plain']);
    // Whichever joined first, the second one's view has both.
    await watcher.until((lines) => lines.some((line) => (JSON.parse(line).members ?? []).length === 2));
    for (const [args, input] of [
      [[], 'not this\n'],
      [['--type', '2', '--batch', '2'], 'a\nb\nc\n'],
    ] as const)
      expect(await skein(['publish', 'plain', ...to, '-q', ...args], input)).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      });
    expect(await receiver.ended).toEqual({ code: 0, stdout: 'a\nb\nc\n', stderr: '' });
    watcher.kill('SIGINT');
    expect(await watcher.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('lose nothing while the output is not read', async () => {
    const count = 60_000;
    const receiver = await subscriber(['slow'], '--count', String(count));
    receiver.process.stdout.pause();
    const lines = Array.from({ length: count }, (_, i) => `${i} ${'.'.repeat(90)}`);
    const sent = await skein(['publish', 'slow', ...to, '--json'], lines.join('\n'));
    expect(JSON.parse(sent.stdout)).toMatchObject({ lines: count, messages: count });
    receiver.process.stdout.resume();
    expect((await receiver.ended).code).toBe(0);
    expect(messagesOf(receiver.lines).map(({ data }) => data)).toEqual(lines);
  });

  it('end without an error when the reader of the output exits', async () => {
    const receiver = await subscriber(['pipe']);
    receiver.process.stdout.destroy();
    const publisher = new Cli(['publish', 'pipe', ...to, '-q', '--rate', '500']);
    publisher.process.stdin.write('line\n'.repeat(1000));
    const { code, stderr } = await receiver.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    publisher.kill('SIGINT');
    expect((await publisher.ended).code).toBe(0);
  });

  it('name the line that is too long', async () => {
    const args = ['publish', 'long', ...to, '--long-lines', 'fail'];
    const { code, stderr } = await skein(args, `short\n${'x'.repeat(143_121)}\n`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^skein: line 2 is longer than 143120 bytes, the limit;/);
    expect(stderr).toMatch(/; 1 line sent, all of them confirmed/);
    expect(await skein(['publish', 'long', ...to, '-q'], 'x'.repeat(143_121))).toMatchObject({ code: 0 });
  });
});

describe('skein user', () => {
  it('takes commands from a pipe and prints the resulting events', async () => {
    const script =
      'j parlour\ns parlour\nhello there\nm parlour\ntwo\nlines\n\nb parlour 2 12\nsendd parlour\nl parlour\n';
    const { code, stdout, stderr } = await skein(['user', '-u', 'ann', ...to], script);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const name = '#ann#localhost';
    const error = 'error: unknown command "sendd"; did you mean "s"?\n';
    expect(stdout).toContain(error);
    // Messages may come before or after it.
    expect(stdout.replace(error, '').replace(/view \S+/, 'view ID')).toBe(
      [
        `connected as ${name}; ? lists the commands`,
        `[view] of parlour: 1 member, because ${name} joined; view ID`,
        `    ${name}  (this session)`,
        `[message] from ${name} to parlour: safe, type 1, 11 bytes`,
        'hello there',
        `[message] from ${name} to parlour: safe, type 1, 10 bytes`,
        'two\nlines\n',
        `[message] from ${name} to parlour: safe, type 1, 12 bytes`,
        'burst 1 ....',
        `[message] from ${name} to parlour: safe, type 1, 12 bytes`,
        'burst 2 ....',
        '[left] parlour',
        '',
      ].join('\n'),
    );
  });
});

describe('skein flood', () => {
  it('delivers everything and reports the rate', async () => {
    const args = ['--senders', '3', '--receivers', '2', '--size', '20K', '--count', '200', '--window', '30', '--json'];
    const { code, stdout, stderr } = await skein(['flood', ...to, ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ senders: 3, receivers: 2, sizeBytes: 20_480, sent: 600, delivered: 1200, lost: 0 });
    const { p50, p90, p99, p999, max } = result.latencyMs;
    expect([p50, p90, p99, p999, max]).toEqual([p50, p90, p99, p999, max].toSorted((a, b) => a - b));
    expect(p50).toBeGreaterThan(0);
    expect(result.bytesPerSecond).toBeCloseTo(result.deliveredPerSecond * 20_480, 0);
  });

  it('stops after --duration, with everything it sent delivered', async () => {
    const { code, stdout } = await skein(['flood', ...to, '--duration', '200ms', '--rate', '1000']);
    expect(code).toBe(0);
    const sent = /^sent {7}([\d,]+) messages? /m.exec(stdout)?.[1];
    expect(sent).toBeDefined();
    expect(stdout).toContain(`delivered  ${sent} message`);
    expect(stdout).not.toContain('lost');
    expect(stdout).toMatch(/^latency {4}p50 .* p99\.9 .* max /m);
  });
});

describe('skein monitor', () => {
  it('shows the state of a daemon', async () => {
    const { code, stdout } = await skein(['monitor', '--json', ...to]);
    expect(code).toBe(0);
    const report = { daemon: '127.0.0.1', leader: '127.0.0.1', daemons: 1, state: 'operational', version: '4.4.0' };
    expect(JSON.parse(stdout)).toMatchObject([{ address: '127.0.0.1', port: daemon.port, report }]);
    const table = await skein(['monitor', ...to]);
    expect(table.stdout).toMatch(
      /^daemon +state .*\n127\.0\.0\.1 +operational .*\n\nring \d+ of 1, led by 127\.0\.0\.1: 127\.0\.0\.1\n/,
    );
  });

  it('names a daemon that does not answer', async () => {
    const { code, stdout, stderr } = await skein(['monitor', '-s', '1@127.0.0.1', '--timeout', '50ms']);
    expect(code).toBe(1);
    expect(stdout).toContain('no answer');
    expect(stderr).toMatch(/^skein: no answer from 127\.0\.0\.1:1 within 50 ms; .*--from ADDRESS.*\n$/);
  });
});
