/**
 * The messages of one sending connection, encoded once as a cycle of adjacent frames, so that a batch is one contiguous write. Sending a
 * message only writes its sequence number (and due time) into its frame.
 */
import { makePayload, PAYLOAD_DUE, PAYLOAD_SEQUENCE } from './payload.ts';
import type { ProtocolClient } from './protocol.ts';

export interface CycleRequest {
  readonly client: ProtocolClient;
  readonly run: number;
  readonly sender: number;
  readonly payloadBytes: number;
  readonly groupNames: readonly string[];
  /** Minimum number of frames; there is at least one for each group. */
  readonly frames: number;
}

export class MessageCycle {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Offset of frame `i`; the last entry is the end. */
  readonly starts: Int32Array;
  readonly groups: Int32Array;
  readonly #view: DataView;
  readonly #payloads: Int32Array;

  constructor(request: CycleRequest) {
    const groupCount = request.groupNames.length;
    this.length = Math.max(request.frames, groupCount);
    this.starts = new Int32Array(this.length + 1);
    this.groups = new Int32Array(this.length);
    this.#payloads = new Int32Array(this.length);
    const frames: Uint8Array[] = [];
    let at = 0;
    for (let i = 0; i < this.length; i++) {
      const group = i % groupCount;
      const payload = makePayload(request.payloadBytes, request.run, request.sender, group);
      const frame = request.client.publishFrame(request.groupNames[group], payload, i);
      this.starts[i] = at;
      this.groups[i] = group;
      this.#payloads[i] = at + frame.payloadOffset;
      at += frame.bytes.length;
      frames.push(frame.bytes);
    }
    this.starts[this.length] = at;
    this.bytes = new Uint8Array(at);
    this.#view = new DataView(this.bytes.buffer);
    for (const [i, frame] of frames.entries()) this.bytes.set(frame, this.starts[i]);
  }

  setSequence(frame: number, sequence: number): void {
    this.#view.setUint32(this.#payloads[frame] + PAYLOAD_SEQUENCE, sequence, true);
  }

  setDue(frame: number, dueMs: number): void {
    this.#view.setFloat64(this.#payloads[frame] + PAYLOAD_DUE, dueMs, true);
  }

  /** The bytes of frames `[from, to)`. */
  slice(from: number, to: number): Uint8Array {
    return this.bytes.subarray(this.starts[from], this.starts[to]);
  }
}
