/** The delivery worker's end of its two rings to the ring agent: ordered records, and requests that are not ordered. */
import { SpscRingProducer, writeRecordHeader } from '../../engine/buffers/spsc-ring.ts';
import { writeName } from '../../engine/wire/frame.ts';
import type { SessionHandle } from '../../engine/wire/ids.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { RECORD_FIRST, RECORD_HEADER_LENGTH, RECORD_LAST, RecordKind } from '../../engine/wire/record.ts';
import { AGREED_MESS } from '../../engine/wire/service.ts';

const WHOLE = RECORD_FIRST | RECORD_LAST;

export class SubmitPort {
  readonly #ordered: SpscRingProducer;
  readonly #requests: SpscRingProducer;

  constructor(ordered: SharedArrayBuffer, requests: SharedArrayBuffer) {
    this.#ordered = new SpscRingProducer(ordered);
    this.#requests = new SpscRingProducer(requests);
  }

  /** Copies the frames `bytes[start, end)` into the ring as one run. @returns false when the ring is full */
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
    const ring = this.#ordered;
    const at = ring.claim(RECORD_HEADER_LENGTH + end - start);
    if (at === -1) return false;
    writeRecordHeader(ring.view, at, RecordKind.Run, service, WHOLE | flags, session, frameCount, targetHash);
    ring.bytes.set(bytes.subarray(start, end), at + RECORD_HEADER_LENGTH);
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
    const ring = this.#ordered;
    const at = ring.claim(RECORD_HEADER_LENGTH + NAME_FIELD_LENGTH);
    if (at === -1) return false;
    writeRecordHeader(ring.view, at, RecordKind.Disconnect, AGREED_MESS, WHOLE, session, 0, 0);
    writeName(ring.bytes, at + RECORD_HEADER_LENGTH, member);
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
    const ring = this.#ordered;
    const at = ring.claim(RECORD_HEADER_LENGTH + 2 * NAME_FIELD_LENGTH + 1);
    if (at === -1) return false;
    writeRecordHeader(ring.view, at, kind, AGREED_MESS, WHOLE, session, 0, 0);
    const body = at + RECORD_HEADER_LENGTH;
    writeName(ring.bytes, body, group);
    writeName(ring.bytes, body + NAME_FIELD_LENGTH, member);
    ring.bytes[body + 2 * NAME_FIELD_LENGTH] = wants ? 1 : 0;
    return true;
  }

  #request(kind: RecordKind, session: SessionHandle, member: string, takes: boolean): boolean {
    const ring = this.#requests;
    const at = ring.claim(RECORD_HEADER_LENGTH + NAME_FIELD_LENGTH + 1);
    if (at === -1) return false;
    writeRecordHeader(ring.view, at, kind, AGREED_MESS, WHOLE, session, 0, 0);
    writeName(ring.bytes, at + RECORD_HEADER_LENGTH, member);
    ring.bytes[at + RECORD_HEADER_LENGTH + NAME_FIELD_LENGTH] = takes ? 1 : 0;
    return true;
  }
}
