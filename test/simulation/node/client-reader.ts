/**
 * What a client program makes of the bytes of its socket: framing and decoding are the client library's own. The payload of every message
 * must be what its sender put there.
 */

import { FrameCursor } from '../../../client/receive/frame-cursor.ts';
import { type ControlFrames, FrameScan } from '../../../client/receive/frame-scan.ts';
import { viewOf } from '../../../client/receive/receive-buffer.ts';
import type { ViewId } from '../../../engine/wire/membership-decode.ts';
import type { ClientEvent, GroupId } from '../trace/trace.ts';
import { PASSING_MARKS } from './forged-records.ts';
import { isPayloadOf, markOfFrame, serviceOf } from './records.ts';

const NOTHING = Buffer.alloc(0);
const NO_CONTROL: ControlFrames = { controlFrame: () => {} };

const groupIdOf = (id: ViewId): GroupId => ({ leader: id.memberId, time: id.time, index: id.index });

export class ClientReader {
  readonly #scan = new FrameScan();
  readonly #cursor: FrameCursor;
  readonly #positionOfNext: () => number;
  readonly #got: (event: ClientEvent) => void;
  readonly #checksPayload: boolean;
  /** A frame that is cut by the end of what was read. */
  #rest = NOTHING;

  /**
   * @param positionOfNext called once for each frame: its place in the trace of the daemon
   * @param checksPayload false where somebody forges messages
   */
  constructor(member: string, positionOfNext: () => number, got: (event: ClientEvent) => void, checksPayload: boolean) {
    this.#checksPayload = checksPayload;
    this.#cursor = new FrameCursor(member);
    this.#positionOfNext = positionOfNext;
    this.#got = got;
  }

  /** Throws when the bytes are no frames, or a frame is damaged. */
  read(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const view = viewOf(bytes);
    const scan = this.#scan;
    scan.scan(bytes, view, 0, bytes.length, NO_CONTROL);
    const cursor = this.#cursor;
    cursor.reset(bytes, view, 0, scan.end, scan.frameCount);
    while (cursor.next()) {
      const position = this.#positionOfNext();
      const event = cursor.kind === 'message' ? this.#message(position) : this.#membership(position);
      if (event !== null) this.#got(event);
    }
    this.#rest = scan.end === bytes.length ? NOTHING : bytes.subarray(scan.end);
  }

  #message(position: number): ClientEvent | null {
    const cursor = this.#cursor;
    const { bytes, sender, dataOffset, dataLength } = cursor;
    // A notice of the daemon's own that messages were dropped.
    if (sender.startsWith('#!')) return null;
    const message = markOfFrame(bytes, cursor.frameOffset);
    if (message >= PASSING_MARKS) return null;
    if (this.#checksPayload && !isPayloadOf(message, bytes, dataOffset, dataLength))
      throw new Error(`message ${message} reached a client with ${dataLength} bytes that are not its own`);
    const groups: string[] = [];
    for (let i = 0; i < cursor.groupCount; i++) groups.push(cursor.group(i));
    return { kind: 'message', multicast: message, sender, groups, service: serviceOf(cursor.serviceBits), position };
  }

  #membership(position: number): ClientEvent {
    const event = this.#cursor.event();
    switch (event.kind) {
      case 'selfLeave':
        return { kind: 'self-leave', group: event.group, position };
      case 'transition':
        return { kind: 'transition', group: event.group, id: groupIdOf(event.viewId), position };
      case 'membership': {
        const { group, cause, members, vsSets, ownVsSet } = event;
        return {
          kind: 'view',
          group,
          id: groupIdOf(event.viewId),
          cause,
          members,
          sets: vsSets,
          ownSet: ownVsSet,
          position,
        };
      }
      default:
        throw new Error(`a client got a ${event.kind}`);
    }
  }
}
