/** The writer of an ordered log, or one of its readers, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import {
  ENTRY_COUNT,
  ENTRY_FLAGS,
  ENTRY_KIND,
  ENTRY_LENGTH,
  ENTRY_OFFSET,
  ENTRY_ORIGIN,
  ENTRY_SERVICE,
  ENTRY_SESSION,
  ENTRY_TARGET_HASH,
  ENTRY_TERM_BUFFER,
  LogEntry,
  LogKind,
  type OrderedLogMemory,
} from '../../../engine/buffers/ordered-log.ts';
import { OrderedLogReader } from '../../../engine/buffers/ordered-log-reader.ts';
import { OrderedLogWriter } from '../../../engine/buffers/ordered-log-writer.ts';
import { Content, pause, Random, retry } from './random.ts';

export interface OrderedLogThreadInput {
  readonly role: 'writer' | 'reader';
  readonly memory: OrderedLogMemory;
  readonly reader: number;
  readonly entries: number;
  readonly seed: number;
  readonly maxLength: number;
  /** Entries between which readers hold term buffers. */
  readonly holdFrom: number;
  readonly holdTo: number;
  /** Most ranges a reader holds. */
  readonly holds: number;
}

export interface OrderedLogThreadResult {
  readonly entries: number;
  /** Of the writer: term buffers ever used when `holdFrom` and `holdTo` were reached, when all holds were long gone, and at the end. */
  readonly touched: readonly number[];
  /** Of a reader: held ranges looked at again before they were let go. */
  readonly heldRanges: number;
}

const PAUSE_ONE_IN = 50_000;
const targetHash = (sequence: number): number => Math.imul(sequence, 0x9e37_79b1);

function write(input: OrderedLogThreadInput): OrderedLogThreadResult {
  const { entries, seed, maxLength, holdFrom, holdTo } = input;
  const log = new OrderedLogWriter(input.memory);
  const content = new Content(seed, maxLength);
  const random = new Random(seed);
  const touched: number[] = [];
  const marks = new Set([holdFrom, holdTo, Math.floor((holdTo + entries) / 2)]);
  const hasRoom = (): boolean => {
    if (log.hasRoom(1, content.length)) return true;
    log.publish();
    return false;
  };
  const entry = new LogEntry();
  for (let sequence = 0; sequence < entries; sequence++) {
    if (marks.has(sequence)) touched.push(log.termBuffersTouched);
    content.select(sequence);
    retry(hasRoom, 'room for an entry');
    const at = log.reserve(content.length);
    if (at === -1) throw new Error(`entry ${sequence}: room was promised and there is none`);
    content.write(log.bytes, at);
    entry.begin(LogKind.Run);
    entry.count = sequence & 0xff;
    entry.service = sequence & 0x3f;
    entry.flags = sequence & 4;
    entry.session = sequence;
    entry.targetHash = targetHash(sequence);
    entry.origin = sequence & 0x7f;
    log.append(entry, at, content.length);
    if (random.below(16) === 0) log.publish();
    if (random.below(PAUSE_ONE_IN) === 0) pause(1);
  }
  log.publish();
  touched.push(log.termBuffersTouched);
  return { entries, touched, heldRanges: 0 };
}

interface Held {
  readonly termBuffer: number;
  readonly at: number;
  readonly sequence: number;
}

function read(input: OrderedLogThreadInput): OrderedLogThreadResult {
  const { entries, seed, maxLength, holdFrom, holdTo, holds } = input;
  const log = new OrderedLogReader(input.memory, input.reader);
  const content = new Content(seed, maxLength);
  const random = new Random(seed + 1 + input.reader);
  const held: Held[] = [];
  let sequence = 0;
  let heldRanges = 0;
  const expectContent = (number: number, at: number, when: string): void => {
    content.select(number);
    if (!content.matches(log.bytes, at)) throw new Error(`entry ${number}: wrong bytes ${when}`);
  };
  const letGo = (index: number): void => {
    const [range] = held.splice(index, 1);
    expectContent(range!.sequence, range!.at, `although its term buffer ${range!.termBuffer} was held`);
    log.unhold(range!.termBuffer);
    heldRanges++;
  };
  const expectWord = (word: number, expected: number): void => {
    const found = log.index[log.entry + word]!;
    if (found !== expected) throw new Error(`entry ${sequence}: word ${word} is ${found}, expected ${expected}`);
  };
  const next = (): boolean => {
    if (log.next()) return true;
    log.finish();
    return false;
  };
  while (sequence < entries) {
    retry(next, 'an entry');
    const { index, entry, shape } = log;
    const termBuffer = index[entry + ENTRY_TERM_BUFFER]!;
    const at = termBuffer * shape.termBytes + index[entry + ENTRY_OFFSET]!;
    expectContent(sequence, at, 'when first read');
    expectWord(ENTRY_KIND, LogKind.Run);
    expectWord(ENTRY_LENGTH, content.length);
    expectWord(ENTRY_COUNT, sequence & 0xff);
    expectWord(ENTRY_SERVICE, sequence & 0x3f);
    expectWord(ENTRY_FLAGS, sequence & 4);
    expectWord(ENTRY_SESSION, sequence);
    expectWord(ENTRY_TARGET_HASH, targetHash(sequence));
    expectWord(ENTRY_ORIGIN, sequence & 0x7f);
    if (sequence >= holdFrom && sequence < holdTo && held.length < holds && random.below(20) === 0) {
      log.hold(termBuffer);
      held.push({ termBuffer, at, sequence });
    }
    if (held.length > 0 && (random.below(200) === 0 || sequence >= holdTo)) letGo(random.below(held.length));
    sequence++;
    if (random.below(8) === 0) log.finish();
    if (random.below(PAUSE_ONE_IN) === 0) pause(1);
  }
  log.finish();
  return { entries: sequence, touched: [], heldRanges };
}

const input = workerData as OrderedLogThreadInput;
parentPort!.postMessage(input.role === 'writer' ? write(input) : read(input));
