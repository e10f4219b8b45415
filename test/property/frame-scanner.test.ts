/** The daemon's frame scanner: any cut of any frames gives the same frames, and every broken rule is found and named. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeRecordHeader } from '../../engine/buffers/spsc-queue.ts';
import {
  describeFrameProblem,
  FrameProblem,
  FrameScanner,
  ScanStatus,
  SenderIdentity,
} from '../../engine/wire/frame-scanner.ts';
import { RECORD_HEADER_LENGTH, RECORD_LENGTH_OFFSET } from '../../engine/wire/layout/record-header.ts';
import { hashNameWords, nameWords } from '../../engine/wire/name-hash.ts';
import { RECORD_FIRST, RECORD_LAST, RECORD_SELF_DISCARD, RecordKind } from '../../engine/wire/record.ts';
import { daemonNameBytes, describeRecordFault, RecordFault, recordFault } from '../../engine/wire/record-check.ts';
import { REGULAR_MESS, SELF_DISCARD } from '../../engine/wire/service.ts';

const SELF = '#alice#localhost';
const MAX_RUN_BYTES = 600;
const HEADER = 48;
const FLAG = 0x8000_0080;
const REQUESTS = 0x0007_0000;
const FORBIDDEN = 0x0278_3f00;

interface TestFrame {
  /** Without the endian flag. */
  readonly type: number;
  readonly big: boolean;
  /** int16; and its own byte order, which a library may choose freely. */
  readonly messageType: number;
  readonly bigHint: boolean;
  /** 32-byte fields, garbage behind the NUL included. */
  readonly sender: Buffer;
  readonly groups: readonly Buffer[];
  readonly data: Buffer;
}

function encode(frame: TestFrame, big: boolean): Buffer {
  const header = Buffer.alloc(HEADER);
  const put = (value: number, at: number, bigEndian: boolean): void => {
    if (bigEndian) header.writeUInt32BE(value >>> 0, at);
    else header.writeUInt32LE(value >>> 0, at);
  };
  put(big ? frame.type : frame.type | FLAG, 0, big);
  frame.sender.copy(header, 4);
  put(frame.groups.length, 36, big);
  const hint = (frame.messageType << 8) & 0x00ff_ff00;
  put(frame.bigHint ? hint : hint | FLAG, 40, frame.bigHint);
  put(frame.data.length, 44, big);
  return Buffer.concat([header, ...frame.groups, frame.data]);
}

/** A name field; bytes behind the NUL are anything (client-protocol.md, 2.5). */
const field = (name: string, garbage: Uint8Array): Buffer => {
  const bytes = Buffer.alloc(32);
  bytes.set(garbage.subarray(0, 32));
  bytes.write(`${name}\0`, 'latin1');
  return bytes;
};

const garbage = fc.oneof(
  { weight: 4, arbitrary: fc.constant(new Uint8Array(32)) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 32, maxLength: 32 }) },
);
const groupField = fc.tuple(fc.constantFrom('a', 'b', 'room', '#bob#localhost', 'x'.repeat(31)), garbage);
const regularBit = fc.constantFrom(0x01, 0x02, 0x04, 0x08, 0x10, 0x20);
/** Bits that must be passed through: SELF_DISCARD, SUBGROUP_CAST, DROP_RECV and the rest of the high ones. */
const freeBits = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 0x40, 0x4000_0000, 0x0100_0000) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0x7fff_ffff }).map((bits) => bits & 0x7d80_c040) },
);
const type = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(regularBit, freeBits).map(([bit, free]) => bit | free) },
  { weight: 1, arbitrary: fc.constantFrom(0x1_0000, 0x2_0000, 0x4_0000) },
);

const frame: fc.Arbitrary<TestFrame> = fc.record({
  type,
  big: fc.boolean(),
  messageType: fc.integer({ min: -32_768, max: 32_767 }),
  bigHint: fc.boolean(),
  sender: garbage.map((bytes) => field(SELF, bytes)),
  groups: fc.array(
    groupField.map(([name, bytes]) => field(name, bytes)),
    { maxLength: 4 },
  ),
  data: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
});

/** Senders repeat themselves: neighbours often agree in all that makes a run. */
const frames = fc
  .array(fc.tuple(frame, fc.integer({ min: 1, max: 12 })), { minLength: 1, maxLength: 12 })
  .map((repeated) => repeated.flatMap(([one, times]) => Array.from({ length: times }, () => one)));

