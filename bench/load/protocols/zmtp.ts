/**
 * ZMTP 3.0 with the NULL mechanism (rfc.zeromq.org/spec/23), as PUB and SUB connected to a forwarding device of libzmq. A message is one frame:
 * topic, NUL, payload. A publisher is ready when the device has forwarded a subscription to it.
 */
import {
  ascii,
  type ClientRole,
  concatBytes,
  OutputQueue,
  type PayloadSink,
  type ProtocolClient,
  ProtocolError,
  type PublishFrame,
} from '../protocol.ts';

const GREETING_LENGTH = 64;
const FLAG_LONG = 2;
const FLAG_COMMAND = 4;
const SUBSCRIBE = 1;

function greeting(): Uint8Array {
  const bytes = new Uint8Array(GREETING_LENGTH);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes.set(ascii('NULL'), 12);
  return bytes;
}

function frame(flags: number, body: Uint8Array): Uint8Array {
  if (body.length < 256) return concatBytes(Uint8Array.of(flags, body.length), body);
  const head = new Uint8Array(9);
  head[0] = flags | FLAG_LONG;
  new DataView(head.buffer).setUint32(5, body.length);
  return concatBytes(head, body);
}

function readyCommand(socketType: 'PUB' | 'SUB'): Uint8Array {
  const name = ascii('Socket-Type');
  const value = ascii(socketType);
  return frame(
    FLAG_COMMAND,
    concatBytes(
      Uint8Array.of(5),
      ascii('READY'),
      Uint8Array.of(name.length),
      name,
      Uint8Array.of(0, 0, 0, value.length),
      value,
    ),
  );
}

export class ZmtpClient implements ProtocolClient {
  readonly #sink: PayloadSink;
  readonly #group: string | null;
  readonly #output = new OutputQueue();
  #greeted = false;
  ready = false;

  constructor(role: ClientRole) {
    this.#sink = role.sink;
    this.#group = role.group;
    this.#output.push(greeting());
  }

  takeOutput(): Uint8Array | null {
    return this.#output.take();
  }

  consume(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    let at = start;
    if (!this.#greeted) {
      if (end - at < GREETING_LENGTH) return at;
      if (bytes[at] !== 0xff || bytes[at + 10] < 3) throw new ProtocolError('not a ZMTP 3 peer');
      this.#greeted = true;
      this.#output.push(readyCommand(this.#group === null ? 'PUB' : 'SUB'));
      at += GREETING_LENGTH;
    }
    const topicLength = this.#group === null ? 0 : this.#group.length + 1;
    while (end - at >= 2) {
      const flags = bytes[at];
      const long = (flags & FLAG_LONG) !== 0;
      const head = long ? 9 : 2;
      if (end - at < head) break;
      const length = long ? view.getUint32(at + 5) : bytes[at + 1];
      if (end - at - head < length) break;
      if ((flags & FLAG_COMMAND) !== 0) this.#command();
      else if (this.#group === null) this.ready ||= bytes[at + head] === SUBSCRIBE;
      else this.#sink.onPayload(view, at + head + topicLength, length - topicLength);
      at += head + length;
    }
    return at;
  }

  publishFrame(group: string, payload: Uint8Array): PublishFrame {
    const bytes = frame(0, concatBytes(ascii(group), Uint8Array.of(0), payload));
    return { bytes, payloadOffset: bytes.length - payload.length };
  }

  #command(): void {
    if (this.#group === null || this.ready) return;
    const subscription = frame(0, concatBytes(Uint8Array.of(SUBSCRIBE), ascii(this.#group), Uint8Array.of(0)));
    this.#output.push(subscription);
    this.ready = true;
  }
}
