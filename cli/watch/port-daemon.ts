/** Asks a daemon over the client port, by a session that requests its state (client-protocol.md, 12). */
import { type Message, type Session, SkeinError } from '../../client/index.ts';
import type { Status } from '../../daemon/http/status-types.ts';
import type { ProbeResult } from '../../daemon/trace/trace-types.ts';
import { ANSWER_LAST_TYPE, ANSWER_PART_TYPE, MONITOR_USER } from '../../engine/wire/monitor-name.ts';
import { CliError } from '../exit.ts';
import {
  MAX_ANSWER_BYTES,
  NoAnswer,
  PROBE_SLACK_MS,
  type ProbeQuestion,
  type StreamedEvent,
  type WatchedDaemon,
} from './watched-daemon.ts';

/** A document of the daemon. */
interface Document {
  readonly id: number;
  readonly kind: string;
  readonly done?: true;
  readonly data: unknown;
}

export interface PortDaemonOptions {
  readonly label: string;
  readonly timeoutMs: number;
  /** Opens a session without membership messages. */
  readonly open: () => Promise<Session>;
}

/** Codes that mean: there is no daemon, or no longer. */
const GONE: ReadonlySet<string> = new Set(['COULD_NOT_CONNECT', 'CONNECTION_CLOSED']);

/** A stream sends something at least every ten seconds. */
const SILENCE_MS = 30_000;

/** The documents of one session, in their order of arrival. */
class Documents {
  readonly #from: string;
  readonly #waiting: Document[] = [];
  #parts: Buffer[] = [];
  #lengthBytes = 0;
  #wake: (() => void) | null = null;
  #failure: Error | null = null;

