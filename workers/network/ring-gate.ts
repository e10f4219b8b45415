/**
 * Looks at the header of every datagram of the ring before it goes to the ring agent. Here, where the sender's address is known,
 * daemons with another version or configuration are recognised and named in the log, and an operator's partition takes effect.
 *
 * Nothing here is authenticated: the ring agent opens seals. What a forged header can cause is a warning, once a minute.
 */

import { NetworkCounter } from '../../engine/buffers/counters.ts';
import type { SealRefusal } from '../../engine/seal/seal-trailer.ts';
import { CRC_TRAILER_LENGTH } from '../../engine/wire/layout/crc-trailer.ts';
import {
  RING_HEADER_CLUSTER_OFFSET,
  RING_HEADER_INCARNATION_OFFSET,
  RING_HEADER_LENGTH,
  RING_HEADER_LENGTH_OFFSET,
  RING_HEADER_TRANSMITTER_OFFSET,
} from '../../engine/wire/layout/ring-header.ts';
import { SEAL_TRAILER_LENGTH } from '../../engine/wire/layout/seal-trailer.ts';
import { readI32, readU16, U48_HIGH } from '../../engine/wire/ring-bytes.ts';
import { isUnderstoodVersion, RING_WIRE_VERSION, wireVersionOf } from '../../engine/wire/ring-version.ts';
import type { Log } from '../log.ts';
import { OnceAMinute } from '../once-a-minute.ts';
import { SealWatch } from './seal-watch.ts';

/** No incarnation has these high bits. */
const UNHEARD = -1;
/** Datagrams of an ended incarnation may arrive this long after the first of the next one. */
const SUCCESSION_MS = 2000;

export interface Sender {
  readonly address: string;
  readonly port: number;
}

export interface GateOptions {
  readonly self: number;
  readonly daemonNames: readonly string[];
  readonly incarnation: number;
  /** Cluster and configuration, folded as headers have it. */
  readonly cluster: number;
  /** Whether this daemon seals its traffic. */
  readonly sealed: boolean;
}

export interface GateLinks {
  readonly counters: Float64Array;
  readonly logger: Log;
  readonly now: () => number;
  /** Sends a bare header, so that a daemon we cannot understand says so in its own log too. */
  readonly introduce: (to: Sender) => void;
}

/** What was heard of one daemon. */
interface Peer {
  readonly sender: Sender;
  /** The previous incarnation, which may still run. */
  readonly earlierIncarnation: string;
  readonly changedAtMs: number;
}

/** Fields and text of a line in the log, built when it is said. */

export class RingGate {
  readonly #options: GateOptions;
  readonly #links: GateLinks;
  readonly #cluster: number;
  /** Bytes a trailer has where traffic is protected in the other way than here. */
  readonly #otherTrailerBytes: number;
  /** Incarnation of each daemon as last heard: its 32 low and its 16 high bits, so that no datagram makes a number off the heap. */
  readonly #incarnationLow: Int32Array;
  readonly #incarnationHigh: Int32Array;
  /** 1: an operator's partition keeps this daemon out. */
  readonly #blocked: Uint8Array;
  readonly #peers: (Peer | null)[];
  readonly #warnings = new OnceAMinute();
  readonly #seals = new SealWatch();

  constructor(options: GateOptions, links: GateLinks) {
    this.#options = options;
    this.#links = links;
    const count = options.daemonNames.length;
    this.#cluster = options.cluster | 0;
    this.#otherTrailerBytes = options.sealed ? CRC_TRAILER_LENGTH : SEAL_TRAILER_LENGTH;
    this.#incarnationLow = new Int32Array(count);
    this.#incarnationHigh = new Int32Array(count).fill(UNHEARD);
    this.#incarnationLow[options.self] = options.incarnation | 0;
    this.#incarnationHigh[options.self] = Math.floor(options.incarnation / 2 ** 32);
    this.#blocked = new Uint8Array(count);
    this.#peers = options.daemonNames.map(() => null);
  }

