/** Daemons that start as root and give it up. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { skein } from './cli-process.ts';
import { eventually, freePort } from './support/daemons.ts';
import { loggedDaemon, logLines, testFolder, useDaemon } from './support/logged-daemon.ts';

vi.setConfig({ testTimeout: 60_000 });
const isRoot = process.getuid?.() === 0;
const MODES = ['shared', 'shared-network', 'dedicated', 'inline'] as const;

const idOf = (flag: string, name: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
const groupsOf = (name: string): readonly number[] =>
  execFileSync('id', ['-G', name], { encoding: 'utf8' }).trim().split(' ').map(Number).sort();

/** The different sets of uids, gids and groups among the threads of a process. */
function identities(pid: number): readonly string[] {
  const found = readdirSync(`/proc/${pid}/task`).map((task) => {
    const status = readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8');
    return [...status.matchAll(/^(?:Uid|Gid|Groups):\s*(.*?)\s*$/gm)].map((match) => match[1]).join(' | ');
  });
  return [...new Set(found)];
}

function folderForAll(): string {
  const folder = testFolder();
  chmodSync(folder, 0o755);
  return folder;
}

async function configured(lines: readonly string[]): Promise<{ file: string; folder: string }> {
  const folder = folderForAll();
  const file = join(folder, 'spread.conf');
  // The port of the segment; the daemon's own port is another one.
  const segment = `Spread_Segment 127.0.0.255:${await freePort()} { d1 127.0.0.1 }`;
  writeFileSync(file, [segment, ...lines, ''].join('\n'));
  return { file, folder };
}

