/**
 * The numbers a daemon keeps in `StateDir`, one to a file: a decimal number and a line end, nothing else. A file that holds anything else
 * was not written by a daemon, or not whole, and is refused: a number that is too low would be used twice, one that is too high leaves
 * the daemon alone.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MAX_RING_SEQ } from '../engine/ring/ring-seq-limits.ts';
import { forceToDisk, latestFile, temporaryFile } from '../workers/ring/ring-seq-file.ts';
import { fileReason } from './file-reason.ts';
import { makeFolder } from './make-folder.ts';

/** One of the numbers of a daemon. */
export interface StateNumber {
  /** Its file is `PREFIX-NAME`. */
  readonly prefix: string;
  readonly what: string;
  readonly highest: number;
}

/** Numbers of 48 bits; the last one is left free, as the mark of an incarnation that has ended is one higher. */
export const INCARNATION: StateNumber = { prefix: 'incarnation', what: 'an incarnation', highest: 2 ** 48 - 2 };
export const RING_SEQ: StateNumber = { prefix: 'ring-seq', what: 'a ring sequence number', highest: MAX_RING_SEQ };
export const STATE_NUMBERS: readonly StateNumber[] = [INCARNATION, RING_SEQ];

/** Longer than any number and its line end; what is longer is read no further. */
const MAX_BYTES = 64;
const { O_RDONLY, O_NONBLOCK } = constants;
const NUMBER = /^(?:0|[1-9][0-9]{0,15})$/;

export type StateReading =
  | { readonly kind: 'missing' }
  | { readonly kind: 'number'; readonly value: number }
  /** What is wrong with it, behind the name of the file. */
  | { readonly kind: 'broken'; readonly problem: string };

/** A daemon's name may hold a slash; its files stay in the folder. */
export const stateFile = (folder: string, { prefix }: StateNumber, daemonName: string): string =>
  join(folder, `${prefix}-${daemonName.replace(/[%/]/g, encodeURIComponent)}`);

/**
 * All files that a daemon of this name writes in the folder. They are recognised by their whole names: `incarnation-b-a` is a file of
 * daemon `b-a`, not of `a`.
 */
export const stateFilesOf = (folder: string, daemonName: string): readonly string[] =>
  STATE_NUMBERS.flatMap((kind) => {
    const file = stateFile(folder, kind, daemonName);
    const latest = latestFile(file);
    return [file, temporaryFile(file), latest, temporaryFile(latest)];
  });

/** The name a state file belongs to; null when it is none of this kind. */
export function ownerOf(fileName: string, { prefix }: StateNumber): string | null {
  if (!fileName.startsWith(`${prefix}-`)) return null;
  return fileName.slice(prefix.length + 1).replace(/%(25|2F)/g, decodeURIComponent);
}

/** Never rejects: what keeps a file from being read makes it broken. */
export async function inspectNumber(path: string, { what, highest }: StateNumber): Promise<StateReading> {
  const broken = (problem: string): StateReading => ({ kind: 'broken', problem });
  let text: string;
  try {
    text = await readStart(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? { kind: 'missing' } : broken(`cannot be read: ${fileReason(error)}`);
  }
  if (text === '') return broken('is empty');
  const shown = `holds ${JSON.stringify(text.length < MAX_BYTES ? text : `${text.slice(0, 40)}…`)}`;
  if (!text.endsWith('\n')) return broken(`${shown}, without a line end: it was not written whole`);
  const digits = text.slice(0, -1);
  if (!NUMBER.test(digits)) return broken(`${shown}, which is not ${what}: one decimal number is expected`);
  const value = Number(digits);
  if (value > highest) return broken(`${shown}, which is not ${what}: the highest is ${highest}`);
  return { kind: 'number', value };
}

/**
 * @returns null when there is no file
 * @throws (rejects) an error that names the file, what it holds, and the way out
 */
export async function readNumber(path: string, kind: StateNumber): Promise<number | null> {
  const reading = await inspectNumber(path, kind);
  if (reading.kind === 'broken') {
    const way = `"skein state repair ${dirname(path)}" puts a fresh number there`;
    throw new Error(`state file ${path} ${reading.problem}; ${way}`);
  }
  return reading.kind === 'number' ? reading.value : null;
}

/**
 * Resolves when the number is on the disk; a crash before that, of the machine too, leaves the old one.
 * @throws (rejects) an error that names the file
 */
export async function writeNumber(path: string, value: number): Promise<void> {
  try {
    makeFolder(dirname(path));
    await forceToDisk(path, value);
  } catch (cause) {
    throw new Error(
      `state file ${path} cannot be written: ${fileReason(cause)}; a daemon that cannot keep its numbers does not start: make StateDir writable for its user, or set another`,
      { cause },
    );
  }
}

/** At most `MAX_BYTES` of a regular file: a pipe would keep the daemon waiting. */
async function readStart(path: string): Promise<string> {
  // Not blocked by a pipe without a writer.
  const file = await open(path, O_RDONLY | O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error('it is not a regular file');
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(MAX_BYTES), position: 0 });
    // Bytes that are no ASCII must not turn into anything that is.
    return buffer.subarray(0, bytesRead).toString('latin1');
  } finally {
    await file.close();
  }
}
