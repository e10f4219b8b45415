import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordSpan, RingHost } from '../../engine/host/ring-host.ts';
import { classifyRecords, PacketClass, packetClassOf } from '../../engine/ring/packet-class.ts';
import { PacketFiller, type RecordSource } from '../../engine/ring/packing.ts';
import { RecordAssembler } from '../../engine/ring/record-assembler.ts';
import { writeHeader } from '../../engine/wire/frame.ts';
import { nodeIndex } from '../../engine/wire/ids.ts';
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
} from '../../engine/wire/layout/record-header.ts';
import { alignRecord, RECORD_FIRST, RECORD_LAST, RECORD_SELF_DISCARD, RecordKind } from '../../engine/wire/record.ts';
import { readU16, readU32, writeU16, writeU32 } from '../../engine/wire/ring-bytes.ts';
import { AGREED_MESS, FIFO_MESS, RELIABLE_MESS, SAFE_MESS, UNRELIABLE_MESS } from '../../engine/wire/service.ts';

const SERVICES = [UNRELIABLE_MESS, RELIABLE_MESS, FIFO_MESS, AGREED_MESS, SAFE_MESS] as const;

interface RunSpec {
  readonly service: number;
  readonly selfDiscard: boolean;
  /** Data bytes of each frame. */
  readonly frames: readonly number[];
  /** Of a record that is not a run. */
  readonly opaqueBytes: number | null;
}

/** What must come out: one line for each frame, or each record that is not a run. */
interface Unit {
  readonly session: number;
  readonly service: number;
  readonly flags: number;
  readonly hash: number;
  readonly bytes: string;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function frameBytes(dataBytes: number, salt: number): Uint8Array {
  const frame = new Uint8Array(48 + 32 + dataBytes);
  writeHeader(frame, new DataView(frame.buffer), 0, 16, `#s${salt % 97}#d`, 1, salt % 1000, dataBytes);
  for (let i = 80; i < frame.length; i++) frame[i] = salt + i;
  return frame;
}

function buildRecord(spec: RunSpec, session: number): { record: Uint8Array; units: Unit[] } {
  const isRun = spec.opaqueBytes === null;
  const parts = isRun
    ? spec.frames.map((dataBytes, i) => frameBytes(dataBytes, session * 31 + i))
    : [Uint8Array.from({ length: spec.opaqueBytes ?? 0 }, (_, i) => session + i)];
  const service = isRun ? spec.service : AGREED_MESS;
  const selfDiscard = spec.selfDiscard ? RECORD_SELF_DISCARD : 0;
  const bodyBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const record = new Uint8Array(alignRecord(RECORD_HEADER_LENGTH + bodyBytes));
  writeU32(record, RECORD_LENGTH_OFFSET, RECORD_HEADER_LENGTH + bodyBytes);
  record[RECORD_KIND_OFFSET] = isRun ? RecordKind.Run : RecordKind.Groups;
  record[RECORD_SERVICE_OFFSET] = service;
  writeU16(record, RECORD_FLAGS_OFFSET, RECORD_FIRST | RECORD_LAST | selfDiscard);
  writeU32(record, RECORD_SESSION_OFFSET, session);
  writeU32(record, RECORD_FRAME_COUNT_OFFSET, isRun ? parts.length : 0);
  writeU32(record, RECORD_TARGET_HASH_OFFSET, session * 7);
  let at = RECORD_HEADER_LENGTH;
  for (const part of parts) {
    record.set(part, at);
    at += part.length;
  }
  const units = parts.map((part) => ({ session, service, flags: selfDiscard, hash: session * 7, bytes: hex(part) }));
  return { record, units };
}

/** A send queue that lends a few records at a time, as a ring buffer does at its end. */
class Queue implements RecordSource {
  readonly #records: Uint8Array[];
  readonly #lendAtMost: number;

  constructor(records: readonly Uint8Array[], lendAtMost: number) {
    this.#records = [...records];
    this.#lendAtMost = lendAtMost;
  }

