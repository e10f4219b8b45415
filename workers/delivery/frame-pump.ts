/** Takes the bytes clients sent, has them scanned, and submits runs and requests to the ring agent. */

import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { readName } from '../../engine/wire/frame.ts';
import { describeFrameProblem, FrameScanner, ScanStatus } from '../../engine/wire/frame-scanner.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUPS_OFFSET,
  FRAME_HEADER_LENGTH,
} from '../../engine/wire/layout/frame-header.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { groupNameProblem } from '../../engine/wire/names.ts';
import { RECORD_SELF_DISCARD } from '../../engine/wire/record.ts';
import { JOIN_MESS, KILL_MESS, REGULAR_MESS, SELF_DISCARD } from '../../engine/wire/service.ts';
import { type AccessControl, NONE_FORBIDDEN } from './access-control.ts';
import type { ClientSession } from './client-session.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';
import type { MonitorRequests } from './monitor-requests.ts';
import type { RateLimits } from './rate-limits.ts';
import { rejectFrame } from './reject-frame.ts';
import type { SubmitPort } from './submit-port.ts';

/** Longest run of several frames. Small enough that one client does not fill the pipeline, large enough to amortise a record. */
const MAX_RUN_BYTES = 64 * 1024;

/** Of this worker. */
export type PumpSettings = Pick<DeliverySettings, 'maxSessionGroups' | 'rights'>;

export interface PumpEvents {
  /** The client asked to be disconnected, or broke the protocol (`reason` names field, value and limit). */
  endSession(session: ClientSession, reason: string, protocolError: boolean): void;
  /** The submit queue is full: `resume` this session when it has room. */
  stalled(session: ClientSession): void;
  markDirty(session: ClientSession): void;
}

export class FramePump {
  readonly #scanner = new FrameScanner(MAX_RUN_BYTES);
  readonly #port: SubmitPort;
  readonly #access: AccessControl;
  readonly #monitor: MonitorRequests;
  readonly #rates: RateLimits;
  readonly #counters: Float64Array;
  readonly #events: PumpEvents;
  readonly #settings: Live<PumpSettings>;

  constructor(
    port: SubmitPort,
    access: AccessControl,
    monitor: MonitorRequests,
    rates: RateLimits,
    counters: Float64Array,
    settings: Live<PumpSettings>,
    events: PumpEvents,
  ) {
    this.#port = port;
    this.#access = access;
    this.#monitor = monitor;
    this.#rates = rates;
    this.#counters = counters;
    this.#events = events;
    this.#settings = settings;
  }

  /**
   * Handles bytes just read into the worker's buffer. What must wait is kept with the session.
   * @returns whether the connection may be read further
   */
  read(session: ClientSession, bytes: Buffer, view: DataView, from: number, end: number): boolean {
    const input = session.input;
    let start = from;
    while (start < end && input.length > 0) {
      if (input.stalled) {
        input.append(bytes, start, end);
        return false;
      }
      start = this.#completeKept(session, bytes, start, end);
      if (session.state !== 'open') return false;
    }
    if (start < end && input.stalled) input.append(bytes, start, end);
    else if (start < end) {
      const done = this.#scan(session, bytes, view, start, end);
      if (session.state !== 'open') return false;
      if (done < end) input.append(bytes, done, end);
    }
    return !input.stalled;
  }

  /** Goes on where the submit queue was full. @returns whether everything kept is through but for an incomplete frame */
  resume(session: ClientSession): boolean {
    const input = session.input;
    input.stalled = false;
    if (input.length > 0) input.consume(this.#scan(session, input.bytes!, input.view!, input.start, input.end));
    return !input.stalled;
  }

  /** Fills the frame that is kept in part from the new bytes, and handles it when it is whole. @returns where to continue */
  #completeKept(session: ClientSession, bytes: Buffer, start: number, end: number): number {
    const input = session.input;
    let from = start;
    for (let needed = FRAME_HEADER_LENGTH; ; needed = this.#scanner.neededBytes) {
      const take = Math.min(Math.max(needed - input.length, 0), end - from);
      input.append(bytes, from, from + take);
      from += take;
      if (input.length < needed) return from;
      const done = this.#scan(session, input.bytes!, input.view!, input.start, input.end);
      if (session.state !== 'open') return end;
      input.consume(done);
      if (input.length === 0 || input.stalled) return from;
    }
  }

