/**
 * What is wrong with an ordered record that came from another daemon. Any holder of the cluster's key can put anything into the order;
 * this check stands before the process groups and the ordered log, which rely on it. The verdict depends on the record, its originator
 * and the configuration file alone, so all daemons take it or drop it alike.
 *
 * A run must be what `FrameScanner` lets a client send; the rest what a delivery worker or the groups layer writes. Names of targets
 * may be anything: clients may send to groups without members. `frameCount` of records other than runs is not looked at.
 */

import { HINT_ALLOWED_BITS } from './frame.ts';
import { DISCONNECT_RECORD_LENGTH, DISCONNECT_RECORD_MEMBER_OFFSET } from './layout/disconnect-record.ts';
import { DRAIN_RECORD_LENGTH, DRAIN_RECORD_STAGE_OFFSET } from './layout/drain-record.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_GROUPS_OFFSET,
  FRAME_HEADER_LENGTH,
  FRAME_HINT_OFFSET,
  FRAME_SENDER_OFFSET,
  FRAME_TYPE_OFFSET,
} from './layout/frame-header.ts';
import { GROUPS_HEADER_LENGTH } from './layout/groups-body.ts';
import {
  JOIN_RECORD_FLAGS_OFFSET,
  JOIN_RECORD_GROUP_OFFSET,
  JOIN_RECORD_LENGTH,
  JOIN_RECORD_MEMBER_OFFSET,
} from './layout/join-record.ts';
import {
  RECORD_FLAGS_OFFSET,
  RECORD_FRAME_COUNT_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_POSITION_OFFSET,
  RECORD_SERVICE_OFFSET,
  RECORD_TARGET_HASH_OFFSET,
} from './layout/record-header.ts';
import { MAX_DAEMON_BODY_LENGTH, MAX_FRAME_LENGTH, MAX_GROUPS_PER_MESSAGE, NAME_FIELD_LENGTH } from './limits.ts';
import { canonicalName, hashNameWords, NAME_WORDS } from './name-hash.ts';
import { isGroupNameField, privateUserLength } from './names.ts';
import { DrainStage, RECORD_FIRST, RECORD_LAST, RECORD_SELF_DISCARD, RecordKind } from './record.ts';
import {
  AGREED_MESS,
  ENDIAN_FLAG,
  FORBIDDEN_CLIENT_BITS,
  isSingleBit,
  REGULAR_MESS,
  RELIABLE_MESS,
  REQUEST_BITS,
  SELF_DISCARD,
  UNRELIABLE_MESS,
} from './service.ts';

/** Longest body of a record: one frame of a client. Longer runs are never made. */
export const MAX_RECORD_BODY_LENGTH = MAX_FRAME_LENGTH;
/** Longest part of a state exchange. Daemons send parts that fit into a small datagram. */
const MAX_GROUPS_BODY_LENGTH = 65_535;
const JOIN_BODY_LENGTH = JOIN_RECORD_LENGTH - RECORD_HEADER_LENGTH;
/** With and without the flags that only a join needs. */
const LEAVE_BODY_LENGTHS: readonly number[] = [JOIN_RECORD_FLAGS_OFFSET - RECORD_HEADER_LENGTH, JOIN_BODY_LENGTH];
const JOIN_FLAGS = 1;
const EARLY_SERVICES = RELIABLE_MESS | UNRELIABLE_MESS;

export const RecordFault = {
  None: 0,
  Kind: 1,
  Length: 2,
  Flags: 3,
  Position: 4,
  Service: 5,
  GroupName: 6,
  MemberName: 7,
  FrameHeader: 8,
  FrameType: 9,
  FrameSender: 10,
  FrameTargets: 11,
  FrameHint: 12,
  FrameLength: 13,
  FrameCount: 14,
  TargetHash: 15,
  /** Of a fragment: it does not continue where the one before ended, or its message is too long. */
  Fragment: 16,
  /** Of a packet: its records are not whole records of known kinds and of one class. */
  Packet: 17,
  /** Of a state exchange: its table contradicts itself or the configuration. */
  Table: 18,
  Stage: 19,
} as const;
export type RecordFault = (typeof RecordFault)[keyof typeof RecordFault];