  peek(span: RecordSpan): boolean {
    const lent = Buffer.concat(this.#records.slice(0, this.#lendAtMost));
    span.bytes = lent;
    span.offset = 0;
    span.lengthBytes = lent.length;
    return lent.length > 0;
  }

  consume(lengthBytes: number): void {
    for (let left = lengthBytes; left > 0; ) {
      const record = this.#records.shift();
      if (record === undefined || record.length > left) throw new Error(`no whole record ends at ${lengthBytes}`);
      left -= record.length;
    }
  }
}

function unitsOf(bytes: Uint8Array, offset: number, lengthBytes: number): Unit[] {
  const units: Unit[] = [];
  for (let at = offset; at < offset + lengthBytes; at += alignRecord(readU32(bytes, at + RECORD_LENGTH_OFFSET))) {
    const flags = readU16(bytes, at + RECORD_FLAGS_OFFSET);
    expect(flags & (RECORD_FIRST | RECORD_LAST)).toBe(RECORD_FIRST | RECORD_LAST);
    expect(readU32(bytes, at + RECORD_POSITION_OFFSET)).toBe(0);
    const common = {
      session: readU32(bytes, at + RECORD_SESSION_OFFSET),
      service: bytes[at + RECORD_SERVICE_OFFSET]!,
      flags: flags & RECORD_SELF_DISCARD,
      hash: readU32(bytes, at + RECORD_TARGET_HASH_OFFSET),
    };
    const body = bytes.slice(at + RECORD_HEADER_LENGTH, at + readU32(bytes, at + RECORD_LENGTH_OFFSET));
    if (bytes[at + RECORD_KIND_OFFSET] !== RecordKind.Run) {
      units.push({ ...common, bytes: hex(body) });
      continue;
    }
    let frames = 0;
    for (let frame = 0; frame < body.length; frames++) {
      const end = frame + 48 + 32 * readU32(body, frame + 36) + readU32(body, frame + 44);
      units.push({ ...common, bytes: hex(body.slice(frame, end)) });
      frame = end;
    }
    expect(readU32(bytes, at + RECORD_FRAME_COUNT_OFFSET)).toBe(frames);
  }
  return units;
}

class Receiver {
  readonly units: Unit[] = [];
  readonly assembler: RecordAssembler;

