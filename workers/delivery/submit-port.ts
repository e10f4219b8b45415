/** The delivery worker's end of its two queues to the ring agent: ordered records, and requests that are not ordered. */

import { SpscQueueProducer, writeRecordHeader } from '../../engine/buffers/spsc-queue.ts';
import { writeName } from '../../engine/wire/frame.ts';
import type { SessionHandle } from '../../engine/wire/ids.ts';
import {
  DISCONNECT_RECORD_LENGTH,
  DISCONNECT_RECORD_MEMBER_OFFSET,
} from '../../engine/wire/layout/disconnect-record.ts';
import {
  JOIN_RECORD_FLAGS_OFFSET,
  JOIN_RECORD_GROUP_OFFSET,
  JOIN_RECORD_LENGTH,
  JOIN_RECORD_MEMBER_OFFSET,
} from '../../engine/wire/layout/join-record.ts';
import { RECORD_HEADER_LENGTH } from '../../engine/wire/layout/record-header.ts';
import {
  REGISTER_RECORD_LENGTH,
  REGISTER_RECORD_NAME_OFFSET,
  REGISTER_RECORD_TAKES_OFFSET,
} from '../../engine/wire/layout/register-record.ts';
import { RECORD_FIRST, RECORD_LAST, RecordKind } from '../../engine/wire/record.ts';
import { AGREED_MESS } from '../../engine/wire/service.ts';

const WHOLE = RECORD_FIRST | RECORD_LAST;

export class SubmitPort {
  readonly #ordered: SpscQueueProducer;
  readonly #requests: SpscQueueProducer;

  constructor(ordered: SharedArrayBuffer, requests: SharedArrayBuffer) {
    this.#ordered = new SpscQueueProducer(ordered);
    this.#requests = new SpscQueueProducer(requests);
  }

  /** Copies the frames `bytes[start, end)` into the queue as one run. @returns false when the queue is full */
  run(
    session: SessionHandle,
    service: number,
    flags: number,
    frameCount: number,
    targetHash: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const queue = this.#ordered;
    const at = queue.claim(RECORD_HEADER_LENGTH + end - start);
    if (at === -1) return false;
    writeRecordHeader(queue.view, at, RecordKind.Run, service, WHOLE | flags, session, frameCount, targetHash);
    queue.bytes.set(bytes.subarray(start, end), at + RECORD_HEADER_LENGTH);
    return true;
  }

  join(session: SessionHandle, group: string, member: string, wantsMembership: boolean): boolean {
    return this.#membership(RecordKind.Join, session, group, member, wantsMembership);
  }

  leave(session: SessionHandle, group: string, member: string): boolean {
    return this.#membership(RecordKind.Leave, session, group, member, false);
  }

  /** The connection ended; ordered behind everything it sent. */
  disconnect(session: SessionHandle, member: string): boolean {
    const queue = this.#ordered;
    const at = queue.claim(DISCONNECT_RECORD_LENGTH);
    if (at === -1) return false;
    writeRecordHeader(queue.view, at, RecordKind.Disconnect, AGREED_MESS, WHOLE, session, 0, 0);
    writeName(queue.bytes, at + DISCONNECT_RECORD_MEMBER_OFFSET, member);
    return true;
  }

  /** Asks the ring agent whether the name is free; the answer comes through the ordered log. */
  checkName(session: SessionHandle, member: string): boolean {
    return this.#request(RecordKind.Register, session, member, false);
  }

  /** Asks the ring agent for the name; the answer comes through the ordered log. */
  register(session: SessionHandle, member: string): boolean {
    return this.#request(RecordKind.Register, session, member, true);
  }

  /** A registered connection ended before it became a session. */
  unregister(session: SessionHandle, member: string): boolean {
    return this.#request(RecordKind.Unregister, session, member, false);
  }

  /** Bytes that wait for the ring agent in the order of messages. */
  queuedBytes(): number {
    return this.#ordered.usedBytes();
  }

  /** Whether the ring agent has taken everything. */
  isEmpty(): boolean {
    return this.#ordered.usedBytes() === 0 && this.#requests.usedBytes() === 0;
  }

  /** Makes what was written visible to the ring agent. @returns whether there was anything */
  publish(): boolean {
    const requests = this.#requests.publish();
    return this.#ordered.publish() || requests;
  }

  #membership(kind: RecordKind, session: SessionHandle, group: string, member: string, wants: boolean): boolean {
    const queue = this.#ordered;
    const at = queue.claim(JOIN_RECORD_LENGTH);
    if (at === -1) return false;
    writeRecordHeader(queue.view, at, kind, AGREED_MESS, WHOLE, session, 0, 0);
    writeName(queue.bytes, at + JOIN_RECORD_GROUP_OFFSET, group);
    writeName(queue.bytes, at + JOIN_RECORD_MEMBER_OFFSET, member);
    queue.bytes[at + JOIN_RECORD_FLAGS_OFFSET] = wants ? 1 : 0;
    return true;
  }

  #request(kind: RecordKind, session: SessionHandle, member: string, takes: boolean): boolean {
    const queue = this.#requests;
    const at = queue.claim(REGISTER_RECORD_LENGTH);
    if (at === -1) return false;
    writeRecordHeader(queue.view, at, kind, AGREED_MESS, WHOLE, session, 0, 0);
    writeName(queue.bytes, at + REGISTER_RECORD_NAME_OFFSET, member);
    queue.bytes[at + REGISTER_RECORD_TAKES_OFFSET] = takes ? 1 : 0;
    return true;
  }
}