const DESCRIPTIONS: Readonly<Record<RecordFault, string>> = {
  [RecordFault.None]: 'nothing is wrong',
  [RecordFault.Kind]: 'kind: must be run, join, leave, disconnect, groups or drain (1 to 6)',
  [RecordFault.Length]: `length: does not fit the kind, or the body has more than ${MAX_RECORD_BODY_LENGTH} bytes`,
  [RecordFault.Flags]: 'flags: only first, last and, of a run, self-discard may be set',
  [RecordFault.Position]: 'position: must be 0 in a whole record of an ordered service',
  [RecordFault.Service]: 'service: must be that of the frames, and AGREED for all but runs',
  [RecordFault.GroupName]: 'group: must be 1 to 31 bytes of 0x24 to 0x7e, with a NUL behind them',
  [RecordFault.MemberName]: 'member: must be a private name of the daemon that sent it',
  [RecordFault.FrameHeader]: 'frames: the last one is cut',
  [RecordFault.FrameType]:
    'type of a frame: must be the same in the run, little-endian, and one that a client may send',
  [RecordFault.FrameSender]:
    'sender of a frame: must be the same in the run, and a private name of the daemon that sent it',
  [RecordFault.FrameTargets]: `groups of a frame: must be the same in the run, and 0 to ${MAX_GROUPS_PER_MESSAGE}`,
  [RecordFault.FrameHint]: 'hint of a frame: only the bits 0x80ffff80 may be set',
  [RecordFault.FrameLength]: `data_len of a frame: must be 0 or more, within the run, and with the groups at most ${MAX_DAEMON_BODY_LENGTH}`,
  [RecordFault.FrameCount]: 'frameCount: is not the number of frames',
  [RecordFault.TargetHash]: 'targetHash: is not that of the only target, or not 0 where there are none or several',
  [RecordFault.Fragment]: `fragment: does not go on where the one before it ended, or the message has more than ${MAX_RECORD_BODY_LENGTH} bytes`,
  [RecordFault.Packet]: 'packet: its body is not whole records of known kinds and of one class of service',
  [RecordFault.Table]: 'groups: the table contradicts itself or the configuration',
  [RecordFault.Stage]: `stage of a drain: must be ${DrainStage.Draining} to ${DrainStage.Empty}, or ${DrainStage.Moving}`,
};

export const describeRecordFault = (fault: RecordFault): string => DESCRIPTIONS[fault];

/** The end of the private names of a daemon's clients, for `recordFault`. */
export const daemonNameBytes = (name: string): Uint8Array =>
  Uint8Array.from(name, (character) => character.charCodeAt(0));

const WHOLE = RECORD_FIRST | RECORD_LAST;
const scratch = new Int32Array(NAME_WORDS);

/**
 * Looks at the whole record at `at`, whose length was checked against the bytes around it. Allocates nothing.
 * @param view over the same memory as `bytes`
 * @param daemon name of the daemon that sent it, from `daemonNameBytes`
 */
export function recordFault(bytes: Uint8Array, view: DataView, at: number, daemon: Uint8Array): RecordFault {
  const bodyLength = view.getUint32(at + RECORD_LENGTH_OFFSET, true) - RECORD_HEADER_LENGTH;
  const kind = view.getUint8(at + RECORD_KIND_OFFSET);
  const flags = view.getUint16(at + RECORD_FLAGS_OFFSET, true);
  const service = view.getUint8(at + RECORD_SERVICE_OFFSET);
  if (kind === RecordKind.Run) {
    // In records that may be delivered early it is `after`, of which any value is harmless.
    if ((service & EARLY_SERVICES) === 0 && view.getUint32(at + RECORD_POSITION_OFFSET, true) !== 0)
      return RecordFault.Position;
    if ((flags | RECORD_SELF_DISCARD) !== (WHOLE | RECORD_SELF_DISCARD)) return RecordFault.Flags;
    if (bodyLength < FRAME_HEADER_LENGTH || bodyLength > MAX_RECORD_BODY_LENGTH) return RecordFault.Length;
    return runFault(bytes, view, at, bodyLength, flags, daemon);
  }
  if (kind < RecordKind.Run || kind > RecordKind.Drain) return RecordFault.Kind;
  if (view.getUint32(at + RECORD_POSITION_OFFSET, true) !== 0) return RecordFault.Position;
  if (flags !== WHOLE) return RecordFault.Flags;
  if (service !== AGREED_MESS) return RecordFault.Service;
  switch (kind) {
    case RecordKind.Join:
      if (bodyLength !== JOIN_BODY_LENGTH) return RecordFault.Length;
      if ((bytes[at + JOIN_RECORD_FLAGS_OFFSET]! & ~JOIN_FLAGS) !== 0) return RecordFault.Flags;
      return membershipFault(bytes, at, daemon);
    case RecordKind.Leave:
      if (!LEAVE_BODY_LENGTHS.includes(bodyLength)) return RecordFault.Length;
      return membershipFault(bytes, at, daemon);
    case RecordKind.Disconnect:
      if (bodyLength !== DISCONNECT_RECORD_LENGTH - RECORD_HEADER_LENGTH) return RecordFault.Length;
      return isPrivateNameOf(bytes, at + DISCONNECT_RECORD_MEMBER_OFFSET, daemon)
        ? RecordFault.None
        : RecordFault.MemberName;
    case RecordKind.Drain: {
      if (bodyLength !== DRAIN_RECORD_LENGTH - RECORD_HEADER_LENGTH) return RecordFault.Length;
      const stage = bytes[at + DRAIN_RECORD_STAGE_OFFSET]!;
      return isStage(stage) ? RecordFault.None : RecordFault.Stage;
    }
    default:
      return bodyLength < GROUPS_HEADER_LENGTH || bodyLength > MAX_GROUPS_BODY_LENGTH
        ? RecordFault.Length
        : RecordFault.None;
  }
}