  constructor() {
    const host = {
      deliverRecords: (_origin: number, bytes: Uint8Array, offset: number, lengthBytes: number) => {
        this.units.push(...unitsOf(bytes, offset, lengthBytes));
      },
    };
    this.assembler = new RecordAssembler(2, host as unknown as RingHost);
  }
}

const runSpec: fc.Arbitrary<RunSpec> = fc.record({
  service: fc.constantFrom(...SERVICES),
  selfDiscard: fc.boolean(),
  frames: fc.array(fc.oneof(fc.nat(40), fc.nat(700), fc.nat(6000)), { minLength: 1, maxLength: 12 }),
  opaqueBytes: fc.option(fc.nat(3000), { freq: 4 }),
});
const specs = fc.array(runSpec, { minLength: 1, maxLength: 12 });
const capacity = fc.constantFrom(200, 536, 1344, 8840);

describe('packing', () => {
  it('delivers every frame whole and in order, in packets of one class within the length limit', () => {
    fc.assert(
      fc.property(specs, capacity, fc.integer({ min: 1, max: 4 }), (list, room, lendAtMost) => {
        const built = list.map((spec, i) => buildRecord(spec, i + 1));
        const filler = new PacketFiller(
          new Queue(
            built.map(({ record }) => record),
            lendAtMost,
          ),
        );
        const receiver = new Receiver();
        const out = new Uint8Array(room + 16);
        for (;;) {
          out.fill(0xee);
          const length = filler.fillPacket(out, 8, room);
          if (length === 0) break;
          expect(length).toBeLessThanOrEqual(room);
          expect(out[8 + length]).toBe(0xee);
          const packetClass = classifyRecords(out, 8, length);
          expect(packetClass).not.toBe(PacketClass.None);
          receiver.assembler.deliver(nodeIndex(1), out, 8, length);
        }
        expect(filler.midMessage).toBe(false);
        expect(receiver.units).toEqual(built.flatMap(({ units }) => units));
      }),
      { numRuns: 300 },
    );
  });

  it('sends a half-sent message again from its start, and nothing twice', () => {
    fc.assert(
      fc.property(specs, capacity, fc.integer({ min: 1, max: 20 }), fc.boolean(), (list, room, cutAt, alone) => {
        const built = list.map((spec, i) => buildRecord(spec, i + 1));
        const filler = new PacketFiller(
          new Queue(
            built.map(({ record }) => record),
            3,
          ),
        );
        const receiver = new Receiver();
        const out = new Uint8Array(room);
        const send = (): boolean => {
          const length = filler.fillPacket(out, 0, room);
          if (length > 0) receiver.assembler.deliver(nodeIndex(0), out, 0, length);
          return length > 0;
        };
        for (let i = 0; i < cutAt; i++) send();
        const half = filler.midMessage ? 1 : 0;
        expect(receiver.assembler.reset()).toBe(half);
        filler.restartMessage();
        if (alone) {
          const span: RecordSpan = { bytes: out, offset: 0, lengthBytes: 0 };
          while (filler.borrowRecords(span)) {
            receiver.units.push(...unitsOf(span.bytes, span.offset, span.lengthBytes));
            filler.releaseRecords();
          }
        } else {
          while (send());
        }
        expect(receiver.units).toEqual(built.flatMap(({ units }) => units));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps messages of early services whole where a packet can hold them', () => {
    const small = fc.array(fc.nat(400), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(small, fc.constantFrom(RELIABLE_MESS, UNRELIABLE_MESS), (frames, service) => {
        const { record } = buildRecord({ service, selfDiscard: false, frames, opaqueBytes: null }, 1);
        const filler = new PacketFiller(new Queue([record], 1));
        const out = new Uint8Array(1344);
        for (let length = filler.fillPacket(out, 0, 1344); length > 0; length = filler.fillPacket(out, 0, 1344)) {
          expect(classifyRecords(out, 0, length)).toBe(PacketClass.Early);
        }
      }),
    );
  });

  it('skips padding', () => {
    const padding = new Uint8Array(48);
    writeU32(padding, RECORD_LENGTH_OFFSET, 48);
    const spec = { service: AGREED_MESS, selfDiscard: false, frames: [10], opaqueBytes: null };
    const [first, second] = [buildRecord(spec, 1), buildRecord(spec, 2)];
    const filler = new PacketFiller(new Queue([padding, first.record, padding, second.record, padding], 5));
    const receiver = new Receiver();
    const out = new Uint8Array(1344);
    receiver.assembler.deliver(nodeIndex(0), out, 0, filler.fillPacket(out, 0, 1344));
    expect(receiver.units).toEqual([...first.units, ...second.units]);
    expect(filler.fillPacket(out, 0, 1344)).toBe(0);
  });
});

describe('records from the network', () => {
  it('are refused unless they are whole, of known kinds and of one class', () => {
    const agreed = buildRecord({ service: AGREED_MESS, selfDiscard: false, frames: [10], opaqueBytes: null }, 1).record;
    const safe = buildRecord({ service: SAFE_MESS, selfDiscard: false, frames: [10], opaqueBytes: null }, 1).record;
    expect(classifyRecords(agreed, 0, agreed.length)).toBe(PacketClass.Ordered);
    expect(classifyRecords(agreed, 0, agreed.length - 8)).toBe(PacketClass.None);
    const mixed = Buffer.concat([agreed, safe]);
    expect(classifyRecords(mixed, 0, mixed.length)).toBe(PacketClass.None);
    const unknown = agreed.slice();
    unknown[RECORD_KIND_OFFSET] = RecordKind.Register;
    expect(classifyRecords(unknown, 0, unknown.length)).toBe(PacketClass.None);
    const short = agreed.slice();
    writeU32(short, RECORD_LENGTH_OFFSET, 16);
    expect(classifyRecords(short, 0, short.length)).toBe(PacketClass.None);
  });

  it('are never read past their end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const packetClass = classifyRecords(bytes, 0, bytes.length);
        expect(Object.values(PacketClass)).toContain(packetClass);
      }),
    );
  });

  it('have the class of their service', () => {
    expect(SERVICES.map(packetClassOf)).toEqual([
      PacketClass.Early,
      PacketClass.Early,
      PacketClass.Ordered,
      PacketClass.Ordered,
      PacketClass.Safe,
    ]);
  });
});