interface Found {
  readonly isRequest: boolean;
  readonly type: number;
  readonly groupCount: number;
  readonly targetHash: number;
  readonly frameCount: number;
  readonly bytes: Buffer;
  /** The bytes behind it had been there too: nothing but a rule ended this run. */
  readonly followed: boolean;
}

/** Scans as the daemon does: each chunk together with what the one before left over. */
function scanChunks(chunks: readonly Buffer[]): readonly Found[] {
  const scanner = new FrameScanner(MAX_RUN_BYTES);
  const sender = new SenderIdentity(SELF);
  const found: Found[] = [];
  let kept = Buffer.alloc(0);
  for (const chunk of chunks) {
    const bytes = Buffer.concat([kept, chunk]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    for (;;) {
      const status = scanner.scan(view, at, bytes.length, sender);
      if (status === ScanStatus.Partial) {
        // It really needs these bytes: with fewer it could find no frame.
        expect(scanner.neededBytes).toBeGreaterThan(bytes.length - at);
        break;
      }
      if (status === ScanStatus.Invalid) throw new Error(describeFrameProblem(scanner.problem, scanner.problemValue));
      expect(scanner.start).toBe(at);
      const isRequest = status === ScanStatus.Request;
      found.push({
        isRequest,
        type: (scanner.type & ~FLAG) >>> 0,
        groupCount: scanner.groupCount,
        targetHash: isRequest ? 0 : scanner.targetHash,
        frameCount: isRequest ? 1 : scanner.frameCount,
        bytes: Buffer.from(bytes.subarray(scanner.start, scanner.end)),
        followed: bytes.length - scanner.end >= HEADER,
      });
      at = scanner.end;
    }
    kept = Buffer.from(bytes.subarray(at));
  }
  expect(kept.length).toBe(0);
  return found;
}

function cut(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : sizes[i % sizes.length]!;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 3000 })), { maxLength: 20 });
/** Everything receivers of a run may be told apart by. */
const incarnationKey = (one: TestFrame): string =>
  `${one.type} ${one.groups.map((group) => group.toString('hex')).join()}`;

