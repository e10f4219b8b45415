/**
 * One ring's end of the two buffers of datagrams that it shares with the network agent. A datagram that finds the buffer to the network
 * agent full is lost, as on any network; the ring protocol recovers.
 */
import { SpscQueueConsumer, SpscQueueProducer, writeRecordHeader } from '../../engine/buffers/spsc-queue.ts';
import type { RingWindows } from '../../engine/host/ring-options.ts';
import type { NodeIndex } from '../../engine/wire/ids.ts';
import { MEMBERS_RECORD_NODES_OFFSET } from '../../engine/wire/layout/members-record.ts';
import {
  RECORD_HEADER_LENGTH,
  RECORD_KIND_OFFSET,
  RECORD_LENGTH_OFFSET,
} from '../../engine/wire/layout/record-header.ts';
import {
  WINDOWS_RECORD_ACCELERATED_WINDOW_OFFSET,
  WINDOWS_RECORD_PERSONAL_WINDOW_OFFSET,
  WINDOWS_RECORD_WINDOW_OFFSET,
} from '../../engine/wire/layout/windows-record.ts';
import {
  alignRecord,
  MEMBER_LENGTH,
  RECORD_FIRST,
  RECORD_LAST,
  RecordKind,
  TO_ALL_DAEMONS,
  TO_MEMBERS,
} from '../../engine/wire/record.ts';

/** Datagrams handled between two looks at the send queue. */
const DATAGRAM_BATCH_BYTES = 256 * 1024;
const DATAGRAM_BATCHES = 8;
const WHOLE = RECORD_FIRST | RECORD_LAST;

/** The windows that an operator may set; whether the ring is accelerated stays as it is. */
export type OperatorWindows = Omit<RingWindows, 'acceleratedRing'>;

/** Receiver of incoming records. */
export interface DatagramTaker {
  datagramArrived(nowMs: number, bytes: Uint8Array, offset: number, lengthBytes: number): void;
  /** Flow control set by an operator. The network agent has checked it. */
  windowsArrived(windows: OperatorWindows): void;
}

export class DatagramPort {
  readonly #inbound: SpscQueueConsumer;
  readonly #outbound: SpscQueueProducer;
  #membersTold: readonly NodeIndex[] | null = null;

  constructor(inbound: SharedArrayBuffer, outbound: SharedArrayBuffer) {
    this.#inbound = new SpscQueueConsumer(inbound);
    this.#outbound = new SpscQueueProducer(outbound);
  }

  hasInput(): boolean {
    return this.#inbound.usedBytes() > 0;
  }

  /** Makes what was sent visible to the network agent. @returns whether there was anything */
  publish(): boolean {
    return this.#outbound.publish();
  }

  sendTo(node: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    this.#send(node, bytes, offset, lengthBytes);
  }

  sendToAll(bytes: Uint8Array, offset: number, lengthBytes: number, members: readonly NodeIndex[] | null): void {
    if (members === null) this.#send(TO_ALL_DAEMONS, bytes, offset, lengthBytes);
    else if (members === this.#membersTold || this.#tellMembers(members))
      this.#send(TO_MEMBERS, bytes, offset, lengthBytes);
  }

  /**
   * All that has come is handled before timers are looked at: data before the token that follows it (ring-protocol.md, 2.5).
   * @returns datagrams handled
   */
  receive(nowMs: number, taker: DatagramTaker): number {
    let datagrams = 0;
    for (let batch = 0; batch < DATAGRAM_BATCHES && this.#inbound.peek(DATAGRAM_BATCH_BYTES); batch++) {
      datagrams += this.#receiveBatch(nowMs, taker);
    }
    return datagrams;
  }

  #receiveBatch(nowMs: number, taker: DatagramTaker): number {
    const ring = this.#inbound;
    let datagrams = 0;
    const end = ring.offset + ring.lengthBytes;
    for (let at = ring.offset; at < end; ) {
      const length = ring.view.getUint32(at + RECORD_LENGTH_OFFSET, true);
      if (ring.view.getUint8(at + RECORD_KIND_OFFSET) === RecordKind.Windows)
        taker.windowsArrived(readWindows(ring.view, at));
      else taker.datagramArrived(nowMs, ring.bytes, at + RECORD_HEADER_LENGTH, length - RECORD_HEADER_LENGTH);
      datagrams++;
      at += alignRecord(length);
    }
    ring.release(ring.lengthBytes);
    return datagrams;
  }

  #send(to: number, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const ring = this.#outbound;
    const at = ring.claim(RECORD_HEADER_LENGTH + lengthBytes);
    if (at === -1) return;
    writeRecordHeader(ring.view, at, RecordKind.Datagram, 0, WHOLE, to, 0, 0);
    ring.bytes.set(bytes.subarray(offset, offset + lengthBytes), at + RECORD_HEADER_LENGTH);
  }

  /** The network agent has the list of the ring's members, so a datagram for all of them is handed over once. */
  #tellMembers(members: readonly NodeIndex[]): boolean {
    const ring = this.#outbound;
    const at = ring.claim(MEMBERS_RECORD_NODES_OFFSET + members.length * MEMBER_LENGTH);
    if (at === -1) return false;
    writeRecordHeader(ring.view, at, RecordKind.Members, 0, WHOLE, 0, 0, 0);
    members.forEach((node, i) => {
      ring.view.setUint32(at + MEMBERS_RECORD_NODES_OFFSET + i * MEMBER_LENGTH, node, true);
    });
    this.#membersTold = members;
    return true;
  }
}

const readWindows = (view: DataView, at: number): OperatorWindows => ({
  window: view.getUint32(at + WINDOWS_RECORD_WINDOW_OFFSET, true),
  personalWindow: view.getUint32(at + WINDOWS_RECORD_PERSONAL_WINDOW_OFFSET, true),
  acceleratedWindow: view.getUint32(at + WINDOWS_RECORD_ACCELERATED_WINDOW_OFFSET, true),
});
