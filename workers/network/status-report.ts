/** The status report of the monitor protocol (client-protocol.md, 10.2), and what skein adds to it. */

import {
  type CountersMemory,
  DeliveryCounter,
  deliveryCounters,
  NetworkCounter,
  networkCounters,
  OrderingCounter,
  RING_NODE_COUNTERS,
  ringCounters,
  SEND_CAUSES,
  type SendCause,
  SupervisorCounter,
  supervisorCounters,
} from '../../engine/buffers/counters.ts';
import { RingCounter, RingState } from '../../engine/host/ring-counters.ts';
import type { RingWindows } from '../../engine/host/ring-options.ts';
import { SealRefusal } from '../../engine/seal/seal-trailer.ts';
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
  const segment = node(RingCounter.RetransmissionsToSegment);
  const broadcast = node(RingCounter.RetransmissionsToAll);
  const word = (at: number, value: number): void => view.setInt32(at, value | 0, true);
  word(STATUS_SEC_OFFSET, uptimeSeconds);
  word(STATUS_STATE_OFFSET, REPORTED_STATE[node(RingCounter.State)] ?? 0);
  word(STATUS_GSTATE_OFFSET, ring[OrderingCounter.GroupsState]!);
  word(STATUS_PACKET_SENT_OFFSET, node(RingCounter.PacketsSent));
  word(STATUS_PACKET_RECV_OFFSET, node(RingCounter.PacketsReceived));
  word(STATUS_PACKET_DELIVERED_OFFSET, node(RingCounter.PacketsDelivered));
  word(STATUS_RETRANS_OFFSET, unicast + segment + broadcast);
  word(STATUS_U_RETRANS_OFFSET, unicast);
  word(STATUS_S_RETRANS_OFFSET, segment);
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
  const network = networkCounters(counters);
  const node = (counter: number): number => ring[RING_NODE_COUNTERS + counter]!;
  const unsent = (cause: SendCause): number => network[NetworkCounter.SendsFailed + SEND_CAUSES.indexOf(cause)]!;
  const refusedBy = (cause: SealRefusal): number => ring[OrderingCounter.SealsRefusedBy + cause - 1]!;
  const clients = (counter: number): number => sumOfWorkers(counters, counter);
  return encodeExtension({
    counters: {
      ringSequence: node(RingCounter.RingSeq),
      rotationMicros: Math.round(node(RingCounter.RotationMicros)),
      partitioned: network[NetworkCounter.Partitioned]!,
      // Headers tell most; the full hash in control messages tells the rest.
      otherConfiguration: network[NetworkCounter.OtherConfiguration]! + node(RingCounter.ForeignCluster),
      otherVersion: network[NetworkCounter.OtherVersion]!,
      otherSeal: network[NetworkCounter.OtherSeal]!,
      sealsRefused: ring[OrderingCounter.SealsRefused]!,
      // Both see the same, the ring only what is authentic.
      identityConflicts: Math.max(network[NetworkCounter.IdentityConflicts]!, node(RingCounter.IdentityConflicts)),
      partitionDropped: network[NetworkCounter.PartitionDropped]!,
      datagramsDropped: network[NetworkCounter.DatagramsDropped]!,
      malformed: node(RingCounter.Malformed),
      foreignRing: node(RingCounter.ForeignRing),
      stale: node(RingCounter.Stale),
      tokenLosses: node(RingCounter.TokenLosses),
      gathers: node(RingCounter.Gathers),
      failedRecoveries: node(RingCounter.FailedRecoveries),
      exclusions: node(RingCounter.Exclusions),
      pauses: node(RingCounter.Pauses),
      commandsAccepted: network[NetworkCounter.CommandsAccepted]!,
      commandsRefused: network[NetworkCounter.CommandsRefused]!,
      datagramBytes: node(RingCounter.DatagramBytes),
      datagramsSent: network[NetworkCounter.DatagramsSent]!,
      datagramsReceived: network[NetworkCounter.DatagramsReceived]!,
      sendsUnreachable: unsent('unreachable'),
      sendsForbidden: unsent('forbidden'),
      sendsTooLong: unsent('tooLong'),
      sendsWrongAddress: unsent('wrongAddress'),
      sendsNoBuffers: unsent('noBuffers'),
      sendsFailedOtherwise: unsent('other'),
      receiveErrors: network[NetworkCounter.ReceiveErrors]!,
      handshakesOpen: clients(DeliveryCounter.HandshakesOpen),
      handshakesRefused: clients(DeliveryCounter.HandshakesRefused),
      handshakesTimedOut: clients(DeliveryCounter.HandshakesTimedOut),
      handshakesCrowdedOut: clients(DeliveryCounter.HandshakesCrowdedOut),
      passwordsWaiting: clients(DeliveryCounter.PasswordsWaiting),
      passwordsRunning: clients(DeliveryCounter.PasswordsRunning),
      passwordsChecked: clients(DeliveryCounter.PasswordsChecked),
      passwordsWrong: clients(DeliveryCounter.PasswordsWrong),
      passwordsSkipped: clients(DeliveryCounter.PasswordsSkipped),
      passwordsBusy: clients(DeliveryCounter.PasswordsBusy),
      passwordsFailed: clients(DeliveryCounter.PasswordsFailed),
      clientsVanished: clients(DeliveryCounter.ClientsVanished),
      inputBytes: clients(DeliveryCounter.InputBytes),
      inputPauses: clients(DeliveryCounter.InputPauses),
      inputsEnded: clients(DeliveryCounter.InputsEnded),
      queuedBytes: clients(DeliveryCounter.QueuedBytes),
      // Each worker has seen the sum of all.
      queuedBytesMost: mostOfWorkers(counters, DeliveryCounter.QueuedBytesMost),
      queuesEnded: clients(DeliveryCounter.QueuesEnded),
      longestQueueBytes: mostOfWorkers(counters, DeliveryCounter.LongestQueueBytes),
      slowConsumersEnded: clients(DeliveryCounter.SlowConsumersEnded),
      messagesDropped: clients(DeliveryCounter.MessagesDropped),
      spilledBytes: clients(DeliveryCounter.BytesSpilled),
      logSegments: ring[OrderingCounter.LogSegmentsTouched]!,
      logWaitingBytes: ring[OrderingCounter.LogWaitingBytes]!,
      logWaitingMost: ring[OrderingCounter.LogWaitingHighWater]!,
      viewsTooLong: ring[OrderingCounter.FramesTooLong]!,
      logFull: ring[OrderingCounter.LogFull]!,
      submitStalls: clients(DeliveryCounter.SubmitStalls),
      protocolErrors: clients(DeliveryCounter.ProtocolErrors),
      requestsRejected: clients(DeliveryCounter.RequestsRejected),
      joinsRefused: clients(DeliveryCounter.JoinsRefused),
      acceptErrors: clients(DeliveryCounter.AcceptErrors),
      runsRefused: node(RingCounter.RunsRefused),
      ownRunRefused: node(RingCounter.OwnRunRefused),
      numbersRefused: node(RingCounter.NumbersRefused),
      recordsRefused: ring[OrderingCounter.RecordsRefused]!,
      logLinesLost: supervisorCounters(counters)[SupervisorCounter.LogLinesLost]!,
      sealsShort: refusedBy(SealRefusal.Short),
      sealsWrongKey: refusedBy(SealRefusal.WrongKey),
      sealsReplayed: refusedBy(SealRefusal.Replayed),
      sealsUnknownRun: refusedBy(SealRefusal.UnknownRun),
      sealsMisdirected: refusedBy(SealRefusal.Misdirected),
    },
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

function mostOfWorkers(counters: CountersMemory, counter: number): number {
  let most = 0;
  for (let worker = 0; worker < counters.deliveryWorkers; worker++) {
    most = Math.max(most, deliveryCounters(counters, worker)[counter]!);
  }
  return most;
}
