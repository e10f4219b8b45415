/**
 * The message frame, the same in both directions (layout/frame-header.ts; client-protocol.md, section 2):
 *
 *     48-byte header | num_groups x 32 bytes of names | data_len bytes
 *
 * `type`, `num_groups` and `data_len` are in the byte order of the frame's writer, `hint` in that of the originating client.
 */
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_HINT_OFFSET,
  FRAME_SENDER_OFFSET,
  FRAME_TYPE_OFFSET,
} from './layout/frame-header.ts';
import { NAME_FIELD_LENGTH } from './limits.ts';
import { ENDIAN_FLAG } from './service.ts';

/** The bits of `hint` that carry the application's message type, in either byte order. */
const HINT_MESSAGE_TYPE_BITS = 0x00ff_ff00;
/** Every bit `hint` may have; any other ends the connection (section 2.3). */
export const HINT_ALLOWED_BITS = ENDIAN_FLAG | HINT_MESSAGE_TYPE_BITS;

/** Byte order of a `type` or `hint` field, told from the flag bits in its first and last byte. */
export type FieldOrder = 'little' | 'big' | 'invalid';

/** Reads the endian flag at `offset`. One flag bit without the other is `invalid`. */
export function fieldOrder(view: DataView, offset: number): FieldOrder {
  const flag = view.getUint32(offset, true) & ENDIAN_FLAG;
  if (flag === ENDIAN_FLAG) return 'little';
  return flag === 0 ? 'big' : 'invalid';
}

/** The int16 message type inside the `hint` field at `offset`, by the hint's own endian flag. */
export function readMessageType(view: DataView, offset: number): number {
  const littleEndian = (view.getUint32(offset, true) & ENDIAN_FLAG) === ENDIAN_FLAG;
  const hint = view.getUint32(offset, littleEndian);
  return ((hint >>> 8) << 16) >> 16;
}

/** The `hint` word (to be written little-endian) for an int16 message type. */
const hintOf = (messageType: number): number => (((messageType << 8) & HINT_MESSAGE_TYPE_BITS) | ENDIAN_FLAG) >>> 0;

/** The name in the 32-byte field at `offset`: cut at the first NUL, byte 31 counts as one (section 2.5). */
export function readName(bytes: Uint8Array, offset: number): string {
  let name = '';
  for (let i = offset; i < offset + NAME_FIELD_LENGTH - 1 && bytes[i] !== 0; i++)
    name += String.fromCharCode(bytes[i]!);
  return name;
}

/** Writes `name` (Latin-1, at most 31 bytes) into the 32-byte field at `offset`, zero-filled. */
export function writeName(bytes: Uint8Array, offset: number, name: string): void {
  for (let i = 0; i < NAME_FIELD_LENGTH; i++) bytes[offset + i] = i < name.length ? name.charCodeAt(i) : 0;
}

/** Writes a little-endian header at `offset`. `type` is given without the endian flag. */
export function writeHeader(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  type: number,
  sender: string,
  groupCount: number,
  messageType: number,
  dataLengthBytes: number,
): void {
  view.setUint32(offset + FRAME_TYPE_OFFSET, (type | ENDIAN_FLAG) >>> 0, true);
  writeName(bytes, offset + FRAME_SENDER_OFFSET, sender);
  view.setInt32(offset + FRAME_GROUP_COUNT_OFFSET, groupCount, true);
  view.setUint32(offset + FRAME_HINT_OFFSET, hintOf(messageType), true);
  view.setInt32(offset + FRAME_DATA_LENGTH_OFFSET, dataLengthBytes, true);
}
