/**
 * What sessions send. It is scanned and submitted where it was read; what has to wait, because the submit queue is full or clients are
 * blocked, is kept with its session, which is not read meanwhile.
 */
import type { DoorbellRinger } from '../../engine/buffers/doorbell.ts';
import type { AccessControl } from './access-control.ts';
import type { ClientSession } from './client-session.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import { FramePump } from './frame-pump.ts';
import { InputBudget } from './input-budget.ts';
import type { Live } from './live.ts';
import type { MonitorRequests } from './monitor-requests.ts';
import { RateLimits } from './rate-limits.ts';
import type { ReadBuffer } from './read-buffers.ts';
import type { SubmitPort } from './submit-port.ts';

export interface IntakeEvents {
  /** The client asked to be disconnected, or broke the protocol (`reason` names field, value and limit). */
  refused(session: ClientSession, reason: string, protocolError: boolean): void;
  /** Too much is kept for all sessions, and the frame of this one stayed incomplete. */
  incomplete(session: ClientSession, keptBytes: number): void;
  /** It was held to its rate for too long. */
  overRate(session: ClientSession, heldMs: number): void;
  /** All that the client sent before its end is submitted. */
  inputEnded(session: ClientSession): void;
  /** Something is to be written to it. */
  markDirty(session: ClientSession): void;
  /** There is work for the next duty cycle. */
  schedule(): void;
}

export interface IntakeSurroundings {
  readonly sessions: ReadonlyMap<number, ClientSession>;
  readonly port: SubmitPort;
  readonly access: AccessControl;
  readonly monitor: MonitorRequests;
  readonly ringDoorbell: DoorbellRinger;
  readonly counters: Float64Array;
  readonly now: () => number;
  /** Of the table of rates, and the clock that all workers share for it. */
  readonly rateTable: SharedArrayBuffer;
  readonly sharedNow: () => number;
}

export class Intake {
  readonly #port: SubmitPort;
  readonly #ringDoorbell: DoorbellRinger;
  readonly #pump: FramePump;
  readonly #budget: InputBudget;
  /** Of users and addresses. */
  readonly rates: RateLimits;
  readonly #events: IntakeEvents;
  /** Bytes wait in their inputs. */
  #stalled: ClientSession[] = [];
  #clientsBlocked = false;
  /** When the duty cycle began. */
  #nowMs = 0;

  constructor(
    settings: Live<Pick<DeliverySettings, 'maxInputBytes' | 'maxSessionGroups' | 'rights' | 'rates'>>,
    { sessions, port, access, monitor, ringDoorbell, counters, now, rateTable, sharedNow }: IntakeSurroundings,
    events: IntakeEvents,
  ) {
    this.#port = port;
    this.#ringDoorbell = ringDoorbell;
    this.#events = events;
    this.rates = new RateLimits(settings, rateTable, sessions, counters, sharedNow, {
      goOn: (session) => this.#goOn(session),
      end: (session, heldMs) => events.overRate(session, heldMs),
      isShortOfMemory: () => this.#budget.isHalfFull,
    });
    this.#pump = new FramePump(port, access, monitor, this.rates, counters, settings, {
      endSession: (session, reason, protocolError) => events.refused(session, reason, protocolError),
      stalled: (session) => this.#stalled.push(session),
      markDirty: (session) => events.markDirty(session),
    });
    this.#budget = new InputBudget(settings, sessions, counters, now, {
      isRingFull: () => this.#clientsBlocked || this.#stalled.length > 0,
      end: (session, keptBytes) => events.incomplete(session, keptBytes),
      inputEnded: (session) => events.inputEnded(session),
    });
  }

  /** A state exchange is under way. */
  get isBlocked(): boolean {
    return this.#clientsBlocked;
  }

  /** Whether all that was read is submitted, but for frames that are not whole. */
  get isIdle(): boolean {
    return this.#stalled.length === 0 && this.#budget.isIdle && this.rates.heldCount === 0;
  }

  /** Bytes of an open session. @returns whether it may be read further */
  read(session: ClientSession, { bytes, view }: ReadBuffer, lengthBytes: number): boolean {
    session.lastReceivedMs = this.#nowMs;
    if (this.#clientsBlocked) {
      session.input.append(bytes, 0, lengthBytes);
      this.#stall(session);
      this.#budget.changed(session);
      return false;
    }
    const readOn = this.#pump.read(session, bytes, view, 0, lengthBytes);
    if (this.#port.publish()) this.#ringDoorbell.ring();
    return this.#budget.changed(session) && readOn;
  }

  /** The session is open now; what came with the handshake is in its input. */
  opened(session: ClientSession): void {
    session.transport.readLong();
    if (session.input.length > 0) this.#stall(session);
    else if (!this.#budget.mayRead(session)) session.transport.pause();
  }

  /** The session is over: nothing of its input counts any more. */
  forget(session: ClientSession): void {
    this.#budget.forget(session);
  }

  /** A state exchange is under way (`blocked`), or over. */
  blockClients(blocked: boolean): void {
    this.#clientsBlocked = blocked;
    if (!blocked) this.#events.schedule();
  }

  /** Goes on with what had to wait. @returns how many sessions are through */
  resume(nowMs: number): number {
    this.#nowMs = nowMs;
    let work = this.#stalled.length === 0 || this.#clientsBlocked ? 0 : this.#resumeStalled();
    if (!this.#clientsBlocked) work += this.rates.poll();
    this.#budget.poll(nowMs);
    return work;
  }

  #resumeStalled(): number {
    const stalled = this.#stalled;
    this.#stalled = [];
    let work = 0;
    for (const session of stalled) {
      if (session.state === 'open' && this.#goOn(session)) work++;
    }
    return work;
  }

  /** Handles what waits in its input. @returns whether it is read again */
  #goOn(session: ClientSession): boolean {
    const isThrough = this.#pump.resume(session);
    this.#budget.changed(session);
    if (!isThrough || session.state !== 'open') return false;
    if (session.input.ended) this.#events.inputEnded(session);
    else if (this.#budget.mayRead(session)) session.transport.resume();
    return true;
  }

  /** Bytes wait in the session's input; they are handled from the duty cycle. */
  #stall(session: ClientSession): void {
    if (session.input.stalled) return;
    session.input.stalled = true;
    session.transport.pause();
    this.#stalled.push(session);
    this.#events.schedule();
  }
}
