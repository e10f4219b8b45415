/**
 * What skein adds behind a status report for monitors that ask for it (layout/status-extension.ts; client-protocol.md, 10.2).
 * New counters go to the end: a reader takes those it knows. Daemons before the first release end with the members.
 */

import {
  EXTENSION_COUNTER_COUNT_OFFSET,
  EXTENSION_COUNTERS_OFFSET,
  EXTENSION_FIXED_LENGTH,
  EXTENSION_MAGIC_OFFSET,
  EXTENSION_MEMBER_COUNT_OFFSET,
} from './layout/status-extension.ts';
import { RELEASE_TEXT_LENGTH_OFFSET, RELEASE_TEXT_OFFSET } from './layout/status-release.ts';
import { readU16 } from './ring-bytes.ts';

const MAGIC = 0x314e_4b53;
const COUNTER_LENGTH = 8;
const ADDRESS_LENGTH = 4;

/** In the order of the wire. The names are those of `skein monitor --json`. */
export const EXTENSION_COUNTERS = [
  'ringSequence',
  'rotationMicros',
  'partitioned',
  'otherConfiguration',
  'otherVersion',
  'otherSeal',
  'sealsRefused',
  'identityConflicts',
  'partitionDropped',
  'datagramsDropped',
  'malformed',
  'foreignRing',
  'stale',
  'tokenLosses',
  'gathers',
  'failedRecoveries',
  'exclusions',
  'pauses',
  'commandsAccepted',
  'commandsRefused',
  'datagramBytes',
  'datagramsSent',
  'datagramsReceived',
  'sendsUnreachable',
  'sendsForbidden',
  'sendsTooLong',
  'sendsWrongAddress',
  'sendsNoBuffers',
  'sendsFailedOtherwise',
  'receiveErrors',
  'logLinesLost',
  'sealsShort',
  'sealsWrongKey',
  'sealsReplayed',
  'sealsUnknownIncarnation',
  'sealsMisdirected',
  'handshakesOpen',
  'handshakesRefused',
  'handshakesTimedOut',
  'handshakesCrowdedOut',
  'passwordsWaiting',
  'passwordsRunning',
  'passwordsChecked',
  'passwordsWrong',
  'passwordsSkipped',
  'passwordsBusy',
  'passwordsFailed',
  'clientsVanished',
  'inputBytes',
  'inputPauses',
  'inputsEnded',
  'recordsRefused',
  'queuedBytes',
  'queuedBytesMost',
  'queuesEnded',
  'longestQueueBytes',
  'slowConsumersEnded',
  'messagesDropped',
  'spilledBytes',
  'logTermBuffers',
  'logWaitingBytes',
  'logWaitingMost',
  'viewsTooLong',
  'logFull',
  'submitStalls',
  'protocolErrors',
  'requestsRejected',
  'joinsRefused',
  'acceptErrors',
  'incarnationsRefused',
  'ownIncarnationRefused',
  'numbersRefused',
  'dutyCycles',
  'busyCycles',
  'sleeps',
  'longestCycleMicros',
  'recordsOrdered',
  'namesInUse',
  'membershipMessages',
  'bytesNotOrdered',
  'deliveredSequence',
  'discardedSequence',
  'packetsHeld',
  'tokensHeld',
  'packetsRequested',
  'duplicates',
  'outOfWindow',
  'droppedAtChange',
  'statusRequests',
  'invalidRequests',
  'connectionsAccepted',
  'sessionsClosed',
  'framesReceived',
  'runsSubmitted',
  'framesDelivered',
  'socketWrites',
  'worstQueueBytes',
  'bytesNotTaken',
  'sessionsCutOff',
  'messagesNotDelivered',
  'bytesOrdered',
  'bytesReceived',
  'bytesDelivered',
  'httpRequests',
  'httpRefused',
  'httpConnections',
  'httpStreams',
  'httpStreamsDropped',
  'joinsForbidden',
  'messagesForbidden',
  'privatesForbidden',
  'tlsHandshakesOpen',
  'tlsHandshakesDone',
  'tlsHandshakesFailed',
  'tlsHandshakesTimedOut',
  'tlsHandshakesCrowdedOut',
  'monitorRequests',
  'monitorRefused',
  'packetsUnstable',
  'noticesSent',
  'sessionsMoved',
  'sessionsNotTold',
  'draining',
  'sessionsHeld',
  'ratePauses',
  'rateEnds',
  'userSessionsRefused',
  'addressSessionsRefused',
  'settingsGeneration',
  'sessionsRevoked',
  'joinsRevoked',
] as const;
export type ExtensionCounter = (typeof EXTENSION_COUNTERS)[number];

