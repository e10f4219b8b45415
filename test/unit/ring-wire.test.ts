import { describe, expect, it } from 'vitest';
import { crc32, crcSealer } from '../../engine/seal/crc-sealer.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import { RING_HEADER_LENGTH } from '../../engine/wire/layout/ring-header.ts';
import { readU48, writeU48 } from '../../engine/wire/ring-bytes.ts';
import {
  foldHash,
  isHeaderOfRing,
  PacketType,
  RingHeader,
  RingHeaderWriter,
  type RingId,
  readRingHeader,
} from '../../engine/wire/ring-header.ts';

const RING: RingId = { seq: 0x0102_0304, leader: nodeIndex(5), leaderIncarnation: incarnation(0x0708_090a_0b0c) };
const CLUSTER = 0xdead_beef;

function headerBytes(lengthBytes = RING_HEADER_LENGTH): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  const writer = new RingHeaderWriter(nodeIndex(3), incarnation(0x1112_1314_1516), CLUSTER);
  writer.write(bytes, 0, PacketType.Hurry, 0x0005, lengthBytes, RING);
  return bytes;
}

describe('ring header', () => {
  it('has the layout of the specification', () => {
    expect(Buffer.from(headerBytes()).toString('hex')).toBe(
      '524e4731' + // magic
        '01' + // version
        '07' + // HURRY
        '0500' + // flags
        '2800' + // length
        '0300' + // origin
        '0300' + // relay
        '0100' + // part 0 of 1
        '1615141312110000' + // incarnation
        'efbeadde' + // cluster
        '00000000' + // packet counter
        '0403020105000c0b', // ring
    );
  });

  it('is decoded as it was encoded', () => {
    const header = new RingHeader();
    expect(readRingHeader(header, headerBytes(), 0, RING_HEADER_LENGTH, CLUSTER)).toBe('ok');
    expect(header).toMatchObject({
      type: PacketType.Hurry,
      flags: 5,
      origin: 3,
      relay: 3,
      partIndex: 0,
      partCount: 1,
      incarnation: 0x1112_1314_1516,
    });
    expect(isHeaderOfRing(header, RING)).toBe(true);
    expect(isHeaderOfRing(header, { ...RING, seq: RING.seq + 1 })).toBe(false);
    expect(isHeaderOfRing(header, { ...RING, leader: nodeIndex(4) })).toBe(false);
    expect(isHeaderOfRing(header, { ...RING, leaderIncarnation: incarnation(RING.leaderIncarnation + 1) })).toBe(false);
  });

  it.each([
    ['another magic', 0, 0x53],
    ['another length', 8, 41],
    ['a flag that must be understood', 7, 0x01],
  ])('refuses %s', (_name, at, value) => {
    const bytes = headerBytes();
    bytes[at] = value;
    expect(readRingHeader(new RingHeader(), bytes, 0, RING_HEADER_LENGTH, CLUSTER)).toBe('malformed');
  });

  it('ignores an unknown optional flag', () => {
    const bytes = headerBytes();
    bytes[6] = 0xff;
    expect(readRingHeader(new RingHeader(), bytes, 0, RING_HEADER_LENGTH, CLUSTER)).toBe('ok');
  });

  it('distinguishes another cluster from damage', () => {
    expect(readRingHeader(new RingHeader(), headerBytes(), 0, RING_HEADER_LENGTH, CLUSTER + 1)).toBe('foreign');
    expect(readRingHeader(new RingHeader(), headerBytes(), 0, RING_HEADER_LENGTH - 1, CLUSTER)).toBe('malformed');
  });

  it('folds a hash to 32 bits by exclusive or', () => {
    expect(foldHash(Uint8Array.from([1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0x80]))).toBe(0x8000_0007);
  });
});

describe('48-bit numbers', () => {
  it.each([0, 1, 0xffff_ffff, 0x1_0000_0000, 0xffff_ffff_ffff])('%d', (value) => {
    const bytes = new Uint8Array(8);
    writeU48(bytes, 1, value);
    expect(readU48(bytes, 1)).toBe(value);
    expect(bytes[0]).toBe(0);
    expect(bytes[7]).toBe(0);
  });
});

describe('crc trailer', () => {
  it('is CRC-32 of IEEE 802.3', () => {
    const bytes = new TextEncoder().encode('-123456789');
    expect(crc32(bytes, 1, 9) >>> 0).toBe(0xcbf4_3926);
  });

  it('opens its own datagrams, and none that differs by a bit', () => {
    const bytes = new Uint8Array(40);
    bytes.set(new TextEncoder().encode('the records of one packet'));
    const length = crcSealer.seal(bytes, 0, 25);
    expect(length).toBe(29);
    expect(crcSealer.open(bytes, 0, length)).toBe(25);
    for (let bit = 0; bit < length * 8; bit++) {
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      expect(crcSealer.open(bytes, 0, length)).toBe(-1);
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
    }
    expect(crcSealer.open(bytes, 0, 3)).toBe(-1);
  });
});
