/** Asks a daemon over HTTP. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { ReloadRefusal, Status } from '../../daemon/http/status-types.ts';
import type { ReloadReport } from '../../daemon/reload/reloader.ts';
import type { ProbeResult } from '../../daemon/trace/trace-types.ts';
import { CliError, ExitCode } from '../exit.ts';
import { printable } from '../text.ts';
import {
  MAX_ANSWER_BYTES,
  NoAnswer,
  PROBE_SLACK_MS,
  type ProbeQuestion,
  type StreamedEvent,
  type WatchedDaemon,
} from './watched-daemon.ts';

export interface HttpDaemonOptions {
  readonly url: string;
  readonly token: string | null;
  /** PEM; null: the authorities that Node trusts. */
  readonly ca: string | null;
  /** PEM: the client's certificate and its key; null: none. */
  readonly cert: string | null;
  readonly key: string | null;
  readonly timeoutMs: number;
}

/** A running daemon may have no HttpListen. */
const NOT_SERVED = '. A daemon serves HTTP where HttpListen says: skein start -o httpListen=127.0.0.1:4880';

export class HttpDaemon implements WatchedDaemon {
  readonly #options: HttpDaemonOptions;

  constructor(options: HttpDaemonOptions) {
    this.#options = options;
  }

  get label(): string {
    return this.#options.url;
  }

  async status(): Promise<Status> {
    return (await this.#json('status.json', this.#options.timeoutMs)) as Status;
  }

  async probe({ group, service, timeoutMs }: ProbeQuestion): Promise<ProbeResult> {
    const query = new URLSearchParams({ group, service, timeoutMs: String(timeoutMs) });
    return (await this.#json(`probe?${query}`, timeoutMs + PROBE_SLACK_MS)) as ProbeResult;
  }

  async *trace(group: string, hasData: boolean, signal: AbortSignal): AsyncGenerator<StreamedEvent> {
    if (hasData)
      throw new CliError(
        'contents are shown over the client port only: give --spread in place of --http',
        ExitCode.Usage,
      );
    yield* this.#stream(`trace?${new URLSearchParams({ group })}`, signal);
  }

  async *events(after: string, signal: AbortSignal): AsyncGenerator<StreamedEvent> {
    yield* this.#stream(`events?after=${after}`, signal);
  }

  async #json(path: string, timeoutMs: number): Promise<unknown> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      return await this.#readJson(await this.#open(path, signal));
    } catch (error) {
      throw this.#explained(error, signal);
    }
  }

  /** Requests what changes the daemon. @returns the answer, as JSON @throws (rejects) as `status` */
  async post(path: string): Promise<unknown> {
    const signal = AbortSignal.timeout(this.#options.timeoutMs);
    try {
      return await this.#readJson(await this.#open(path, signal, 'POST'));
    } catch (error) {
      throw this.#explained(error, signal);
    }
  }

  /** @returns what it did, or why it refused; nothing has changed then @throws (rejects) as `status` when it could not be asked */
  async reload(): Promise<ReloadReport | ReloadRefusal> {
    const signal = AbortSignal.timeout(this.#options.timeoutMs);
    try {
      return (await this.#readJson(await this.#open('reload', signal, 'POST', [200, 409]))) as
        | ReloadReport
        | ReloadRefusal;
    } catch (error) {
      throw this.#explained(error, signal);
    }
  }

  async *#stream(path: string, signal: AbortSignal): AsyncGenerator<StreamedEvent> {
    const opening = AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs)]);
    let response: IncomingMessage;
    try {
      response = await this.#open(path, opening);
    } catch (error) {
      if (signal.aborted) return;
      throw this.#explained(error, opening);
    }
    const close = (): void => void response.destroy();
    signal.addEventListener('abort', close, { once: true });
    try {
      response.setEncoding('utf8');
      let text = '';
      for await (const chunk of response) {
        text += chunk as string;
        const blocks = text.split('\n\n');
        text = blocks.pop()!;
        for (const block of blocks) {
          const event = eventOf(block);
          if (event !== null) yield event;
        }
      }
    } catch {
      // A broken connection ends the stream like any other end.
    } finally {
      signal.removeEventListener('abort', close);
      close();
    }
  }

  /** Nothing stays open between requests. */
  async close(): Promise<void> {}

  async #readJson(response: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response) {
      length += (chunk as Buffer).length;
      if (length > MAX_ANSWER_BYTES) throw new CliError(`${this.label}: the answer is too long`);
      chunks.push(chunk as Buffer);
    }
    return JSON.parse(Buffer.concat(chunks).toString());
  }

  /** The answer to a request that is served; else why it is not. */
  #open(
    path: string,
    signal: AbortSignal,
    method: 'GET' | 'POST' = 'GET',
    answers: readonly number[] = [200, 202],
  ): Promise<IncomingMessage> {
    const { token, ca, cert, key } = this.#options;
    const url = new URL(path, this.label);
    return new Promise((resolve, reject) => {
      const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const asked = request(
        url,
        {
          signal,
          method,
          agent: false,
          headers: token === null ? {} : { Authorization: `Bearer ${token}` },
          ...(ca === null ? {} : { ca }),
          ...(cert === null || key === null ? {} : { cert, key }),
        },
        (response) => {
          // After this the response carries any later abort.
          const status = response.statusCode ?? 0;
          if (answers.includes(status)) {
            resolve(response);
            return;
          }
          this.#readJson(response).then(
            (answer) => reject(new CliError(`${this.label}: ${refusal(status, token !== null, reasonIn(answer))}`)),
            () => reject(new CliError(`${this.label}: ${refusal(status, token !== null, null)}`)),
          );
        },
      );
      asked.on('error', reject);
      asked.end();
    });
  }

  #explained(error: unknown, signal: AbortSignal): Error {
    if (error instanceof CliError) return error;
    if (error instanceof SyntaxError) return new CliError(`${this.label}: this is not an answer of skein`);
    const { timeoutMs } = this.#options;
    if (signal.aborted) return new NoAnswer(`no daemon answers at ${this.label} within ${timeoutMs} ms`);
    const { code = '', message } = error as NodeJS.ErrnoException;
    const hint = code === 'ECONNREFUSED' ? NOT_SERVED : '';
    return new NoAnswer(`no daemon answers at ${this.label} (${message === '' ? code : message})${hint}`);
  }
}

/** @param reason the daemon's own; null: it gave none */
function refusal(status: number, hasToken: boolean, reason: string | null): string {
  if (status === 401)
    return hasToken ? 'the token is not one of its HttpTokenFile' : 'it needs a token: give --token-file';
  if (status === 404) return 'this is not an HTTP address of skein, or the daemon is older';
  if (status === 421) return 'without a token, ask the daemon by its IP address or as localhost';
  return `it refuses, with status ${status}${reason === null ? '' : `: ${reason}`}`;
}

function reasonIn(answer: unknown): string | null {
  const { error } = (answer ?? {}) as { readonly error?: unknown };
  return typeof error === 'string' ? printable(error) : null;
}

function eventOf(block: string): StreamedEvent | null {
  const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
  const kind = field('event');
  const data = field('data');
  return kind === undefined || data === undefined ? null : { id: field('id') ?? '', kind, data };
}
