/**
 * The 40 bytes that begin every datagram between a monitor and a daemon (client-protocol.md, 10.1), in either byte order:
 *
 *     off size field             request                         answer
 *      0   4   type | flag       MonitorType                     the same
 *      4   4   transmitter id    0; of a sealed command: the      0
 *                                daemon it is meant for
 *      8   4   proc id           IPv4 the answer goes to          the daemon's IPv4
 *     12   8   membership id     15051963, 0                      0
 *     20   4   sequence          UDP port the answer goes to      0
 *     24   4   token round       0, or WANTS_EXTENSION            0
 *     28   4   hash              1100                             0
 *     32   2   data_len          length of the body               the same
 *     34   6   padding, fragment 0                                0
 */
import { ENDIAN_FLAG } from './service.ts';

export const MONITOR_HEADER_LENGTH = 40;

export const MonitorType = {
  Status: 0x0100_0000,
  /** Components of the network, and termination. */
  Partition: 0x0200_0000,
  FlowControl: 0x0400_0000,
  Reload: 0x0800_0000,
  /** Of skein: what a daemon says to a sealed command. */
  Answer: 0x4000_0000,
} as const;
export type MonitorType = (typeof MonitorType)[keyof typeof MonitorType];

/** What a monitor writes where daemons write their configuration hash and membership id. */
export const MONITOR_HASH = 1100;
const MONITOR_MEMBERSHIP = 15_051_963;
/** In the token round of a status request, which the original does not look at: `SKN1`, asks for the extension as well. */
const WANTS_EXTENSION = 0x314e_4b53;

const AT_TARGET = 4;
const AT_SENDER = 8;
const AT_MEMBERSHIP = 12;
const AT_PORT = 20;
const AT_ROUND = 24;
const AT_HASH = 28;
const AT_LENGTH = 32;

export interface MonitorRequest {
  readonly type: number;
  readonly littleEndian: boolean;
  /** IPv4 of the daemon that is meant; 0: any that gets it. */
  readonly target: number;
  /** Where the answer goes. */
  readonly address: number;
  readonly port: number;
  readonly hash: number;
  readonly wantsExtension: boolean;
  readonly bodyLength: number;
}

/** The header of a request, or null when the datagram does not begin with one. Lengths and addresses are for the caller to check. */
export function readMonitorRequest(datagram: Uint8Array): MonitorRequest | null {
  if (datagram.length < MONITOR_HEADER_LENGTH) return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  const littleEndian = (view.getUint32(0, true) & ENDIAN_FLAG) === ENDIAN_FLAG;
  const port = view.getInt32(AT_PORT, littleEndian);
  if (view.getUint32(AT_MEMBERSHIP, littleEndian) !== MONITOR_MEMBERSHIP || port < 1 || port > 65_535) return null;
  return {
    type: (view.getUint32(0, littleEndian) & ~ENDIAN_FLAG) >>> 0,
    littleEndian,
    target: view.getUint32(AT_TARGET, littleEndian),
    address: view.getUint32(AT_SENDER, littleEndian),
    port,
    hash: view.getUint32(AT_HASH, littleEndian),
    wantsExtension: view.getUint32(AT_ROUND, littleEndian) === WANTS_EXTENSION,
    bodyLength: view.getUint16(AT_LENGTH, littleEndian),
  };
}

/** What `writeMonitorRequest` needs to know. */
export interface MonitorSender {
  /** IPv4 and UDP port where the answer goes. */
  readonly address: number;
  readonly port: number;
}

export function writeMonitorRequest(
  view: DataView,
  type: MonitorType,
  sender: MonitorSender,
  bodyLength: number,
  target = 0,
): void {
  view.setUint32(0, (type | ENDIAN_FLAG) >>> 0, true);
  view.setUint32(AT_TARGET, target, true);
  view.setUint32(AT_SENDER, sender.address, true);
  view.setUint32(AT_MEMBERSHIP, MONITOR_MEMBERSHIP, true);
  view.setInt32(AT_PORT, sender.port, true);
  view.setInt32(AT_HASH, MONITOR_HASH, true);
  view.setUint16(AT_LENGTH, bodyLength, true);
}

/** Marks a status request: the daemon may answer with the extension. */
export const askForExtension = (view: DataView): void => view.setUint32(AT_ROUND, WANTS_EXTENSION, true);

/** @param daemon IPv4 address of the daemon that answers */
export function writeMonitorAnswer(view: DataView, type: MonitorType, daemon: number, bodyLength: number): void {
  view.setUint32(0, (type | ENDIAN_FLAG) >>> 0, true);
  view.setUint32(AT_SENDER, daemon >>> 0, true);
  view.setUint16(AT_LENGTH, bodyLength, true);
}

/** Type and byte order of an answer, or null when the datagram is too short to have them. */
export function readMonitorAnswer(
  datagram: Uint8Array,
): { readonly type: number; readonly littleEndian: boolean; readonly bodyLength: number } | null {
  if (datagram.length < MONITOR_HEADER_LENGTH) return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  const littleEndian = (view.getUint32(0, true) & ENDIAN_FLAG) === ENDIAN_FLAG;
  const type = (view.getUint32(0, littleEndian) & ~ENDIAN_FLAG) >>> 0;
  return { type, littleEndian, bodyLength: view.getUint16(AT_LENGTH, littleEndian) };
}
