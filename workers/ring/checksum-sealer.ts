/** The checksum of unsealed datagrams by zlib's own code, several times faster than the engine's portable one; the bytes are the same. */
import * as zlib from 'node:zlib';
import { crcSealer } from '../../engine/seal/crc-sealer.ts';

const CRC_BYTES = 4;

/** Node has it from 20.15 and 22.2 on; its types for Node 20 do not know it. */
const crc32 = (zlib as { readonly crc32?: (data: Uint8Array) => number }).crc32;

export const checksumSealer: typeof crcSealer =
  crc32 === undefined
    ? crcSealer
    : {
        trailerBytes: CRC_BYTES,
        runs: null,
        seal(bytes, offset, lengthBytes) {
          writeCrc(bytes, offset + lengthBytes, crc32(bytes.subarray(offset, offset + lengthBytes)));
          return lengthBytes + CRC_BYTES;
        },
        open(bytes, offset, lengthBytes) {
          const length = lengthBytes - CRC_BYTES;
          if (length < 0) return -1;
          return readCrc(bytes, offset + length) === crc32(bytes.subarray(offset, offset + length)) ? length : -1;
        },
      };

function writeCrc(bytes: Uint8Array, at: number, crc: number): void {
  for (let i = 0; i < CRC_BYTES; i++) bytes[at + i] = (crc >>> (8 * i)) & 0xff;
}

const readCrc = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
