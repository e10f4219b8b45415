/** The status report of the monitor protocol (client-protocol.md, 10.2), and what skein adds to it. */

import {
  type CountersMemory,
  DeliveryCounter,
  deliveryCounters,
  OrderingCounter,
  RING_NODE_COUNTERS,
  ringCounters,
} from '../../engine/buffers/counters.ts';
import { readCounters } from '../../engine/buffers/read-counters.ts';
import { RingCounter, RingState } from '../../engine/host/ring-counters.ts';
import type { RingWindows } from '../../engine/host/ring-options.ts';
import { MONITOR_HEADER_LENGTH } from '../../engine/wire/layout/monitor-header.ts';
import {
  STATUS_ACCELERATED_RING_OFFSET,
  STATUS_ACCELERATED_WINDOW_OFFSET,
  STATUS_ARU_OFFSET,
  STATUS_B_RETRANS_OFFSET,
  STATUS_GSTATE_OFFSET,
  STATUS_HIGHEST_SEQ_OFFSET,
  STATUS_LEADER_ID_OFFSET,
  STATUS_MAJOR_OFFSET,
  STATUS_MEMBERSHIP_CHANGES_OFFSET,
  STATUS_MESSAGE_DELIVERED_OFFSET,
  STATUS_MINOR_OFFSET,
  STATUS_MY_ARU_OFFSET,
  STATUS_MY_ID_OFFSET,
  STATUS_NUM_GROUPS_OFFSET,
  STATUS_NUM_PROCS_OFFSET,
  STATUS_NUM_SEGMENTS_OFFSET,
  STATUS_NUM_SESSIONS_OFFSET,
  STATUS_PACKET_DELIVERED_OFFSET,
  STATUS_PACKET_RECV_OFFSET,
  STATUS_PACKET_SENT_OFFSET,
  STATUS_PATCH_OFFSET,
  STATUS_PERSONAL_WINDOW_OFFSET,
  STATUS_REPORT_LENGTH,
  STATUS_RETRANS_OFFSET,
  STATUS_S_RETRANS_OFFSET,
  STATUS_SEC_OFFSET,
  STATUS_STATE_OFFSET,
  STATUS_TOKEN_HURRY_OFFSET,
  STATUS_TOKEN_ROUNDS_OFFSET,
  STATUS_U_RETRANS_OFFSET,
  STATUS_WINDOW_OFFSET,
} from '../../engine/wire/layout/status-report.ts';
import { PROTOCOL_VERSION } from '../../engine/wire/limits.ts';
import { encodeExtension } from '../../engine/wire/monitor-extension.ts';
import { MonitorType, writeMonitorAnswer } from '../../engine/wire/monitor-header.ts';

/** States of the original's membership, as the report numbers them. */
const REPORTED_STATE: Readonly<Record<number, number>> = {
  [RingState.Operational]: 1,
  [RingState.Gather]: 4,
  [RingState.Commit]: 5,
  [RingState.Recover]: 6,
  [RingState.Stopped]: 4,
};

/** The answer of the daemon at `self` (index into `addresses`), `uptimeSeconds` after its start. */
export function statusReport(
  counters: CountersMemory,
  addresses: readonly number[],
  self: number,
  uptimeSeconds: number,
  windows: RingWindows,
): Uint8Array {
  const report = new Uint8Array(STATUS_REPORT_LENGTH);
  const view = new DataView(report.buffer);
  const ring = ringCounters(counters);
  const node = (counter: number): number => ring[RING_NODE_COUNTERS + counter]!;
  const own = addresses[self]! | 0;
  writeMonitorAnswer(view, MonitorType.Status, own, STATUS_REPORT_LENGTH - MONITOR_HEADER_LENGTH);
  const unicast = node(RingCounter.RetransmissionsToOne);
  const broadcast = node(RingCounter.RetransmissionsToAll);
  const word = (at: number, value: number): void => view.setInt32(at, value | 0, true);
  word(STATUS_SEC_OFFSET, uptimeSeconds);
  word(STATUS_STATE_OFFSET, REPORTED_STATE[node(RingCounter.State)] ?? 0);
  word(STATUS_GSTATE_OFFSET, ring[OrderingCounter.GroupsState]!);
  word(STATUS_PACKET_SENT_OFFSET, node(RingCounter.PacketsSent));
  word(STATUS_PACKET_RECV_OFFSET, node(RingCounter.PacketsReceived));
  word(STATUS_PACKET_DELIVERED_OFFSET, node(RingCounter.PacketsDelivered));
  word(STATUS_RETRANS_OFFSET, unicast + broadcast);
  word(STATUS_U_RETRANS_OFFSET, unicast);
  // Part of the format; packets are sent again to one daemon or to all.
  word(STATUS_S_RETRANS_OFFSET, 0);
  word(STATUS_B_RETRANS_OFFSET, broadcast);
  word(STATUS_ARU_OFFSET, node(RingCounter.Aru));
  word(STATUS_MY_ARU_OFFSET, node(RingCounter.MyAru));
  word(STATUS_HIGHEST_SEQ_OFFSET, node(RingCounter.HighSeq));
  word(STATUS_TOKEN_HURRY_OFFSET, node(RingCounter.Hurries));
  word(STATUS_TOKEN_ROUNDS_OFFSET, node(RingCounter.TokenRounds));
  word(STATUS_MY_ID_OFFSET, own);
  word(STATUS_LEADER_ID_OFFSET, addresses[node(RingCounter.Leader)]! | 0);
  word(STATUS_MESSAGE_DELIVERED_OFFSET, ring[OrderingCounter.FramesOrdered]!);
  const half = (at: number, value: number): void => view.setInt16(at, value, true);
  half(STATUS_MEMBERSHIP_CHANGES_OFFSET, node(RingCounter.MembershipChanges));
  half(STATUS_NUM_PROCS_OFFSET, node(RingCounter.Members));
  half(STATUS_NUM_SEGMENTS_OFFSET, node(RingCounter.Segments));
  half(STATUS_WINDOW_OFFSET, windows.window);
  half(STATUS_PERSONAL_WINDOW_OFFSET, windows.personalWindow);
  half(STATUS_ACCELERATED_RING_OFFSET, windows.acceleratedRing && windows.acceleratedWindow > 0 ? 1 : 0);
  half(STATUS_ACCELERATED_WINDOW_OFFSET, windows.acceleratedWindow);
  half(STATUS_NUM_SESSIONS_OFFSET, sumOfWorkers(counters, DeliveryCounter.SessionsOpen));
  half(STATUS_NUM_GROUPS_OFFSET, ring[OrderingCounter.Groups]!);
  half(STATUS_MAJOR_OFFSET, PROTOCOL_VERSION.major);
  half(STATUS_MINOR_OFFSET, PROTOCOL_VERSION.minor);
  half(STATUS_PATCH_OFFSET, PROTOCOL_VERSION.patch);
  return report;
}

/** What follows the report for monitors of skein. */
export function statusExtension(counters: CountersMemory, addresses: readonly number[], release: string): Uint8Array {
  const ring = ringCounters(counters);
  return encodeExtension({
    counters: readCounters(counters),
    members: addresses.filter((_, index) => isMember(ring, index)),
    release,
  });
}

const isMember = (ring: Float64Array, node: number): boolean =>
  ((ring[OrderingCounter.MemberBits + (node >>> 5)]! >>> (node & 31)) & 1) === 1;

function sumOfWorkers(counters: CountersMemory, counter: number): number {
  let sum = 0;
  for (let worker = 0; worker < counters.deliveryWorkers; worker++) sum += deliveryCounters(counters, worker)[counter]!;
  return sum;
}
