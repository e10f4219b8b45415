/** The NATS core protocol: text control lines, payloads counted in bytes (docs.nats.io, "NATS client protocol"). */
import {
  ascii,
  type ClientRole,
  concatBytes,
  OutputQueue,
  type PayloadSink,
  type ProtocolClient,
  ProtocolError,
  type PublishFrame,
  textOf,
} from '../protocol.ts';

const LF = 10;
const SPACE = 32;
const LETTER_M = 0x4d;
const LETTER_P = 0x50;
const LETTER_I = 0x49;
const CRLF = ascii('\r\n');
const PONG = ascii('PONG\r\n');

export class NatsClient implements ProtocolClient {
  readonly #sink: PayloadSink;
  readonly #group: string | null;
  readonly #name: string;
  readonly #output = new OutputQueue();
  ready = false;

  constructor(role: ClientRole) {
    this.#sink = role.sink;
    this.#group = role.group;
    this.#name = role.name;
  }

  takeOutput(): Uint8Array | null {
    return this.#output.take();
  }

  consume(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const sink = this.#sink;
    let at = start;
    while (at < end) {
      let lineEnd = at;
      while (lineEnd < end && bytes[lineEnd] !== LF) lineEnd++;
      if (lineEnd === end) break;
      if (bytes[at] === LETTER_M) {
        let length = 0;
        let digit = lineEnd - 2;
        for (let scale = 1; bytes[digit] !== SPACE; digit--, scale *= 10) length += (bytes[digit] - 48) * scale;
        const payloadAt = lineEnd + 1;
        if (end - payloadAt < length + 2) break;
        sink.onPayload(view, payloadAt, length);
        at = payloadAt + length + 2;
      } else {
        this.#control(bytes, at, lineEnd);
        at = lineEnd + 1;
      }
    }
    return at;
  }

  publishFrame(group: string, payload: Uint8Array): PublishFrame {
    const head = ascii(`PUB ${group} ${payload.length}\r\n`);
    return { bytes: concatBytes(head, payload, CRLF), payloadOffset: head.length };
  }

  #control(bytes: Uint8Array, at: number, lineEnd: number): void {
    if (bytes[at] === LETTER_I) {
      const options = { verbose: false, pedantic: false, echo: true, name: this.#name, lang: 'bench', version: '1' };
      const subscribe = this.#group === null ? '' : `SUB ${this.#group} 1\r\n`;
      this.#output.push(ascii(`CONNECT ${JSON.stringify(options)}\r\n${subscribe}PING\r\n`));
    } else if (bytes[at] === LETTER_P) {
      if (bytes[at + 1] === LETTER_I) this.#output.push(PONG);
      else this.ready = true;
    } else {
      const line = textOf(bytes, at, lineEnd).trim();
      if (line.startsWith('-ERR')) throw new ProtocolError(line);
    }
  }
}
