/** The trailer of datagrams that are not sealed (ring-protocol.md, 8.3): a checksum against corruption. */
import { CRC_TRAILER_CRC_OFFSET, CRC_TRAILER_LENGTH } from '../wire/layout/crc-trailer.ts';
import { readU32, writeU32 } from '../wire/ring-bytes.ts';
import type { DatagramSealer } from './datagram-sealer.ts';

const SLICES = 8;

/** CRC-32 (IEEE 802.3, reflected) tables for eight bytes a step: table k moves a byte on over k bytes of zeros. */
const [T0, T1, T2, T3, T4, T5, T6, T7] = (() => {
  const tables = Array.from({ length: SLICES }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0xedb8_8320 : crc >>> 1;
    tables[0]![byte] = crc;
  }
  for (let slice = 1; slice < SLICES; slice++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = tables[slice - 1]![byte]!;
      tables[slice]![byte] = (before >>> 8) ^ tables[0]![before & 0xff]!;
    }
  }
  return tables as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];
})();

/** CRC-32 of `bytes[offset, offset + lengthBytes)`, as a signed 32-bit number. */
export function crc32(bytes: Uint8Array, offset: number, lengthBytes: number): number {
  const end = offset + lengthBytes;
  let crc = -1;
  let i = offset;
  for (const whole = end - 7; i < whole; i += 8) {
    crc =
      T7[(crc ^ bytes[i]!) & 0xff]! ^
      T6[((crc >>> 8) ^ bytes[i + 1]!) & 0xff]! ^
      T5[((crc >>> 16) ^ bytes[i + 2]!) & 0xff]! ^
      T4[(crc >>> 24) ^ bytes[i + 3]!]! ^
      T3[bytes[i + 4]!]! ^
      T2[bytes[i + 5]!]! ^
      T1[bytes[i + 6]!]! ^
      T0[bytes[i + 7]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ T0[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc;
}

/** Mode `crc`: detects corruption, not forgery. */
export const crcSealer = {
  trailerBytes: CRC_TRAILER_LENGTH,
  incarnations: null,
  seal(bytes: Uint8Array, offset: number, lengthBytes: number): number {
    const crc = crc32(bytes, offset, lengthBytes);
    const end = offset + lengthBytes;
    writeU32(bytes, end + CRC_TRAILER_CRC_OFFSET, crc);
    return lengthBytes + CRC_TRAILER_LENGTH;
  },
  open(bytes: Uint8Array, offset: number, lengthBytes: number): number {
    const length = lengthBytes - CRC_TRAILER_LENGTH;
    if (length < 0) return -1;
    const crc = crc32(bytes, offset, length);
    return readU32(bytes, offset + length + CRC_TRAILER_CRC_OFFSET) === crc >>> 0 ? length : -1;
  },
} satisfies DatagramSealer;
