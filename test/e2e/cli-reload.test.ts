/** `skein reload`: what a daemon answers, to whom, and with which exit code. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Daemon } from '../../daemon/start-daemon.ts';
import { skein } from './cli-process.ts';
import { eventually, testDaemon } from './support/daemons.ts';

const ADMIN = 'a'.repeat(32);
const READER = 'r'.repeat(32);
const folder = mkdtempSync(join(tmpdir(), 'skein-reload-'));
const path = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(path('tokens'), `${ADMIN} admin\n${READER}\n`, { mode: 0o600 });
writeFileSync(path('reader'), `${READER}\n`, { mode: 0o600 });

const SEGMENT = 'Spread_Segment 127.0.0.255:4803 { one 127.0.0.1 }\nUnixSocketDir = none\n';
const configure = (...lines: readonly string[]): void =>
  writeFileSync(path('conf'), `${SEGMENT}HttpListen = 127.0.0.1:0\n${lines.join('\n')}\n`);

let daemon: Daemon;
let url: string;

async function start(...lines: readonly string[]): Promise<void> {
  configure(...lines);
  daemon = await testDaemon({ configFile: path('conf'), unixSocketDir: undefined });
  [url = ''] = daemon.httpUrls;
}

const TOKENS = `HttpTokenFile = ${path('tokens')}`;
const reload = (...args: readonly string[]) => skein(['reload', '--http', url, ...args]);

describe('a daemon with tokens', () => {
  beforeEach(() => start(TOKENS, 'MaxSessions = 10'));

  it('says what changed, what takes a restart and why, and what belongs to the ring', async () => {
    configure(TOKENS, 'MaxSessions = 20', 'ListenBacklog = 77', 'TimeScale = 2', 'DebugFlags = { EXIT }');
    const { code, stdout } = await reload('--token-file', path('tokens'));
    expect(stdout.split('\n')).toEqual([
      'options reloaded, generation 2',
      'changed MaxSessions: 10 -> 20',
      'restart ListenBacklog: 511 -> 77 (the kernel takes it when a port is opened)',
      'drift   TimeScale: 1 -> 2 (it belongs to the ring: all daemons must have the same)',
      expect.stringMatching(/^warning .*DebugFlags has no effect/),
      '',
    ]);
    expect(code).toBe(0);
    const again = await reload('--token-file', path('tokens'), '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({
      generation: 3,
      changed: [],
      restart: [{ option: 'ListenBacklog' }],
    });
  });

  it('that refuses says where the mistake is, with code 2, and has changed nothing', async () => {
    configure(TOKENS, 'MaxSessions = 30', 'MaxHandshakes = nonsense');
    const { code, stdout, stderr } = await reload('--token-file', path('tokens'));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/conf:6:\d+: .*MaxHandshakes/);
    expect(stderr).toContain('options not reloaded; the old ones stay in force');
    const json = await reload('--token-file', path('tokens'), '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      refused: true,
      problems: [expect.stringContaining('MaxHandshakes')],
    });
    expect(json.code).toBe(2);
    configure(TOKENS, 'MaxSessions = 30');
    expect((await daemon.reload()).changed).toEqual([{ option: 'MaxSessions', was: '10', now: '30' }]);
  });

  it.each([
    ['without a token', [], 'it needs a token'],
    ['with a token that only reads', ['--token-file', path('reader')], 'has no right admin'],
  ])('refuses %s, with code 1', async (_, args, reason) => {
    const { code, stderr } = await reload(...args);
    expect(code).toBe(1);
    expect(stderr).toContain(reason);
    expect((await daemon.reload()).generation).toBe(2);
  });
});

it('a daemon without tokens takes no reload over HTTP, and nobody answers where none is', async () => {
  await start();
  const refused = await reload();
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('HttpTokenFile')]);
  await daemon.stop();
  expect(await reload()).toMatchObject({ code: 1, stderr: expect.stringContaining('no daemon answers') });
});

it.each([
  ['0', 2, 'must be a process number'],
  ['no-such-file', 2, 'cannot be read'],
  ['4194304', 1, 'there is no such process'],
])('--pid %s', async (pid, code, reason) => {
  expect(await skein(['reload', '--pid', pid])).toMatchObject({ code, stderr: expect.stringContaining(reason) });
});

it('--pid sends SIGHUP, to a number or what a file says', async () => {
  let signals = 0;
  const count = (): void => void signals++;
  process.on('SIGHUP', count);
  try {
    writeFileSync(path('pid'), `${process.pid}\n`);
    for (const pid of [String(process.pid), path('pid')])
      expect(await skein(['reload', '--pid', pid])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('SIGHUP'),
      });
    await eventually(() => signals === 2, 'both signals');
  } finally {
    process.off('SIGHUP', count);
  }
});
