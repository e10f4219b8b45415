/**
 * Records that no honest daemon makes, for a faulty one to put into the order: each has one field wrong that the check of ordered records
 * has to find. They are of sessions that nobody has, by which the recorder knows them: what is refused has to be as if it had not been.
 */

import { writeHeader, writeName } from '../../../engine/wire/frame.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_GROUPS_OFFSET,
  FRAME_HEADER_LENGTH,
  FRAME_HINT_OFFSET,
  FRAME_SENDER_OFFSET,
  FRAME_TYPE_OFFSET,
} from '../../../engine/wire/layout/frame-header.ts';
import {
  RECORD_FLAGS_OFFSET,
  RECORD_FRAME_COUNT_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_POSITION_OFFSET,
  RECORD_SERVICE_OFFSET,
  RECORD_SESSION_OFFSET,
  RECORD_TARGET_HASH_OFFSET,
} from '../../../engine/wire/layout/record-header.ts';
import { NAME_FIELD_LENGTH } from '../../../engine/wire/limits.ts';
import { hashNameWords, nameWords } from '../../../engine/wire/name-hash.ts';
import {
  alignRecord,
  RECORD_FIRST,
  RECORD_LAST,
  RECORD_SELF_DISCARD,
  RecordKind,
} from '../../../engine/wire/record.ts';
import {
  AGREED_MESS,
  CAUSED_BY_JOIN,
  ENDIAN_FLAG,
  JOIN_MESS,
  SAFE_MESS,
  SELF_DISCARD,
} from '../../../engine/wire/service.ts';
import type { Random } from '../core/random.ts';

/** Sessions from here up are of nobody. */
export const FORGED_SESSIONS = 0xf000_0000;

/**
 * A packet may end between the two frames of a run, each of which is a record of its own then, and the first one is right. Messages marked
 * from here up may reach clients.
 */
export const PASSING_MARKS = 0xfeed_0000;
const MARK_OFFSET = FRAME_SENDER_OFFSET + NAME_FIELD_LENGTH - 4;

const FRAME = RECORD_HEADER_LENGTH;
const GROUP = RECORD_HEADER_LENGTH;
const MEMBER = GROUP + NAME_FIELD_LENGTH;
const TOO_LONG_BYTES = 150_000;
/** Data of a forged message: so short that no packet cuts its run. */
const DATA_BYTES = 8;
const ONE_FRAME = FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH + DATA_BYTES;

