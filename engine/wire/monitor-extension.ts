/**
 * What skein adds behind a status report (client-protocol.md, 10.2) for monitors that ask for it, little-endian:
 *
 *     magic SKN1 u32 | counters u16 | members u16 | counters x f64 | members x IPv4 as u32 | length u16 | release, UTF-8
 *
 * New counters go to the end: a reader takes those it knows. Daemons before the first release end with the members.
 */
const MAGIC = 0x314e_4b53;
const FIXED_LENGTH = 8;

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
  'sealsUnknownRun',
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
  'logSegments',
  'logWaitingBytes',
  'logWaitingMost',
  'viewsTooLong',
  'logFull',
  'submitStalls',
  'protocolErrors',
  'requestsRejected',
  'joinsRefused',
  'acceptErrors',
  'runsRefused',
  'ownRunRefused',
  'numbersRefused',
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
  const membersEnd = FIXED_LENGTH + EXTENSION_COUNTERS.length * 8 + members.length * 4;
  const bytes = new Uint8Array(membersEnd + (release === null ? 0 : 2 + text.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, EXTENSION_COUNTERS.length, true);
  view.setUint16(6, members.length, true);
  EXTENSION_COUNTERS.forEach((name, i) => {
    view.setFloat64(FIXED_LENGTH + i * 8, counters[name], true);
  });
  const from = FIXED_LENGTH + EXTENSION_COUNTERS.length * 8;
  members.forEach((address, i) => {
    view.setUint32(from + i * 4, address >>> 0, true);
  });
  if (release !== null) {
    view.setUint16(membersEnd, text.length, true);
    bytes.set(text, membersEnd + 2);
  }
  return bytes;
}

/** Counters the daemon does not have yet are 0. Null when there is no extension at `offset`. */
export function decodeExtension(datagram: Uint8Array, offset: number): StatusExtension | null {
  const lengthBytes = datagram.length - offset;
  if (lengthBytes < FIXED_LENGTH) return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset + offset, lengthBytes);
  const counterCount = view.getUint16(4, true);
  const memberCount = view.getUint16(6, true);
  const membersFrom = FIXED_LENGTH + counterCount * 8;
  const membersEnd = membersFrom + memberCount * 4;
  if (view.getUint32(0, true) !== MAGIC || lengthBytes < membersEnd) return null;
  const release = readRelease(datagram.subarray(offset + membersEnd));
  if (release === undefined) return null;
  const entries = EXTENSION_COUNTERS.map((name, i): readonly [ExtensionCounter, number] => [
    name,
    i < counterCount ? view.getFloat64(FIXED_LENGTH + i * 8, true) : 0,
  ]);
  return {
    counters: Object.fromEntries(entries) as Record<ExtensionCounter, number>,
    members: Array.from({ length: memberCount }, (_, i) => view.getUint32(membersFrom + i * 4, true)),
    release,
  };
}

/** Null when there is none; undefined when it is cut. */
function readRelease(bytes: Uint8Array): string | null | undefined {
  if (bytes.length === 0) return null;
  const length = bytes.length < 2 ? Number.POSITIVE_INFINITY : bytes[0]! | (bytes[1]! << 8);
  return bytes.length < 2 + length ? undefined : new TextDecoder().decode(bytes.subarray(2, 2 + length));
}
