/** Redis pub/sub in RESP2 (redis.io, "Redis serialization protocol"). Publishers switch replies off. */
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

const CR = 13;
const LF = 10;
const ARRAY = 0x2a;
const BULK = 0x24;
const MINUS = 0x2d;
const LETTER_M = 0x6d;
const CRLF = ascii('\r\n');

const command = (...words: readonly string[]): Uint8Array =>
  ascii(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`);

export class RedisClient implements ProtocolClient {
  readonly #sink: PayloadSink;
  readonly #output = new OutputQueue();
  /** Position behind the length line that `#length` read last. */
  #next = 0;
  ready = false;

  constructor(role: ClientRole) {
    this.#sink = role.sink;
    this.#output.push(
      role.group === null
        ? concatBytes(command('PING'), command('CLIENT', 'REPLY', 'OFF'))
        : command('SUBSCRIBE', role.group),
    );
  }

  takeOutput(): Uint8Array | null {
    return this.#output.take();
  }

  consume(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const sink = this.#sink;
    let at = start;
    while (at < end) {
      if (bytes[at] !== ARRAY) {
        const behind = this.#simpleReply(bytes, at, end);
        if (behind < 0) break;
        at = behind;
        continue;
      }
      // *3 $N kind $N channel then $N payload (message) or :N (subscribe)
      if (this.#length(bytes, at, end) < 0) break;
      const kindLength = this.#length(bytes, this.#next, end);
      if (kindLength < 0) break;
      const kindAt = this.#next;
      const channelLength = this.#length(bytes, kindAt + kindLength + 2, end);
      if (channelLength < 0) break;
      const thirdAt = this.#next + channelLength + 2;
      const third = this.#length(bytes, thirdAt, end);
      if (third < 0) break;
      if (bytes[thirdAt] === BULK) {
        if (end - this.#next < third + 2) break;
        if (bytes[kindAt] === LETTER_M) sink.onPayload(view, this.#next, third);
        at = this.#next + third + 2;
      } else {
        this.ready = true;
        at = this.#next;
      }
    }
    return at;
  }

  publishFrame(group: string, payload: Uint8Array): PublishFrame {
    const head = ascii(`*3\r\n$7\r\nPUBLISH\r\n$${group.length}\r\n${group}\r\n$${payload.length}\r\n`);
    return { bytes: concatBytes(head, payload, CRLF), payloadOffset: head.length };
  }

  /** The number of a `*N`, `$N` or `:N` line at `at`; -1: the line is incomplete. Sets `#next` to the position behind it. */
  #length(bytes: Uint8Array, at: number, end: number): number {
    let value = 0;
    let i = at + 1;
    while (i < end && bytes[i] !== CR) value = value * 10 + bytes[i++] - 48;
    if (i + 1 >= end) return -1;
    this.#next = i + 2;
    return value;
  }

  #simpleReply(bytes: Uint8Array, at: number, end: number): number {
    const lineEnd = bytes.indexOf(LF, at);
    if (lineEnd < 0 || lineEnd >= end) return -1;
    if (bytes[at] === MINUS) throw new ProtocolError(textOf(bytes, at, lineEnd).trim());
    this.ready = true;
    return lineEnd + 1;
  }
}