  constructor(session: Session, from: string) {
    this.#from = from;
    session.on('message', (message) => this.#take(message));
    session.on('error', (error) => this.fail(error));
    session.on('close', (error) => this.fail(error ?? new Error('the session was closed')));
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  /** Null: none arrived in time. @throws (rejects) the error that ended the session */
  async next(timeoutMs: number): Promise<Document | null> {
    let timer: NodeJS.Timeout | undefined;
    if (this.#waiting.length === 0 && this.#failure === null)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, timeoutMs);
      });
    clearTimeout(timer);
    this.#wake = null;
    const document = this.#waiting.shift();
    if (document !== undefined) return document;
    if (this.#failure !== null) throw this.#failure;
    return null;
  }

  #take({ sender, type, data }: Message): void {
    if (sender !== this.#from || (type !== ANSWER_PART_TYPE && type !== ANSWER_LAST_TYPE)) return;
    this.#parts.push(data);
    this.#lengthBytes += data.length;
    if (this.#lengthBytes > MAX_ANSWER_BYTES) this.fail(new CliError('the answer is too long'));
    if (type === ANSWER_PART_TYPE) return;
    const text = Buffer.concat(this.#parts).toString();
    this.#parts = [];
    this.#lengthBytes = 0;
    try {
      this.#waiting.push(JSON.parse(text) as Document);
      this.#wake?.();
    } catch {
      this.fail(new CliError('this is no answer of skein'));
    }
  }
}

interface Opened {
  readonly session: Session;
  readonly name: string;
  readonly documents: Documents;
}

export class PortDaemon implements WatchedDaemon {
  readonly #options: PortDaemonOptions;
  #opened: Promise<Opened> | null = null;
  #lastId = 0;

  constructor(options: PortDaemonOptions) {
    this.#options = options;
  }

  get label(): string {
    return this.#options.label;
  }

  async status(): Promise<Status> {
    for await (const { kind, data } of this.#ask({ ask: 'status' })) if (kind === 'status') return data as Status;
    throw new CliError(`${this.label}: the daemon did not answer with its status`);
  }

  async *events(after: string, signal: AbortSignal): AsyncGenerator<StreamedEvent> {
    for await (const { kind, data } of this.#ask({ ask: 'events', after: Number(after) }, signal)) {
      if (kind !== 'hello' && kind !== 'event') continue;
      const event = data as { readonly id?: number; readonly kind?: string };
      const named = kind === 'hello' ? { id: '', kind } : { id: String(event.id), kind: String(event.kind) };
      yield { ...named, data: JSON.stringify(data) };
    }
  }

  async *trace(group: string, hasData: boolean, signal: AbortSignal): AsyncGenerator<StreamedEvent> {
    const body = hasData ? { ask: 'trace', group, data: true } : { ask: 'trace', group };
    for await (const { kind, data } of this.#ask(body, signal)) {
      if (kind === 'missed')
        yield {
          id: '',
          kind: 'traced',
          data: JSON.stringify({ kind, count: (data as { readonly count: number }).count }),
        };
      else yield { id: '', kind, data: JSON.stringify(data) };
    }
  }

  async probe(wish: ProbeQuestion): Promise<ProbeResult> {
    const patienceMs = wish.timeoutMs + PROBE_SLACK_MS;
    for await (const { kind, data } of this.#ask({ ask: 'probe', ...wish }, undefined, patienceMs))
      if (kind === 'probe') return data as ProbeResult;
    throw new CliError(`${this.label}: the daemon did not answer with a probe`);
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    if (opened !== null) await opened.then(({ session }) => session.close()).catch(() => undefined);
  }

  /** The documents of one answer, with `error` thrown. A stream ends with the connection, or when `signal` aborts. */
  async *#ask(body: object, signal?: AbortSignal, patienceMs = this.#options.timeoutMs): AsyncGenerator<Document> {
    const id = ++this.#lastId;
    let isFirst = true;
    let isDone = false;
    try {
      const { session, name, documents } = await this.#open();
      const stop = (): void => documents.fail(new Error('ended here'));
      signal?.addEventListener('abort', stop, { once: true });
      session.multicast(name, JSON.stringify({ id, ...body }));
      while (!isDone) {
        const document = await documents.next(isFirst ? patienceMs : SILENCE_MS);
        if (document === null) throw this.#silence(isFirst, patienceMs);
        if (document.id !== id && document.id !== 0) continue;
        isFirst = false;
        isDone = document.done === true;
        if (document.kind === 'error') throw this.#refusal(document.data);
        yield document;
      }
    } catch (error) {
      if (signal?.aborted === true) return;
      // A stream that breaks later ends like any other.
      if (!isFirst && signal !== undefined && !(error instanceof CliError)) return;
      throw this.#explained(error);
    } finally {
      if (!isDone) await this.close();
    }
  }

  #open(): Promise<Opened> {
    this.#opened ??= this.#options.open().then((session) => {
      const daemon = session.privateName.slice(session.privateName.indexOf('#', 1) + 1);
      const name = `#${MONITOR_USER}#${daemon}`;
      return { session, name, documents: new Documents(session, name) };
    });
    return this.#opened;
  }

  #silence(isFirst: boolean, timeoutMs: number): Error {
    if (!isFirst) return new NoAnswer(`${this.label}: the daemon has stopped answering`);
    return new NoAnswer(
      `${this.label}: no answer within ${timeoutMs} ms; a daemon of Spread, or of an older release, has none`,
    );
  }

  #refusal(data: unknown): Error {
    const { code, reason } = data as { readonly code: string; readonly reason: string };
    return new CliError(`${this.label}: the daemon refuses (${code}): ${reason}`);
  }

  #explained(error: unknown): Error {
    if (error instanceof CliError && !(error.cause instanceof SkeinError)) return error;
    const cause = error instanceof CliError ? error.cause : error;
    const isGone = cause instanceof SkeinError && GONE.has(cause.code);
    const message = `${this.label}: ${(error as Error).message}`;
    return isGone ? new NoAnswer(message) : new CliError(message, undefined, { cause: error });
  }
}
