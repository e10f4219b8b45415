/** Daemons as processes whose log cannot be written: they serve, exit with 0, and report the missing lines. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { skein } from './cli-process.ts';
import { eventually } from './support/daemons.ts';
import { knock, loggedDaemon, logLines, testFolder, useDaemon } from './support/logged-daemon.ts';

const isRoot = process.getuid?.() === 0;
const DEBUG = ['--log-level', 'debug', '--no-unix-socket'];
const toFile = (path: string): readonly string[] => [...DEBUG, '-o', `eventLogFile=${path}`];

/** Sessions that log more lines than the daemon queues, plus what a pipe or a socket holds beyond that. */
const KNOCKS_PAST_WAITING = 900;
const KNOCKS_PAST_PIPE = 1200;
const KNOCKS_PAST_SOCKET = 2000;
/** Long enough for a busy machine. */
const TIMEOUT_MS = 90_000;
vi.setConfig({ testTimeout: TIMEOUT_MS });

async function linesLost(port: number): Promise<number> {
  const { stdout } = await skein(['monitor', '-s', `${port}@127.0.0.1`, '--json']);
  const [status] = JSON.parse(stdout) as readonly {
    readonly report: { readonly ring: { readonly logLinesLost: number } };
  }[];
  return status!.report.ring.logLinesLost;
}

describe('a full disk', () => {
  it.runIf(existsSync('/dev/full'))(
    'under the log, and under both standard streams, from the first line on',
    async () => {
      const full = openSync('/dev/full', 'w');
      onTestFinished(() => closeSync(full));
      for (const args of [toFile('/dev/full'), DEBUG]) {
        const daemon = await loggedDaemon({ args, stdio: ['ignore', full, full] });
        await knock(daemon.port, KNOCKS_PAST_WAITING);
        await useDaemon(daemon.port);
        expect(await linesLost(daemon.port)).toBeGreaterThan(0);
        daemon.process.kill('SIGTERM');
        expect(await daemon.ended).toBe(0);
      }
    },
  );

  it.runIf(isRoot && canMount())('cuts no line, and logs how many are missing when there is room again', async () => {
    const folder = testFolder();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]);
    onTestFinished(() => void execFileSync('umount', ['-l', folder]));
    const [log, ballast] = [join(folder, 'skein.log'), join(folder, 'ballast')];
    const daemon = await loggedDaemon({ args: toFile(log) });
    try {
      writeFileSync(ballast, Buffer.alloc(1024 * 1024));
    } catch {
      // The disk is now full, as intended.
    }
    await knock(daemon.port, KNOCKS_PAST_WAITING);
    await useDaemon(daemon.port);
    expect(readFileSync(log, 'utf8')).not.toMatch(/\n$/);
    const lost = await linesLost(daemon.port);
    expect(lost).toBeGreaterThan(0);
    // Removing the ballast frees enough space for the queued lines.
    execFileSync('mount', ['-o', 'remount,size=2m', folder]);
    await eventually(() => readFileSync(log, 'utf8').includes('linesLost'), 'the line that tells of the gap');
    await useDaemon(daemon.port);
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    const lines = logLines(readFileSync(log, 'utf8'));
    expect(lines.find((line) => 'linesLost' in line)).toMatchObject({ linesLost: lost, reason: 'ENOSPC', level: 40 });
    expect(lines.at(-1)!.msg).toBe('daemon stopped');
  });

  it('may also be a limit on the size of files', async () => {
    const log = join(testFolder(), 'skein.log');
    const daemon = await loggedDaemon({ args: toFile(log), shell: 'ulimit -f 8; exec "$@"' });
    await useDaemon(daemon.port, 50);
    const limit = statSync(log).size;
    await useDaemon(daemon.port, 5);
    expect(statSync(log).size).toBe(limit);
    truncateSync(log);
    await eventually(() => statSync(log).size > 0, 'lines in the file that has room again');
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });
});

