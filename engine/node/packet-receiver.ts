/**
 * The receiving side of one wire version: opens datagrams, reads their headers, and acts on each packet type (ring-protocol.md, 8.2).
 * Nothing from the network makes it throw (EVS-23): what is malformed, stale or foreign is counted and dropped (3.10).
 */

import { RingCounter, RingState } from '../host/ring-counters.ts';
import { GreetingEffect } from '../membership/incarnation-proofs.ts';
import { type ControlBody, ControlInbox } from '../ring/control-inbox.ts';
import { takeData } from '../ring/data-intake.ts';
import { SealRefusal } from '../seal/seal-trailer.ts';
import { incarnation, nodeIndex } from '../wire/ids.ts';
import { DATA_HEADER_LENGTH } from '../wire/layout/data-packet.ts';
import {
  RING_HEADER_CLUSTER_OFFSET,
  RING_HEADER_LENGTH,
  RING_HEADER_TRANSMITTER_OFFSET,
} from '../wire/layout/ring-header.ts';
import { BodyReader } from '../wire/ring-body.ts';
import { readU16, readU32 } from '../wire/ring-bytes.ts';
import { isHeaderOfRing, PacketType, RingHeader, readRingHeader } from '../wire/ring-header.ts';
import { decodeCommit, decodeJoin, decodeProbe } from '../wire/ring-membership.ts';
import type { RingParts } from './ring-parts.ts';

export class PacketReceiver {
  readonly #parts: RingParts;
  readonly #counters: Float64Array;
  readonly #inbox = new ControlInbox();
  readonly #header = new RingHeader();
  readonly #reader = new BodyReader();

  constructor(parts: RingParts) {
    this.#parts = parts;
    this.#counters = parts.context.counters;
  }

  /**
   * Takes the trailer off and reads the header, which `dispatch` then acts on.
   * @returns length without the trailer; below 0 when the datagram is dropped
   */
  open(bytes: Uint8Array, offset: number, lengthBytes: number): number {
    const { context, proofs, incarnations } = this.#parts;
    if (lengthBytes >= RING_HEADER_LENGTH) proofs.before(readU16(bytes, offset + RING_HEADER_TRANSMITTER_OFFSET));
    const length = context.sealer.open(bytes, offset, lengthBytes);
    if (length < 0) {
      this.#refused(-length, bytes, offset);
      return -1;
    }
    const header = this.#header;
    const verdict = readRingHeader(header, bytes, offset, length, context.cluster);
    if (verdict !== 'ok') {
      this.#counters[verdict === 'foreign' ? RingCounter.ForeignCluster : RingCounter.Malformed]++;
      return -1;
    }
    if (header.origin >= context.nodeCount || header.relay >= context.nodeCount) {
      this.#counters[RingCounter.Malformed]++;
      return -1;
    }
    if (header.relay === context.self) {
      if (header.incarnation !== context.options.incarnation) incarnations.ownIdHeard();
      return -1;
    }
    return length;
  }

