/** Client frames written and read byte by byte, independent of the code under test (client-protocol.md, section 2). */

const ENDIAN_FLAG = 0x8000_0080;
const HEADER_BYTES = 48;
const NAME_BYTES = 32;

export const UNRELIABLE = 0x01;
export const RELIABLE = 0x02;
export const FIFO = 0x04;
export const CAUSAL = 0x08;
export const AGREED = 0x10;
export const SAFE = 0x20;
export const SELF_DISCARD = 0x40;
export const JOIN = 0x1_0000;
export const LEAVE = 0x2_0000;
export const KILL = 0x4_0000;
export const VIEW_JOIN = 0x1100;
export const VIEW_LEAVE = 0x1200;
export const VIEW_DISCONNECT = 0x1400;
export const SELF_LEAVE = 0x0200;

export type ByteOrder = 'little' | 'big';

export interface OutgoingFrame {
  /** Without the endian flag. */
  readonly type: number;
  readonly sender: string;
  readonly groups?: readonly string[];
  readonly data?: Buffer | string;
  /** int16 */
  readonly messageType?: number;
  readonly order?: ByteOrder;
}

export function encodeFrame(frame: OutgoingFrame): Buffer {
  const { groups = [], messageType = 0, order = 'little' } = frame;
  const data = typeof frame.data === 'string' ? Buffer.from(frame.data, 'latin1') : (frame.data ?? Buffer.alloc(0));
  const bytes = Buffer.alloc(HEADER_BYTES + groups.length * NAME_BYTES + data.length);
  const put = (value: number, offset: number): void => {
    if (order === 'little') bytes.writeInt32LE(value | 0, offset);
    else bytes.writeInt32BE(value | 0, offset);
  };
  const flag = order === 'little' ? ENDIAN_FLAG : 0;
  put(frame.type | flag, 0);
  bytes.write(frame.sender, 4, 'latin1');
  put(groups.length, 36);
  put(((messageType << 8) & 0x00ff_ff00) | flag, 40);
  put(data.length, 44);
  for (const [i, group] of groups.entries()) bytes.write(group, HEADER_BYTES + i * NAME_BYTES, 31, 'latin1');
  data.copy(bytes, HEADER_BYTES + groups.length * NAME_BYTES);
  return bytes;
}

export interface IncomingFrame {
  /** Without the endian flag. */
  readonly type: number;
  readonly sender: string;
  readonly groups: readonly string[];
  readonly messageType: number;
  readonly data: Buffer;
}

const nameAt = (bytes: Buffer, offset: number): string => {
  const field = bytes.subarray(offset, offset + NAME_BYTES - 1);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end === -1 ? field.length : end);
};

/** Length of the frame at the front, or 0 while it is not all there. @throws when it is no little-endian frame */
export function frameLength(bytes: Buffer): number {
  if (bytes.length < HEADER_BYTES) return 0;
  const groups = bytes.readInt32LE(36);
  const dataLength = bytes.readInt32LE(44);
  const flag = (bytes.readUInt32LE(0) & ENDIAN_FLAG) >>> 0;
  if (flag !== ENDIAN_FLAG || groups < 0 || dataLength < 0) {
    throw new Error(`not a frame of a little-endian daemon: ${bytes.toString('hex', 0, HEADER_BYTES)}`);
  }
  const length = HEADER_BYTES + groups * NAME_BYTES + dataLength;
  return bytes.length >= length ? length : 0;
}

export function decodeFrame(bytes: Buffer): IncomingFrame {
  const groupCount = bytes.readInt32LE(36);
  const hintIsLittle = (bytes.readUInt32LE(40) & ENDIAN_FLAG) >>> 0 === ENDIAN_FLAG;
  const hint = hintIsLittle ? bytes.readUInt32LE(40) : bytes.readUInt32BE(40);
  return {
    type: (bytes.readUInt32LE(0) & ~ENDIAN_FLAG) >>> 0,
    sender: nameAt(bytes, 4),
    groups: Array.from({ length: groupCount }, (_, i) => nameAt(bytes, HEADER_BYTES + i * NAME_BYTES)),
    messageType: ((hint >>> 8) << 16) >> 16,
    data: bytes.subarray(HEADER_BYTES + groupCount * NAME_BYTES),
  };
}

export const isView = (frame: IncomingFrame): boolean => (frame.type & 0x3f00) !== 0;
export const isMessage = (frame: IncomingFrame): boolean => (frame.type & 0x3f) !== 0;
/** Of a view: the member that joined, left or disconnected. */
export const changedMember = (frame: IncomingFrame): string => nameAt(frame.data, 24);
