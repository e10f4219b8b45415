/**
 * The protocol of bench/peers/corosync-bridge.c: a little-endian u32 length, then that many bytes. A client's first frame gives its role, and
 * the bridge's first frame confirms it. Then a sender's frames name the group, and a receiver gets bare payloads.
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

const HEAD_BYTES = 4;

function frame(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = concatBytes(new Uint8Array(HEAD_BYTES), ...parts);
  new DataView(bytes.buffer).setUint32(0, bytes.length - HEAD_BYTES, true);
  return bytes;
}

export class CpgClient implements ProtocolClient {
  readonly #sink: PayloadSink;
  readonly #output = new OutputQueue();
  ready = false;

  constructor(role: ClientRole) {
    this.#sink = role.sink;
    this.#output.push(frame(ascii(role.group === null ? 'S' : `R${role.group}`)));
  }

  takeOutput(): Uint8Array | null {
    return this.#output.take();
  }

  consume(_bytes: Uint8Array, view: DataView, start: number, end: number): number {
    let at = start;
    while (end - at >= HEAD_BYTES) {
      const length = view.getUint32(at, true);
      if (end - at - HEAD_BYTES < length) break;
      at += HEAD_BYTES;
      if (this.ready) this.#sink.onPayload(view, at, length);
      else this.#confirm(length);
      at += length;
    }
    return at;
  }

  publishFrame(group: string, payload: Uint8Array): PublishFrame {
    const bytes = frame(Uint8Array.of(group.length), ascii(group), payload);
    return { bytes, payloadOffset: bytes.length - payload.length };
  }

  #confirm(length: number): void {
    if (length !== 0) throw new ProtocolError(`membership not confirmed: a frame of ${length} bytes instead`);
    this.ready = true;
  }
}
