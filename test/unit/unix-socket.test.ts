/** The daemon removes nothing at the path of its Unix socket except its own stale socket. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LiveValue } from '../../workers/delivery/live.ts';
import { ReadBuffers } from '../../workers/delivery/read-buffers.ts';
import { SocketListener } from '../../workers/delivery/sockets/socket-listener.ts';
import {
  checkSocketFolder,
  publishSocket,
  removeSocket,
  removeStaleSocket,
  temporaryName,
} from '../../workers/delivery/sockets/unix-socket.ts';

const SETTINGS = new LiveValue({
  tls: null,
  handshakeTimeoutMs: 1000,
  maxHandshakes: 1,
  webSocketOrigins: [],
  clientTimeoutMs: 0,
  unixSocketMode: 0o600,
});

const OWN = [process.geteuid!()];
const isRoot = OWN[0] === 0;

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'skein-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, '4803');
}

async function listening(path: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return server;
}

/** What a killed process leaves: a file that nobody listens on. */
async function stale(path: string): Promise<void> {
  const server = await listening(`${path}.x`);
  linkSync(`${path}.x`, path);
  await new Promise((resolve) => server.close(resolve));
}

const inTheWay: readonly (readonly [string, (path: string) => unknown, RegExp])[] = [
  ['a file', (path) => writeFileSync(path, 'precious'), /a file of user \d+ is in the way/],
  ['an empty file', (path) => writeFileSync(path, ''), /a file of user/],
  ['a folder', (path) => void mkdirSync(path), /a folder of user/],
  ['a FIFO', (path) => void execFileSync('mkfifo', [path]), /a FIFO of user/],
  ['a link to nothing', (path) => symlinkSync('/nonexistent', path), /a symbolic link of user/],
  [
    'a link to a stale socket',
    async (path) => {
      await stale(`${path}.target`);
      symlinkSync(`${path}.target`, path);
    },
    /a symbolic link of user/,
  ],
  ['a socket on which somebody listens', listening, /another daemon is listening on it/],
  ...(isRoot
    ? ([
        ['a device', (path: string) => void execFileSync('mknod', [path, 'c', '1', '3']), /a device of user/],
        [
          "another user's stale socket",
          async (path: string) => {
            await stale(path);
            chownSync(path, 12_345, 12_345);
          },
          /a socket of user 12345 is in the way/,
        ],
      ] as const)
    : []),
];

describe.each(inTheWay)('%s', (_, make, message) => {
  it('stays, and the daemon names the obstacle', async () => {
    const path = place();
    await make(path);
    const before = lstatSync(path);
    await expect(removeStaleSocket(path, OWN)).rejects.toThrow(message);
    await expect(removeStaleSocket(path, OWN)).rejects.toThrow(`unix socket ${path}: `);
    expect(lstatSync(path)).toMatchObject({ ino: before.ino, dev: before.dev, mode: before.mode, size: before.size });
  });

  it('stays when it appears between the check and the bind', async () => {
    const path = place();
    const bound = temporaryName(path);
    await listening(bound);
    await make(path);
    const before = lstatSync(path);
    expect(() => publishSocket(bound, path, 0o600, null)).toThrow('another process made it just now');
    expect(lstatSync(path).ino).toBe(before.ino);
  });

  it('stays when it has replaced the socket of a daemon that ends', async () => {
    const path = place();
    const listener = new SocketListener({
      buffers: new ReadBuffers(1, 1),
      accepted: () => {},
      acceptFailed: () => {},
      settings: SETTINGS,
    });
    const options = { backlog: 1, reusePort: false };
    await listener.listen({ kind: 'unix', path, mode: 0o600, owner: null }, options);
    unlinkSync(path);
    await make(path);
    const before = lstatSync(path);
    listener.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(lstatSync(path).ino).toBe(before.ino);
  });
});

describe('a socket of its own', () => {
  it('is removed when nobody listens', async () => {
    const path = place();
    await stale(path);
    await removeStaleSocket(path, OWN);
    expect(readdirSync(dirname(path)).filter((name) => name === basename(path))).toEqual([]);
  });

  it.runIf(isRoot)('may belong to the user that the daemon becomes', async () => {
    const path = place();
    await stale(path);
    chownSync(path, 12_345, 12_345);
    await removeStaleSocket(path, [0, 12_345]);
    expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('has its mode from the start, and leaves nothing behind', async () => {
    const path = place();
    const bound = temporaryName(path);
    const server = await listening(bound);
    const file = publishSocket(bound, path, 0o620, null);
    expect(lstatSync(path).mode & 0o777).toBe(0o620);
    expect(readdirSync(dirname(path))).toEqual([basename(path)]);
    await new Promise((resolve) => server.close(resolve));
    expect(lstatSync(path).isSocket()).toBe(true);
    removeSocket(file);
    expect(readdirSync(dirname(path))).toEqual([]);
    removeSocket(file);
  });
});

it('is refused when its path is too long, with the limit', () => {
  expect(() => temporaryName(`/tmp/${'x'.repeat(97)}/4`)).toThrow(/the path has 104 bytes; it may have at most 10\d/);
  expect(Buffer.byteLength(temporaryName('/tmp/4803'))).toBeLessThan(20);
});

describe('the folder of a socket', () => {
  it('is named in the error when it cannot hold one', () => {
    const path = place();
    const folder = dirname(path);
    expect(() => checkSocketFolder(path)).not.toThrow();
    expect(() => checkSocketFolder(join(folder, 'none', '4803'))).toThrow(
      `the folder ${join(folder, 'none')} does not exist`,
    );
    writeFileSync(path, '');
    expect(() => checkSocketFolder(join(path, '4803'))).toThrow(`${path} is no folder`);
  });

  it.skipIf(isRoot)('is named in the error when it is not writable', () => {
    const path = place();
    chmodSync(dirname(path), 0o500);
    expect(() => checkSocketFolder(path)).toThrow(`the folder ${dirname(path)} cannot be written to (EACCES)`);
  });
});

describe('a name without a folder', () => {
  /** A working folder with short, relative paths. */
  function inFolder(): string {
    const before = process.cwd();
    const folder = mkdtempSync(join(tmpdir(), 'skein-'));
    process.chdir(folder);
    onTestFinished(() => {
      process.chdir(before);
      rmSync(folder, { recursive: true, force: true });
    });
    return process.cwd();
  }

  const host = { buffers: new ReadBuffers(1, 1), accepted: () => {}, acceptFailed: () => {}, settings: SETTINGS };
  const options = { backlog: 1, reusePort: false };

  it('is bound as a name and not as a port, even when it looks like a number', async () => {
    const folder = inFolder();
    for (const path of ['4803', './4803', '1e3', '0x10', '.5']) {
      for (let i = 0; i < 100; i++) expect([path, Number(temporaryName(path))]).toEqual([path, Number.NaN]);
      const listener = new SocketListener(host);
      const bound = await listener.listen({ kind: 'unix', path, mode: 0o600, owner: null }, options);
      expect(bound.address).toMatchObject({ path: join(folder, path) });
      const client = connect({ path: join(folder, path) });
      await new Promise((resolve) => client.once('connect', resolve));
      client.destroy();
      // It is removed even when the daemon has changed its working folder.
      process.chdir('/');
      listener.close();
      process.chdir(folder);
      expect(readdirSync('.')).toEqual([]);
    }
  });

  it('is replaced when it is stale, even if someone listens on the port of that number', async () => {
    inFolder();
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    const path = String((server.address() as AddressInfo).port);
    await stale(path);
    await removeStaleSocket(path, OWN);
    expect(readdirSync('.')).toEqual([]);
  });
});
