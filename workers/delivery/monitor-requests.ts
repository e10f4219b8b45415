/**
 * Requests of clients for the daemon's state (client-protocol.md, 12). They are taken out of what a client sends, checked here, and answered
 * by the thread that started the daemon. A session has one request at a time, and answers go through its queue like all else it is sent.
 */
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { writeHeader, writeName } from '../../engine/wire/frame.ts';
import type { SessionHandle } from '../../engine/wire/ids.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUPS_OFFSET,
  FRAME_HEADER_LENGTH,
} from '../../engine/wire/layout/frame-header.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import {
  ANSWER_LAST_TYPE,
  ANSWER_PART_TYPE,
  MAX_ANSWER_PART_BYTES,
  MAX_MONITOR_REQUEST_BYTES,
  type MonitorRefusal,
  monitorName,
} from '../../engine/wire/monitor-name.ts';
import { canonicalName, hashNameWords, NAME_WORDS, nameWords, sameNameWords } from '../../engine/wire/name-hash.ts';
import { RELIABLE_MESS } from '../../engine/wire/service.ts';
import type { Log } from '../log.ts';
import { OnceAMinute } from '../once-a-minute.ts';
import type { StateAnswer, WatchReport } from '../watch/watch-messages.ts';
import type { ClientSession } from './client-session.ts';
import type { TransportPeer } from './client-transport.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';
import { rightsOf } from './session-rights.ts';

const HEAD = FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH;
/** What may wait for a session that follows a stream, before documents are left out. */
const MAX_STREAM_BYTES = 256 * 1024;
const MAX_ID = 2 ** 31 - 1;

export interface MonitorParts {
  readonly worker: number;
  readonly daemonName: string;
  /** By handle. */
  readonly sessions: ReadonlyMap<number, ClientSession>;
  readonly settings: Live<Pick<DeliverySettings, 'limits' | 'rights'>>;
  readonly counters: Float64Array;
  readonly logger: Log;
  readonly now: () => number;
  readonly report: (report: WatchReport) => void;
  /** Something is to be written to the session. */
  readonly markDirty: (session: ClientSession) => void;
}

interface Running {
  readonly id: number;
  /** Documents left out since the client was last told. */
  missed: number;
}

export class MonitorRequests {
  /** Of the name that requests are sent to. */
  readonly hash: number;
  readonly #parts: MonitorParts;
  readonly #name: string;
  readonly #words: Int32Array;
  readonly #scratch = new Int32Array(NAME_WORDS);
  readonly #field = new Uint8Array(NAME_FIELD_LENGTH);
  readonly #fieldView = new DataView(this.#field.buffer);
  readonly #running = new Map<SessionHandle, Running>();
  readonly #told = new OnceAMinute();

