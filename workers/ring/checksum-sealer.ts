/** The checksum of unsealed datagrams by zlib's own code, several times faster than the engine's portable one; the bytes are the same. */

import * as zlib from 'node:zlib';
import { crcSealer } from '../../engine/seal/crc-sealer.ts';
import { CRC_TRAILER_CRC_OFFSET, CRC_TRAILER_LENGTH } from '../../engine/wire/layout/crc-trailer.ts';
import { readU32, writeU32 } from '../../engine/wire/ring-bytes.ts';

/** Node has it from 20.15 and 22.2 on; its types for Node 20 do not know it. */
const crc32 = (zlib as { readonly crc32?: (data: Uint8Array) => number }).crc32;

export const checksumSealer: typeof crcSealer =
  crc32 === undefined
    ? crcSealer
    : {
        trailerBytes: CRC_TRAILER_LENGTH,
        incarnations: null,
        seal(bytes, offset, lengthBytes) {
          writeU32(
            bytes,
            offset + lengthBytes + CRC_TRAILER_CRC_OFFSET,
            crc32(bytes.subarray(offset, offset + lengthBytes)),
          );
          return lengthBytes + CRC_TRAILER_LENGTH;
        },
        open(bytes, offset, lengthBytes) {
          const length = lengthBytes - CRC_TRAILER_LENGTH;
          if (length < 0) return -1;
          return readU32(bytes, offset + length + CRC_TRAILER_CRC_OFFSET) ===
            crc32(bytes.subarray(offset, offset + length))
            ? length
            : -1;
        },
      };
