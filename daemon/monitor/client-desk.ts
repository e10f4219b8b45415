/**
 * Answers clients that ask for the daemon's state over the client port (client-protocol.md, 12), from the same place as those who ask over
 * HTTP. The delivery worker has checked the client's right, and that it has no other request.
 */
import type { SessionHandle } from '../../engine/wire/ids.ts';
import type { MonitorRefusal } from '../../engine/wire/monitor-name.ts';
import type { StateAnswer, StateRequest } from '../../workers/watch/watch-messages.ts';
import type { DaemonView } from '../http/daemon-view.ts';
import { MAX_STREAMS, STREAM_BEAT_MS } from '../http/http-limits.ts';
import type { TraceDesk } from '../trace/trace-desk.ts';
import { readProbeWish, readTracedGroup, WishProblem } from '../trace/trace-wish.ts';

/** Kinds of requests, with their fields beside `id` and `ask`. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  status: [],
  events: ['after', 'samples'],
  trace: ['group', 'data'],
  probe: ['group', 'service', 'timeoutMs'],
};

export interface ClientDeskParts {
  readonly watch: DaemonView;
  readonly traces: TraceDesk;
  /** Has a delivery worker hand an answer to its client. */
  readonly send: (worker: number, answer: StateAnswer) => void;
}

/** What a request is answered with. */
export interface Answers {
  /** @param isStream the client may miss it while too much waits for it */
  readonly send: (kind: string, data: object, isStream?: boolean) => void;
  readonly finish: (kind: string, data: object) => void;
}

class Refused extends Error {
  readonly code: MonitorRefusal;

  constructor(code: MonitorRefusal, reason: string) {
    super(reason);
    this.code = code;
  }
}

export class ClientDesk {
  readonly #parts: ClientDeskParts;
  /** How to end the streams that are open, by session. */
  readonly #streams = new Map<SessionHandle, () => void>();

  constructor(parts: ClientDeskParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async take(request: StateRequest): Promise<void> {
    const answers = this.#answersOf(request);
    try {
      await this.#serve(request, answers);
    } catch (error) {
      const code: MonitorRefusal =
        error instanceof Refused ? error.code : error instanceof WishProblem ? 'bad-request' : 'unavailable';
      answers.finish('error', { code, reason: (error as Error).message });
    }
  }

  end(session: SessionHandle): void {
    this.#streams.get(session)?.();
    this.#streams.delete(session);
  }

  close(): void {
    for (const session of [...this.#streams.keys()]) this.end(session);
  }

  async #serve(request: StateRequest, answers: Answers): Promise<void> {
    const { body } = request;
    const ask = body['ask'];
    const fields = typeof ask === 'string' && Object.hasOwn(FIELDS, ask) ? FIELDS[ask]! : null;
    if (fields === null)
      throw new Refused('bad-request', `ask must be one of ${Object.keys(FIELDS).join(', ')} and end`);
    for (const field of Object.keys(body)) {
      if (field === 'id' || field === 'ask' || fields.includes(field)) continue;
      throw new Refused('bad-request', `${String(ask)} has no field ${JSON.stringify(field.slice(0, 40))}`);
    }
    if (ask === 'trace') this.#trace(request, answers);
    else if (ask === 'probe') answers.finish('probe', await this.#parts.traces.probe(readProbeWish(body)));
    else if (ask === 'status') answers.finish('status', await this.#parts.watch.status());
    else this.#events(request, answers);
  }

  #trace({ session, body }: StateRequest, answers: Answers): void {
    const { traces } = this.#parts;
    const group = readTracedGroup(body['group']);
    const hasData = flag(body, 'data');
    if (traces.isTracing) throw new Refused('unavailable', 'a group is being traced already, and one at a time can be');
    const send = (kind: string, data: object): void => answers.send(kind, data, true);
    answers.send('tracing', { group });
    const end = traces.trace(group, hasData, (events) => {
      for (const event of events) send('traced', event);
    });
    this.#begin(session, send, end);
  }

  #events({ session, body }: StateRequest, answers: Answers): void {
    const { watch } = this.#parts;
    const after = wholeNumber(body, 'after');
    const hasSamples = flag(body, 'samples');
    const send = (kind: string, data: object): void => answers.send(kind, data, true);
    answers.send('hello', watch.hello(hasSamples));
    for (const event of watch.events.listAfter(after)) answers.send('event', event);
    const unlisten = watch.events.listen((event) => send('event', event));
    const untick = hasSamples ? watch.listen({ isWatching: () => true, tick: (tick) => send('tick', tick) }) : null;
    this.#begin(session, send, () => {
      unlisten();
      untick?.();
    });
  }

  /** The stream is ended when its client is found to be gone, which a beat finds out. */
  #begin(session: SessionHandle, send: (kind: string, data: object) => void, end: () => void): void {
    if (this.#streams.size >= MAX_STREAMS) {
      end();
      throw new Refused('unavailable', `${MAX_STREAMS} streams are open, which is the limit`);
    }
    const beat = setInterval(() => send('beat', {}), STREAM_BEAT_MS);
    beat.unref();
    this.#streams.set(session, () => {
      clearInterval(beat);
      end();
    });
  }

  #answersOf({ worker, session, id }: StateRequest): Answers {
    const send = (kind: string, data: object, isLast: boolean, mayBeMissed: boolean): void => {
      const text = JSON.stringify(isLast ? { id, kind, done: true, data } : { id, kind, data });
      this.#parts.send(worker, { kind: 'monitor-answer', session, id, text, isLast, mayBeMissed });
    };
    return {
      send: (kind, data, isStream = false) => send(kind, data, false, isStream),
      finish: (kind, data) => send(kind, data, true, false),
    };
  }
}

type Body = StateRequest['body'];

function wholeNumber(body: Body, field: string): number {
  const value = body[field] ?? 0;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw new Refused('bad-request', `${field} must be a whole number of 0 or more`);
}

function flag(body: Body, field: string): boolean {
  const value = body[field] ?? false;
  if (typeof value === 'boolean') return value;
  throw new Refused('bad-request', `${field} must be true or false`);
}
