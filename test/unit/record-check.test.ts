/** Records of other daemons: every field of every kind of record, right and wrong. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeRecordHeader } from '../../engine/buffers/spsc-queue.ts';
import type { RingHost } from '../../engine/host/ring-host.ts';
import { RecordAssembler } from '../../engine/ring/record-assembler.ts';
import { writeHeader, writeName } from '../../engine/wire/frame.ts';
import { nodeIndex } from '../../engine/wire/ids.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_GROUPS_OFFSET,
  FRAME_HEADER_LENGTH,
  FRAME_HINT_OFFSET,
  FRAME_SENDER_OFFSET,
} from '../../engine/wire/layout/frame-header.ts';
import {
  RECORD_FLAGS_OFFSET,
  RECORD_FRAME_COUNT_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_POSITION_OFFSET,
  RECORD_SERVICE_OFFSET,
  RECORD_TARGET_HASH_OFFSET,
} from '../../engine/wire/layout/record-header.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { hashNameWords, nameWords } from '../../engine/wire/name-hash.ts';
import { RecordKind } from '../../engine/wire/record.ts';
import {
  daemonNameBytes,
  describeRecordFault,
  MAX_RECORD_BODY_LENGTH,
  RecordFault,
  recordFault,
} from '../../engine/wire/record-check.ts';
import {
  AGREED_MESS,
  CAUSED_BY_JOIN,
  ENDIAN_FLAG,
  JOIN_MESS,
  RELIABLE_MESS,
  SAFE_MESS,
  SELF_DISCARD,
} from '../../engine/wire/service.ts';

const DAEMON = daemonNameBytes('n1');
const WHOLE = 3;
const BODY = RECORD_HEADER_LENGTH;
const FRAME = BODY;

interface Made {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

function record(kind: number, bodyLength: number, service = AGREED_MESS, flags = WHOLE, frames = 0, hash = 0): Made {
  const bytes = new Uint8Array(RECORD_HEADER_LENGTH + bodyLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(RECORD_LENGTH_OFFSET, bytes.length, true);
  writeRecordHeader(view, 0, kind as RecordKind, service, flags, 7, frames, hash);
  return { bytes, view };
}

interface RunPlan {
  readonly groups?: readonly string[];
  readonly data?: readonly number[];
  readonly type?: number;
  readonly sender?: string;
}

function run({ groups = ['red'], data = [3, 0, 5], type = AGREED_MESS, sender = '#ann#n1' }: RunPlan = {}): Made {
  const head = FRAME_HEADER_LENGTH + groups.length * NAME_FIELD_LENGTH;
  const bodyLength = data.reduce((sum, length) => sum + head + length, 0);
  const hash = groups.length === 1 ? hashNameWords(nameWords(groups[0]!), 0) : 0;
  const flags = (type & SELF_DISCARD) !== 0 ? WHOLE | 4 : WHOLE;
  const made = record(RecordKind.Run, bodyLength, type & 0x3f, flags, data.length, hash);
  let at = FRAME;
  for (const length of data) {
    writeHeader(made.bytes, made.view, at, type, sender, groups.length, 17, length);
    groups.forEach((group, i) => {
      writeName(made.bytes, at + FRAME_GROUPS_OFFSET + i * NAME_FIELD_LENGTH, group);
    });
    at += head + length;
  }
  return made;
}

function membership(kind: number, group = 'red', member = '#ann#n1', flags: number | null = 1): Made {
  const made = record(kind, 2 * NAME_FIELD_LENGTH + (flags === null ? 0 : 1));
  writeName(made.bytes, BODY, group);
  writeName(made.bytes, BODY + NAME_FIELD_LENGTH, member);
  if (flags !== null) made.bytes[BODY + 2 * NAME_FIELD_LENGTH] = flags;
  return made;
}

function disconnect(member = '#ann#n1'): Made {
  const made = record(RecordKind.Disconnect, NAME_FIELD_LENGTH);
  writeName(made.bytes, BODY, member);
  return made;
}

function drain(stage: number): Made {
  const made = record(RecordKind.Drain, 1);
  made.bytes[BODY] = stage;
  return made;
}

const check = ({ bytes, view }: Made): RecordFault => recordFault(bytes, view, 0, DAEMON);
const SECOND_FRAME = FRAME + FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH + 3;

describe('records that daemons make', () => {
  it.each<readonly [string, Made]>([
    ['a run', run()],
    ['a run of one empty message', run({ data: [0] })],
    ['a run to nobody', run({ groups: [] })],
    ['a run to several, of names that nobody has', run({ groups: ['red', '#bob#n2', ''] })],
    ['a run to itself not', run({ type: SAFE_MESS | SELF_DISCARD })],
    ['the longest message', run({ data: [MAX_RECORD_BODY_LENGTH - FRAME_HEADER_LENGTH - NAME_FIELD_LENGTH] })],
    ['a join', membership(RecordKind.Join)],
    ['a join that wants no views', membership(RecordKind.Join, 'red', '#ann#n1', 0)],
    ['a leave', membership(RecordKind.Leave, 'red', '#ann#n1', 0)],
    ['a leave without flags', membership(RecordKind.Leave, 'red', '#ann#n1', null)],
    ['a disconnect', disconnect()],
    ['the begin of a stop', drain(1)],
    ['the end of a stop', drain(3)],
    ['a part of a table', record(RecordKind.Groups, 1200)],
  ])('pass: %s', (_, made) => {
    expect(check(made)).toBe(RecordFault.None);
  });

  it('pass: a reliable run with the number that it comes after', () => {
    const made = run({ type: RELIABLE_MESS });
    made.view.setUint32(RECORD_POSITION_OFFSET, 3, true);
    expect(check(made)).toBe(RecordFault.None);
  });

  it('pass: a run whose senders differ after the NUL', () => {
    const made = run();
    made.bytes[SECOND_FRAME + FRAME_SENDER_OFFSET + 31] = 9;
    expect(check(made)).toBe(RecordFault.None);
  });
});

type Change = (made: Made) => void;
const u32 =
  (at: number, value: number): Change =>
  (made) =>
    made.view.setUint32(at, value, true);
const u16 =
  (at: number, value: number): Change =>
  (made) =>
    made.view.setUint16(at, value, true);
const byte =
  (at: number, value: number): Change =>
  (made) =>
    made.view.setUint8(at, value);
const none: Change = () => {};

const FORGED: readonly (readonly [string, Made, Change, RecordFault])[] = [
  ...[0, 7, 16, 17, 18, 19, 20, 255].map(
    (kind) => [`kind ${kind}`, disconnect(), byte(RECORD_KIND_OFFSET, kind), RecordFault.Kind] as const,
  ),
  ['a cut run', run(), u16(RECORD_FLAGS_OFFSET, 1), RecordFault.Flags],
  ['unknown flags', run(), u16(RECORD_FLAGS_OFFSET, WHOLE | 8), RecordFault.Flags],
  [
    'a flag of its frames not set',
    run({ type: SAFE_MESS | SELF_DISCARD }),
    u16(RECORD_FLAGS_OFFSET, WHOLE),
    RecordFault.Flags,
  ],
  ['a flag its frames do not have', run(), u16(RECORD_FLAGS_OFFSET, WHOLE | 4), RecordFault.Flags],
  ['self-discard of a join', membership(RecordKind.Join), u16(RECORD_FLAGS_OFFSET, WHOLE | 4), RecordFault.Flags],
  ['an unknown flag of a join', membership(RecordKind.Join), byte(BODY + 64, 2), RecordFault.Flags],
  ['a position in an ordered run', run(), u32(RECORD_POSITION_OFFSET, 8), RecordFault.Position],
  ['a position in a join', membership(RecordKind.Join), u32(RECORD_POSITION_OFFSET, 8), RecordFault.Position],
  ['another service than its frames', run(), byte(RECORD_SERVICE_OFFSET, SAFE_MESS), RecordFault.Service],
  ['no service', run(), byte(RECORD_SERVICE_OFFSET, 0), RecordFault.Service],
  ['a safe join', membership(RecordKind.Join), byte(RECORD_SERVICE_OFFSET, SAFE_MESS), RecordFault.Service],
  ['a reliable state exchange', record(RecordKind.Groups, 40), byte(RECORD_SERVICE_OFFSET, 2), RecordFault.Service],
  ['a run of no frame', record(RecordKind.Run, 0), none, RecordFault.Length],
  ['a run of 2 MB', record(RecordKind.Run, 2_000_000), none, RecordFault.Length],
  ['a join of no member', record(RecordKind.Join, NAME_FIELD_LENGTH), none, RecordFault.Length],
  ['a join with more behind it', record(RecordKind.Join, 66), none, RecordFault.Length],
  ['a leave of no group', record(RecordKind.Leave, 0), none, RecordFault.Length],
  ['a disconnect of nobody', record(RecordKind.Disconnect, 0), none, RecordFault.Length],
  ['a disconnect with more behind it', record(RecordKind.Disconnect, 64), none, RecordFault.Length],
  ['a stop without a stage', record(RecordKind.Drain, 0), none, RecordFault.Length],
  ['a stop with more behind it', record(RecordKind.Drain, 2), none, RecordFault.Length],
  ['a stop of stage 0', drain(0), none, RecordFault.Stage],
  ['a stop of stage 4', drain(4), none, RecordFault.Stage],
  ['a stop of stage 15', drain(15), none, RecordFault.Stage],
  ['a stop of stage 17', drain(17), none, RecordFault.Stage],
  ['a stop of stage 255', drain(255), none, RecordFault.Stage],
  ['a safe stop', drain(1), byte(RECORD_SERVICE_OFFSET, SAFE_MESS), RecordFault.Service],
  ['a position in a stop', drain(2), u32(RECORD_POSITION_OFFSET, 8), RecordFault.Position],
  ['an unknown flag of a stop', drain(3), u16(RECORD_FLAGS_OFFSET, WHOLE | 8), RecordFault.Flags],
  ['a table without header', record(RecordKind.Groups, 19), none, RecordFault.Length],
  ['a part of a table of 100 KB', record(RecordKind.Groups, 100_000), none, RecordFault.Length],
  ['a join of no group', membership(RecordKind.Join, ''), none, RecordFault.GroupName],
  ['a join of a private group', membership(RecordKind.Join, '#ann#n1'), none, RecordFault.GroupName],
  ['a join of a name that cannot be printed', membership(RecordKind.Join, 'a\u0001'), none, RecordFault.GroupName],
  ['a leave of no group', membership(RecordKind.Leave, ''), none, RecordFault.GroupName],
  [
    'a join of a group without NUL',
    membership(RecordKind.Join),
    ({ bytes }) => bytes.fill(0x61, BODY, BODY + 32),
    RecordFault.GroupName,
  ],
  ['a join of another daemon’s client', membership(RecordKind.Join, 'red', '#ann#n2'), none, RecordFault.MemberName],
  ['a join of a longer daemon’s client', membership(RecordKind.Join, 'red', '#ann#n10'), none, RecordFault.MemberName],
  ['a join of no private name', membership(RecordKind.Join, 'red', 'ann'), none, RecordFault.MemberName],
  ['a leave of nobody', membership(RecordKind.Leave, 'red', ''), none, RecordFault.MemberName],
  ['a disconnect of another daemon’s client', disconnect('#ann#n2'), none, RecordFault.MemberName],
  ['a big-endian frame', run(), u32(FRAME, AGREED_MESS), RecordFault.FrameType],
  ['half an endian flag', run(), u32(FRAME, (0x80 | AGREED_MESS) >>> 0), RecordFault.FrameType],
  ['two services', run(), u32(FRAME, (ENDIAN_FLAG | AGREED_MESS | SAFE_MESS) >>> 0), RecordFault.FrameType],
  ['a join among frames', run(), u32(FRAME, (ENDIAN_FLAG | JOIN_MESS) >>> 0), RecordFault.FrameType],
  ['a view', run(), u32(FRAME, (ENDIAN_FLAG | AGREED_MESS | CAUSED_BY_JOIN) >>> 0), RecordFault.FrameType],
  ['another type later', run(), u32(SECOND_FRAME, (ENDIAN_FLAG | SAFE_MESS) >>> 0), RecordFault.FrameType],
  ['a sender of another daemon', run({ sender: '#ann#n2' }), none, RecordFault.FrameSender],
  ['a sender that is no client', run({ sender: 'red' }), none, RecordFault.FrameSender],
  ['another sender later', run(), byte(SECOND_FRAME + FRAME_SENDER_OFFSET + 1, 0x62), RecordFault.FrameSender],
  ['2^31 - 1 groups', run(), u32(FRAME + FRAME_GROUP_COUNT_OFFSET, 0x7fff_ffff), RecordFault.FrameTargets],
  ['-1 groups', run(), u32(FRAME + FRAME_GROUP_COUNT_OFFSET, 0xffff_ffff), RecordFault.FrameTargets],
  ['101 groups', run(), u32(FRAME + FRAME_GROUP_COUNT_OFFSET, 101), RecordFault.FrameTargets],
  ['100 groups that are not there', run(), u32(FRAME + FRAME_GROUP_COUNT_OFFSET, 100), RecordFault.FrameHeader],
  ['another number of groups later', run(), u32(SECOND_FRAME + FRAME_GROUP_COUNT_OFFSET, 0), RecordFault.FrameTargets],
  ['another group later', run(), byte(SECOND_FRAME + FRAME_GROUPS_OFFSET, 0x62), RecordFault.FrameTargets],
  ['bits of the hint', run(), u32(FRAME + FRAME_HINT_OFFSET, 1), RecordFault.FrameHint],
  ['bits of a later hint', run(), u32(SECOND_FRAME + FRAME_HINT_OFFSET, 1), RecordFault.FrameHint],
  ['data of -1 bytes', run(), u32(FRAME + FRAME_DATA_LENGTH_OFFSET, 0xffff_ffff), RecordFault.FrameLength],
  ['data of 2^31 - 1 bytes', run(), u32(FRAME + FRAME_DATA_LENGTH_OFFSET, 0x7fff_ffff), RecordFault.FrameLength],
  ['a frame that ends early', run({ data: [3] }), u32(FRAME + FRAME_DATA_LENGTH_OFFSET, 1), RecordFault.FrameHeader],
  ['a frame too many', run(), u32(RECORD_FRAME_COUNT_OFFSET, 4), RecordFault.FrameCount],
  ['no frames', run(), u32(RECORD_FRAME_COUNT_OFFSET, 0), RecordFault.FrameCount],
  ['2^32 - 1 frames', run(), u32(RECORD_FRAME_COUNT_OFFSET, 0xffff_ffff), RecordFault.FrameCount],
  ['another hash', run(), u32(RECORD_TARGET_HASH_OFFSET, 5), RecordFault.TargetHash],
  ['no hash', run(), u32(RECORD_TARGET_HASH_OFFSET, 0), RecordFault.TargetHash],
  ['a hash of several', run({ groups: ['a', 'b'] }), u32(RECORD_TARGET_HASH_OFFSET, 5), RecordFault.TargetHash],
];

describe('fragments', () => {
  it('form no message longer than a client may send, and none without a continuation', () => {
    const refused: RecordFault[] = [];
    let delivered = 0;
    const host = {
      recordRefused: (_: number, fault: RecordFault) => refused.push(fault),
      deliverRecords: () => delivered++,
    } as unknown as RingHost;
    const assembler = new RecordAssembler(1, host);
    const part = (flags: number, position: number): void => {
      const { bytes, view } = record(RecordKind.Run, 60_000, AGREED_MESS, flags, 1);
      view.setUint32(RECORD_POSITION_OFFSET, position, true);
      assembler.deliver(nodeIndex(0), bytes, 0, bytes.length);
    };
    for (const [flags, position] of [
      [1, 0],
      [0, 60_000],
      [2, 120_000],
    ] as const)
      part(flags, position);
    expect([refused, delivered]).toEqual([[RecordFault.Fragment], 0]);
    part(2, 8);
    expect([refused.length, delivered]).toEqual([2, 0]);
    part(1, 0);
    part(2, 60_000);
    expect([refused.length, delivered]).toEqual([2, 1]);
  });
});

describe('forged records', () => {
  it.each(FORGED)('are refused: %s', (_, made, change, fault) => {
    const forged = { bytes: made.bytes.slice(), view: made.view };
    forged.view = new DataView(forged.bytes.buffer);
    change(forged);
    expect(check(forged)).toBe(fault);
  });

  it('cover every fault of this check, and each fault has a description', () => {
    const found = new Set(FORGED.map(([, , , fault]) => fault));
    const elsewhere: readonly RecordFault[] = [
      RecordFault.None,
      RecordFault.Fragment,
      RecordFault.Packet,
      RecordFault.Table,
    ];
    const texts = new Set<string>();
    for (const fault of Object.values(RecordFault)) {
      expect(found.has(fault) || elsewhere.includes(fault)).toBe(true);
      texts.add(describeRecordFault(fault));
    }
    expect(texts.size).toBe(Object.values(RecordFault).length);
  });

  it('of random bytes never make it throw, and those that pass are whole frames of one sender', () => {
    const bases = [
      run(),
      run({ groups: [] }),
      run({ groups: ['a', 'b', 'c'], data: [9] }),
      membership(RecordKind.Join),
      membership(RecordKind.Leave),
      disconnect(),
      drain(2),
      record(RecordKind.Groups, 40),
    ];
    const changes = fc.array(fc.tuple(fc.nat(4095), fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff, 0x23, 0x61)), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(fc.constantFrom(...bases), changes, (base, edits) => {
        const bytes = base.bytes.slice();
        const view = new DataView(bytes.buffer);
        for (const [at, value] of edits)
          if (at % bytes.length > RECORD_LENGTH_OFFSET + 3) bytes[at % bytes.length] = value;
        if (recordFault(bytes, view, 0, DAEMON) !== RecordFault.None) return;
        if (bytes[RECORD_KIND_OFFSET] !== RecordKind.Run) return;
        let at = FRAME;
        let frames = 0;
        for (; at < bytes.length; frames++)
          at += FRAME_HEADER_LENGTH + view.getInt32(at + 36, true) * NAME_FIELD_LENGTH + view.getInt32(at + 44, true);
        expect(at).toBe(bytes.length);
        expect(frames).toBe(view.getUint32(RECORD_FRAME_COUNT_OFFSET, true));
      }),
      { numRuns: 3000 },
    );
  });
});
