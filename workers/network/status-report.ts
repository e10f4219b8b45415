/** The status part of the monitor protocol (client-protocol.md, section 10): checks requests, builds reports. */
import {
  type CountersMemory,
  DeliveryCounter,
  deliveryCounters,
  OrderingCounter,
  RING_NODE_COUNTERS,
  ringCounters,
} from '../../engine/buffers/counters.ts';
import { RingCounter, RingState } from '../../engine/ring/counters.ts';
import { PROTOCOL_VERSION } from '../../engine/wire/limits.ts';
import { ENDIAN_FLAG } from '../../engine/wire/service.ts';

export const MONITOR_HEADER_LENGTH = 40;
const STATUS_BODY_LENGTH = 96;
const STATUS_TYPE = 0x0100_0000;
/** What a monitor writes where daemons write their configuration hash and membership id. */
const MONITOR_HASH = 1100;
const MONITOR_MEMBERSHIP = 15_051_963;

export interface StatusRequest {
  /** Where the answer goes. */
  readonly address: number;
  readonly port: number;
}

/** States of the original's membership, as the report numbers them. */
const REPORTED_STATE: Readonly<Record<number, number>> = {
  [RingState.Operational]: 1,
  [RingState.Gather]: 4,
  [RingState.Commit]: 5,
  [RingState.Recover]: 6,
  [RingState.Stopped]: 4,
};

/**
 * Reads a status request.
 * @param addresses of the configured daemons; a monitor must run on one of these hosts
 * @returns null when the datagram is not one, or not from an allowed host
 */
export function readStatusRequest(
  datagram: Uint8Array,
  addresses: readonly number[],
  configurationHash: number,
): StatusRequest | null {
  if (datagram.length < MONITOR_HEADER_LENGTH) return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  const little = (view.getUint32(0, true) & ENDIAN_FLAG) === ENDIAN_FLAG;
  const type = view.getUint32(0, little) & ~ENDIAN_FLAG;
  const address = view.getUint32(8, little);
  const hash = view.getUint32(28, little);
  const port = view.getInt32(20, little);
  if (type !== STATUS_TYPE || view.getUint32(12, little) !== MONITOR_MEMBERSHIP) return null;
  if (hash !== MONITOR_HASH && hash !== configurationHash) return null;
  if (datagram.length !== MONITOR_HEADER_LENGTH + view.getUint16(32, little)) return null;
  if (port < 1 || port > 65_535 || !addresses.some((known) => known >>> 0 === address)) return null;
  return { address, port };
}

/** The answer of the daemon at `self` (index into `addresses`), `uptimeSeconds` after its start. */
export function statusReport(
  counters: CountersMemory,
  addresses: readonly number[],
  self: number,
  uptimeSeconds: number,
  windows: {
    readonly window: number;
    readonly personalWindow: number;
    readonly acceleratedWindow: number;
    readonly acceleratedRing: boolean;
  },
): Uint8Array {
  const report = new Uint8Array(MONITOR_HEADER_LENGTH + STATUS_BODY_LENGTH);
  const view = new DataView(report.buffer);
  const ring = ringCounters(counters);
  const node = (counter: number): number => ring[RING_NODE_COUNTERS + counter]!;
  const own = addresses[self]! | 0;
  view.setUint32(0, (STATUS_TYPE | ENDIAN_FLAG) >>> 0, true);
  view.setInt32(8, own, true);
  view.setUint16(32, STATUS_BODY_LENGTH, true);
  const unicast = node(RingCounter.RetransmissionsToOne);
  const segment = node(RingCounter.RetransmissionsToSegment);
  const broadcast = node(RingCounter.RetransmissionsToAll);
  const words = [
    uptimeSeconds,
    REPORTED_STATE[node(RingCounter.State)] ?? 0,
    ring[OrderingCounter.GroupsState]!,
    node(RingCounter.PacketsSent),
    node(RingCounter.PacketsReceived),
    node(RingCounter.PacketsDelivered),
    unicast + segment + broadcast,
    unicast,
    segment,
    broadcast,
    node(RingCounter.Aru),
    node(RingCounter.MyAru),
    node(RingCounter.HighSeq),
    node(RingCounter.Hurries),
    node(RingCounter.TokenRounds),
    own,
    addresses[node(RingCounter.Leader)]! | 0,
    ring[OrderingCounter.FramesOrdered]!,
  ];
  words.forEach((value, i) => {
    view.setInt32(MONITOR_HEADER_LENGTH + i * 4, value | 0, true);
  });
  const halves = [
    node(RingCounter.MembershipChanges),
    node(RingCounter.Members),
    node(RingCounter.Segments),
    windows.window,
    windows.personalWindow,
    windows.acceleratedRing ? 1 : 0,
    windows.acceleratedWindow,
    openConnections(counters),
    ring[OrderingCounter.Groups]!,
    PROTOCOL_VERSION.major,
    PROTOCOL_VERSION.minor,
    PROTOCOL_VERSION.patch,
  ];
  halves.forEach((value, i) => {
    view.setInt16(MONITOR_HEADER_LENGTH + words.length * 4 + i * 2, value, true);
  });
  return report;
}

function openConnections(counters: CountersMemory): number {
  let open = 0;
  for (let worker = 0; worker < counters.deliveryWorkers; worker++) {
    open += deliveryCounters(counters, worker)[DeliveryCounter.SessionsOpen]!;
  }
  return open;
}
