/**
 * The ordered log: finished client frames in delivery order, written by the ring agent (`ordered-log-writer.ts`), read by K agents
 * (`ordered-log-reader.ts`), each at its own pace. Here is what both sides agree on.
 *
 * Two parts. *Term buffers*, as in Aeron, hold bytes: frames back to back, so that what one session receives in a row is one
 * contiguous range and leaves as one socket write. The *index* is a ring of fixed-size entries that say what the bytes are
 * and for whom. A reader walks the index; it looks into the bytes only where it must.
 *
 *     control   i32  index tail | per reader: index head (one cache line each)
 *     released  i32  per reader, per term buffer: terms of this buffer that the reader has released
 *     index     12 x i32 per entry (ENTRY_* below)
 *     data      termBufferCount x termBytes
 *
 * A *term* is one filling of a term buffer. The writer fills one, retires it and takes another buffer for the next term: a retired
 * one that every reader has released, else one never used before. So the log stays small and warm in the caches while readers
 * keep up, and grows (pages of the data area are touched for the first time) only while a reader's socket still owns bytes. A
 * reader releases a term when it has read past it *and* no write over it is under way: `net` sends straight from this memory, so
 * bytes must not change before the write has called back.
 *
 * Memory order: bytes and index entries are written before the atomic store of the index tail, and read after an atomic load of
 * it. `released` and index heads are stored atomically by their reader and loaded atomically by the writer before reuse.
 */
export const ENTRY_WORDS = 12;
export const ENTRY_KIND = 0;
export const ENTRY_TERM_BUFFER = 1;
export const ENTRY_OFFSET = 2;
export const ENTRY_LENGTH = 3;
/** Number of frames, or of session handles in front of the frame (`LogKind.SessionsFrame`). */
export const ENTRY_COUNT = 4;
export const ENTRY_SERVICE = 5;
/** RECORD_SELF_DISCARD of runs, FRAME_CONTINUES and FRAME_CONTINUED of membership frames, or entry-specific bits. */
export const ENTRY_FLAGS = 6;
export const ENTRY_SESSION = 7;
export const ENTRY_TARGET_HASH = 8;
/** Daemon that the frames come from: its index in the configuration. */
export const ENTRY_ORIGIN = 9;

export const LogKind = {
  /** `count` regular frames of one sender to one list of targets. */
  Run: 1,
  /** One frame for the members of a group that want membership messages. Bytes: group name (32), frame. */
  GroupFrame: 2,
  /** One frame for the sessions listed. Bytes: `count` x u32 handle, padded to 8, frame. */
  SessionsFrame: 3,
  /** `session` became a member of the group named in the bytes (32). */
  MemberAdded: 4,
  /** `session` stopped being a member of the group named in the bytes (32). */
  MemberRemoved: 5,
  /** `session` got its name; it may continue with the handshake. */
  SessionAccepted: 6,
  /** `session` did not get its name; `flags` is the result code. */
  SessionRejected: 7,
  /** The disconnect of `session` was ordered: its name is free. */
  SessionEnded: 8,
  /** Clients may not (`flags` 1) or may again (0) be read: a state exchange is under way. */
  ClientsBlocked: 9,
} as const;
export type LogKind = (typeof LogKind)[keyof typeof LogKind];

/** Of a GroupFrame or SessionsFrame entry: the frame continues in the next entry, which has the same kind and the same receivers. */
export const FRAME_CONTINUES = 1;
/** Likewise: the frame began in an earlier entry. */
export const FRAME_CONTINUED = 2;

/** Bytes in front of the frame of a SessionsFrame entry: `count` handles, padded to 8. */
export const sessionsFrameHeader = (count: number): number => (count * 4 + 7) & ~7;

/** What an entry says besides where its bytes are. The writer fills one object for all of them, so that nothing is allocated for each. */
export class LogEntry {
  kind: LogKind = LogKind.Run;
  count = 0;
  service = 0;
  flags = 0;
  session = 0;
  targetHash = 0;
  origin = 0;

  /** Begins an entry of `kind`; all else is 0 until it is set. */
  begin(kind: LogKind): this {
    this.kind = kind;
    this.count = 0;
    this.service = 0;
    this.flags = 0;
    this.session = 0;
    this.targetHash = 0;
    this.origin = 0;
    return this;
  }
}

export interface OrderedLogShape {
  /** Bytes of one term buffer; the longest run must fit. Membership frames are written in pieces of half a term buffer. */
  readonly termBytes: number;
  /** Most term buffers there can be. Untouched ones cost address space, not memory. */
  readonly termBufferCount: number;
  /** Entries of the index, a power of two. */
  readonly indexEntries: number;
  readonly readers: number;
}

export interface OrderedLogMemory {
  readonly shape: OrderedLogShape;
  readonly control: SharedArrayBuffer;
  readonly released: SharedArrayBuffer;
  readonly index: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
}

/** Words between positions that different threads write. */
export const LINE_WORDS = 16;

export function createOrderedLog(shape: OrderedLogShape): OrderedLogMemory {
  const { termBytes, termBufferCount, indexEntries, readers } = shape;
  if ((indexEntries & (indexEntries - 1)) !== 0) {
    throw new RangeError(`ordered log index of ${indexEntries} entries: must be a power of two`);
  }
  if (termBufferCount < 2) throw new RangeError(`ordered log of ${termBufferCount} term buffers: needs at least 2`);
  return {
    shape,
    control: new SharedArrayBuffer((1 + readers) * LINE_WORDS * 4),
    released: new SharedArrayBuffer(readers * termBufferCount * 4),
    index: new SharedArrayBuffer(indexEntries * ENTRY_WORDS * 4),
    data: new SharedArrayBuffer(termBytes * termBufferCount),
  };
}
