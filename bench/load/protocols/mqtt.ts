/** MQTT 3.1.1 with QoS 0 or 1 (OASIS standard, sections 2.2 and 3). */
import {
  ascii,
  type ClientRole,
  concatBytes,
  type MqttOptions,
  OutputQueue,
  type PayloadSink,
  type ProtocolClient,
  ProtocolError,
  type PublishFrame,
} from '../protocol.ts';

const CONNECT = 0x10;
const CONNACK = 2;
const PUBLISH = 3;
const SUBSCRIBE = 0x82;
const SUBACK = 9;
const PUBACK = 0x40;

function remainingLength(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    out.push(rest > 0 ? low | 128 : low);
  } while (rest > 0);
  return Uint8Array.from(out);
}

const packet = (head: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const body = concatBytes(...parts);
  return concatBytes(Uint8Array.of(head), remainingLength(body.length), body);
};

const text = (value: string): Uint8Array => {
  const bytes = ascii(value);
  return concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes);
};

export class MqttClient implements ProtocolClient {
  readonly #sink: PayloadSink;
  readonly #group: string | null;
  readonly #qos: 0 | 1;
  readonly #output = new OutputQueue();
  /** Acknowledgements of the current chunk. */
  #acks = new Uint8Array(4096);
  #acksLength = 0;
  ready = false;

  constructor(role: ClientRole, options: MqttOptions) {
    this.#sink = role.sink;
    this.#group = role.group;
    this.#qos = options.qos;
    const cleanSession = 2;
    const keepAliveSeconds = Uint8Array.of(0, 0);
    this.#output.push(packet(CONNECT, text('MQTT'), Uint8Array.of(4, cleanSession), keepAliveSeconds, text(role.name)));
  }

  takeOutput(): Uint8Array | null {
    if (this.#acksLength > 0) this.#output.push(this.#acks.slice(0, this.#acksLength));
    this.#acksLength = 0;
    return this.#output.take();
  }

  consume(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const sink = this.#sink;
    let at = start;
    while (end - at >= 2) {
      const head = bytes[at];
      let length = 0;
      let scale = 1;
      let i = at + 1;
      for (; i < end; i++) {
        length += (bytes[i] & 127) * scale;
        scale *= 128;
        if (bytes[i] < 128) break;
      }
      if (i === end || end - (i + 1) < length) break;
      const body = i + 1;
      if (head >> 4 === PUBLISH) {
        let skip = 2 + view.getUint16(body);
        if ((head & 6) !== 0) {
          this.#acknowledge(bytes[body + skip], bytes[body + skip + 1]);
          skip += 2;
        }
        sink.onPayload(view, body + skip, length - skip);
      } else {
        this.#control(head >> 4, bytes, body);
      }
      at = body + length;
    }
    return at;
  }

  publishFrame(group: string, payload: Uint8Array, serial: number): PublishFrame {
    const id = (serial % 65535) + 1;
    const identifier = this.#qos === 0 ? new Uint8Array(0) : Uint8Array.of(id >> 8, id & 255);
    const bytes = packet(0x30 | (this.#qos << 1), text(group), identifier, payload);
    return { bytes, payloadOffset: bytes.length - payload.length };
  }

  #control(kind: number, bytes: Uint8Array, body: number): void {
    if (kind === CONNACK) {
      if (bytes[body + 1] !== 0) throw new ProtocolError(`connection refused with code ${bytes[body + 1]}`);
      if (this.#group === null) this.ready = true;
      else this.#output.push(packet(SUBSCRIBE, Uint8Array.of(0, 1), text(this.#group), Uint8Array.of(this.#qos)));
    } else if (kind === SUBACK) {
      if (bytes[body + 2] > 2) throw new ProtocolError('subscription refused');
      this.ready = true;
    }
  }

  #acknowledge(high: number, low: number): void {
    if (this.#acksLength === this.#acks.length) {
      const larger = new Uint8Array(this.#acks.length * 2);
      larger.set(this.#acks);
      this.#acks = larger;
    }
    this.#acks[this.#acksLength++] = PUBACK;
    this.#acks[this.#acksLength++] = 2;
    this.#acks[this.#acksLength++] = high;
    this.#acks[this.#acksLength++] = low;
  }
}