  /** Whether `datagram`, which begins with the ring's magic, goes to the ring agent. */
  admits(datagram: Buffer, sender: Sender): boolean {
    // The ring agent counts what is malformed.
    if (datagram.length < RING_HEADER_LENGTH) return true;
    const version = wireVersionOf(datagram, 0, datagram.length);
    if (!isUnderstoodVersion(version)) return this.#otherVersion(version, sender);
    if (readI32(datagram, RING_HEADER_CLUSTER_OFFSET) !== this.#cluster) return this.#otherConfiguration(sender);
    if (datagram.length - readU16(datagram, RING_HEADER_LENGTH_OFFSET) === this.#otherTrailerBytes)
      return this.#otherSeal(sender);
    const transmitter = readU16(datagram, RING_HEADER_TRANSMITTER_OFFSET);
    if (this.#blocked[transmitter] === 1) {
      this.#links.counters[NetworkCounter.PartitionDropped]!++;
      return false;
    }
    const low = readI32(datagram, RING_HEADER_INCARNATION_OFFSET);
    const high = readU16(datagram, RING_HEADER_INCARNATION_OFFSET + U48_HIGH);
    if (this.#incarnationLow[transmitter] !== low || this.#incarnationHigh[transmitter] !== high)
      this.#otherIncarnation(transmitter, low, high, sender);
    return true;
  }

  /** @param components of the network by daemon; @returns whether that keeps any daemon out */
  partition(components: readonly number[]): boolean {
    const own = components[this.#options.self];
    for (const [node, component] of components.entries()) this.#blocked[node] = component === own ? 0 : 1;
    return this.#blocked.includes(1);
  }

  heal(): void {
    this.#blocked.fill(0);
  }

  /**
   * The ring agent did not believe the seal of datagrams that name daemon `node` as their transmitter.
   * @param refusals so far for this cause
   */
  sealsRefused(cause: SealRefusal, refusals: number, node: number): void {
    const text = this.#seals.look(cause, refusals, this.#links.now());
    if (text === null) return;
    const peerName = this.#options.daemonNames[node] ?? null;
    const sender = this.#peers[node]?.sender;
    const peer = sender === undefined ? null : label(sender);
    if (this.#isDue(`seal ${cause} ${peerName}`, peer)) this.#links.logger.warn({ peer, peerName, refusals }, text);
  }

  #otherVersion(version: number, sender: Sender): boolean {
    this.#links.counters[NetworkCounter.OtherVersion]!++;
    const peer = label(sender);
    if (!this.#isDue('version', peer)) return false;
    this.#links.logger.warn(
      { peer, version, ourVersion: RING_WIRE_VERSION },
      'a daemon with another version of the protocol between daemons is ignored: run the same release on all daemons of the cluster',
    );
    this.#links.introduce(sender);
    return false;
  }

  #otherConfiguration(sender: Sender): boolean {
    this.#links.counters[NetworkCounter.OtherConfiguration]!++;
    const peer = label(sender);
    if (!this.#isDue('configuration', peer)) return false;
    this.#links.logger.warn(
      { peer },
      'a daemon with another configuration is ignored: segments, daemons with their addresses and order, and AcceleratedRing must be the same in its file and in ours; correct the wrong one and restart its daemon',
    );
    this.#links.introduce(sender);
    return false;
  }

  #otherSeal(sender: Sender): boolean {
    this.#links.counters[NetworkCounter.OtherSeal]!++;
    const peer = label(sender);
    if (!this.#isDue('sealing', peer)) return false;
    this.#links.logger.warn(
      { peer, sealedHere: this.#options.sealed },
      this.#options.sealed
        ? 'a daemon that does not seal its traffic is ignored: set ClusterKeyFile there too, and restart it'
        : 'a daemon that seals its traffic is ignored: set ClusterKeyFile here too, and restart this daemon',
    );
    return false;
  }

  /** A daemon was started anew, or there are two of them. */
  #otherIncarnation(node: number, low: number, high: number, sender: Sender): void {
    const nowMs = this.#links.now();
    if (node === this.#options.self) {
      this.#conflict(node, 'this daemon', sender);
      return;
    }
    const peer = this.#peers[node];
    if (peer === undefined) return;
    const earlierIncarnation = `${this.#incarnationHigh[node]} ${this.#incarnationLow[node]}`;
    this.#incarnationLow[node] = low;
    this.#incarnationHigh[node] = high;
    if (peer === null) {
      this.#peers[node] = { sender, earlierIncarnation, changedAtMs: nowMs };
      return;
    }
    const isBack = `${high} ${low}` === peer.earlierIncarnation;
    if (isBack && nowMs - peer.changedAtMs > SUCCESSION_MS) this.#conflict(node, label(peer.sender), sender);
    // Two that send in turn keep the time of the first change.
    this.#peers[node] = { sender, earlierIncarnation, changedAtMs: isBack ? peer.changedAtMs : nowMs };
  }

  #conflict(node: number, otherPeer: string, sender: Sender): void {
    this.#links.counters[NetworkCounter.IdentityConflicts]!++;
    const peer = label(sender);
    if (!this.#isDue('identity', peer)) return;
    this.#links.logger.error(
      { peer, peerName: this.#options.daemonNames[node] ?? null, otherPeer },
      'two daemons run as the same entry of the configuration, so one of them is excluded: give each a name (-n) and an address of its own, and stop one of them',
    );
  }

  /** At most once a minute for each kind and peer. */
  #isDue(kind: string, peer: string | null): boolean {
    return this.#warnings.allows(`${kind} ${peer}`, this.#links.now());
  }
}

const label = ({ address, port }: Sender): string => `${address}:${port}`;
