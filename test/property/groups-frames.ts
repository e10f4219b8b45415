/** A second, independent reading of membership frames, for the checks of the group properties. */
const NAME = 32;

export interface DecodedFrame {
  readonly kind: 'join' | 'leave' | 'disconnect' | 'network' | 'transition' | 'self-leave';
  readonly group: string;
  readonly members: readonly string[];
  /** Group id as text; empty in a self-leave. */
  readonly groupId: string;
  readonly sets: readonly (readonly string[])[];
  /** Index of the receiver's own set. */
  readonly ownSet: number;
}

const KINDS: Readonly<Record<number, DecodedFrame['kind']>> = {
  4352: 'join',
  4608: 'leave',
  5120: 'disconnect',
  6144: 'network',
  8192: 'transition',
  512: 'self-leave',
};

export function decodeFrame(hex: string): DecodedFrame {
  const bytes = Buffer.from(hex, 'hex');
  const name = (at: number): string => {
    const end = bytes.indexOf(0, at);
    if (end < at || end >= at + NAME || bytes.subarray(end, at + NAME).some((byte) => byte !== 0))
      throw new Error(`name at ${at} is not terminated and zero-filled`);
    return bytes.toString('latin1', at, end);
  };
  const type = bytes.readUInt32LE(0);
  const kind = KINDS[type & 0x7fff_ff7f];
  if (kind === undefined || (type & 0x8000_0080) >>> 0 !== 0x8000_0080) throw new Error(`type ${type.toString(16)}`);
  if (bytes.readUInt32LE(40) !== 0x8000_0080) throw new Error('hint');
  const group = name(4);
  const count = bytes.readInt32LE(36);
  const data = 48 + NAME * count;
  if (data + bytes.readInt32LE(44) !== bytes.length) throw new Error('length');
  const members = Array.from({ length: count }, (_unused, i) => name(48 + NAME * i));
  const isView = kind !== 'transition' && kind !== 'self-leave';
  if (isView !== count > 0) throw new Error('members');
  const groupId = kind === 'self-leave' ? '' : [0, 4, 8].map((at) => bytes.readInt32LE(data + at)).join('/');
  const sets: string[][] = [];
  let ownSet = -1;
  if (isView) {
    const ownOffset = bytes.readInt32LE(data + 16);
    let at = data + 20;
    for (let i = 0; i < bytes.readInt32LE(data + 12); i++) {
      if (at - data - 20 === ownOffset) ownSet = i;
      const size = bytes.readInt32LE(at);
      sets.push(Array.from({ length: size }, (_unused, k) => name(at + 4 + NAME * k)));
      at += 4 + NAME * size;
    }
    if (at !== bytes.length || ownSet < 0) throw new Error('vs sets');
  } else if (data + (kind === 'transition' ? 12 : 0) !== bytes.length) throw new Error('length of signal');
  return { kind, group, members, groupId, sets, ownSet };
}
