/**
 * The file of a Unix socket. It is bound under a name of its own and linked to the real one, because Node removes the name it bound
 * when the socket closes, even if another program has put something else there by then. So nothing is ever removed but this daemon's own
 * socket, and one that a dead daemon of the same user left behind.
 */
import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  lchownSync,
  linkSync,
  lstatSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { SocketOwner } from '../client-listener.ts';

/** A socket that was published. */
export interface SocketFile {
  /** Absolute: the working folder may change. */
  readonly path: string;
  readonly device: number;
  readonly inode: number;
}

/** What an address of a Unix socket holds, less its end. */
const MAX_ADDRESS_BYTES = process.platform === 'darwin' ? 103 : 107;
const RANDOM_BYTES = 2;

/** @throws when the folder of `path` cannot hold a socket; binding would name a temporary file, and one cause for all */
export function checkSocketFolder(path: string): void {
  const folder = dirname(resolve(path));
  const fault = (what: string): Error =>
    new Error(`unix socket ${path}: ${what}; choose another folder with UnixSocketDir, or none (--no-unix-socket)`);
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found === undefined) throw fault(`the folder ${folder} does not exist`);
  if (!found.isDirectory()) throw fault(`${folder} is no folder`);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fault(`the folder ${folder} cannot be written to (${(error as NodeJS.ErrnoException).code})`);
  }
}

/**
 * A name to bind in place of `path`. It has a folder in any case: Node takes a name that looks like a number, `.4803` among them, for a
 * port.
 * @throws when the name is longer than the system takes: it would be cut without a word
 */
export function temporaryName(path: string): string {
  const random = randomBytes(RANDOM_BYTES).toString('hex');
  const hidden = join(dirname(path), `.${basename(path)}${random}`);
  const name = hidden.includes(sep) ? hidden : `.${sep}${hidden}`;
  const most = MAX_ADDRESS_BYTES - (Buffer.byteLength(name) - Buffer.byteLength(path));
  if (Buffer.byteLength(path) > most)
    throw new Error(`unix socket ${path}: the path has ${Buffer.byteLength(path)} bytes; it may have at most ${most}`);
  return name;
}

/**
 * Removes a socket at `path` that has no listener and that belongs to one of `owners`.
 * @throws (rejects) when there is anything else: that is not ours to remove
 */
export async function removeStaleSocket(path: string, owners: readonly number[]): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw inTheWay(path, `${kindOf(found)} of user ${found.uid} is in the way`);
  const answer = await knock(path);
  if (answer === 'ENOENT') return;
  if (answer === null) throw new Error(`unix socket ${path}: another daemon is listening on it`);
  if (answer !== 'ECONNREFUSED') throw inTheWay(path, `whether somebody listens on it is unknown (${answer})`);
  if (!owners.includes(found.uid)) throw inTheWay(path, `a socket of user ${found.uid} is in the way`);
  const again = lstatSync(path, { throwIfNoEntry: false });
  if (again !== undefined && isSame(again, found.dev, found.ino)) unlinkSync(path);
}

/** Puts the bound socket at its place, with its final mode and owner. @throws the error of the system; nothing is at `path` then */
export function publishSocket(bound: string, path: string, mode: number, owner: SocketOwner | null): SocketFile {
  chmodSync(bound, mode);
  if (owner !== null) lchownSync(bound, owner.uid, owner.gid);
  const { dev, ino } = lstatSync(bound);
  try {
    linkSync(bound, path);
    unlinkSync(bound);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw inTheWay(path, 'another process made it just now');
    // Not every file system links sockets.
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw error;
    renameSync(bound, path);
  }
  return { path: resolve(path), device: dev, inode: ino };
}

/** @throws when the mode of a published socket could not be changed */
export function checkMayChange({ path, device, inode }: SocketFile): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined || !isSame(found, device, inode))
    throw new Error(`unix socket ${path}: it is gone, so its mode cannot be changed`);
  const user = process.geteuid?.() ?? 0;
  if (user !== 0 && user !== found.uid)
    throw new Error(`unix socket ${path}: it belongs to user ${found.uid}, so its mode cannot be changed`);
}

/** Of a published socket that was checked. */
export function changeMode({ path }: SocketFile, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch {
    // It was removed since it was checked, and with it everybody's way in.
  }
}

/** Removes a published socket, if it is still there. What cannot be removed stays for the next start. */
export function removeSocket({ path, device, inode }: SocketFile): void {
  try {
    if (isSame(lstatSync(path), device, inode)) unlinkSync(path);
  } catch {
    // It is gone, or its folder is not the daemon's user's to change.
  }
}

const isSame = (stats: Stats, device: number, inode: number): boolean => stats.dev === device && stats.ino === inode;

const inTheWay = (path: string, what: string): Error =>
  new Error(
    `unix socket ${path}: ${what}; remove it, or choose another folder with UnixSocketDir, or none (--no-unix-socket)`,
  );

function kindOf(stats: Stats): string {
  if (stats.isFile()) return 'a file';
  if (stats.isDirectory()) return 'a folder';
  if (stats.isSymbolicLink()) return 'a symbolic link';
  return stats.isFIFO() ? 'a FIFO' : 'a device';
}

/** Resolves with the error of a connection to `path`, or null when it was accepted. */
function knock(path: string): Promise<string | null> {
  return new Promise((done) => {
    // As a bare argument `4803` would be a port.
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      done(null);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
  });
}
