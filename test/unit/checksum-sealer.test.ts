import fc from 'fast-check';
import { expect, it } from 'vitest';
import { crcSealer } from '../../engine/seal/crc-sealer.ts';
import { checksumSealer } from '../../workers/ring/checksum-sealer.ts';

it('writes and accepts the same bytes as the portable checksum, at any offset', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (data, offset) => {
      const fast = new Uint8Array(offset + data.length + 4);
      fast.set(data, offset);
      const portable = Uint8Array.from(fast);
      expect(checksumSealer.seal(fast, offset, data.length)).toBe(data.length + 4);
      crcSealer.seal(portable, offset, data.length);
      expect(fast).toEqual(portable);
      expect(checksumSealer.open(portable, offset, data.length + 4)).toBe(data.length);
    }),
  );
});

it('refuses a flipped bit and a datagram shorter than the checksum', () => {
  const bytes = new Uint8Array(24);
  checksumSealer.seal(bytes, 0, 20);
  bytes[7]! ^= 4;
  expect(checksumSealer.open(bytes, 0, 24)).toBe(-1);
  expect(checksumSealer.open(bytes, 0, 3)).toBe(-1);
});