  /** Acts on the datagram that `open` has just read. */
  dispatch(bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const header = this.#header;
    switch (header.type) {
      case PacketType.Data:
        this.#dataArrived(header, bytes, offset, lengthBytes);
        return;
      case PacketType.Token:
        this.#tokenArrived(header, bytes, offset, lengthBytes);
        return;
      case PacketType.Hurry:
        this.#hurryArrived(header);
        return;
      case PacketType.Leave:
        if (this.#parts.incarnations.isStale(header.relay, header.incarnation))
          this.#parts.incarnations.staleHeard(header.relay);
        else this.#parts.membership.leaveArrived(nodeIndex(header.relay), incarnation(header.incarnation));
        return;
      case PacketType.Join:
      case PacketType.Commit:
      case PacketType.Probe:
      case PacketType.ProbeAck:
      case PacketType.Merge:
      case PacketType.IncarnationRefused:
        this.#controlArrived(header, bytes, offset, lengthBytes);
        return;
      case PacketType.SizeProbe:
      case PacketType.SizeAck:
      case PacketType.SizeReady:
      case PacketType.SizeWithdrawn:
        if (isHeaderOfRing(header, this.#parts.installer.ring.id)) this.#parts.paths.arrived(header);
        else this.#counters[RingCounter.Stale]++;
        return;
      case PacketType.Greeting:
        this.#greetingArrived(header, bytes, offset, lengthBytes);
        return;
      default:
        this.#counters[RingCounter.Malformed]++;
    }
  }

  /** @param cause a `SealRefusal` where traffic is sealed; the sealer has counted it */
  #refused(cause: number, bytes: Uint8Array, offset: number): void {
    if (this.#parts.context.sealer.incarnations === null) this.#counters[RingCounter.Malformed]++;
    else if (cause === SealRefusal.UnknownIncarnation) {
      const isForeign = readU32(bytes, offset + RING_HEADER_CLUSTER_OFFSET) !== this.#parts.context.cluster;
      if (isForeign) this.#counters[RingCounter.ForeignCluster]++;
      else this.#parts.proofs.unknownHeard(readU16(bytes, offset + RING_HEADER_TRANSMITTER_OFFSET));
    }
  }

  #greetingArrived(header: RingHeader, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const effect = this.#parts.proofs.arrived(header, bytes, offset, lengthBytes);
    if (effect === GreetingEffect.Malformed) this.#counters[RingCounter.Malformed]++;
    if (effect !== GreetingEffect.Asked) return;
    // What was sent there before was not heard.
    if (this.#parts.membership.isOperational) this.#parts.merging.askedBy(nodeIndex(header.relay));
    else this.#parts.membership.joinAgain();
  }

  #dataArrived(header: RingHeader, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const { ring, store, nextStore } = this.#parts.installer;
    const { future } = this.#parts.membership;
    const reach = this.#parts.size.gap + this.#parts.context.options.windows.window;
    if (lengthBytes < DATA_HEADER_LENGTH) {
      this.#counters[RingCounter.Malformed]++;
    } else if (isHeaderOfRing(header, ring.id)) {
      const seq = takeData(this.#counters, ring, store, reach, header, bytes, offset, lengthBytes);
      if (seq > 0 && this.#parts.membership.isOperational) this.#parts.ordering.dataTaken(seq);
      this.#parts.desk.dataArrived(header, bytes, offset);
      this.#parts.membership.checkProgress();
    } else if (future !== null && isHeaderOfRing(header, future.id)) {
      takeData(this.#counters, future, nextStore, reach, header, bytes, offset, lengthBytes);
      this.#parts.link.dataArrived(false);
    } else {
      this.#foreign();
    }
  }

  #tokenArrived(header: RingHeader, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const { state, future } = this.#parts.membership;
    const awaited = state === RingState.Recover ? future : this.#parts.installer.ring;
    const handlesTokens = state === RingState.Recover || state === RingState.Operational;
    if (awaited === null || !isHeaderOfRing(header, awaited.id)) {
      this.#foreign();
    } else if (!handlesTokens) {
      // Once given up, a ring is never helped again.
      this.#counters[RingCounter.Stale]++;
    } else {
      this.#parts.desk.arrived(header, bytes, offset, lengthBytes);
      this.#parts.membership.checkProgress();
    }
  }

  #hurryArrived(header: RingHeader): void {
    const { ring } = this.#parts.installer;
    if (!this.#parts.membership.isOperational || !ring.isLeader || !isHeaderOfRing(header, ring.id)) {
      this.#counters[RingCounter.Stale]++;
      return;
    }
    if (this.#parts.desk.isHolding) {
      this.#parts.desk.release();
      return;
    }
    this.#parts.ordering.tokenWanted();
    this.#parts.link.hurried();
  }

  #foreign(): void {
    this.#counters[RingCounter.ForeignRing]++;
    this.#parts.merging.foreignHeard();
  }

  #controlArrived(header: RingHeader, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const body = this.#inbox.accept(header, bytes, offset, lengthBytes);
    if (body === null) return;
    const { options, nodeCount } = this.#parts.context;
    const reader = this.#reader;
    if (body !== undefined) reader.open(body.bytes, body.offset, body.lengthBytes);
    if (body === undefined || !reader.equals(options.clusterHash)) {
      this.#counters[reader.ok && body !== undefined ? RingCounter.ForeignCluster : RingCounter.Malformed]++;
      return;
    }
    const from = nodeIndex(header.relay);
    if (this.#parts.incarnations.isStale(from, header.incarnation)) {
      this.#parts.incarnations.staleHeard(from);
      this.#parts.refusals.staleHeard(from, header.incarnation);
      return;
    }
    this.#parts.incarnations.learn(from, header.incarnation);
    if (!this.#controlRead(header, body, nodeCount)) this.#counters[RingCounter.Malformed]++;
  }

  /** @returns false for a body that is malformed */
  #controlRead(header: RingHeader, body: ControlBody, nodeCount: number): boolean {
    switch (header.type) {
      case PacketType.Join:
        return this.#joinArrived(header);
      case PacketType.Commit:
        return this.#commitArrived(header);
      case PacketType.IncarnationRefused:
        return this.#parts.refusals.arrived(header.relay, this.#reader);
      default:
        return this.#probeArrived(header, body, nodeCount);
    }
  }

  #joinArrived(header: RingHeader): boolean {
    const join = decodeJoin(this.#reader, this.#parts.context.nodeCount);
    if (join === null) return false;
    // JOINs that waited through a pause are out of date.
    if (this.#parts.pauses.isOn) this.#counters[RingCounter.Stale]++;
    else this.#parts.membership.joinArrived(nodeIndex(header.relay), incarnation(header.incarnation), join);
    return true;
  }

  #commitArrived(header: RingHeader): boolean {
    const commit = decodeCommit(this.#reader, this.#parts.context.nodeCount, this.#parts.size.capacity);
    if (commit === null) return false;
    this.#parts.membership.commitArrived(header, commit);
    return true;
  }

  #probeArrived(header: RingHeader, body: ControlBody, nodeCount: number): boolean {
    const probe = decodeProbe(this.#reader, nodeCount);
    if (probe === null) return false;
    if (header.type === PacketType.Probe) this.#parts.merging.probeArrived(header, probe, body);
    else if (header.type === PacketType.ProbeAck) this.#parts.merging.ackArrived(nodeIndex(header.origin), probe);
    else this.#parts.merging.mergeArrived(nodeIndex(header.origin), probe);
    return true;
  }
}
