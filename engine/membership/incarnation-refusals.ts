/**
 * INCARNATION_REFUSED (wire/layout/incarnation-refused-body.ts; ring-protocol.md, 8.2): tells a daemon that it is ignored because a
 * later incarnation of it is remembered. It keeps silence from being the only answer to a daemon whose clock was set back, or of which
 * there are two. The receiver only counts it, for the log; the protocol does not depend on it.
 */

import type { NodeContext } from '../host/node-context.ts';
import { RingCounter } from '../host/ring-counters.ts';
import type { Emitter } from '../ring/emitter.ts';
import { type NodeIndex, nodeIndex } from '../wire/ids.ts';
import {
  INCARNATION_REFUSED_HASH_OFFSET,
  INCARNATION_REFUSED_LENGTH,
  INCARNATION_REFUSED_REFUSED_OFFSET,
  INCARNATION_REFUSED_REMEMBERED_OFFSET,
  INCARNATION_REFUSED_WAIT_MS_OFFSET,
} from '../wire/layout/incarnation-refused-body.ts';
import { type BodyReader, BodyWriter } from '../wire/ring-body.ts';
import { readU32, readU48, writeU32, writeU48 } from '../wire/ring-bytes.ts';
import { NO_RING, PacketType } from '../wire/ring-header.ts';
import type { Incarnations } from './incarnations.ts';

export const WHILE_MEMBER = 0xffff_ffff;

export class IncarnationRefusals {
  readonly #context: NodeContext;
  readonly #emitter: Emitter;
  readonly #incarnations: Incarnations;
  readonly #body = new BodyWriter();
  /** By daemon: the earlier incarnation heard last, when it was heard first, and when it was told last. */
  readonly #stale: Float64Array;
  readonly #sinceMs: Float64Array;
  readonly #toldAtMs: Float64Array;

  constructor(context: NodeContext, emitter: Emitter, incarnations: Incarnations) {
    const { nodeCount } = context;
    this.#context = context;
    this.#emitter = emitter;
    this.#incarnations = incarnations;
    this.#stale = new Float64Array(nodeCount);
    this.#sinceMs = new Float64Array(nodeCount);
    this.#toldAtMs = new Float64Array(nodeCount);
  }

  /**
   * A control message of an earlier incarnation was heard, and dropped. What such an incarnation left in the network when it ended is heard
   * once, or for a moment. An incarnation heard again after half a probe period is running; it is told so once in such a period.
   */
  staleHeard(from: NodeIndex, staleIncarnation: number): void {
    const { nowMs, options, counters } = this.#context;
    const periodMs = options.timeouts.probeEveryMs / 2;
    if (this.#stale[from] !== staleIncarnation) {
      this.#stale[from] = staleIncarnation;
      this.#sinceMs[from] = nowMs;
      this.#toldAtMs[from] = nowMs;
    }
    if (nowMs - this.#sinceMs[from]! < periodMs || nowMs - this.#toldAtMs[from]! < periodMs) return;
    this.#toldAtMs[from] = nowMs;
    const known = this.#incarnations.knownIncarnation(from);
    const waitMs = Math.min(WHILE_MEMBER, Math.ceil(this.#incarnations.waitMs(from)));
    counters[RingCounter.IncarnationsRefused]++;
    counters[RingCounter.RefusedNode] = from;
    counters[RingCounter.RefusedWaitMs] = waitMs;
    this.#body.reset();
    const at = this.#body.fixed(INCARNATION_REFUSED_LENGTH);
    const { bytes, lengthBytes } = this.#body;
    bytes.set(options.clusterHash, at + INCARNATION_REFUSED_HASH_OFFSET);
    writeU48(bytes, at + INCARNATION_REFUSED_REFUSED_OFFSET, staleIncarnation);
    writeU48(bytes, at + INCARNATION_REFUSED_REMEMBERED_OFFSET, known);
    writeU32(bytes, at + INCARNATION_REFUSED_WAIT_MS_OFFSET, waitMs);
    this.#emitter.control(PacketType.IncarnationRefused, 0, NO_RING, bytes, lengthBytes, from);
  }

  /** The hash has been checked. @returns false when the body is malformed */
  arrived(from: number, reader: BodyReader): boolean {
    const { counters, options } = this.#context;
    const at = reader.head(INCARNATION_REFUSED_LENGTH);
    if (at < 0 || !reader.complete) return false;
    const refused = readU48(reader.bytes, at + INCARNATION_REFUSED_REFUSED_OFFSET);
    const known = readU48(reader.bytes, at + INCARNATION_REFUSED_REMEMBERED_OFFSET);
    const waitMs = readU32(reader.bytes, at + INCARNATION_REFUSED_WAIT_MS_OFFSET);
    // Meant for an incarnation before this one, or nonsense.
    if (refused !== options.incarnation || known <= refused) {
      counters[RingCounter.Stale]++;
      return true;
    }
    counters[RingCounter.OwnIncarnationRefused]++;
    counters[RingCounter.OwnIncarnationRefusedBy] = nodeIndex(from);
    counters[RingCounter.OwnIncarnationRefusedFor] = known;
    counters[RingCounter.OwnIncarnationWaitMs] = waitMs;
    return true;
  }
}
