/**
 * The Spread 4 client protocol (client-protocol.md, sections 1, 2 and 4), for this project's daemon and for a genuine one.
 * Connections get no membership messages. A receiver sends a message to its own private group after the join; the messages of one client keep
 * their order, so the join is in force when that message comes back.
 */
import {
  ascii,
  type ClientRole,
  OutputQueue,
  type PayloadSink,
  type ProtocolClient,
  ProtocolError,
  type PublishFrame,
  type SpreadOptions,
} from '../protocol.ts';

const HEADER = 48;
const NAME = 32;
const ENDIAN_FLAG = 0x8000_0080;
const SERVICE_BIT = { unreliable: 1, reliable: 2, fifo: 4, causal: 8, agreed: 16, safe: 32 } as const;
const REGULAR = 0x3f;
const REJECT = 0x0040_0000;
const JOIN = 0x0001_0000;
const HINT_NONE = 0x8000_0080;

type State = 'auth-list' | 'accept' | 'probe' | 'ready';

export class SpreadClient implements ProtocolClient {
  readonly #service: number;
  readonly #group: string | null;
  readonly #sink: PayloadSink;
  #state: State = 'auth-list';
  #privateName = '';
  readonly #output = new OutputQueue();

  constructor(role: ClientRole, options: SpreadOptions) {
    this.#service = SERVICE_BIT[options.service];
    this.#group = role.group;
    this.#sink = role.sink;
    const name = ascii(role.name);
    if (name.length > 10) throw new RangeError(`private name "${role.name}" is longer than 10 bytes`);
    this.#output.push(new Uint8Array([4, 4, 0, 0, name.length, ...name]));
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  takeOutput(): Uint8Array | null {
    return this.#output.take();
  }

  consume(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    let at = start;
    if (this.#state !== 'ready') {
      at = this.#handshake(bytes, view, start, end);
      if (!this.ready) return at;
    }
    const sink = this.#sink;
    while (end - at >= HEADER) {
      const type = view.getUint32(at, true);
      if ((type & ENDIAN_FLAG) !== (ENDIAN_FLAG | 0)) throw new ProtocolError('frame without little-endian flag');
      const groups = view.getInt32(at + 36, true);
      const length = view.getInt32(at + 44, true);
      const total = HEADER + groups * NAME + length + ((type & REJECT) !== 0 ? 4 : 0);
      if (end - at < total) break;
      if ((type & REGULAR) !== 0 && (type & REJECT) === 0) sink.onPayload(view, at + HEADER + groups * NAME, length);
      at += total;
    }
    return at;
  }

  publishFrame(group: string, payload: Uint8Array): PublishFrame {
    return { bytes: this.#frame(this.#service, group, payload), payloadOffset: HEADER + NAME };
  }

  /** Consumes AUTH-LIST, ACCEPT and the probe, which may arrive in any pieces. */
  #handshake(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    let at = start;
    if (this.#state === 'auth-list' && end > at) {
      const length = view.getInt8(at);
      if (length < 0) throw new ProtocolError(`connection refused with code ${length}`);
      if (end - at < 1 + length) return at;
      at += 1 + length;
      const choice = new Uint8Array(90);
      choice.set(ascii('NULL'));
      this.#output.push(choice);
      this.#state = 'accept';
    }
    if (this.#state === 'accept' && end > at) {
      const code = view.getInt8(at);
      if (code !== 1) throw new ProtocolError(`connection refused with code ${code}`);
      if (end - at < 5 || end - at < 5 + bytes[at + 4]) return at;
      const length = bytes[at + 4];
      this.#privateName = String.fromCharCode(...bytes.subarray(at + 5, at + 5 + length));
      at += 5 + length;
      this.#state = this.#group === null ? 'ready' : 'probe';
      if (this.#group !== null) this.#output.push(this.#joinAndProbe(this.#group));
    }
    if (this.#state === 'probe' && end - at >= HEADER + NAME) {
      at += HEADER + NAME;
      this.#state = 'ready';
    }
    return at;
  }

  #joinAndProbe(group: string): Uint8Array {
    const join = this.#frame(JOIN, group, new Uint8Array(0));
    const probe = this.#frame(SERVICE_BIT.agreed, this.#privateName, new Uint8Array(0));
    const both = new Uint8Array(join.length + probe.length);
    both.set(join);
    both.set(probe, join.length);
    return both;
  }

  #frame(type: number, group: string, payload: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(HEADER + NAME + payload.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, (type | ENDIAN_FLAG) >>> 0, true);
    bytes.set(ascii(this.#privateName), 4);
    view.setInt32(36, 1, true);
    view.setUint32(40, HINT_NONE, true);
    view.setInt32(44, payload.length, true);
    bytes.set(ascii(group), HEADER);
    bytes.set(payload, HEADER + NAME);
    return bytes;
  }
}