const isStage = (stage: number): boolean =>
  (stage >= DrainStage.Draining && stage <= DrainStage.Empty) || stage === DrainStage.Moving;

function membershipFault(bytes: Uint8Array, at: number, daemon: Uint8Array): RecordFault {
  if (!isGroupNameField(bytes, at + JOIN_RECORD_GROUP_OFFSET)) return RecordFault.GroupName;
  return isPrivateNameOf(bytes, at + JOIN_RECORD_MEMBER_OFFSET, daemon) ? RecordFault.None : RecordFault.MemberName;
}

function runFault(
  bytes: Uint8Array,
  view: DataView,
  record: number,
  bodyLength: number,
  flags: number,
  daemon: Uint8Array,
): RecordFault {
  const first = record + RECORD_HEADER_LENGTH;
  const end = first + bodyLength;
  const type = view.getInt32(first + FRAME_TYPE_OFFSET, true);
  const services = type & REGULAR_MESS;
  if ((type & ENDIAN_FLAG) !== ENDIAN_FLAG || !isSingleBit(type & REQUEST_BITS) || services === 0)
    return RecordFault.FrameType;
  if ((type & FORBIDDEN_CLIENT_BITS) !== 0) return RecordFault.FrameType;
  if (services !== view.getUint8(record + RECORD_SERVICE_OFFSET)) return RecordFault.Service;
  if (((type & SELF_DISCARD) !== 0) !== ((flags & RECORD_SELF_DISCARD) !== 0)) return RecordFault.Flags;
  if (!isPrivateNameOf(bytes, first + FRAME_SENDER_OFFSET, daemon)) return RecordFault.FrameSender;
  const groups = view.getInt32(first + FRAME_GROUP_COUNT_OFFSET, true);
  if (groups < 0 || groups > MAX_GROUPS_PER_MESSAGE) return RecordFault.FrameTargets;
  const head = FRAME_HEADER_LENGTH + groups * NAME_FIELD_LENGTH;
  let frames = 0;
  for (let at = first; at < end; frames++) {
    if (at + head > end) return RecordFault.FrameHeader;
    if (view.getInt32(at + FRAME_TYPE_OFFSET, true) !== type) return RecordFault.FrameType;
    if (view.getInt32(at + FRAME_GROUP_COUNT_OFFSET, true) !== groups) return RecordFault.FrameTargets;
    if ((view.getInt32(at + FRAME_HINT_OFFSET, true) & ~HINT_ALLOWED_BITS) !== 0) return RecordFault.FrameHint;
    const dataLength = view.getInt32(at + FRAME_DATA_LENGTH_OFFSET, true);
    const room = Math.min(end - at, MAX_DAEMON_BODY_LENGTH + FRAME_HEADER_LENGTH) - head;
    if (dataLength < 0 || dataLength > room) return RecordFault.FrameLength;
    if (at !== first) {
      if (!isSameName(bytes, at + FRAME_SENDER_OFFSET, first + FRAME_SENDER_OFFSET)) return RecordFault.FrameSender;
      for (let i = FRAME_GROUPS_OFFSET; i < head; i += 4)
        if (view.getInt32(at + i, true) !== view.getInt32(first + i, true)) return RecordFault.FrameTargets;
    }
    at += head + dataLength;
  }
  if (frames !== view.getUint32(record + RECORD_FRAME_COUNT_OFFSET, true)) return RecordFault.FrameCount;
  let hash = 0;
  if (groups === 1) {
    canonicalName(view, first + FRAME_GROUPS_OFFSET, scratch, 0);
    hash = hashNameWords(scratch, 0);
  }
  return view.getInt32(record + RECORD_TARGET_HASH_OFFSET, true) === hash ? RecordFault.None : RecordFault.TargetHash;
}

/** The field at `offset` is `#user#daemon`, terminated. */
function isPrivateNameOf(bytes: Uint8Array, offset: number, daemon: Uint8Array): boolean {
  const user = privateUserLength(bytes, offset);
  if (user === 0) return false;
  const at = offset + user + 2;
  for (let i = 0; i < daemon.length; i++) if (bytes[at + i] !== daemon[i]) return false;
  return bytes[at + daemon.length] === 0;
}

/** Both fields hold the same name; what is behind the NUL may differ. */
function isSameName(bytes: Uint8Array, a: number, b: number): boolean {
  for (let i = 0; i < NAME_FIELD_LENGTH; i++) {
    if (bytes[a + i] !== bytes[b + i]) return false;
    if (bytes[a + i] === 0) return true;
  }
  return true;
}
