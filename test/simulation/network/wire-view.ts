/**
 * What a bystander sees in a datagram between daemons (ring-protocol.md, 8.2). The simulator aims faults by it and notes the
 * sequence number a message got; nothing of it reaches the engine or decides what a trace means.
 */

import { DATA_SEQUENCE_OFFSET } from '../../../engine/wire/layout/data-packet.ts';
import {
  RING_HEADER_FLAGS_OFFSET,
  RING_HEADER_ORIGIN_OFFSET,
  RING_HEADER_RING_LEADER_OFFSET,
  RING_HEADER_RING_SEQ_OFFSET,
  RING_HEADER_TYPE_OFFSET,
} from '../../../engine/wire/layout/ring-header.ts';
import {
  TOKEN_ARU_OFFSET,
  TOKEN_HOP_OFFSET,
  TOKEN_PHASE_OFFSET,
  TOKEN_SEQUENCE_OFFSET,
} from '../../../engine/wire/layout/token-packet.ts';
import { readU16, readU32, readU48 } from '../../../engine/wire/ring-bytes.ts';
import { PacketType as Code, FLAG_RETRANSMISSION } from '../../../engine/wire/ring-header.ts';
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
  | 'incarnation-refused'
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
  [Code.IncarnationRefused]: 'incarnation-refused',
};

/** Datagrams that are sealed, and what they were before: bystanders see the header, the simulator all of it. */
const plainTexts = new WeakMap<Uint8Array, Uint8Array>();

export function noteSealed(datagram: Uint8Array, plain: Uint8Array): void {
  plainTexts.set(datagram, plain);
}

const plainOf = (datagram: Uint8Array): Uint8Array => plainTexts.get(datagram) ?? datagram;

export function packetType(datagram: Uint8Array): PacketType {
  const type = TYPES[datagram[RING_HEADER_TYPE_OFFSET] ?? 0] ?? 'other';
  if (type !== 'token') return type;
  const phase = plainOf(datagram)[TOKEN_PHASE_OFFSET];
  if (phase === TokenPhase.Recover) return 'token-recover';
  return phase === TokenPhase.Install ? 'token-install' : 'token';
}

/** `token` stands for tokens of every phase; null for any packet. */
export const matchesType = (wanted: PacketType | null, actual: PacketType): boolean =>
  wanted === null || wanted === actual || (wanted === 'token' && actual.startsWith('token'));

export const originOf = (bytes: Uint8Array): number => readU16(bytes, RING_HEADER_ORIGIN_OFFSET);
export const ringSeqOf = (bytes: Uint8Array): number => readU32(bytes, RING_HEADER_RING_SEQ_OFFSET);
export const ringLeaderOf = (bytes: Uint8Array): number => readU16(bytes, RING_HEADER_RING_LEADER_OFFSET);
/** Of a DATA packet. */
export const sequenceOf = (bytes: Uint8Array): number => readU48(plainOf(bytes), DATA_SEQUENCE_OFFSET);
/** Of a TOKEN packet. */
export const hopOf = (bytes: Uint8Array): number => readU48(plainOf(bytes), TOKEN_HOP_OFFSET);

export const isRetransmission = (bytes: Uint8Array): boolean =>
  (bytes[RING_HEADER_FLAGS_OFFSET]! & FLAG_RETRANSMISSION) !== 0;

/** One line for the timeline. */
export function describePacket(bytes: Uint8Array): string {
  const type = packetType(bytes);
  const ring = `ring ${ringSeqOf(bytes)}@${ringLeaderOf(bytes)}`;
  if (type === 'data')
    return `${type} #${sequenceOf(bytes)} of ${originOf(bytes)}${isRetransmission(bytes) ? ' (again)' : ''}, ${ring}, ${bytes.length} bytes`;
  if (!type.startsWith('token')) return `${type}, ${ring}, ${bytes.length} bytes`;
  const token = plainOf(bytes);
  return `${type} hop ${readU48(token, TOKEN_HOP_OFFSET)} seq ${readU48(token, TOKEN_SEQUENCE_OFFSET)} aru ${readU48(token, TOKEN_ARU_OFFSET)}, ${ring}`;
}
