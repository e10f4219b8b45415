/**
 * What the ring and its surroundings say to each other. The ring (ordering, stability, daemon membership) is
 * pure: it is called with bytes and the time, and calls back through `RingHost`. The ring worker implements the host on
 * shared memory and sockets, the simulator on a virtual network and clock.
 *
 * Every callback is synchronous. Byte ranges passed to a callback belong to the caller and are valid only during it.
 */
import type { NodeIndex } from '../wire/ids.ts';
import type { RecordFault } from '../wire/record-check.ts';
import type { Configuration } from './configuration.ts';

/** A contiguous range of whole records, lent by the send queue; reused between calls. */
export interface RecordSpan {
  bytes: Uint8Array;
  offset: number;
  lengthBytes: number;
}

export interface RingHost {
  /**
   * Send queue, ring of many: writes records that wait, in order, into `out[offset, offset + capacityBytes)`, cut into
   * fragments where they do not fit, and consumes what it wrote.
   * @returns bytes written, 0 when nothing waits or nothing more fits
   */
  fillPacket(out: Uint8Array, offset: number, capacityBytes: number): number;
  /**
   * Send queue, ring of one: lends the next contiguous range of whole records without copying. The range is consumed
   * when `releaseRecords` is called, or kept when it is not (the ordered log is full).
   */
  borrowRecords(span: RecordSpan): boolean;
  releaseRecords(): void;
  /** Bytes waiting in the send queue, for flow control. */
  queuedBytes(): number;

  /**
   * Next ordered (or, for RELIABLE and weaker, early) records of `origin`: whole records only, put together from their
   * fragments where they were cut. While a membership change is completed it is called whatever `canDeliver` says, for
   * at most one window of packets: the order of messages and configurations must be handed over in one go
   * (ring-protocol.md, 3.7).
   */
  deliverRecords(origin: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void;
  /** A record of `origin` that came in fragments was dropped, as it is at all daemons. */
  recordRefused(origin: NodeIndex, fault: RecordFault): void;
  /** Room in the ordered log: when false the ring neither delivers nor originates. */
  canDeliver(): boolean;
  /**
   * Whether packets of RELIABLE and UNRELIABLE messages may be delivered before their place in the order, as soon as nothing that
   * their sessions sent before is missing. False while the
   * process groups exchange their state, because they would overtake it (ring-protocol.md, 4.3).
   */
  canDeliverEarly(): boolean;
  /**
   * A transitional or regular configuration, at its place in the order of deliveries. At a regular one the send queue goes
   * back to the first byte of a message it had sent in part only (`PacketFiller.restartMessage`).
   */
  configurationChanged(configuration: Configuration): void;

  /** To one daemon. */
  sendTo(node: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number): void;
  /** To every configured daemon but this one (`members` only when given): multicast, broadcast or unicast fan-out. */
  sendToAll(bytes: Uint8Array, offset: number, lengthBytes: number, members: readonly NodeIndex[] | null): void;
}
