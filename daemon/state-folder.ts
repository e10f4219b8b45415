/** A `StateDir` as a whole, for people: whose numbers it holds, whether they can be right, and how wrong ones are replaced. */
import { chown, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isNearEnd } from '../engine/ring/ring-seq-limits.ts';
import { latestFile } from '../workers/ring/ring-seq-file.ts';
import { clockIncarnation, dateOf, incarnationDoubt } from './incarnation.ts';
import { freshRingSeq, ringSeqDoubt } from './ring-seq-floor.ts';
import {
  INCARNATION,
  inspectNumber,
  ownerOf,
  RING_SEQ,
  STATE_NUMBERS,
  type StateNumber,
  type StateReading,
  stateFile,
  writeNumber,
} from './state-number.ts';

/**
 * `doubtful`: a daemon starts with it and warns. `exhausted`: too high to continue with. `broken`: a daemon does not start with it.
 * `missing`: the daemon begins with the clock.
 */
export type StateVerdict = 'ok' | 'doubtful' | 'exhausted' | 'broken' | 'missing';

export interface StateEntry {
  /** Name of the daemon. */
  readonly daemon: string;
  readonly number: 'incarnation' | 'ring-seq';
  readonly file: string;
  /** Null: missing or broken. */
  readonly value: number | null;
  /** What the value would be as a time, which both numbers begin as. */
  readonly date: string | null;
  readonly verdict: StateVerdict;
  /** What is wrong; null for nothing. */
  readonly problem: string | null;
}

/** @throws (rejects) when the folder cannot be read */
export async function inspectStateFolder(folder: string, nowMs: number): Promise<readonly StateEntry[]> {
  const files = await readdir(folder);
  const names = files.flatMap((file) => STATE_NUMBERS.flatMap((kind) => ownerOf(file, kind) ?? []));
  const entries = [...new Set(names)]
    .sort()
    .flatMap((daemon) =>
      STATE_NUMBERS.map(async (kind) => entryOf(daemon, kind, stateFile(folder, kind, daemon), nowMs)),
    );
  return Promise.all(entries);
}

/** A number that the daemon may start with, and that no earlier incarnation is likely to have used. */
export function freshNumber(entry: Pick<StateEntry, 'number'>, nowMs: number): number {
  return entry.number === 'incarnation' ? clockIncarnation(nowMs) : freshRingSeq(nowMs / 1000);
}

/**
 * Puts `value` into the file of `entry`; what was there is kept beside it.
 * @returns the file that has the old content; null when there was none
 * @throws (rejects) when the value is not a number of that kind, or the folder cannot be written
 */
export async function replaceNumber(
  entry: StateEntry,
  folder: string,
  value: number,
  nowMs: number,
): Promise<string | null> {
  const kind = entry.number === 'incarnation' ? INCARNATION : RING_SEQ;
  if (!Number.isSafeInteger(value) || value < 0 || value > kind.highest)
    throw new RangeError(`${entry.number} is ${value}; it must be a whole number from 0 to ${kind.highest}`);
  const before = await stat(entry.file).catch(() => null);
  const kept = before === null ? null : join(folder, `old-${nowMs}-${kind.prefix}-${encodeURIComponent(entry.daemon)}`);
  if (kept !== null) await rename(entry.file, kept);
  await writeNumber(entry.file, value);
  // Root repairs what a daemon of another user has to write.
  const owner = before ?? (await stat(folder));
  await chown(entry.file, owner.uid, owner.gid).catch(() => undefined);
  if (kind === RING_SEQ) await rm(latestFile(entry.file), { force: true });
  return kept;
}

async function entryOf(daemon: string, kind: StateNumber, file: string, nowMs: number): Promise<StateEntry> {
  const number = kind === INCARNATION ? 'incarnation' : 'ring-seq';
  const reading = await readingOf(kind, file);
  const value = reading.kind === 'number' ? reading.value : null;
  const date = value === null ? null : dateOf(kind === INCARNATION ? value : value * 1000);
  const [verdict, problem] = judge(kind, reading, nowMs);
  return { daemon, number, file, value, date, verdict, problem };
}

/** The highest a daemon would go by: what its last incarnation could not force to the disk counts as well. */
async function readingOf(kind: StateNumber, file: string): Promise<StateReading> {
  const reading = await inspectNumber(file, kind);
  if (kind !== RING_SEQ || reading.kind === 'broken') return reading;
  const latest = await inspectNumber(latestFile(file), kind);
  if (latest.kind !== 'number') return reading;
  return reading.kind === 'number' && reading.value > latest.value ? reading : latest;
}

function judge(kind: StateNumber, reading: StateReading, nowMs: number): readonly [StateVerdict, string | null] {
  if (reading.kind === 'missing') return ['missing', null];
  if (reading.kind === 'broken') return ['broken', reading.problem];
  const { value } = reading;
  const isIncarnation = kind === INCARNATION;
  if (isIncarnation ? value === kind.highest : isNearEnd(value))
    return ['exhausted', `is at the end of the numbers, ${kind.highest}`];
  const doubt = isIncarnation ? incarnationDoubt(value, nowMs) : ringSeqDoubt(value, nowMs / 1000);
  return doubt === null ? ['ok', null] : ['doubtful', doubt];
}
