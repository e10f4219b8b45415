/**
 * The machine a daemon runs on: its socket, its processor, its clocks. It runs, is paused, or is down; what it persists
 * outlives a crash.
 */
import type { ClusterKey } from '../../../engine/config/cluster-keys.ts';
import { unstoredRingSeqFloor } from '../../../engine/ring/unstored-ring-seq.ts';
import type { EventQueue } from '../core/event-queue.ts';
import type { Random } from '../core/random.ts';
import type { DaemonProcess } from './daemon-process.ts';

/** 2027-01-15: virtual time zero on the wall. */
const WALL_START_SECONDS = 1_800_000_000;
const MAX_DRAWN_INCARNATION = 2 ** 30;
/** A node with more calls than this at one time is in an endless loop. */
const MAX_CALLS_AT_ONE_TIME = 100_000;

export class VirtualNode {
  readonly index: number;
  /** Number of the machine: `index`, and another one only for a second machine with that index. */
  readonly machine: number;
  readonly #events: EventQueue;
  readonly #random: Random;
  readonly #clockRate: number;
  readonly #socketBytes: number;
  /** Survives crashes: what 3.11 persists. */
  incarnation: number;
  ringSeqFloor = 0;
  wallStepSeconds = 0;
  /** The next incarnation has a lower number than the last. */
  isSetBack = false;
  /** Which of the scenario's configuration files it has. */
  configuration = 0;
  /** Steps of a key change done at this node. */
  keyStep = 0;
  process: DaemonProcess | null = null;
  paused = false;
  /** Time the processor takes for each datagram; 0 for none. */
  perPacketMs = 0;
  #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #busyUntilMs = 0;
  #workScheduled = false;
  /** When the next tick event is due; infinite when none is. */
  #armedMs = Number.POSITIVE_INFINITY;
  #bootMs = 0;
  #callsAtMs = -1;
  #calls = 0;

  constructor(
    index: number,
    events: EventQueue,
    random: Random,
    clockRate: number,
    socketBytes: number,
    machine = index,
  ) {
    this.index = index;
    this.machine = machine;
    this.#events = events;
    this.#random = random;
    this.#clockRate = clockRate;
    this.#socketBytes = socketBytes;
    this.incarnation = 1_000 + index;
  }

  get running(): boolean {
    return this.process !== null && !this.process.dead && !this.paused;
  }

