/** What the service of a packet's records means for its delivery (ring-protocol.md, 1.3 and 2.10). */
import {
  RECORD_FLAGS_OFFSET,
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
  RECORD_SERVICE_OFFSET,
} from '../wire/layout/record-header.ts';
import { alignRecord, RECORD_FIRST, RECORD_LAST, RecordKind } from '../wire/record.ts';
import { readU16, readU32 } from '../wire/ring-bytes.ts';
import { RELIABLE_MESS, SAFE_MESS, UNRELIABLE_MESS } from '../wire/service.ts';

export const PacketClass = {
  None: 0,
  /** RELIABLE and UNRELIABLE: may be delivered on receipt, behind what their sessions sent before. */
  Early: 1,
  /** FIFO, CAUSAL and AGREED: in the order, no gap before. */
  Ordered: 2,
  /** In the order, and only when all members have it; holds back what follows. */
  Safe: 3,
} as const;
export type PacketClass = (typeof PacketClass)[keyof typeof PacketClass];

export function packetClassOf(service: number): PacketClass {
  if (service === SAFE_MESS) return PacketClass.Safe;
  return service === RELIABLE_MESS || service === UNRELIABLE_MESS ? PacketClass.Early : PacketClass.Ordered;
}

const WHOLE = RECORD_FIRST | RECORD_LAST;

/**
 * Checks the record area of a packet from the network: whole records of known kinds and of one class, to the last byte.
 * @returns the class, or `None` when the area is malformed. A packet of early services that holds a fragment can only be
 * delivered at its place: it is `Ordered`.
 */
export function classifyRecords(bytes: Uint8Array, offset: number, lengthBytes: number): PacketClass {
  const end = offset + lengthBytes;
  let packetClass: PacketClass = PacketClass.None;
  let whole = true;
  for (let at = offset; at < end; ) {
    if (at + RECORD_HEADER_LENGTH > end) return PacketClass.None;
    const recordBytes = readU32(bytes, at + RECORD_LENGTH_OFFSET);
    if (recordBytes < RECORD_HEADER_LENGTH || recordBytes > end - at) return PacketClass.None;
    const kind = bytes[at + RECORD_KIND_OFFSET]!;
    if (kind < RecordKind.Run || kind > RecordKind.Drain) return PacketClass.None;
    const recordClass = packetClassOf(bytes[at + RECORD_SERVICE_OFFSET]!);
    if (packetClass !== PacketClass.None && recordClass !== packetClass) return PacketClass.None;
    packetClass = recordClass;
    if ((readU16(bytes, at + RECORD_FLAGS_OFFSET) & WHOLE) !== WHOLE) whole = false;
    at += alignRecord(recordBytes);
    if (at > end) return PacketClass.None;
  }
  return packetClass === PacketClass.Early && !whole ? PacketClass.Ordered : packetClass;
}
