/** Signals of operators and log rotation, and the first line of the log. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { Cli, skein } from './cli-process.ts';
import { eventually, freePort } from './support/daemons.ts';
import { loggedDaemon, logLines, testFolder, useDaemon } from './support/logged-daemon.ts';

vi.setConfig({ testTimeout: 60_000 });
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

it.each(['SIGUSR1', 'SIGUSR2', 'SIGHUP', 'SIGPIPE'] as const)(
  '%s neither opens an inspector nor ends the daemon',
  async (signal) => {
    const file = join(testFolder(), 'stderr');
    const stderr = openSync(file, 'a');
    const daemon = await loggedDaemon({ args: ['--no-unix-socket'], stdio: ['ignore', 'ignore', stderr] });
    closeSync(stderr);
    for (let i = 0; i < 3; i++) daemon.process.kill(signal);
    await useDaemon(daemon.port);
    if (signal.startsWith('SIGUSR'))
      await eventually(() => readFileSync(file, 'utf8').includes('"msg":"status"'), 'the line of status');
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    const text = readFileSync(file, 'utf8');
    expect(text).not.toMatch(/Debugger|inspector/i);
    const lines = logLines(text);
    expect(lines.filter(({ level }) => level >= 40)).toEqual([]);
    if (signal.startsWith('SIGUSR'))
      expect(lines.find(({ msg }) => msg === 'status')).toMatchObject({ members: 1, logLinesLost: 0 });
  },
);

it('no other command opens an inspector either', async () => {
  const daemon = await loggedDaemon({ args: ['--no-unix-socket'] });
  const subscriber = new Cli(['subscribe', 'room', '--membership', '-s', `${daemon.port}@127.0.0.1`]);
  await subscriber.until((lines) => lines.length > 0);
  subscriber.kill('SIGUSR1');
  subscriber.kill('SIGUSR2');
  await useDaemon(daemon.port);
  subscriber.kill('SIGTERM');
  expect(await subscriber.ended).toMatchObject({ code: 0, stderr: '' });
});

it('the first line names version, configuration, mode and addresses; the monitor names the release', async () => {
  const folder = testFolder();
  const port = await freePort();
  writeFileSync(
    join(folder, 'ring.conf'),
    `Spread_Segment 127.0.0.255:${port} { d1 127.0.0.1 }\nEventLogFile = skein.log\n`,
  );
  const args = ['-c', 'ring.conf', '--threading-mode', 'shared', '--no-unix-socket'];
  const daemon = await loggedDaemon({ cwd: folder, args });
  const lines = logLines(readFileSync(join(folder, 'skein.log'), 'utf8'));
  expect(lines.find(({ msg }) => msg === 'daemon ready')).toMatchObject({
    daemon: 'd1',
    version,
    configuration: join(folder, 'ring.conf'),
    mode: 'shared',
    addresses: [`127.0.0.1:${daemon.port}`],
    pid: daemon.process.pid,
  });
  const address = `${daemon.port}@127.0.0.1`;
  const { stdout } = await skein(['monitor', '-s', address, '--json']);
  expect(JSON.parse(stdout)).toMatchObject([
    // A lone daemon has nothing to accelerate; the window is logged nevertheless, as in Spread.
    { report: { groupsState: 'operational', acceleratedRing: false, acceleratedWindow: 15 } },
  ]);
  expect(JSON.parse(stdout)).toMatchObject([{ report: { ring: { release: version, logLinesLost: 0 } } }]);
  expect((await skein(['monitor', '-s', address])).stdout).toMatch(
    new RegExp(`release\\n.* ${version.replace(/\./g, '\\.')}\\n`),
  );
});

it.runIf(existsSync('/dev/full'))(
  'every command with a result fails with one line when its output goes to a full disk',
  async () => {
    for (const args of [
      ['conf', 'show'],
      ['conf', 'check', fileURLToPath(new URL('../fixtures/conf/single.conf', import.meta.url))],
      ['passwd', 'file', 'bob'],
    ]) {
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, [CLI, ...args], { stdio: ['pipe', full, 'pipe'], cwd: testFolder() });
      closeSync(full);
      let stderr = '';
      child.stderr!.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      child.stdin!.end('secret\n');
      const code = await new Promise((resolve) => child.on('close', resolve));
      expect([args, code, stderr]).toEqual([
        args,
        1,
        'skein: standard output: ENOSPC: no space left on device, write\n',
      ]);
    }
  },
);
