/**
 * The header of every datagram between a monitor and a daemon, in either byte order (layout/monitor-header.ts; client-protocol.md, 10.1).
 */
import {
  MONITOR_HEADER_ADDRESS_OFFSET,
  MONITOR_HEADER_BODY_LENGTH_OFFSET,
  MONITOR_HEADER_HASH_OFFSET,
  MONITOR_HEADER_LENGTH,
  MONITOR_HEADER_MEMBERSHIP_ID_OFFSET,
  MONITOR_HEADER_PORT_OFFSET,
  MONITOR_HEADER_ROUND_OFFSET,
  MONITOR_HEADER_TARGET_OFFSET,
  MONITOR_HEADER_TYPE_OFFSET,
} from './layout/monitor-header.ts';
import { ENDIAN_FLAG } from './service.ts';

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
/** In the token round of a status request, which the original ignores: `SKN1` requests the extension as well. */
const WANTS_EXTENSION = 0x314e_4b53;

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
  const littleEndian = (view.getUint32(MONITOR_HEADER_TYPE_OFFSET, true) & ENDIAN_FLAG) === ENDIAN_FLAG;
  const port = view.getInt32(MONITOR_HEADER_PORT_OFFSET, littleEndian);
  if (
    view.getUint32(MONITOR_HEADER_MEMBERSHIP_ID_OFFSET, littleEndian) !== MONITOR_MEMBERSHIP ||
    port < 1 ||
    port > 65_535
  )
    return null;
  return {
    type: (view.getUint32(MONITOR_HEADER_TYPE_OFFSET, littleEndian) & ~ENDIAN_FLAG) >>> 0,
    littleEndian,
    target: view.getUint32(MONITOR_HEADER_TARGET_OFFSET, littleEndian),
    address: view.getUint32(MONITOR_HEADER_ADDRESS_OFFSET, littleEndian),
    port,
    hash: view.getUint32(MONITOR_HEADER_HASH_OFFSET, littleEndian),
    wantsExtension: view.getUint32(MONITOR_HEADER_ROUND_OFFSET, littleEndian) === WANTS_EXTENSION,
    bodyLength: view.getUint16(MONITOR_HEADER_BODY_LENGTH_OFFSET, littleEndian),
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
  view.setUint32(MONITOR_HEADER_TYPE_OFFSET, (type | ENDIAN_FLAG) >>> 0, true);
  view.setUint32(MONITOR_HEADER_TARGET_OFFSET, target, true);
  view.setUint32(MONITOR_HEADER_ADDRESS_OFFSET, sender.address, true);
  view.setUint32(MONITOR_HEADER_MEMBERSHIP_ID_OFFSET, MONITOR_MEMBERSHIP, true);
  view.setInt32(MONITOR_HEADER_PORT_OFFSET, sender.port, true);
  view.setInt32(MONITOR_HEADER_HASH_OFFSET, MONITOR_HASH, true);
  view.setUint16(MONITOR_HEADER_BODY_LENGTH_OFFSET, bodyLength, true);
}

/** Marks a status request: the daemon may answer with the extension. */
export const askForExtension = (view: DataView): void =>
  view.setUint32(MONITOR_HEADER_ROUND_OFFSET, WANTS_EXTENSION, true);

/** @param daemon IPv4 address of the daemon that answers */
export function writeMonitorAnswer(view: DataView, type: MonitorType, daemon: number, bodyLength: number): void {
  view.setUint32(MONITOR_HEADER_TYPE_OFFSET, (type | ENDIAN_FLAG) >>> 0, true);
  view.setUint32(MONITOR_HEADER_ADDRESS_OFFSET, daemon >>> 0, true);
  view.setUint16(MONITOR_HEADER_BODY_LENGTH_OFFSET, bodyLength, true);
}

/** Type and byte order of an answer, or null when the datagram is too short to have them. */
export function readMonitorAnswer(
  datagram: Uint8Array,
): { readonly type: number; readonly littleEndian: boolean; readonly bodyLength: number } | null {
  if (datagram.length < MONITOR_HEADER_LENGTH) return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  const littleEndian = (view.getUint32(MONITOR_HEADER_TYPE_OFFSET, true) & ENDIAN_FLAG) === ENDIAN_FLAG;
  const type = (view.getUint32(MONITOR_HEADER_TYPE_OFFSET, littleEndian) & ~ENDIAN_FLAG) >>> 0;
  return { type, littleEndian, bodyLength: view.getUint16(MONITOR_HEADER_BODY_LENGTH_OFFSET, littleEndian) };
}