describe.runIf(isRoot && process.platform === 'linux')('started as root', () => {
  it.each(MODES)('becomes DaemonUser with all threads and groups, and serves, rotates and ends: %s', async (mode) => {
    const { file, folder } = await configured([
      'DaemonUser = nobody',
      'StateDir = state',
      'EventLogFile = logs/%h.log',
    ]);
    mkdirSync(join(folder, 'logs'));
    chownSync(join(folder, 'logs'), idOf('-u', 'nobody'), idOf('-g', 'nobody'));
    const daemon = await loggedDaemon({
      cwd: folder,
      args: ['-c', file, '--threading-mode', mode, '-o', `unixSocketDir=${folder}`],
      // Groups of the starter must not survive.
      shell: 'exec setpriv --groups 1,2,3 -- "$@"',
    });
    const [uid, gid] = [idOf('-u', 'nobody'), idOf('-g', 'nobody')];
    const four = (id: number): string => Array(4).fill(id).join('\t');
    expect(identities(daemon.process.pid!)).toEqual([`${four(uid)} | ${four(gid)} | ${groupsOf('nobody').join(' ')}`]);
    const socket = join(folder, String(daemon.port));
    for (const path of [socket, join(folder, 'state'), join(folder, 'state', 'incarnation-d1')])
      expect([path, statSync(path).uid]).toEqual([path, uid]);
    await useDaemon(daemon.port);
    const [log] = readdirSync(join(folder, 'logs')).map((name) => join(folder, 'logs', name));
    renameSync(log!, `${log}.1`);
    daemon.process.kill('SIGHUP');
    await eventually(() => existsSync(log!), 'the new log file');
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    const lines = logLines(readFileSync(`${log}.1`, 'utf8') + readFileSync(log!, 'utf8'));
    expect(lines.find(({ msg }) => msg === 'daemon ready')).toMatchObject({ user: 'nobody', configuration: file });
    expect(lines.at(-1)!.msg).toBe('daemon stopped');
    // A second run takes over what the first one left as that user.
    const again = await loggedDaemon({ cwd: folder, args: ['-c', file, '--threading-mode', mode] });
    again.process.kill('SIGTERM');
    expect(await again.ended).toBe(0);
  });

  it('binds ports that only root may bind, and removes its socket file at the end', async () => {
    const { file, folder } = await configured(['DaemonUser = nobody', 'DaemonGroup = daemon']);
    chmodSync(folder, 0o1777);
    const port = await privilegedPort();
    const daemon = await loggedDaemon({
      args: ['-c', file, '-p', String(port), '-o', `unixSocketDir=${folder}`],
      waits: false,
    });
    const socket = join(folder, String(port));
    await eventually(() => existsSync(socket), 'the socket file');
    await eventually(() => !identities(daemon.process.pid!).some((text) => text.startsWith('0')), 'the other user');
    expect(identities(daemon.process.pid!)[0]).toContain(`| ${Array(4).fill(idOf('-g', 'daemon')).join('\t')} |`);
    await useDaemon(port);
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(existsSync(socket)).toBe(false);
  });

  it.each([
    ['DaemonUser = no-such-user', 'DaemonUser is "no-such-user"; it must be a user of this machine'],
    ['DaemonUser = nobody\nDaemonGroup = no-such-group', 'DaemonGroup is "no-such-group"; it must be a group'],
    ['DaemonUser = 3999999999', 'a number that is no user of this machine and so has no group: set DaemonGroup'],
    ['DaemonUser = nobody\nRuntimeDir = /no/such/folder', 'RuntimeDir /no/such/folder: cannot be the working folder'],
    ['DaemonUser = nobody\nStateDir = closed', 'cannot write there; give the folder to that user'],
  ])('does not start with %j', async (text, message) => {
    const { file, folder } = await configured([text]);
    mkdirSync(join(folder, 'closed'), { mode: 0o700 });
    const args = [
      'start',
      '-c',
      file,
      '-p',
      '0',
      '-o',
      `stateDir=${/closed/.test(text) ? join(folder, 'closed') : 'none'}`,
    ];
    const { code, stdout, stderr } = await skein(args);
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, '']);
  });

  it('takes a number for a user, and one without a name when it has a group', async () => {
    const { file } = await configured(['DaemonUser = 54321', 'DaemonGroup = 54322']);
    const daemon = await loggedDaemon({ args: ['-c', file, '--no-unix-socket'] });
    const four = (id: number): string => Array(4).fill(id).join('\t');
    expect(identities(daemon.process.pid!)).toEqual([`${four(54_321)} | ${four(54_322)} | 54322`]);
  });

  it('works in RuntimeDir, warns that it is no chroot, and still finds its files', async () => {
    const { file, folder } = await configured(['DaemonUser = nobody', 'RuntimeDir = run', 'EventLogFile = skein.log']);
    mkdirSync(join(folder, 'run'));
    // As in /tmp: where its user may not remove the socket file, the daemon leaves it to the next start.
    chmodSync(folder, 0o1777);
    const daemon = await loggedDaemon({ cwd: folder, args: ['-c', 'spread.conf', '-o', 'unixSocketDir=.'] });
    expect(existsSync(join(folder, String(daemon.port)))).toBe(true);
    expect(readlinkSync(`/proc/${daemon.process.pid}/cwd`)).toBe(realpathSync(join(folder, 'run')));
    daemon.process.kill('SIGHUP');
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(readFileSync(join(folder, 'skein.log'), 'utf8')).toMatch(
      /RuntimeDir .*not confined to it: Node has no chroot/,
    );
    expect(readdirSync(folder).sort()).toEqual(['run', 'skein.log', 'spread.conf']);
    expect(readFileSync(file, 'utf8')).toContain('RuntimeDir');
  });

  it('warns that it runs as root when the file names no user', async () => {
    const { file, folder } = await configured(['EventLogFile = skein.log']);
    const daemon = await loggedDaemon({ cwd: folder, args: ['-c', file, '--no-unix-socket'] });
    expect(readFileSync(join(folder, 'skein.log'), 'utf8')).toContain('THE DAEMON RUNS AS ROOT');
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });
});

it('keeps its user when not started as root, and warns', async () => {
  const { file, folder } = await configured([
    'DaemonUser = root',
    'DaemonGroup = root',
    'RuntimeDir = /no/such',
    'EventLogFile = skein.log',
  ]);
  if (isRoot) chmodSync(folder, 0o777);
  const daemon = await loggedDaemon({
    cwd: folder,
    args: ['-c', file, '--no-unix-socket'],
    ...(isRoot ? { uid: idOf('-u', 'nobody') } : {}),
  });
  const log = readFileSync(join(folder, 'skein.log'), 'utf8');
  expect(log).toContain('DaemonUser root and DaemonGroup root: no effect, because the daemon was not started as root');
  expect(log).toContain('RuntimeDir /no/such: cannot be the working folder');
  daemon.process.kill('SIGTERM');
  expect(await daemon.ended).toBe(0);
});

/** A free port below 1024. */
async function privilegedPort(): Promise<number> {
  const { createServer } = await import('node:net');
  for (let port = 1000; port > 600; port--) {
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  throw new Error('no port below 1000 is free');
}