  /** This machine's monotonic clock. */
  get localMs(): number {
    return (this.#events.nowMs - this.#bootMs) * this.#clockRate;
  }

  get wallSeconds(): number {
    return Math.floor(WALL_START_SECONDS + this.#events.nowMs / 1000) + this.wallStepSeconds;
  }

  /** A new incarnation knows nothing of the earlier ones: its numbers are drawn. */
  forgetState(random: Random): void {
    const highest = this.isSetBack ? this.incarnation - 2 : MAX_DRAWN_INCARNATION;
    this.isSetBack = false;
    this.incarnation = random.integer(1, Math.max(1, highest));
    this.ringSeqFloor = unstoredRingSeqFloor(this.wallSeconds, random.unit());
  }

  boot(process: DaemonProcess): void {
    this.process = process;
    this.paused = false;
    this.perPacketMs = 0;
    this.#inbox = [];
    this.#inboxBytes = 0;
    this.#busyUntilMs = 0;
    this.#bootMs = this.#events.nowMs;
    this.#armedMs = Number.POSITIVE_INFINITY;
    process.run((engine) => engine.start(this.localMs, this.wallSeconds));
    this.#arm();
  }

  /** The power is cut. */
  shutDown(): void {
    if (this.process !== null) this.process.dead = true;
    this.process = null;
    this.paused = false;
    this.#inbox = [];
    this.#inboxBytes = 0;
  }

  pause(): void {
    this.paused = true;
  }

  /** Resumes with a full socket and overdue timers, in random order. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (this.#random.chance(0.5)) this.#tick();
    this.#work();
    this.#arm();
  }

  receive(datagram: Uint8Array): void {
    if (this.process === null) return;
    if (this.running && this.#inbox.length === 0 && this.#events.nowMs >= this.#busyUntilMs && this.perPacketMs === 0) {
      this.#handle(datagram);
      this.#arm();
      return;
    }
    if (this.#inboxBytes + datagram.length > this.#socketBytes) return;
    this.#inbox.push(datagram);
    this.#inboxBytes += datagram.length;
    this.#work();
  }

  /** Records were put into the send queue, or the delivery log has room again. */
  wake(): void {
    if (!this.running) return;
    this.#call((process) => process.run((engine) => engine.wake(this.localMs)));
    this.#arm();
  }

  /** Its current action takes this long; until then it handles nothing. */
  work(forMs: number): void {
    if (forMs > 0) this.#busyUntilMs = Math.max(this.#busyUntilMs, this.#events.nowMs) + forMs;
  }

  /** The daemon is told to read its key file again. */
  reloadKeys(keys: readonly ClusterKey[]): void {
    this.process?.sealer?.setKeys(keys);
    if (this.process === null) return;
    this.#call((process) => process.run((engine) => engine.keysChanged(this.localMs)));
    this.#arm();
  }

  leave(): void {
    this.#call((process) => process.run((engine) => engine.leave(this.localMs)));
  }

  #handle(datagram: Uint8Array): void {
    this.#call((process) => {
      // What is sealed is decrypted in place, and others get the same bytes.
      const bytes = process.sealer === null ? datagram : datagram.slice();
      process.run((engine) => engine.receive(this.localMs, bytes, 0, bytes.length));
    });
  }

  /** Handles what waits in the socket as fast as the processor allows. */
  #work(): void {
    if (!this.running || this.#workScheduled) return;
    let at = 0;
    while (at < this.#inbox.length && this.#events.nowMs >= this.#busyUntilMs && this.running) {
      const datagram = this.#inbox[at++]!;
      this.#inboxBytes -= datagram.length;
      if (this.perPacketMs > 0) this.#busyUntilMs = this.#events.nowMs + this.perPacketMs;
      this.#handle(datagram);
    }
    this.#inbox.splice(0, at);
    this.#arm();
    if (this.#inbox.length === 0 || !this.running) return;
    this.#workScheduled = true;
    this.#events.at(this.#busyUntilMs, () => {
      this.#workScheduled = false;
      this.#work();
    });
  }

  #tick(): void {
    const process = this.process;
    if (process === null || !this.running) return;
    const deadlineMs = process.engine.nextDeadlineMs;
    // Turning virtual into local time and back may lose the last bit of a deadline.
    if (deadlineMs > this.localMs + 1e-6) return;
    const nowMs = Math.max(this.localMs, deadlineMs);
    this.#call(() => process.run((engine) => engine.tick(nowMs, this.wallSeconds)));
  }

  #arm(): void {
    const process = this.process;
    if (process === null || !this.running) return;
    const atMs = this.#bootMs + process.engine.nextDeadlineMs / this.#clockRate;
    if (!(atMs < this.#armedMs)) return;
    this.#armedMs = atMs;
    this.#events.at(atMs, () => {
      if (process !== this.process || this.#armedMs !== atMs) return;
      this.#armedMs = Number.POSITIVE_INFINITY;
      if (this.#events.nowMs < this.#busyUntilMs) {
        this.#events.at(this.#busyUntilMs, () => {
          this.#tick();
          this.#arm();
        });
        return;
      }
      this.#tick();
      this.#arm();
    });
  }

  #call(action: (process: DaemonProcess) => void): void {
    const process = this.process;
    if (process === null || process.dead) return;
    if (this.#callsAtMs !== this.#events.nowMs) {
      this.#callsAtMs = this.#events.nowMs;
      this.#calls = 0;
    }
    if (++this.#calls > MAX_CALLS_AT_ONE_TIME) {
      process.recorder.failed(`called ${this.#calls} times at ${this.#events.nowMs} ms: no progress`);
      process.dead = true;
      return;
    }
    action(process);
  }
}
