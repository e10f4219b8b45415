/** Builds, seals and sends every datagram of one node. One buffer is reused; what the store holds stays as it is. */

import type { NodeContext } from '../host/node-context.ts';
import { FOR_ANY } from '../seal/seal-trailer.ts';
import { type NodeIndex, nodeIndex } from '../wire/ids.ts';
import { CONTROL_HEADER_LENGTH, CONTROL_NUMBER_OFFSET } from '../wire/layout/control-header.ts';
import { DATA_HEADER_LENGTH, DATA_ROUND_OFFSET, DATA_SEQUENCE_OFFSET } from '../wire/layout/data-packet.ts';
import { RING_HEADER_LENGTH } from '../wire/layout/ring-header.ts';
import { copyBytes, writeU16, writeU32, writeU48 } from '../wire/ring-bytes.ts';
import {
  FLAG_FORWARDED,
  NO_RING,
  PacketType,
  type RingHeader,
  RingHeaderWriter,
  type RingId,
  writeOrigin,
  writePart,
} from '../wire/ring-header.ts';
import { type Token, writeToken } from '../wire/ring-token.ts';
import type { PacketStore } from './packet-store.ts';

const MAX_PARTS = 255;
/** To every configured daemon but this one. */
export const TO_ALL = -1;

export class Emitter {
  readonly #context: NodeContext;
  readonly #header: RingHeaderWriter;
  readonly #buffer: Uint8Array;
  #controlMessages = 0;

  constructor(context: NodeContext) {
    const { options, sealer } = context;
    this.#context = context;
    this.#header = new RingHeaderWriter(options.self, options.incarnation, context.cluster);
    this.#buffer = new Uint8Array(Math.max(context.largestDatagramBytes, 2048) + sealer.trailerBytes);
  }

  /** Packet `seq` of `store`, new or again. `to` is one daemon or null for all members. */
  data(
    ring: RingId,
    store: PacketStore,
    seq: number,
    round: number,
    flags: number,
    to: NodeIndex | null,
    members: readonly NodeIndex[],
  ): void {
    const buffer = this.#buffer;
    const recordBytes = store.lengthOf(seq);
    const length = DATA_HEADER_LENGTH + recordBytes;
    this.#header.write(buffer, 0, PacketType.Data, flags, length, ring);
    writeOrigin(buffer, 0, store.originOf(seq));
    writeU48(buffer, DATA_SEQUENCE_OFFSET, seq);
    writeU16(buffer, DATA_ROUND_OFFSET, round & 0xffff);
    copyBytes(buffer, DATA_HEADER_LENGTH, store.bytes, store.offsetOf(seq), recordBytes);
    const sealed = this.#context.sealer.seal(buffer, 0, length, to ?? FOR_ANY);
    if (to === null) this.#context.host.sendToAll(buffer, 0, sealed, members);
    else this.#context.host.sendTo(to, buffer, 0, sealed);
  }

  token(ring: RingId, token: Token, to: NodeIndex): void {
    const length = writeToken(this.#buffer, 0, token);
    this.#header.write(this.#buffer, 0, PacketType.Token, 0, length, ring);
    this.#send(length, to);
  }

  /** HURRY and LEAVE: the header says it all. */
  bare(type: PacketType, ring: RingId, to: NodeIndex | typeof TO_ALL): void {
    this.#header.write(this.#buffer, 0, type, 0, RING_HEADER_LENGTH, ring);
    this.#send(RING_HEADER_LENGTH, to);
  }

  /** Likewise, to the members of a ring, the way data goes. */
  toMembers(type: PacketType, flags: number, ring: RingId, members: readonly NodeIndex[]): void {
    this.#header.write(this.#buffer, 0, type, flags, RING_HEADER_LENGTH, ring);
    this.#sendToMembers(RING_HEADER_LENGTH, members);
  }

  /** @param datagramBytes its whole length; what follows the header means nothing */
  sizeProbe(ring: RingId, datagramBytes: number, members: readonly NodeIndex[]): void {
    const length = datagramBytes - this.#context.sealer.trailerBytes;
    this.#header.write(this.#buffer, 0, PacketType.SizeProbe, 0, length, ring);
    this.#buffer.fill(0, RING_HEADER_LENGTH, length);
    this.#sendToMembers(length, members);
  }

  /**
   * A message of the membership, in as many datagrams as it needs.
   * @param again number of the same message, sent before: what was lost of it is filled in by this copy
   * @returns the message's number
   */
  control(
    type: PacketType,
    flags: number,
    ring: RingId,
    body: Uint8Array,
    lengthBytes: number,
    to: NodeIndex | typeof TO_ALL,
    origin: NodeIndex = this.#context.self,
    again: number | null = null,
  ): number {
    const room = this.#context.options.datagramBytes - CONTROL_HEADER_LENGTH - this.#context.sealer.trailerBytes;
    const parts = Math.max(1, Math.ceil(lengthBytes / room));
    const number = again ?? this.#controlMessages;
    if (again === null) this.#controlMessages = (this.#controlMessages + 1) >>> 0;
    if (parts > MAX_PARTS) return number;
    for (let part = 0; part < parts; part++) {
      const from = part * room;
      const partBytes = Math.min(room, lengthBytes - from);
      const length = CONTROL_HEADER_LENGTH + partBytes;
      this.#header.write(this.#buffer, 0, type, flags, length, ring);
      writeOrigin(this.#buffer, 0, origin);
      writePart(this.#buffer, 0, part, parts);
      writeU32(this.#buffer, CONTROL_NUMBER_OFFSET, number);
      copyBytes(this.#buffer, CONTROL_HEADER_LENGTH, body, from, partBytes);
      this.#send(length, to);
    }
    return number;
  }

  /** Hands a control message that this daemon got to `to`, in the name of its origin. */
  forward(header: RingHeader, ring: RingId, body: Uint8Array, lengthBytes: number, to: NodeIndex): void {
    this.control(header.type as PacketType, FLAG_FORWARDED, ring, body, lengthBytes, to, nodeIndex(header.origin));
  }

  /** To a daemon whose incarnation is to be proven, or to which this one proves itself. */
  greeting(body: Uint8Array, to: NodeIndex): void {
    const length = RING_HEADER_LENGTH + body.length;
    this.#header.write(this.#buffer, 0, PacketType.Greeting, 0, length, NO_RING);
    copyBytes(this.#buffer, RING_HEADER_LENGTH, body, 0, body.length);
    this.#send(length, to);
  }

  #sendToMembers(lengthBytes: number, members: readonly NodeIndex[]): void {
    const sealed = this.#context.sealer.seal(this.#buffer, 0, lengthBytes, FOR_ANY);
    this.#context.host.sendToAll(this.#buffer, 0, sealed, members);
  }

  #send(lengthBytes: number, to: NodeIndex | typeof TO_ALL): void {
    const { sealer, host } = this.#context;
    const sealed = sealer.seal(this.#buffer, 0, lengthBytes, to === TO_ALL ? FOR_ANY : to);
    if (to === TO_ALL) host.sendToAll(this.#buffer, 0, sealed, null);
    else host.sendTo(to as NodeIndex, this.#buffer, 0, sealed);
  }
}
