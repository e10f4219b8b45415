/** Carries datagrams between virtual nodes, late, twice, in another order, or not at all. */
import type { EventQueue } from '../core/event-queue.ts';
import { type Random, randomFor } from '../core/random.ts';
import type { NetworkPlan } from '../scenario/scenario.ts';
import { matchesType, type PacketType, packetType } from './wire-view.ts';

/** What is wrong with some links for some time; see the `impair` fault for the fields. */
export interface Impairment {
  readonly from: number | null;
  readonly to: number | null;
  readonly only: PacketType | null;
  readonly aboveBytes?: number;
  readonly loss: number;
  readonly duplicate: number;
  readonly duplicateLateMs: number;
  readonly reorder: number;
  readonly reorderMs: number;
  readonly extraDelayMs: number;
}

/** The next `left` packets that match are lost. */
export interface DropOrder {
  readonly only: PacketType;
  readonly from: number | null;
  left: number;
}

const IN_FLIGHT_SURVIVAL = 0.5;

export class VirtualNetwork {
  readonly #nodeCount: number;
  readonly #plan: NetworkPlan;
  readonly #events: EventQueue;
  readonly #deliver: (to: number, bytes: Uint8Array) => void;
  readonly #segmentOf: readonly number[];
  /** Per directed link `from * nodeCount + to`: how many faults cut it now, when it is free, when its last datagram arrives. */
  readonly #cuts: Int32Array;
  readonly #mtuBytes: Int32Array;
  readonly #freeAtMs: Float64Array;
  readonly #lastArrivalMs: Float64Array;
  readonly #random: readonly Random[];
  readonly #impairments = new Set<Impairment>();
  readonly #drops = new Set<DropOrder>();
  readonly counts = { sent: 0, lost: 0, bytes: 0 };

  constructor(
    nodeCount: number,
    segmentOf: readonly number[],
    plan: NetworkPlan,
    seed: number,
    events: EventQueue,
    deliver: (to: number, bytes: Uint8Array) => void,
  ) {
    this.#nodeCount = nodeCount;
    this.#segmentOf = segmentOf;
    this.#plan = plan;
    this.#events = events;
    this.#deliver = deliver;
    const links = nodeCount * nodeCount;
    this.#cuts = new Int32Array(links);
    this.#mtuBytes = new Int32Array(links).fill(plan.mtuBytes);
    for (const { from, to, mtuBytes } of plan.narrowLinks ?? []) this.#mtuBytes[from * nodeCount + to] = mtuBytes;
    this.#freeAtMs = new Float64Array(links);
    this.#lastArrivalMs = new Float64Array(links);
    const streams = randomFor(seed, 'network');
    this.#random = Array.from({ length: links }, () => streams.fork());
  }

  /** Raises (+1) or lowers (-1) the number of faults that cut the link. */
  cut(from: number, to: number, change: 1 | -1): void {
    this.#cuts[from * this.#nodeCount + to]! += change;
  }

  isUp(from: number, to: number): boolean {
    return this.#cuts[from * this.#nodeCount + to] === 0;
  }

  impair(impairment: Impairment): void {
    this.#impairments.add(impairment);
  }

  repair(impairment: Impairment): void {
    this.#impairments.delete(impairment);
  }

  drop(order: DropOrder): void {
    this.#drops.add(order);
  }

  forgetDrops(): void {
    this.#drops.clear();
  }

  /** `bytes` is kept until it arrives: it must not change any more. */
  send(from: number, to: number, bytes: Uint8Array): void {
    const link = from * this.#nodeCount + to;
    const plan = this.#plan;
    this.counts.sent++;
    this.counts.bytes += bytes.length;
    if (this.#cuts[link] !== 0 || bytes.length > this.#mtuBytes[link]! || this.#isOrderedToDrop(from, bytes)) {
      this.counts.lost++;
      return;
    }
    const random = this.#random[link]!;
    const nowMs = this.#events.nowMs;
    const transmitMs = bytes.length / plan.bytesPerMs;
    const startMs = Math.max(nowMs, this.#freeAtMs[link]!);
    if ((startMs - nowMs) * plan.bytesPerMs > plan.queueBytes) {
      this.counts.lost++;
      return;
    }
    this.#freeAtMs[link] = startMs + transmitMs;
    const apart = this.#segmentOf[from] === this.#segmentOf[to] ? 0 : plan.segmentDelayMs;
    let arrivalMs = startMs + transmitMs + plan.delayMs + apart + random.exponential(plan.jitterMs);
    if (this.#impairments.size > 0) {
      let overtaken = false;
      const type = packetType(bytes);
      for (const fault of this.#impairments) {
        if (fault.from !== null && fault.from !== from) continue;
        if (fault.to !== null && fault.to !== to) continue;
        if (!matchesType(fault.only, type) || bytes.length <= (fault.aboveBytes ?? 0)) continue;
        if (random.chance(fault.loss)) {
          this.counts.lost++;
          return;
        }
        arrivalMs += fault.extraDelayMs;
        if (random.chance(fault.duplicate))
          this.#arrive(link, to, bytes, arrivalMs + random.real(0, fault.duplicateLateMs));
        if (random.chance(fault.reorder)) {
          overtaken = true;
          arrivalMs += random.real(0, fault.reorderMs);
        }
      }
      if (overtaken) {
        this.#arrive(link, to, bytes, arrivalMs);
        return;
      }
    }
    arrivalMs = Math.max(arrivalMs, this.#lastArrivalMs[link]!);
    this.#lastArrivalMs[link] = arrivalMs;
    this.#arrive(link, to, bytes, arrivalMs);
  }

  #arrive(link: number, to: number, bytes: Uint8Array, atMs: number): void {
    this.#events.at(atMs, () => {
      // Some datagrams in flight when a link is cut still arrive: they become packets of lost nodes.
      if (this.#cuts[link] === 0 || this.#random[link]!.chance(IN_FLIGHT_SURVIVAL)) this.#deliver(to, bytes);
      else this.counts.lost++;
    });
  }

  #isOrderedToDrop(from: number, bytes: Uint8Array): boolean {
    if (this.#drops.size === 0) return false;
    const type = packetType(bytes);
    for (const order of this.#drops) {
      if (!matchesType(order.only, type) || (order.from !== null && order.from !== from)) continue;
      if (--order.left <= 0) this.#drops.delete(order);
      return true;
    }
    return false;
  }
}