describe('nobody reads standard error', () => {
  it.each(['a pipe', 'a socket'])('of a reader that has stopped: %s', async (kind) => {
    const fifo = join(testFolder(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const stderr = kind === 'a pipe' ? openSync(fifo, 'w') : 'pipe';
    const daemon = await loggedDaemon({ args: DEBUG, stdio: ['ignore', 'ignore', stderr] });
    await knock(daemon.port, kind === 'a pipe' ? KNOCKS_PAST_PIPE : KNOCKS_PAST_SOCKET);
    await useDaemon(daemon.port);
    const lost = await linesLost(daemon.port);
    expect(lost).toBeGreaterThan(0);
    if (typeof stderr === 'number') {
      closeSync(stderr);
      // The reader resumes: the queued lines arrive, then the number of dropped ones, each line intact.
      const text = await readUntil(reader, 'linesLost');
      const lines = logLines(text);
      expect(lines.find((line) => 'linesLost' in line)).toMatchObject({ linesLost: lost, reason: 'EAGAIN' });
      await knock(daemon.port, KNOCKS_PAST_PIPE);
      await useDaemon(daemon.port);
    }
    const before = Date.now();
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(Date.now() - before).toBeLessThan(5000);
    closeSync(reader);
  });

  it('because the reader is gone', async () => {
    const fifo = join(testFolder(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const stream = openSync(fifo, 'w');
    const daemon = await loggedDaemon({ args: DEBUG, stdio: ['ignore', stream, stream] });
    closeSync(stream);
    closeSync(reader);
    await useDaemon(daemon.port, 20);
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });

  it('and nobody reads the ready line on standard output', async () => {
    const fifo = join(testFolder(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    // A full pipe: the ready line is never written.
    execFileSync('sh', ['-c', `dd if=/dev/zero of=${fifo} bs=4096 count=100 oflag=nonblock 2>/dev/null || true`]);
    const stream = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    const daemon = await loggedDaemon({ args: DEBUG, stdio: ['ignore', stream, 'ignore'] });
    await useDaemon(daemon.port);
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    closeSync(stream);
    closeSync(reader);
  });
});

describe('a log file', () => {
  it('that is a FIFO waits for its reader, and for the next one', async () => {
    const fifo = join(testFolder(), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const daemon = await loggedDaemon({ args: toFile(fifo) });
    for (let round = 0; round < 2; round++) {
      const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
      await useDaemon(daemon.port);
      logLines(await readUntil(reader, 'session ended'));
      closeSync(reader);
    }
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });

  it('that is removed with its folder is created again', async () => {
    const folder = join(testFolder(), 'deep', 'deeper');
    const log = join(folder, 'skein.log');
    const daemon = await loggedDaemon({ args: toFile(log) });
    for (const path of [log, folder]) {
      rmSync(path, { recursive: true });
      await useDaemon(daemon.port);
      await eventually(() => existsSync(log), 'the file to be made again');
      expect(logLines(readFileSync(log, 'utf8')).map(({ msg }) => msg)).toContain('session opened');
    }
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
  });

  it('that ends in the middle of a line gets the rest of its line', async () => {
    const log = join(testFolder(), 'skein.log');
    writeFileSync(log, '{"msg":"torn');
    const daemon = await loggedDaemon({ args: toFile(log) });
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    const [torn, ...lines] = readFileSync(log, 'utf8').split('\n');
    expect(torn).toBe('{"msg":"torn');
    expect(logLines(lines.join('\n')).at(-1)!.msg).toBe('daemon stopped');
  });

  it.each(['/dev/stderr', '/dev/stdout', '/proc/self/fd/2'])('may be called %s', async (path) => {
    const file = join(testFolder(), 'out');
    const fd = openSync(file, 'a');
    const daemon = await loggedDaemon({ args: toFile(path), stdio: ['ignore', fd, fd] });
    closeSync(fd);
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('"msg":"daemon stopped"');
  });

  it('that cannot be opened keeps the daemon from starting, with its name and the reason', async () => {
    const folder = testFolder();
    const file = join(folder, 'file');
    writeFileSync(file, '');
    mkdirSync(join(folder, 'closed'));
    chmodSync(join(folder, 'closed'), 0o500);
    const cases: readonly (readonly [string, RegExp])[] = [
      [folder, /EISDIR/],
      [join(file, 'skein.log'), /ENOTDIR|EEXIST/],
      [join('/proc', 'skein.log'), /ENOENT|EACCES|EPERM/],
      ...(isRoot ? [] : ([[join(folder, 'closed', 'skein.log'), /EACCES/]] as const)),
    ];
    for (const [path, reason] of cases) {
      const { code, stderr } = await skein(['start', '--port', '0', '--no-unix-socket', '-o', `eventLogFile=${path}`]);
      expect(stderr).toMatch(reason);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stderr).toContain(`the log file ${path} cannot be opened`);
      expect(code).toBe(2);
    }
  });
});

describe('rotation', () => {
  it('by rename and SIGHUP loses no line under load, and does not touch the old file', async () => {
    const folder = testFolder();
    const log = join(folder, 'skein.log');
    const daemon = await loggedDaemon({ args: [...toFile(log), '--threading-mode', 'shared-network'] });
    const rotations = 10;
    let uses = 0;
    let rotating = true;
    const load = (async () => {
      while (rotating) {
        await useDaemon(daemon.port);
        uses++;
      }
    })();
    for (let i = 1; i <= rotations; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      renameSync(log, `${log}.${i}`);
      daemon.process.kill('SIGHUP');
      await eventually(() => existsSync(log), 'the new file');
    }
    rotating = false;
    await load;
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    const files = [...Array.from({ length: rotations }, (_, i) => `${log}.${i + 1}`), log];
    const lines = files.flatMap((file) => logLines(readFileSync(file, 'utf8')));
    // One more is the probe whether the daemon listens.
    for (const msg of ['session opened', 'session ended'])
      expect(lines.filter((line) => line.msg === msg)).toHaveLength(uses + 1);
    expect(lines.filter(({ msg }) => msg === 'log file opened again')).toHaveLength(rotations);
    // Without a key file there is nothing to warn about.
    expect(lines.filter(({ level }) => level >= 40)).toEqual([]);
  });

  it('that cannot open the new file keeps the old one and logs the reason', async () => {
    const folder = testFolder();
    const log = join(folder, 'logs', 'skein.log');
    const daemon = await loggedDaemon({ args: toFile(log) });
    renameSync(join(folder, 'logs'), join(folder, 'old'));
    writeFileSync(join(folder, 'logs'), 'a file where the folder was');
    daemon.process.kill('SIGHUP');
    const old = join(folder, 'old', 'skein.log');
    await eventually(() => readFileSync(old, 'utf8').includes('not opened again'), 'the complaint in the old file');
    await useDaemon(daemon.port);
    daemon.process.kill('SIGTERM');
    expect(await daemon.ended).toBe(0);
    expect(logLines(readFileSync(old, 'utf8')).at(-1)!.msg).toBe('daemon stopped');
  });
});

function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'skein-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the pipe gives, until a whole line has `text`. */
async function readUntil(fd: number, text: string): Promise<string> {
  let got = '';
  const chunk = Buffer.alloc(64 * 1024);
  await eventually(() => {
    try {
      for (let n = readSync(fd, chunk); n > 0; n = readSync(fd, chunk)) got += chunk.toString('utf8', 0, n);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    return got.includes(text) && got.endsWith('\n');
  }, `${text} in the log`);
  return got;
}
