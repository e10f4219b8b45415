/**
 * The daemon's per-frame loop: walks the bytes a client sent, checks every frame in place (client-protocol.md, 2 and 7.2)
 * and finds *runs*, frames in a row that need the same treatment: one type field, one list of targets. Only runs are handled
 * further, so this is the one place where work is done per message; it allocates nothing.
 *
 * Frames of big-endian clients are turned into the form receivers get (section 2.2: `type`, `num_groups`, `data_len`
 * little-endian, `hint` and the rest untouched) in place, which is why a scanner needs bytes that it may write.
 */

import { HINT_ALLOWED_BITS } from './frame.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_GROUPS_OFFSET,
  FRAME_HEADER_LENGTH,
  FRAME_HINT_OFFSET,
  FRAME_SENDER_OFFSET,
} from './layout/frame-header.ts';
import {
  MAX_DAEMON_BODY_LENGTH,
  MAX_GROUPS_PER_MESSAGE,
  MAX_MESSAGE_BODY_LENGTH,
  NAME_FIELD_LENGTH,
} from './limits.ts';
import { canonicalName, fieldEqualsWords, hashNameWords, NAME_WORDS, nameWords, sameNameWords } from './name-hash.ts';
import { ENDIAN_FLAG, FORBIDDEN_CLIENT_BITS, isSingleBit, REGULAR_MESS, REQUEST_BITS } from './service.ts';

export const ScanStatus = {
  /** `start..end` is a run of `frameCount` regular frames. */
  Run: 1,
  /** `start..end` is one join, leave or kill. */
  Request: 2,
  /** The frame at `start` is not all there; it needs at least `neededBytes` in all. */
  Partial: 3,
  /** The frame at `start` breaks the protocol; `problem` and `problemValue` say how. */
  Invalid: 4,
} as const;
export type ScanStatus = (typeof ScanStatus)[keyof typeof ScanStatus];

/** What may be wrong with a frame. */
export const FrameProblem = {
  EndianFlag: 1,
  ServiceBits: 2,
  ForbiddenBits: 3,
  Sender: 4,
  GroupCount: 5,
  Hint: 6,
  DataLength: 7,
  BodyLength: 8,
} as const;
export type FrameProblem = (typeof FrameProblem)[keyof typeof FrameProblem];

/** Names the field, the value and the limit. */
export function describeFrameProblem(problem: FrameProblem, value: number): string {
  const hex = `0x${(value >>> 0).toString(16).padStart(8, '0')}`;
  switch (problem) {
    case FrameProblem.EndianFlag:
      return `type ${hex}: its byte-order flag must have both bits of 0x80000080 or none`;
    case FrameProblem.ServiceBits:
      return `type ${hex}: needs exactly one of the service, join, leave and kill bits (0x0007003f)`;
    case FrameProblem.ForbiddenBits:
      return `type ${hex}: has bits that only a daemon may set (0x02783f00)`;
    case FrameProblem.Sender:
      return 'sender: is not the private name of this connection';
    case FrameProblem.GroupCount:
      return `num_groups ${value}: must be 0 to ${MAX_GROUPS_PER_MESSAGE}`;
    case FrameProblem.Hint:
      return `hint ${hex}: only the bits 0x80ffff80 may be set`;
    case FrameProblem.DataLength:
      return `data_len ${value}: must be 0 to ${MAX_MESSAGE_BODY_LENGTH} bytes`;
    case FrameProblem.BodyLength:
      return `data_len + 32 x num_groups = ${value}: must be at most ${MAX_DAEMON_BODY_LENGTH} bytes`;
  }
}

/** State of the scanner for one connection: its name, and its last target (senders repeat themselves). */
export class SenderIdentity {
  readonly nameWords: Int32Array;
  /** The field as it was sent, bytes behind the NUL included. */
  readonly lastTarget = new Int32Array(NAME_WORDS);
  lastTargetHash = 0;

  constructor(privateName: string) {
    this.nameWords = nameWords(privateName);
  }
}

export class FrameScanner {
  start = 0;
  end = 0;
  frameCount = 0;
  /** Type of the run or request, endian flag included. */
  type = 0;
  groupCount = 0;
  /** Hash of the run's only target; 0 when it has none or several. */
  targetHash = 0;
  neededBytes = 0;
  problem: FrameProblem = FrameProblem.EndianFlag;
  problemValue = 0;
  /** The longest run of several frames. */
  readonly maxRunBytes: number;
  /** The next runs have so many bytes and frames at most, unless they are of one frame. */
  runBytes: number;
  runFrames = Number.POSITIVE_INFINITY;
  readonly #scratch = new Int32Array(NAME_WORDS);

  /** @param maxRunBytes a run of several frames is cut here; one frame may be longer */
  constructor(maxRunBytes: number) {
    this.maxRunBytes = maxRunBytes;
    this.runBytes = maxRunBytes;
  }