interface Draft {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

type Change = (draft: Draft, random: Random) => void;

const setU32 =
  (at: number, ...values: readonly number[]): Change =>
  ({ view }, random) =>
    view.setUint32(at, random.pick(values), true);
const setByte =
  (at: number, ...values: readonly number[]): Change =>
  ({ view }, random) =>
    view.setUint8(at, random.pick(values));
const setFlags =
  (...values: readonly number[]): Change =>
  ({ view }, random) =>
    view.setUint16(RECORD_FLAGS_OFFSET, random.pick(values), true);
const name =
  (at: number, ...names: readonly string[]): Change =>
  ({ bytes }, random) =>
    writeName(bytes, at, random.pick(names));
const noNul =
  (at: number): Change =>
  ({ bytes }) =>
    bytes.fill(0x61, at, at + NAME_FIELD_LENGTH);

const WHOLE = RECORD_FIRST | RECORD_LAST;
const type = (bits: number): number => (bits | ENDIAN_FLAG) >>> 0;
const NOT_OF_THE_DAEMON = ['', 'red', '#x', '#x#', '##n0', '#eve#elsewhere', '#much-too-long#n0'];

/** What all records have. A record without its last mark, or that begins in the middle, never becomes whole. */
const ANY: readonly Change[] = [
  setFlags(WHOLE | 8, WHOLE | 0x8000),
  ({ view }) => {
    view.setUint16(RECORD_FLAGS_OFFSET, RECORD_LAST, true);
    view.setUint32(RECORD_POSITION_OFFSET, 77, true);
  },
  setU32(RECORD_POSITION_OFFSET, 1, 8, 0xffff_ffff),
  setByte(RECORD_SERVICE_OFFSET, 0, 3, SAFE_MESS, 0x40, 0xff),
];

/** Of a run of one frame, which is not cut. */
const RUN: readonly Change[] = [
  ...ANY,
  setFlags(WHOLE | RECORD_SELF_DISCARD),
  setU32(RECORD_FRAME_COUNT_OFFSET, 0, 2, 0x7fff_ffff, 0xffff_ffff),
  setU32(RECORD_TARGET_HASH_OFFSET, 0, 1, 0xffff_ffff),
  setU32(FRAME + FRAME_GROUP_COUNT_OFFSET, 0, 2, 100, 101, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
  setU32(FRAME + FRAME_DATA_LENGTH_OFFSET, 0, DATA_BYTES - 1, DATA_BYTES + 1, 144_000, 0x7fff_ffff, 0xffff_ffff),
  setU32(FRAME + FRAME_HINT_OFFSET, 1, 0x7f, 0x100_0000),
  setU32(
    FRAME + FRAME_TYPE_OFFSET,
    AGREED_MESS,
    type(0),
    type(SAFE_MESS),
    type(AGREED_MESS | SAFE_MESS),
    type(JOIN_MESS),
    type(AGREED_MESS | SELF_DISCARD),
    type(AGREED_MESS | CAUSED_BY_JOIN),
  ),
  name(FRAME + FRAME_SENDER_OFFSET, ...NOT_OF_THE_DAEMON),
  noNul(FRAME + FRAME_SENDER_OFFSET),
];

/** Of the second frame of a run. */
const SECOND_FRAME: readonly Change[] = [
  setU32(FRAME + ONE_FRAME + FRAME_GROUP_COUNT_OFFSET, 0, 2, 0x7fff_ffff, 0xffff_ffff),
  setU32(FRAME + ONE_FRAME + FRAME_DATA_LENGTH_OFFSET, 0, DATA_BYTES + 1, 0x7fff_ffff, 0x8000_0000),
  setU32(FRAME + ONE_FRAME + FRAME_TYPE_OFFSET, 0, type(SAFE_MESS), type(CAUSED_BY_JOIN)),
  setU32(FRAME + ONE_FRAME + FRAME_HINT_OFFSET, 1, 0x7f),
  name(FRAME + ONE_FRAME + FRAME_SENDER_OFFSET, ...NOT_OF_THE_DAEMON),
  name(FRAME + ONE_FRAME + FRAME_GROUPS_OFFSET, 'other', ''),
];

const MEMBERSHIP: readonly Change[] = [
  ...ANY,
  setFlags(WHOLE | RECORD_SELF_DISCARD),
  name(GROUP, '', '#x#n0', 'a b', '\u0001', '\u00ff'),
  noNul(GROUP),
  name(MEMBER, ...NOT_OF_THE_DAEMON),
  noNul(MEMBER),
];

const DRAIN: readonly Change[] = [...ANY, setByte(RECORD_HEADER_LENGTH, 0, 4, 0xff)];

const DISCONNECT: readonly Change[] = [...ANY, name(GROUP, ...NOT_OF_THE_DAEMON), noNul(GROUP)];

/** @param member private name of a client that the faulty daemon could have; `groups` that honest clients are in */
export function forgedRecord(random: Random, member: string, groups: readonly string[]): Uint8Array {
  const group = random.pick(groups);
  switch (random.integer(0, 10)) {
    case 0:
      return changed(random, membership(RecordKind.Join, group, member), [...MEMBERSHIP, setByte(GROUP + 64, 2, 0xff)]);
    case 1:
      return changed(random, membership(RecordKind.Leave, group, member), MEMBERSHIP);
    case 2:
      return changed(random, disconnect(member), DISCONNECT);
    case 3:
      return changed(random, draft(RecordKind.Groups, random.integer(20, 200)), ANY);
    case 10:
      return changed(random, drain(), DRAIN);
    case 4:
      return wrongLength(random, group, member);
    case 5:
    case 6:
      return changed(random, run(group, member, [DATA_BYTES, DATA_BYTES]), SECOND_FRAME);
    default:
      return changed(random, run(group, member, [DATA_BYTES]), RUN);
  }
}

function changed(random: Random, made: Draft, changes: readonly Change[]): Uint8Array {
  made.view.setUint32(RECORD_SESSION_OFFSET, FORGED_SESSIONS + random.integer(0, 1_000_000), true);
  random.pick(changes)(made, random);
  return made.bytes;
}

/** Bodies that are too short or too long for their kind, some of them longer than any message. */
function wrongLength(random: Random, group: string, member: string): Uint8Array {
  const kind = random.pick([
    RecordKind.Run,
    RecordKind.Join,
    RecordKind.Leave,
    RecordKind.Disconnect,
    RecordKind.Groups,
    RecordKind.Drain,
  ]);
  const lengths =
    kind === RecordKind.Groups ? [0, 19] : [0, ...(kind === RecordKind.Drain ? [2] : [1]), 31, 33, 47, 66, 200];
  if (random.chance(0.05)) return changed(random, run(group, member, [TOO_LONG_BYTES]), [() => {}]);
  return changed(random, draft(kind, random.pick(lengths)), [() => {}]);
}

function draft(kind: number, bodyBytes: number): Draft {
  const lengthBytes = RECORD_HEADER_LENGTH + bodyBytes;
  const bytes = new Uint8Array(alignRecord(lengthBytes));
  const view = new DataView(bytes.buffer);
  view.setUint32(RECORD_LENGTH_OFFSET, lengthBytes, true);
  view.setUint8(RECORD_KIND_OFFSET, kind);
  view.setUint8(RECORD_SERVICE_OFFSET, AGREED_MESS);
  view.setUint16(RECORD_FLAGS_OFFSET, WHOLE, true);
  return { bytes, view };
}

function run(group: string, member: string, data: readonly number[]): Draft {
  const head = FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH;
  const made = draft(
    RecordKind.Run,
    data.reduce((sum, bytes) => sum + head + bytes, 0),
  );
  made.view.setUint32(RECORD_FRAME_COUNT_OFFSET, data.length, true);
  made.view.setInt32(RECORD_TARGET_HASH_OFFSET, hashNameWords(nameWords(group), 0), true);
  let at = FRAME;
  data.forEach((bytes, i) => {
    writeHeader(made.bytes, made.view, at, AGREED_MESS, member, 1, 0, bytes);
    writeName(made.bytes, at + FRAME_GROUPS_OFFSET, group);
    if (i + 1 < data.length) made.view.setUint32(at + MARK_OFFSET, PASSING_MARKS, true);
    at += head + bytes;
  });
  return made;
}

function membership(kind: number, group: string, member: string): Draft {
  const made = draft(kind, 2 * NAME_FIELD_LENGTH + 1);
  writeName(made.bytes, GROUP, group);
  writeName(made.bytes, MEMBER, member);
  return made;
}

function drain(): Draft {
  const made = draft(RecordKind.Drain, 1);
  made.view.setUint8(RECORD_HEADER_LENGTH, 1);
  return made;
}

function disconnect(member: string): Draft {
  const made = draft(RecordKind.Disconnect, NAME_FIELD_LENGTH);
  writeName(made.bytes, GROUP, member);
  return made;
}
