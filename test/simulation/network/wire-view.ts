/**
 * What a bystander sees in a datagram between daemons (ring-protocol.md, 8.2). The simulator aims faults by it and notes the
 * sequence number a message got; nothing of it reaches the engine or decides what a trace means.
 */
import { readU16, readU32, readU48 } from '../../../engine/wire/ring-bytes.ts';
import {
  AT_DATA_SEQUENCE,
  PacketType as Code,
  FLAG_RETRANSMISSION,
  RING_HEADER_LENGTH,
} from '../../../engine/wire/ring-header.ts';
import { TokenPhase } from '../../../engine/wire/ring-token.ts';

export type PacketType =
  | 'data'
  | 'token'
  | 'token-recover'
  | 'token-install'
  | 'join'
  | 'commit'
  | 'probe'
  | 'probe-ack'
  | 'hurry'
  | 'leave'
  | 'merge'
  | 'size-probe'
  | 'size-ack'
  | 'size-ready'
  | 'size-withdrawn'
  | 'greeting'
  | 'run-refused'
  | 'other';

const TYPES: Readonly<Record<number, PacketType>> = {
  [Code.Data]: 'data',
  [Code.Token]: 'token',
  [Code.Join]: 'join',
  [Code.Commit]: 'commit',
  [Code.Probe]: 'probe',
  [Code.ProbeAck]: 'probe-ack',
  [Code.Hurry]: 'hurry',
  [Code.Leave]: 'leave',
  [Code.Merge]: 'merge',
  [Code.SizeProbe]: 'size-probe',
  [Code.SizeAck]: 'size-ack',
  [Code.SizeReady]: 'size-ready',
  [Code.SizeWithdrawn]: 'size-withdrawn',
  [Code.Greeting]: 'greeting',
  [Code.RunRefused]: 'run-refused',
};

const AT_TYPE = 5;
const AT_FLAGS = 6;
const AT_ORIGIN = 10;
const AT_RING_SEQ = 32;
const AT_RING_LEADER = 36;
const AT_TOKEN_HOP = RING_HEADER_LENGTH;
const AT_TOKEN_PHASE = RING_HEADER_LENGTH + 7;
const AT_TOKEN_SEQ = RING_HEADER_LENGTH + 8;
const AT_TOKEN_ARU = RING_HEADER_LENGTH + 14;

/** Datagrams that are sealed, and what they were before: bystanders see the header, the simulator all of it. */
const plainTexts = new WeakMap<Uint8Array, Uint8Array>();

export function noteSealed(datagram: Uint8Array, plain: Uint8Array): void {
  plainTexts.set(datagram, plain);
}

const plainOf = (datagram: Uint8Array): Uint8Array => plainTexts.get(datagram) ?? datagram;

export function packetType(datagram: Uint8Array): PacketType {
  const type = TYPES[datagram[AT_TYPE] ?? 0] ?? 'other';
  if (type !== 'token') return type;
  const phase = plainOf(datagram)[AT_TOKEN_PHASE];
  if (phase === TokenPhase.Recover) return 'token-recover';
  return phase === TokenPhase.Install ? 'token-install' : 'token';
}

/** `token` stands for tokens of every phase; null for any packet. */
export const matchesType = (wanted: PacketType | null, actual: PacketType): boolean =>
  wanted === null || wanted === actual || (wanted === 'token' && actual.startsWith('token'));

export const originOf = (bytes: Uint8Array): number => readU16(bytes, AT_ORIGIN);
export const ringSeqOf = (bytes: Uint8Array): number => readU32(bytes, AT_RING_SEQ);
export const ringLeaderOf = (bytes: Uint8Array): number => readU16(bytes, AT_RING_LEADER);
/** Of a DATA packet. */
export const sequenceOf = (bytes: Uint8Array): number => readU48(plainOf(bytes), AT_DATA_SEQUENCE);
/** Of a TOKEN packet. */
export const hopOf = (bytes: Uint8Array): number => readU48(plainOf(bytes), AT_TOKEN_HOP);

export const isRetransmission = (bytes: Uint8Array): boolean => (bytes[AT_FLAGS]! & FLAG_RETRANSMISSION) !== 0;

/** One line for the timeline. */
export function describePacket(bytes: Uint8Array): string {
  const type = packetType(bytes);
  const ring = `ring ${ringSeqOf(bytes)}@${ringLeaderOf(bytes)}`;
  if (type === 'data')
    return `${type} #${sequenceOf(bytes)} of ${originOf(bytes)}${isRetransmission(bytes) ? ' (again)' : ''}, ${ring}, ${bytes.length} bytes`;
  if (!type.startsWith('token')) return `${type}, ${ring}, ${bytes.length} bytes`;
  const token = plainOf(bytes);
  return `${type} hop ${readU48(token, AT_TOKEN_HOP)} seq ${readU48(token, AT_TOKEN_SEQ)} aru ${readU48(token, AT_TOKEN_ARU)}, ${ring}`;
}
