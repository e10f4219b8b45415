import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeMembershipBody,
  decodeViewId,
  encodeViewId,
  MalformedFrameError,
  type MembershipBody,
  ViewId,
} from '../../engine/wire/membership-decode.ts';
import { loadCapture, splitCapture } from './client-captures.ts';
import { viewBody } from './client-frames.ts';

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Decodes with other bytes all around, which must not be read. */
function decode(body: Uint8Array, littleEndian = true): MembershipBody {
  const padded = Buffer.concat([Buffer.alloc(7, 0xff), body, Buffer.alloc(64, 0x41)]);
  return decodeMembershipBody(padded, viewOf(padded), 7, body.length, littleEndian);
}

function problemOf(body: Uint8Array): MalformedFrameError | undefined {
  try {
    decode(body);
    return undefined;
  } catch (error) {
    if (error instanceof MalformedFrameError) return error;
    throw error;
  }
}

const twoSets = viewBody({
  group: 'g',
  members: [],
  id: [-2, 1000, 3],
  vsSets: [['#a#x', '#b#x'], ['#c#y']],
  ownVsSet: 1,
});

describe('membership body', () => {
  it('gives id, sets and the own set, whose offset counts from 20', () => {
    expect(decode(twoSets)).toEqual({
      viewId: new ViewId(-2, 1000, 3),
      vsSets: [['#a#x', '#b#x'], ['#c#y']],
      ownVsSet: 1,
    });
  });

  it('reads the other byte order alike', () => {
    const swapped = Buffer.from(twoSets);
    for (const at of [0, 4, 8, 12, 16, 20, 88]) swapped.writeUInt32BE(swapped.readUInt32LE(at), at);
    expect(decode(swapped, false)).toEqual(decode(twoSets));
  });

  it('reads a recorded network change', () => {
    const { daemonFrames } = splitCapture(loadCapture('16-network.d2-bob'));
    const start = daemonFrames.indexOf(Buffer.from('80180080', 'hex'));
    const groups = daemonFrames.readInt32LE(start + 36);
    const body = daemonFrames.subarray(start + 48 + 32 * groups).subarray(0, daemonFrames.readInt32LE(start + 44));
    expect(decode(body)).toMatchObject({ vsSets: [['#alice#d1', '#zed#d1', '#bob#d2']], ownVsSet: 0 });
  });

  it.each<[string, number, number, string]>([
    ['no sets', 12, 0, 'number of vs sets'],
    ['more sets than fit', 12, 0xffff_ffff, 'number of vs sets'],
    ['one set too many', 12, 3, 'start of vs set 2'],
    ['one set too few', 12, 1, 'end of the vs sets'],
    ['an own set that begins nowhere', 16, 4, 'offset of the own vs set'],
    ['an own set far away', 16, 0xffff_fff0, 'offset of the own vs set'],
    ['more members than fit', 20, 0x7fff_ffff, 'member count of vs set 0'],
    ['a member too many', 88, 2, 'member count of vs set 1'],
  ])('refuses %s', (_, offset, value, field) => {
    const body = Buffer.from(twoSets);
    body.writeUInt32LE(value, offset);
    expect(problemOf(body)?.field).toBe(field);
  });

  it('refuses every shorter and longer body', () => {
    for (let length = 0; length < twoSets.length; length++)
      expect(problemOf(twoSets.subarray(0, length))).toBeDefined();
    expect(problemOf(Buffer.concat([twoSets, Buffer.of(0)]))).toBeDefined();
  });

  it('never reads outside the body, whatever it holds', () => {
    const words = fc.array(fc.oneof(fc.nat(8), fc.integer({ min: 0, max: 0xffff_ffff })), { maxLength: 40 });
    fc.assert(
      fc.property(words, fc.nat(3), (values, extra) => {
        const body = Buffer.alloc(values.length * 4 + extra);
        for (const [i, value] of values.entries()) body.writeUInt32LE(value, i * 4);
        // Decoding from the very end of its memory, any read outside would be a RangeError.
        const own = new Uint8Array(body);
        try {
          decodeMembershipBody(own, viewOf(own), 0, own.length, true);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedFrameError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('view id', () => {
  it('is equal when all three fields are', () => {
    const id = new ViewId(1, 2, 3);
    expect(id.equals(new ViewId(1, 2, 3))).toBe(true);
    for (const other of [new ViewId(0, 2, 3), new ViewId(1, 0, 3), new ViewId(1, 2, 0)])
      expect(id.equals(other)).toBe(false);
  });

  it('shows the address of the daemon, also above 127.255.255.255', () => {
    expect(new ViewId(0x7f00_0001, 5, 1).toString()).toBe('127.0.0.1:5:1');
    expect(new ViewId(-1_062_731_519, 5, 1).toString()).toBe('192.168.1.1:5:1');
  });

  it('survives the wire, and needs 12 bytes', () => {
    const bytes = new Uint8Array(12);
    const id = new ViewId(-5, 2_000_000_000, 7);
    encodeViewId(viewOf(bytes), 0, id);
    expect(decodeViewId(viewOf(bytes), 0, 12, true)).toEqual(id);
    expect(() => decodeViewId(viewOf(bytes), 0, 11, true)).toThrow(MalformedFrameError);
  });
});
