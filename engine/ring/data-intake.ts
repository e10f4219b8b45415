/** DATA packets from the network, checked and put into the store of their ring (ring-protocol.md, 3.10). */

import { RingCounter } from '../host/ring-counters.ts';
import { nodeIndex } from '../wire/ids.ts';
import { DATA_HEADER_LENGTH, DATA_SEQUENCE_OFFSET } from '../wire/layout/data-packet.ts';
import { readU48 } from '../wire/ring-bytes.ts';
import type { RingHeader } from '../wire/ring-header.ts';
import { classifyRecords, PacketClass } from './packet-class.ts';
import type { PacketStore } from './packet-store.ts';
import type { RingMembers } from './ring-members.ts';

/**
 * A packet whose body makes no sense is taken in without records: its number is given out, and a ring that waited for it in vain would
 * stand still. Every member takes it in the same way, whether it comes first hand or is sent again.
 * @param reach how far above the highest known sequence number a packet of an honest member can be
 * @returns the sequence number taken in, or 0 when the packet is dropped
 */
export function takeData(
  counters: Float64Array,
  ring: RingMembers,
  store: PacketStore,
  reach: number,
  header: RingHeader,
  bytes: Uint8Array,
  offset: number,
  lengthBytes: number,
): number {
  const recordBytes = lengthBytes - DATA_HEADER_LENGTH;
  if (!ring.has(header.origin) || ring.incarnationOf(header.relay) !== header.incarnation) {
    counters[RingCounter.Stale]++;
    return 0;
  }
  counters[RingCounter.PacketsReceived]++;
  const seq = readU48(bytes, offset + DATA_SEQUENCE_OFFSET);
  if (seq <= store.discarded || store.has(seq)) {
    counters[RingCounter.Duplicates]++;
    return 0;
  }
  if (!store.covers(seq) || seq > store.highSeq + reach) {
    counters[RingCounter.OutOfWindow]++;
    return 0;
  }
  const fits = recordBytes > 0 && recordBytes <= store.slotBytes;
  const packetClass = fits ? classifyRecords(bytes, offset + DATA_HEADER_LENGTH, recordBytes) : PacketClass.None;
  const origin = nodeIndex(header.origin);
  if (packetClass !== PacketClass.None) {
    store.put(seq, origin, packetClass, bytes, offset + DATA_HEADER_LENGTH, recordBytes);
    return seq;
  }
  counters[RingCounter.Malformed]++;
  store.put(seq, origin, PacketClass.Ordered, bytes, offset, 0);
  return seq;
}
