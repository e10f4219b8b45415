/**
 * Where log lines go: a file, or a descriptor that was inherited. Writing never waits: a reader that has stopped must not stop the
 * daemon, nor its end.
 */
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  openSync,
  readSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { makeFolder } from './make-folder.ts';

export interface LogTarget {
  /**
   * @returns how many bytes were taken, maybe fewer than there are
   * @throws the error of the system: EAGAIN when there is no room now, EPIPE when the reader is gone, ENOSPC, EIO …
   */
  write(bytes: Buffer, offset: number): number;
  /** A line without its end stands in the file, written by a process that ended in the middle of it. */
  readonly beginsTorn: boolean;
  /** False when the file is gone from its folder, so that its lines would be lost. */
  isLinked(): boolean;
  /** Gives a file to another user, who is to open it again. @throws the error of the system */
  handOver(uid: number, gid: number): void;
  close(): void;
}

const LINE_FEED = 0x0a;
/** What a stream of Node may hold for a reader that does not read. */
const MAX_STREAM_BYTES = 64 * 1024;
const STANDARD_ERROR = 2;

/** Names of descriptors; opening those anew would fail for sockets, and truncate or reposition nothing for the others. */
const DESCRIPTOR_PATHS: Readonly<Record<string, number>> = {
  '/dev/stdout': 1,
  '/dev/stderr': 2,
  '/dev/fd/1': 1,
  '/dev/fd/2': 2,
  '/proc/self/fd/1': 1,
  '/proc/self/fd/2': 2,
};

/**
 * Opens a file for appending, and makes its folder where there is none. A FIFO opens only when it has a reader.
 * @param path null: standard error
 * @throws the error of the system
 */
export function openLogTarget(path: string | null): LogTarget {
  if (path === null) return descriptorTarget(STANDARD_ERROR);
  const descriptor = DESCRIPTOR_PATHS[path];
  return descriptor === undefined ? fileTarget(path) : descriptorTarget(descriptor);
}

/** An absolute path, so that a change of the working folder does not matter when it is opened again. */
export const absoluteLogPath = (path: string, folder: string): string =>
  path in DESCRIPTOR_PATHS ? path : resolve(folder, path);

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);

function fileTarget(path: string): LogTarget {
  const fd = openMakingFolder(path);
  const stats = fstatSync(fd);
  return {
    ...ownedTarget(fd),
    beginsTorn: endsTorn(path, stats),
    isLinked: () => isStillAt(path, fd),
    handOver(uid, gid) {
      // A second name may be another program's.
      if (stats.isFile() && stats.nlink === 1 && stats.uid !== uid) fchownSync(fd, uid, gid);
    },
  };
}

function openMakingFolder(path: string): number {
  try {
    return openSync(path, APPEND | (constants.O_NOCTTY ?? 0), 0o666);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    makeFolder(dirname(path));
    return openSync(path, APPEND, 0o666);
  }
}

/** A file that was renamed is still the log, until SIGHUP; a removed one is lost. */
function isStillAt(path: string, fd: number): boolean {
  const stats = fstatSync(fd);
  if (!stats.isFile() || stats.nlink > 0) return true;
  return statSync(path, { throwIfNoEntry: false })?.ino === stats.ino;
}

const ownedTarget = (fd: number): LogTarget => ({
  write: (bytes, offset) => writeSync(fd, bytes, offset),
  beginsTorn: false,
  isLinked: () => true,
  handOver: () => {},
  close: () => closeSync(fd),
});

/**
 * A pipe or terminal is opened anew, because only a description of our own may become non-blocking: other programs share the
 * inherited one. Where that cannot be (a socket, another user's pipe, no /proc), Node's own stream writes.
 */
function descriptorTarget(fd: number): LogTarget {
  const stats = fstatSync(fd);
  const self = `/proc/self/fd/${fd}`;
  if (stats.isFile()) return { ...ownedTarget(fd), beginsTorn: endsTorn(self, stats), close: () => {} };
  try {
    return ownedTarget(openSync(self, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY));
  } catch {
    return streamTarget(fd === STANDARD_ERROR ? process.stderr : process.stdout);
  }
}

/** Errors of Node's streams; one listener each stays for good, because an error event without a listener ends the process. */
const streamFailures = new WeakMap<NodeJS.WriteStream, { error: NodeJS.ErrnoException | null }>();

function watchFailures(stream: NodeJS.WriteStream): { readonly error: NodeJS.ErrnoException | null } {
  const known = streamFailures.get(stream);
  if (known !== undefined) return known;
  const failure: { error: NodeJS.ErrnoException | null } = { error: null };
  streamFailures.set(stream, failure);
  stream.on('error', (error: NodeJS.ErrnoException) => {
    failure.error = error;
  });
  return failure;
}

function streamTarget(stream: NodeJS.WriteStream): LogTarget {
  const failure = watchFailures(stream);
  return {
    write(bytes, offset) {
      if (failure.error !== null) throw failure.error;
      if (stream.destroyed || stream.writableEnded) throw Object.assign(new Error('closed'), { code: 'EPIPE' });
      if (stream.writableLength > MAX_STREAM_BYTES) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
      stream.write(Buffer.from(bytes.subarray(offset)));
      return bytes.length - offset;
    },
    beginsTorn: false,
    isLinked: () => true,
    handOver: () => {},
    close: () => {},
  };
}

function endsTorn(path: string, stats: Stats): boolean {
  if (!stats.isFile() || stats.size === 0) return false;
  try {
    const fd = openSync(path, 'r');
    try {
      const last = Buffer.alloc(1);
      return readSync(fd, last, 0, 1, stats.size - 1) === 1 && last[0] !== LINE_FEED;
    } finally {
      closeSync(fd);
    }
  } catch {
    return false; // not readable for us, which a log need not be
  }
}