export interface StatusExtension {
  readonly counters: Readonly<Record<ExtensionCounter, number>>;
  /** IPv4 addresses of the daemons in the ring, as numbers, in configuration order. */
  readonly members: readonly number[];
  /** Which release of skein the daemon is, such as `0.1.0`; null: it does not say. */
  readonly release: string | null;
}

export function encodeExtension({ counters, members, release }: StatusExtension): Uint8Array {
  const text = new TextEncoder().encode(release ?? '');
  const membersEnd =
    EXTENSION_COUNTERS_OFFSET + EXTENSION_COUNTERS.length * COUNTER_LENGTH + members.length * ADDRESS_LENGTH;
  const bytes = new Uint8Array(membersEnd + (release === null ? 0 : RELEASE_TEXT_OFFSET + text.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(EXTENSION_MAGIC_OFFSET, MAGIC, true);
  view.setUint16(EXTENSION_COUNTER_COUNT_OFFSET, EXTENSION_COUNTERS.length, true);
  view.setUint16(EXTENSION_MEMBER_COUNT_OFFSET, members.length, true);
  EXTENSION_COUNTERS.forEach((name, i) => {
    view.setFloat64(EXTENSION_COUNTERS_OFFSET + i * COUNTER_LENGTH, counters[name], true);
  });
  const from = EXTENSION_COUNTERS_OFFSET + EXTENSION_COUNTERS.length * COUNTER_LENGTH;
  members.forEach((address, i) => {
    view.setUint32(from + i * ADDRESS_LENGTH, address >>> 0, true);
  });
  if (release !== null) {
    view.setUint16(membersEnd + RELEASE_TEXT_LENGTH_OFFSET, text.length, true);
    bytes.set(text, membersEnd + RELEASE_TEXT_OFFSET);
  }
  return bytes;
}

/** Counters the daemon does not have yet are 0. Null when there is no extension at `offset`. */
export function decodeExtension(datagram: Uint8Array, offset: number): StatusExtension | null {
  const lengthBytes = datagram.length - offset;
  if (lengthBytes < EXTENSION_FIXED_LENGTH) return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset + offset, lengthBytes);
  const counterCount = view.getUint16(EXTENSION_COUNTER_COUNT_OFFSET, true);
  const memberCount = view.getUint16(EXTENSION_MEMBER_COUNT_OFFSET, true);
  const membersFrom = EXTENSION_COUNTERS_OFFSET + counterCount * COUNTER_LENGTH;
  const membersEnd = membersFrom + memberCount * ADDRESS_LENGTH;
  if (view.getUint32(EXTENSION_MAGIC_OFFSET, true) !== MAGIC || lengthBytes < membersEnd) return null;
  const release = readRelease(datagram.subarray(offset + membersEnd));
  if (release === undefined) return null;
  const entries = EXTENSION_COUNTERS.map((name, i): readonly [ExtensionCounter, number] => [
    name,
    i < counterCount ? view.getFloat64(EXTENSION_COUNTERS_OFFSET + i * COUNTER_LENGTH, true) : 0,
  ]);
  return {
    counters: Object.fromEntries(entries) as Record<ExtensionCounter, number>,
    members: Array.from({ length: memberCount }, (_, i) => view.getUint32(membersFrom + i * ADDRESS_LENGTH, true)),
    release,
  };
}

/** Null when there is none; undefined when it is cut. */
function readRelease(bytes: Uint8Array): string | null | undefined {
  if (bytes.length === 0) return null;
  if (bytes.length < RELEASE_TEXT_OFFSET) return undefined;
  const end = RELEASE_TEXT_OFFSET + readU16(bytes, RELEASE_TEXT_LENGTH_OFFSET);
  return bytes.length < end ? undefined : new TextDecoder().decode(bytes.subarray(RELEASE_TEXT_OFFSET, end));
}