  /** Handles whole frames in `bytes[from, end)`. @returns where the first frame not handled starts */
  #scan(session: ClientSession, bytes: Buffer, view: DataView, from: number, end: number): number {
    const scanner = this.#scanner;
    const counters = this.#counters;
    const identity = session.identity!;
    const { isRated } = session;
    scanner.runBytes = MAX_RUN_BYTES;
    scanner.runFrames = Number.POSITIVE_INFINITY;
    let position = from;
    while (position < end) {
      if (isRated && !this.#rates.admits(session, scanner)) return this.#hold(session, position);
      const status = scanner.scan(view, position, end, identity);
      if (status === ScanStatus.Run) {
        if (!this.#run(session, bytes, view)) return this.#stall(session, position);
        counters[DeliveryCounter.FramesReceived]! += scanner.frameCount;
        session.receivedFrames += scanner.frameCount;
      } else if (status === ScanStatus.Request) {
        if (!this.#request(session, bytes, view)) return this.#stall(session, position);
        if (session.state !== 'open') return scanner.end;
      } else if (status === ScanStatus.Partial) {
        break;
      } else {
        this.#events.endSession(session, describeFrameProblem(scanner.problem, scanner.problemValue), true);
        return end;
      }
      counters[DeliveryCounter.BytesReceived]! += scanner.end - position;
      session.receivedBytes += scanner.end - position;
      if (isRated)
        this.#rates.spend(session, status === ScanStatus.Run ? scanner.frameCount : 1, scanner.end - position);
      position = scanner.end;
    }
    if (isRated && this.#rates.isDry(session)) return this.#hold(session, position);
    return position;
  }

  /** The session has used up its rate: nothing more is taken, or read, until there is some again. */
  #hold(session: ClientSession, position: number): number {
    session.input.stalled = true;
    this.#rates.hold(session);
    return position;
  }

  #stall(session: ClientSession, position: number): number {
    session.input.stalled = true;
    this.#counters[DeliveryCounter.SubmitStalls]!++;
    this.#events.stalled(session);
    return position;
  }

  /** Submits the run that was found, refuses it, or has it answered by the daemon. @returns false when the submit queue is full */
  #run(session: ClientSession, bytes: Buffer, view: DataView): boolean {
    const { type, frameCount, groupCount, targetHash, start, end } = this.#scanner;
    const monitor = this.#monitor;
    if (targetHash === monitor.hash && monitor.takes(session, bytes, view, start, end)) return true;
    const { rights } = this.#settings.current;
    if (rights !== null) {
      const access = this.#access;
      const forbidden = access.forbiddenTarget(session, rights, bytes, view, start, groupCount, targetHash);
      if (forbidden !== NONE_FORBIDDEN) {
        this.#refuseRun(session, bytes, view, forbidden);
        return true;
      }
    }
    const flags = (type & SELF_DISCARD) !== 0 ? RECORD_SELF_DISCARD : 0;
    if (!this.#port.run(session.handle, type & REGULAR_MESS, flags, frameCount, targetHash, bytes, start, end))
      return false;
    this.#counters[DeliveryCounter.RunsSubmitted]!++;
    return true;
  }

  /** Nothing of it is sent, whatever the other targets. Its client gets every message back. */
  #refuseRun(session: ClientSession, bytes: Buffer, view: DataView, forbidden: number): void {
    const { frameCount, groupCount, start } = this.#scanner;
    let frame = start;
    for (let i = 0; i < frameCount; i++) {
      const dataLength = view.getInt32(frame + FRAME_DATA_LENGTH_OFFSET, true);
      const next = frame + FRAME_HEADER_LENGTH + groupCount * NAME_FIELD_LENGTH + dataLength;
      session.output.addOwned(rejectFrame(bytes, view, frame, next, session.privateName, forbidden), 1);
      frame = next;
    }
    const field = start + FRAME_GROUPS_OFFSET + forbidden * NAME_FIELD_LENGTH;
    this.#access.refusedMessages(session, frameCount, bytes, field);
    this.#events.markDirty(session);
  }

  /** @returns false when the submit queue is full */
  #request(session: ClientSession, bytes: Buffer, view: DataView): boolean {
    const { type, start, end, groupCount } = this.#scanner;
    if ((type & KILL_MESS) !== 0) {
      this.#events.endSession(session, 'client asked to be disconnected', false);
      return true;
    }
    const group = groupCount > 0 ? readName(bytes, start + FRAME_HEADER_LENGTH) : '';
    const isJoin = (type & JOIN_MESS) !== 0;
    const { groups, handle, privateName } = session;
    if (groupNameProblem(group) !== null || (isJoin && !this.#admitsJoin(session, group, bytes, view))) {
      session.output.addOwned(rejectFrame(bytes, view, start, end, privateName), 1);
      this.#counters[DeliveryCounter.RequestsRejected]!++;
      this.#events.markDirty(session);
      return true;
    }
    if (!isJoin) {
      if (!this.#port.leave(handle, group, privateName)) return false;
      groups.delete(group);
      return true;
    }
    if (!this.#port.join(handle, group, privateName, session.wantsMembership)) return false;
    groups.add(group);
    return true;
  }

  /** Counts a refusal by its cause. @param group a name that is legal */
  #admitsJoin(session: ClientSession, group: string, bytes: Buffer, view: DataView): boolean {
    const { rights, maxSessionGroups } = this.#settings.current;
    if (rights !== null && !this.#access.admitsJoin(session, rights, bytes, view, this.#scanner.start)) return false;
    if (session.groups.size < maxSessionGroups || session.groups.has(group)) return true;
    this.#counters[DeliveryCounter.JoinsRefused]!++;
    return false;
  }
}
