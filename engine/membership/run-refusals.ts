/**
 * RUN_REFUSED (wire/layout/run-refused-body.ts; ring-protocol.md, 8.2): tells a daemon that it is not listened to because a later run of it is
 * remembered. It keeps silence from being the only answer to a daemon whose clock was set back, or of which there are two. The one that is told
 * only counts it, for the log: nothing in the protocol follows from it.
 */

import type { NodeContext } from '../host/node-context.ts';
import { RingCounter } from '../host/ring-counters.ts';
import type { Emitter } from '../ring/emitter.ts';
import { type NodeIndex, nodeIndex } from '../wire/ids.ts';
import {
  RUN_REFUSED_HASH_OFFSET,
  RUN_REFUSED_LENGTH,
  RUN_REFUSED_REFUSED_OFFSET,
  RUN_REFUSED_REMEMBERED_OFFSET,
  RUN_REFUSED_WAIT_MS_OFFSET,
} from '../wire/layout/run-refused-body.ts';
import { type BodyReader, BodyWriter } from '../wire/ring-body.ts';
import { readU32, readU48, writeU32, writeU48 } from '../wire/ring-bytes.ts';
import { NO_RING, PacketType } from '../wire/ring-header.ts';
import type { Incarnations } from './incarnations.ts';

export const WHILE_MEMBER = 0xffff_ffff;

export class RunRefusals {
  readonly #context: NodeContext;
  readonly #emitter: Emitter;
  readonly #incarnations: Incarnations;
  readonly #body = new BodyWriter();
  /** By daemon: the earlier run heard last, when it was heard first, and when it was told last. */
  readonly #run: Float64Array;
  readonly #sinceMs: Float64Array;
  readonly #toldAtMs: Float64Array;

  constructor(context: NodeContext, emitter: Emitter, incarnations: Incarnations) {
    const { nodeCount } = context;
    this.#context = context;
    this.#emitter = emitter;
    this.#incarnations = incarnations;
    this.#run = new Float64Array(nodeCount);
    this.#sinceMs = new Float64Array(nodeCount);
    this.#toldAtMs = new Float64Array(nodeCount);
  }

  /**
   * A control message of an earlier run was heard, and dropped. What such a run left in the network when it ended is heard once, or for a
   * moment; one that is heard again after half a probe period goes on, and is told, once in such a period.
   */
  staleHeard(from: NodeIndex, staleIncarnation: number): void {
    const { nowMs, options, counters } = this.#context;
    const periodMs = options.timeouts.probeEveryMs / 2;
    if (this.#run[from] !== staleIncarnation) {
      this.#run[from] = staleIncarnation;
      this.#sinceMs[from] = nowMs;
      this.#toldAtMs[from] = nowMs;
    }
    if (nowMs - this.#sinceMs[from]! < periodMs || nowMs - this.#toldAtMs[from]! < periodMs) return;
    this.#toldAtMs[from] = nowMs;
    const known = this.#incarnations.knownRun(from);
    const waitMs = Math.min(WHILE_MEMBER, Math.ceil(this.#incarnations.waitMs(from)));
    counters[RingCounter.RunsRefused]++;
    counters[RingCounter.RefusedNode] = from;
    counters[RingCounter.RefusedWaitMs] = waitMs;
    this.#body.reset();
    const at = this.#body.fixed(RUN_REFUSED_LENGTH);
    const { bytes, lengthBytes } = this.#body;
    bytes.set(options.clusterHash, at + RUN_REFUSED_HASH_OFFSET);
    writeU48(bytes, at + RUN_REFUSED_REFUSED_OFFSET, staleIncarnation);
    writeU48(bytes, at + RUN_REFUSED_REMEMBERED_OFFSET, known);
    writeU32(bytes, at + RUN_REFUSED_WAIT_MS_OFFSET, waitMs);
    this.#emitter.control(PacketType.RunRefused, 0, NO_RING, bytes, lengthBytes, from);
  }

  /** The hash has been checked. @returns false when the body is malformed */
  arrived(from: number, reader: BodyReader): boolean {
    const { counters, options } = this.#context;
    const at = reader.head(RUN_REFUSED_LENGTH);
    if (at < 0 || !reader.complete) return false;
    const refused = readU48(reader.bytes, at + RUN_REFUSED_REFUSED_OFFSET);
    const known = readU48(reader.bytes, at + RUN_REFUSED_REMEMBERED_OFFSET);
    const waitMs = readU32(reader.bytes, at + RUN_REFUSED_WAIT_MS_OFFSET);
    // Meant for a run before this one, or nonsense.
    if (refused !== options.incarnation || known <= refused) {
      counters[RingCounter.Stale]++;
      return true;
    }
    counters[RingCounter.OwnRunRefused]++;
    counters[RingCounter.OwnRunRefusedBy] = nodeIndex(from);
    counters[RingCounter.OwnRunRefusedFor] = known;
    counters[RingCounter.OwnRunWaitMs] = waitMs;
    return true;
  }
}