  /** Looks at `view[from, end)` for the next run or request of `sender`. */
  scan(view: DataView, from: number, end: number, sender: SenderIdentity): ScanStatus {
    this.start = from;
    const limit = from + this.runBytes;
    const frameLimit = this.runFrames;
    let position = from;
    let count = 0;
    let runType = 0;
    let groups = 0;
    for (;;) {
      if (end - position < FRAME_HEADER_LENGTH) return this.#stop(count, position, FRAME_HEADER_LENGTH);
      let type = view.getInt32(position, true);
      if ((type & ENDIAN_FLAG) !== ENDIAN_FLAG) {
        if ((type & ENDIAN_FLAG) !== 0) return this.#invalid(count, position, FrameProblem.EndianFlag, type);
        toLittleEndian(view, position);
        type = view.getInt32(position, true);
      }
      if (count === 0) {
        if (!isSingleBit(type & REQUEST_BITS)) return this.#invalid(0, position, FrameProblem.ServiceBits, type);
        if ((type & FORBIDDEN_CLIENT_BITS) !== 0) return this.#invalid(0, position, FrameProblem.ForbiddenBits, type);
        runType = type;
        this.type = type;
      } else if (type !== runType) {
        return this.#run(count, position);
      }
      if (
        !fieldEqualsWords(view, position + FRAME_SENDER_OFFSET, sender.nameWords, 0) &&
        !this.#isSender(view, position + FRAME_SENDER_OFFSET, sender)
      ) {
        return this.#invalid(count, position, FrameProblem.Sender, 0);
      }
      const groupCount = view.getInt32(position + FRAME_GROUP_COUNT_OFFSET, true);
      if (groupCount < 0 || groupCount > MAX_GROUPS_PER_MESSAGE) {
        return this.#invalid(count, position, FrameProblem.GroupCount, groupCount);
      }
      const hint = view.getInt32(position + FRAME_HINT_OFFSET, true);
      if ((hint & ~HINT_ALLOWED_BITS) !== 0) return this.#invalid(count, position, FrameProblem.Hint, hint);
      const dataLength = view.getInt32(position + FRAME_DATA_LENGTH_OFFSET, true);
      if (dataLength < 0 || dataLength > MAX_MESSAGE_BODY_LENGTH) {
        return this.#invalid(count, position, FrameProblem.DataLength, dataLength);
      }
      const bodyLength = dataLength + groupCount * NAME_FIELD_LENGTH;
      if (bodyLength > MAX_DAEMON_BODY_LENGTH) {
        return this.#invalid(count, position, FrameProblem.BodyLength, bodyLength);
      }
      const next = position + FRAME_HEADER_LENGTH + bodyLength;
      if (next > end) return this.#stop(count, position, FRAME_HEADER_LENGTH + bodyLength);
      if (count === 0) {
        this.groupCount = groupCount;
        groups = groupCount;
        if ((type & REGULAR_MESS) === 0) {
          this.end = next;
          return ScanStatus.Request;
        }
        this.targetHash = groupCount === 1 ? this.#targetHash(view, position + FRAME_GROUPS_OFFSET, sender) : 0;
      } else if (
        count >= frameLimit ||
        groupCount !== groups ||
        next > limit ||
        !this.#sameTargets(view, position, groups, sender)
      ) {
        return this.#run(count, position);
      }
      count++;
      position = next;
    }
  }

  #run(count: number, end: number): ScanStatus {
    this.frameCount = count;
    this.end = end;
    return ScanStatus.Run;
  }

  /** What was found before an incomplete frame comes first. */
  #stop(count: number, position: number, neededBytes: number): ScanStatus {
    if (count > 0) return this.#run(count, position);
    this.neededBytes = neededBytes;
    return ScanStatus.Partial;
  }

  /** Good frames before a bad one still count: the run ends here and the next scan meets the bad frame first. */
  #invalid(count: number, position: number, problem: FrameProblem, value: number): ScanStatus {
    if (count > 0) return this.#run(count, position);
    this.problem = problem;
    this.problemValue = value;
    return ScanStatus.Invalid;
  }

  #isSender(view: DataView, offset: number, sender: SenderIdentity): boolean {
    canonicalName(view, offset, this.#scratch, 0);
    return sameNameWords(this.#scratch, 0, sender.nameWords, 0);
  }

  #targetHash(view: DataView, offset: number, sender: SenderIdentity): number {
    if (sender.lastTargetHash !== 0 && fieldEqualsWords(view, offset, sender.lastTarget, 0))
      return sender.lastTargetHash;
    for (let w = 0; w < NAME_WORDS; w++) sender.lastTarget[w] = view.getInt32(offset + w * 4, true);
    canonicalName(view, offset, this.#scratch, 0);
    sender.lastTargetHash = hashNameWords(this.#scratch, 0);
    return sender.lastTargetHash;
  }

  #sameTargets(view: DataView, position: number, groups: number, sender: SenderIdentity): boolean {
    if (groups === 1) return fieldEqualsWords(view, position + FRAME_GROUPS_OFFSET, sender.lastTarget, 0);
    const first = this.start + FRAME_GROUPS_OFFSET;
    const here = position + FRAME_GROUPS_OFFSET;
    for (let at = 0; at < groups * NAME_FIELD_LENGTH; at += 4) {
      if (view.getInt32(here + at, true) !== view.getInt32(first + at, true)) return false;
    }
    return true;
  }
}

/** Rewrites the header of a big-endian frame as a little-endian writer would have sent it. */
function toLittleEndian(view: DataView, offset: number): void {
  view.setInt32(offset, view.getInt32(offset, false) | ENDIAN_FLAG, true);
  view.setInt32(offset + FRAME_GROUP_COUNT_OFFSET, view.getInt32(offset + FRAME_GROUP_COUNT_OFFSET, false), true);
  view.setInt32(offset + FRAME_DATA_LENGTH_OFFSET, view.getInt32(offset + FRAME_DATA_LENGTH_OFFSET, false), true);
}
