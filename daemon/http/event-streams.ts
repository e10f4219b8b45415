/** Streams of events to HTTP clients (Server-Sent Events). One that does not read is ended, and everybody else is served on. */
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { SupervisorCounter } from '../../engine/buffers/counters.ts';
import { MAX_STREAM_BYTES, MAX_STREAMS, STREAM_BEAT_MS } from './http-limits.ts';
import { beginStream } from './responses.ts';
import type { LoggedEvent, Tick } from './status-types.ts';

const STILL_HERE = ': still here\n\n';

interface Stream {
  readonly response: ServerResponse;
  readonly hasSamples: boolean;
}

/** How long the clients of streams may take to read their end. */
const END_MS = 250;

export class EventStreams {
  readonly #streams = new Set<Stream>();
  /** Those that have no events. */
  readonly #others = new Set<Stream>();
  /** The supervisor's block. */
  readonly #counters: Float64Array;
  #beatMs = 0;

  constructor(counters: Float64Array) {
    this.#counters = counters;
  }

  get isFull(): boolean {
    return this.#streams.size + this.#others.size >= MAX_STREAMS;
  }

  /** Whether a stream with samples is open. */
  get hasWatchers(): boolean {
    for (const { hasSamples } of this.#streams) if (hasSamples) return true;
    return false;
  }

  /**
   * A stream of another kind, which begins with `kind`. It ends when the client hangs up, or does not read.
   * @returns what writes to it
   */
  open(response: ServerResponse, kind: string, hello: object): (kind: string, data: object) => void {
    beginStream(response);
    const stream: Stream = { response, hasSamples: false };
    this.#others.add(stream);
    this.#count();
    response.once('close', () => {
      this.#others.delete(stream);
      this.#count();
    });
    const write = (name: string, data: object): void =>
      this.#write(stream, `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    write(kind, hello);
    if (response.req.method === 'HEAD') response.end();
    return write;
  }

  /** @param earlier events that the client has not seen */
  begin(response: ServerResponse, hasSamples: boolean, hello: object, earlier: readonly LoggedEvent[]): void {
    beginStream(response);
    if (response.req.method === 'HEAD') {
      response.end();
      return;
    }
    const stream: Stream = { response, hasSamples };
    this.#streams.add(stream);
    this.#count();
    response.once('close', () => {
      this.#streams.delete(stream);
      this.#count();
    });
    this.#write(stream, `event: hello\ndata: ${JSON.stringify(hello)}\n\n`);
    for (const event of earlier) this.#write(stream, eventText(event));
  }

  event(event: LoggedEvent): void {
    if (this.#streams.size === 0) return;
    const text = eventText(event);
    for (const stream of this.#streams) this.#write(stream, text);
  }

  /** Every second. */
  tick(tick: Tick, nowMs: number): void {
    if (this.#streams.size + this.#others.size === 0) return;
    const beats = nowMs - this.#beatMs >= STREAM_BEAT_MS;
    if (beats) this.#beatMs = nowMs;
    const text = `event: tick\ndata: ${JSON.stringify(tick)}\n\n`;
    for (const stream of this.#streams) {
      if (stream.hasSamples) this.#write(stream, text);
      else if (beats) this.#write(stream, STILL_HERE);
    }
    if (beats) for (const stream of this.#others) this.#write(stream, STILL_HERE);
  }

  /** What was written goes out before their connections are closed, if their clients read it now. */
  async end(): Promise<void> {
    const ended = [...this.#streams, ...this.#others].map(
      ({ response }) => new Promise<void>((resolve) => response.once('close', resolve).end(resolve)),
    );
    await Promise.race([Promise.all(ended), delay(END_MS, undefined, { ref: false })]);
  }

  #write({ response }: Stream, text: string): void {
    if (response.destroyed) return;
    if (response.writableLength > MAX_STREAM_BYTES) {
      this.#counters[SupervisorCounter.HttpStreamsDropped]!++;
      response.destroy();
      return;
    }
    response.write(text);
  }

  #count(): void {
    this.#counters[SupervisorCounter.HttpStreams] = this.#streams.size + this.#others.size;
  }
}

const eventText = (event: LoggedEvent): string =>
  `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