describe('valid frames', () => {
  it('come out as receivers get them, however they were cut', () => {
    fc.assert(
      fc.property(frames, cuts, (sent, sizes) => {
        const found = scanChunks(cut(Buffer.concat(sent.map((one) => encode(one, one.big))), sizes));
        // Little-endian header, hint and all the rest as it was (client-protocol.md, 2.2).
        const expected = Buffer.concat(sent.map((one) => encode(one, false)));
        expect(Buffer.concat(found.map(({ bytes }) => bytes)).toString('hex')).toBe(expected.toString('hex'));
        expect(found.reduce((sum, { frameCount }) => sum + frameCount, 0)).toBe(sent.length);
      }),
      { numRuns: 300 },
    );
  });

  it('form runs of one type and one target list, no longer than allowed, and never shorter than they could be', () => {
    fc.assert(
      fc.property(frames, cuts, (sent, sizes) => {
        const found = scanChunks(cut(Buffer.concat(sent.map((one) => encode(one, one.big))), sizes));
        let next = 0;
        for (const run of found) {
          const first = sent[next]!;
          const members = sent.slice(next, next + run.frameCount);
          next += run.frameCount;
          expect(run.isRequest).toBe((first.type & REQUESTS) !== 0);
          if (run.isRequest) continue;
          for (const member of members) expect(incarnationKey(member)).toBe(incarnationKey(first));
          expect([run.type, run.groupCount]).toEqual([first.type >>> 0, first.groups.length]);
          const name = first.groups[0]?.toString('latin1').split('\0')[0] ?? '';
          expect(run.targetHash).toBe(first.groups.length === 1 ? hashNameWords(nameWords(name), 0) : 0);
          if (run.frameCount > 1) expect(run.bytes.length).toBeLessThanOrEqual(MAX_RUN_BYTES);
          const follower = sent[next];
          if (!run.followed || follower === undefined || incarnationKey(follower) !== incarnationKey(first)) continue;
          const longer = run.bytes.length + encode(follower, false).length;
          // Only a frame that was not all there can have ended it too; cuts that fall inside a frame are left out here.
          if (sizes.length === 0) expect(longer).toBeGreaterThan(MAX_RUN_BYTES);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('may have any type with one service or request bit and no bit that only daemons set', () => {
    fc.assert(
      fc.property(frame, (one) => {
        const bytes = encode(one, one.big);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        const scanner = new FrameScanner(MAX_RUN_BYTES);
        const status = scanner.scan(view, 0, bytes.length, new SenderIdentity(SELF));
        expect(status).toBe((one.type & REQUESTS) === 0 ? ScanStatus.Run : ScanStatus.Request);
        expect(bytes.equals(encode(one, false))).toBe(true);
      }),
    );
  });
});

interface Violation {
  readonly problem: FrameProblem;
  /** Says which field it was. */
  readonly names: RegExp;
  /** Changes a good frame; numbers are in the frame's byte order. */
  readonly break: (frame: Buffer, put: (value: number, at: number) => void, good: TestFrame) => void;
}

const bitsOf = (mask: number): readonly number[] =>
  Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0).filter((bit) => (mask & bit) !== 0);
const pickBit = (mask: number): fc.Arbitrary<number> => fc.constantFrom(...bitsOf(mask));
const flagOf = (good: TestFrame): number => (good.big ? 0 : FLAG);

const violation: fc.Arbitrary<Violation> = fc.oneof(
  fc.constantFrom(0x80, 0x8000_0000).map(
    (bit): Violation => ({
      problem: FrameProblem.EndianFlag,
      names: /^type 0x[0-9a-f]{8}: its byte-order flag .* 0x80000080/,
      break: (bytes, _put, good) => bytes.writeUInt32LE(((good.type & ~FLAG) | bit) >>> 0, 0),
    }),
  ),
  fc.tuple(pickBit(0x0007_003f), fc.boolean()).map(
    ([bit, none]): Violation => ({
      problem: FrameProblem.ServiceBits,
      names: /^type 0x[0-9a-f]{8}: .*0x0007003f/,
      break: (_bytes, put, good) => {
        const others = good.type & ~0x0007_003f;
        const both =
          (good.type & bit) === 0 ? good.type | bit : (good.type ^ bit) | (bit === 1 ? 6 : 1 | (bit === 2 ? 4 : 2));
        put((none ? others : both) | flagOf(good), 0);
      },
    }),
  ),
  pickBit(FORBIDDEN).map(
    (bit): Violation => ({
      problem: FrameProblem.ForbiddenBits,
      names: /^type 0x[0-9a-f]{8}: .*0x02783f00/,
      break: (_bytes, put, good) => put(good.type | bit | flagOf(good), 0),
    }),
  ),
  fc
    .constantFrom(
      '#bob#localhost',
      '#alice#remote',
      'alice',
      '#alice#localhos',
      '#alice#localhost2',
      '',
      '#Alice#localhost',
    )
    .map(
      (name): Violation => ({
        problem: FrameProblem.Sender,
        names: /^sender: /,
        break: (bytes) => {
          bytes.fill(0, 4, 36);
          bytes.write(name, 4, 'latin1');
        },
      }),
    ),
  fc.constantFrom(-1, 101, 2 ** 31 - 1, -(2 ** 31)).map(
    (count): Violation => ({
      problem: FrameProblem.GroupCount,
      names: new RegExp(`^num_groups ${count}: must be 0 to 100$`),
      break: (_bytes, put) => put(count, 36),
    }),
  ),
  pickBit(~0x80ff_ff80).map(
    (bit): Violation => ({
      problem: FrameProblem.Hint,
      names: /^hint 0x[0-9a-f]{8}: .*0x80ffff80/,
      break: (bytes) => bytes.writeUInt32LE((bytes.readUInt32LE(40) | bit) >>> 0, 40),
    }),
  ),
  fc.constantFrom(-1, 144_001, 2 ** 31 - 1, -(2 ** 31)).map(
    (length): Violation => ({
      problem: FrameProblem.DataLength,
      names: new RegExp(`^data_len ${length}: must be 0 to 144000 bytes$`),
      break: (_bytes, put) => put(length, 44),
    }),
  ),
  fc.constantFrom(143_953, 144_000).map(
    (length): Violation => ({
      problem: FrameProblem.BodyLength,
      names: /^data_len \+ 32 x num_groups = \d+: must be at most 143952 bytes$/,
      break: (_bytes, put) => put(length, 44),
    }),
  ),
);

describe('frames that break a rule', () => {
  it('are found wherever they stand, with the field that is wrong', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 5 }),
        frame,
        violation,
        fc.array(frame, { maxLength: 2 }),
        (before, good, rule, after) => {
          const bad = encode(good, good.big);
          rule.break(
            bad,
            (value, at) => (good.big ? bad.writeInt32BE(value | 0, at) : bad.writeInt32LE(value | 0, at)),
            good,
          );
          const front = Buffer.concat(before.map((one) => encode(one, one.big)));
          const bytes = Buffer.concat([front, bad, ...after.map((one) => encode(one, one.big))]);
          const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
          const scanner = new FrameScanner(MAX_RUN_BYTES);
          const sender = new SenderIdentity(SELF);
          let at = 0;
          let status = scanner.scan(view, at, bytes.length, sender);
          let goodFrames = 0;
          while (status === ScanStatus.Run || status === ScanStatus.Request) {
            goodFrames += status === ScanStatus.Run ? scanner.frameCount : 1;
            at = scanner.end;
            status = scanner.scan(view, at, bytes.length, sender);
          }
          expect(status).toBe(ScanStatus.Invalid);
          expect([at, goodFrames]).toEqual([front.length, before.length]);
          const text = describeFrameProblem(scanner.problem, scanner.problemValue);
          expect(text).toMatch(rule.names);
          expect(scanner.problem).toBe(rule.problem);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('are detected from their header alone', () => {
    fc.assert(
      fc.property(frame, violation, (good, rule) => {
        const bad = encode(good, good.big);
        rule.break(
          bad,
          (value, at) => (good.big ? bad.writeInt32BE(value | 0, at) : bad.writeInt32LE(value | 0, at)),
          good,
        );
        const header = bad.subarray(0, HEADER);
        const view = new DataView(header.buffer, header.byteOffset, HEADER);
        const scanner = new FrameScanner(MAX_RUN_BYTES);
        expect(scanner.scan(view, 0, HEADER, new SenderIdentity(SELF))).toBe(ScanStatus.Invalid);
      }),
    );
  });
});

it('accepts any bytes without throwing, reads only the given range, and always makes progress', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(frame, { maxLength: 3 }),
      fc.nat(),
      (noise, good, position) => {
        const bytes = Buffer.concat([...good.map((one) => encode(one, one.big)), Buffer.from(noise)]);
        // Noise inside the frames as well: what counts lengths is hit often.
        if (bytes.length > 0) bytes[position % bytes.length] = position >>> 8;
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        const scanner = new FrameScanner(MAX_RUN_BYTES);
        const sender = new SenderIdentity(SELF);
        for (let at = 0; ; at = scanner.end) {
          const status = scanner.scan(view, at, bytes.length, sender);
          if (status === ScanStatus.Partial || status === ScanStatus.Invalid) break;
          expect(scanner.end).toBeGreaterThanOrEqual(at + HEADER);
          expect(scanner.end).toBeLessThanOrEqual(bytes.length);
        }
      },
    ),
    { numRuns: 500 },
  );
});

it('finds only what the check of ordered records lets pass at all daemons', () => {
  const daemon = daemonNameBytes('localhost');
  fc.assert(
    fc.property(frames, (list) => {
      for (const run of scanChunks([Buffer.concat(list.map((one) => encode(one, one.big)))])) {
        if (run.isRequest) continue;
        const record = new Uint8Array(RECORD_HEADER_LENGTH + run.bytes.length);
        const view = new DataView(record.buffer);
        const flags = RECORD_FIRST | RECORD_LAST | ((run.type & SELF_DISCARD) === 0 ? 0 : RECORD_SELF_DISCARD);
        const service = run.type & REGULAR_MESS;
        view.setUint32(RECORD_LENGTH_OFFSET, record.length, true);
        writeRecordHeader(view, 0, RecordKind.Run, service, flags, 1, run.frameCount, run.targetHash);
        record.set(run.bytes, RECORD_HEADER_LENGTH);
        const fault = recordFault(record, view, 0, daemon);
        expect(fault === RecordFault.None ? '' : describeRecordFault(fault)).toBe('');
      }
    }),
    { numRuns: 500 },
  );
});
