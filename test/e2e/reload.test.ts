/** A reload puts new values into force in a running daemon. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HangUp } from '../../cli/hang-up.ts';
import { connect } from '../../client/index.ts';
import { type Daemon, startDaemon } from '../../daemon/start-daemon.ts';
import { eventually } from './support/daemons.ts';
import { loggedDaemon } from './support/logged-daemon.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skein-reload-'));
  file = join(folder, 'spread.conf');
});

afterEach(() => rmSync(folder, { recursive: true }));

const SEGMENT = 'Spread_Segment 127.0.0.255:4803 { one 127.0.0.1 }\nUnixSocketDir = none\n';
const configure = (...lines: readonly string[]): void => writeFileSync(file, `${SEGMENT}${lines.join('\n')}\n`);
const logPath = (name: string): string => join(folder, name);
const logOf = (name: string): string => (existsSync(logPath(name)) ? readFileSync(logPath(name), 'utf8') : '');

describe.each(['inline', 'shared', 'dedicated'] as const)('in mode %s', (threadingMode) => {
  it('new limits and another log take effect, and messages sent meanwhile arrive', async () => {
    configure('MaxSessionGroups = 1', `EventLogFile = ${logPath('a')}`, 'LogLevel = warn');
    const daemon: Daemon = await startDaemon({ configFile: file, port: 0, threadingMode });
    const address = { host: '127.0.0.1', port: daemon.port! };
    const [sender, receiver] = await Promise.all([connect({ address }), connect({ address })]);
    await receiver.join('feed');
    let received = 0;
    receiver.on('message', () => received++);
    let sent = 0;
    const timer = setInterval(() => {
      for (let i = 0; i < 20; i++, sent++) sender.multicast('feed', `${sent}`);
    }, 1);
    await expect(receiver.join('other')).rejects.toMatchObject({ code: 'REJECT_AUTH' });

    configure('MaxSessionGroups = 2', `EventLogFile = ${logPath('b')}`, 'LogLevel = debug');
    const report = await daemon.reload();
    expect(report.changed).toEqual([
      { option: 'MaxSessionGroups', was: '1', now: '2' },
      { option: 'LogLevel', was: 'warn', now: 'debug' },
      { option: 'EventLogFile', was: logPath('a'), now: logPath('b') },
    ]);
    await eventually(
      () =>
        receiver.join('other').then(
          () => true,
          () => false,
        ),
      'the new limit',
    );
    const late = await connect({ address, name: 'late' });
    await eventually(() => logOf('b').includes('session opened'), 'a line of the new level');
    expect(logOf('a')).not.toContain('options reloaded');
    expect(logOf('b')).toContain('"changed":["MaxSessionGroups: 1 -> 2"');

    configure('MaxSessionGroups = 0');
    await expect(daemon.reload()).rejects.toThrow(/spread.conf:3:.*MaxSessionGroups/s);
    expect(logOf('b')).toContain('options not reloaded; the old ones stay in force');
    clearInterval(timer);
    await sender.flushed();
    await eventually(() => received === sent, 'all messages');
    for (const session of [sender, receiver, late]) await session.close();
    await daemon.stop();
  });
});

it('SIGHUP reloads, and reopens the log even when a file is wrong', async () => {
  configure('MaxHandshakes = 10', `EventLogFile = ${logPath('a')}`);
  const daemon = await loggedDaemon({ args: ['-c', file] });
  configure('MaxHandshakes = 20', `EventLogFile = ${logPath('a')}`);
  daemon.process.kill('SIGHUP');
  await eventually(() => logOf('a').includes('MaxHandshakes: 10 -> 20'), 'the reload');
  configure('MaxHandshakes = nonsense', `EventLogFile = ${logPath('a')}`);
  rmSync(logPath('a'));
  daemon.process.kill('SIGHUP');
  await eventually(() => logOf('a').includes('options not reloaded'), 'the refusal in a new file');
  daemon.process.kill('SIGTERM');
  expect(await daemon.ended).toBe(0);
});

it('signals during a reload cause one more reload', async () => {
  let reloads = 0;
  let finish = (): void => {};
  const daemon = {
    reopenLog: () => {},
    reload: () => {
      reloads++;
      return new Promise<never>((_, reject) => {
        finish = () => reject(new Error('wrong'));
      });
    },
  };
  const hangUp = new HangUp(daemon);
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i < 5; i++) void hangUp.signalled();
  await settle();
  expect(reloads).toBe(1);
  for (let i = 0; i < 5; i++) void hangUp.signalled();
  await settle();
  expect(reloads).toBe(1);
  finish();
  await settle();
  expect(reloads).toBe(2);
  finish();
  await settle();
  expect(reloads).toBe(2);
});
