/**
 * A notice: what a daemon tells a client about itself, if the client's CONNECT said that it takes notices (client-protocol.md, 5.7). There
 * is one kind so far: the daemon drains. The sender cannot be a client: a name has no `#` in it.
 */
import { writeHeader } from './frame.ts';
import {
  DRAIN_NOTICE_ADDRESS_COUNT_OFFSET,
  DRAIN_NOTICE_ADDRESSES_OFFSET,
  DRAIN_NOTICE_KIND_OFFSET,
  DRAIN_NOTICE_MS_LEFT_OFFSET,
} from './layout/drain-notice.ts';
import { FRAME_HEADER_LENGTH } from './layout/frame-header.ts';
import { MalformedFrameError } from './membership-decode.ts';
import { NOTICE_MESS } from './service.ts';

const KIND_DRAIN = 1;
const MAX_ADDRESSES = 255;
const MAX_ADDRESS_CHARS = 255;
const U32_MAX = 0xffff_ffff;

/** The daemon takes no new clients, and ends those that it has. */
export interface DrainNotice {
  /** Milliseconds from the arrival of the notice until the daemon ends the connection. 0: at once. */
  readonly msLeft: number;
  /**
   * Where other daemons of the cluster serve clients, as `connect` takes them, in random order: those that are in one ring with this one
   * and do not drain. Empty: there is none.
   */
  readonly addresses: readonly string[];
}

/** @param addresses ASCII; at most 255 are told, none longer than 255 bytes @returns the whole frame */
export function encodeDrainNotice(daemonName: string, { msLeft, addresses }: DrainNotice): Uint8Array<ArrayBuffer> {
  const told = addresses.filter((address) => address.length <= MAX_ADDRESS_CHARS).slice(0, MAX_ADDRESSES);
  const dataLength = told.reduce((sum, { length }) => sum + 1 + length, DRAIN_NOTICE_ADDRESSES_OFFSET);
  const frame = new Uint8Array(FRAME_HEADER_LENGTH + dataLength);
  const view = new DataView(frame.buffer);
  writeHeader(frame, view, 0, NOTICE_MESS, `#skein#${daemonName}`, 0, 0, dataLength);
  const data = FRAME_HEADER_LENGTH;
  frame[data + DRAIN_NOTICE_KIND_OFFSET] = KIND_DRAIN;
  view.setUint32(data + DRAIN_NOTICE_MS_LEFT_OFFSET, Math.min(Math.max(0, Math.round(msLeft)), U32_MAX), true);
  frame[data + DRAIN_NOTICE_ADDRESS_COUNT_OFFSET] = told.length;
  let at = data + DRAIN_NOTICE_ADDRESSES_OFFSET;
  for (const address of told) {
    frame[at++] = address.length;
    for (let i = 0; i < address.length; i++) frame[at++] = address.charCodeAt(i);
  }
  return frame;
}

/**
 * Reads the data of a notice. What follows the addresses is of a later release, and is not looked at.
 * @returns null for a notice of another kind, to be ignored
 * @throws MalformedFrameError when it is cut
 */
export function decodeDrainNotice(bytes: Uint8Array, offset: number, lengthBytes: number): DrainNotice | null {
  if (lengthBytes > DRAIN_NOTICE_KIND_OFFSET && bytes[offset + DRAIN_NOTICE_KIND_OFFSET] !== KIND_DRAIN) return null;
  if (lengthBytes < DRAIN_NOTICE_ADDRESSES_OFFSET) throw cut(DRAIN_NOTICE_ADDRESSES_OFFSET, lengthBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, lengthBytes);
  const addresses: string[] = [];
  let at = DRAIN_NOTICE_ADDRESSES_OFFSET;
  for (let left = view.getUint8(DRAIN_NOTICE_ADDRESS_COUNT_OFFSET); left > 0; left--) {
    if (at >= lengthBytes) throw cut(at + 1, lengthBytes);
    const end = at + 1 + view.getUint8(at);
    if (end > lengthBytes) throw cut(end, lengthBytes);
    let address = '';
    for (let i = at + 1; i < end; i++) address += String.fromCharCode(view.getUint8(i));
    addresses.push(address);
    at = end;
  }
  return { msLeft: view.getUint32(DRAIN_NOTICE_MS_LEFT_OFFSET, true), addresses };
}

const cut = (neededBytes: number, lengthBytes: number): MalformedFrameError =>
  new MalformedFrameError('length of the data of a notice', neededBytes, lengthBytes);