  constructor(parts: MonitorParts) {
    this.#parts = parts;
    this.#name = monitorName(parts.daemonName);
    this.#words = nameWords(this.#name);
    this.hash = hashNameWords(this.#words, 0);
  }

  /**
   * Takes a run of frames with one target, whose hash is `this.hash`.
   * @returns false when they are for somebody else, whose name has the same hash
   */
  takes(session: ClientSession, bytes: Buffer, view: DataView, start: number, end: number): boolean {
    canonicalName(view, start + FRAME_GROUPS_OFFSET, this.#scratch, 0);
    if (!sameNameWords(this.#scratch, 0, this.#words, 0)) return false;
    for (let frame = start; frame < end; ) {
      const length = view.getInt32(frame + FRAME_DATA_LENGTH_OFFSET, true);
      this.#request(session, bytes, frame + HEAD, length);
      frame += HEAD + length;
    }
    return true;
  }

  answer({ session: handle, id, text, isLast, mayBeMissed }: StateAnswer): void {
    const session = this.#parts.sessions.get(handle);
    const running = this.#running.get(handle);
    if (session === undefined || session.state !== 'open' || running?.id !== id) {
      if (running?.id === id || session === undefined) this.#running.delete(handle);
      if (!isLast) this.#parts.report({ kind: 'monitor-end', session: handle });
      return;
    }
    if (isLast) this.#running.delete(handle);
    if (mayBeMissed && session.output.queuedBytes > MAX_STREAM_BYTES) {
      running.missed++;
      return;
    }
    if (running.missed > 0) {
      this.#send(session, JSON.stringify({ id, kind: 'missed', data: { count: running.missed } }));
      running.missed = 0;
    }
    if (this.#send(session, text) || isLast) return;
    this.#running.delete(handle);
    this.#parts.report({ kind: 'monitor-end', session: handle });
  }

  #request(session: ClientSession, bytes: Buffer, offset: number, length: number): void {
    const { counters, worker, report } = this.#parts;
    counters[DeliveryCounter.MonitorRequests]!++;
    if (length > MAX_MONITOR_REQUEST_BYTES) {
      const reason = `the request has ${length} bytes; the limit is ${MAX_MONITOR_REQUEST_BYTES}`;
      this.#refuse(session, 0, 'bad-request', reason);
      return;
    }
    const body = parse(bytes.toString('utf8', offset, offset + length));
    const id = body === null ? 0 : body['id'];
    if (body === null || typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id > MAX_ID) {
      this.#refuse(session, 0, 'bad-request', `a request is an object of JSON with an id of 1 to ${MAX_ID}`);
      return;
    }
    const { handle, privateName } = session;
    if (body['ask'] === 'end') {
      if (!this.#running.delete(handle)) return;
      report({ kind: 'monitor-end', session: handle });
      return;
    }
    const forbidden = this.#whyNot(session, body);
    if (forbidden !== null) {
      this.#refuse(session, id, 'not-allowed', forbidden);
      return;
    }
    const running = this.#running.get(handle);
    if (running !== undefined) {
      this.#refuse(session, id, 'busy', `request ${running.id} of this session is not done; "end" ends it`);
      return;
    }
    this.#running.set(handle, { id, missed: 0 });
    report({ kind: 'monitor-request', worker, session: handle, client: privateName, id, body });
  }

  /** Null: the client may ask for it. */
  #whyNot(session: ClientSession, body: Readonly<Record<string, unknown>>): string | null {
    const { rights } = this.#parts.settings.current;
    const { peer } = session.transport;
    if (rights === null) {
      if (peer.isWeb === true) return 'without an AccessFile no page in a browser may ask';
      return isOfThisMachine(peer) ? null : 'without an AccessFile only clients of this machine may ask';
    }
    const own = rightsOf(session, rights);
    const group = typeof body['group'] === 'string' ? body['group'].slice(0, NAME_FIELD_LENGTH) : '';
    if (!own.mayAdminister(group))
      return group === ''
        ? 'AccessFile does not allow admin of the daemon'
        : `AccessFile does not allow admin ${group}`;
    if (body['data'] !== true) return null;
    writeName(this.#field, 0, group);
    const mayRead = own.mayJoin(this.#field, this.#fieldView, 0);
    return mayRead ? null : `AccessFile does not allow join ${group}, which contents need`;
  }

  #refuse(session: ClientSession, id: number, code: MonitorRefusal, reason: string): void {
    const { counters, logger, now } = this.#parts;
    counters[DeliveryCounter.MonitorRefused]!++;
    this.#send(session, JSON.stringify({ id, kind: 'error', done: true, data: { code, reason } }));
    const { handle, privateName, transport, user } = session;
    if (!this.#told.allows(`${handle} ${code}`, now())) return;
    const fields = { session: privateName, peer: transport.peer.label, user, code, reason };
    logger.warn(fields, "a client's request for the daemon's state was refused");
  }

  /** @returns false when the document is too long for the session's queue, which the client is told in its place */
  #send(session: ClientSession, text: string): boolean {
    const { output } = session;
    const bytes = Buffer.from(text);
    const { maxSessionBytes } = this.#parts.settings.current.limits;
    const room = maxSessionBytes - output.limitedBytes();
    const frames = Math.max(1, Math.ceil(bytes.length / MAX_ANSWER_PART_BYTES));
    const fits = bytes.length + frames * HEAD <= room;
    if (fits) for (let part = 0; part < frames; part++) this.#sendPart(session, bytes, part, part + 1 === frames);
    else {
      const { id } = JSON.parse(text) as { readonly id: number };
      const reason = `the answer has ${bytes.length} bytes, and MaxSessionBytes leaves ${Math.max(0, room)} for this session`;
      const error = Buffer.from(JSON.stringify({ id, kind: 'error', done: true, data: { code: 'too-long', reason } }));
      this.#parts.counters[DeliveryCounter.MonitorRefused]!++;
      // A client that asks and does not read fills no more than its queue.
      if (error.length + HEAD <= room) this.#sendPart(session, error, 0, true);
    }
    this.#parts.markDirty(session);
    return fits;
  }

  #sendPart(session: ClientSession, document: Buffer, part: number, isLast: boolean): void {
    const from = part * MAX_ANSWER_PART_BYTES;
    const data = document.subarray(from, from + MAX_ANSWER_PART_BYTES);
    const frame = Buffer.alloc(HEAD + data.length);
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    const type = isLast ? ANSWER_LAST_TYPE : ANSWER_PART_TYPE;
    writeHeader(frame, view, 0, RELIABLE_MESS, this.#name, 1, type, data.length);
    writeName(frame, FRAME_GROUPS_OFFSET, session.privateName);
    data.copy(frame, HEAD);
    session.output.addOwned(frame, 1);
  }
}

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}

/** Connected over the Unix socket or a loopback address. */
const isOfThisMachine = ({ address }: TransportPeer): boolean =>
  address === undefined || address === '::1' || /^(?:::ffff:)?127\./.test(address);
