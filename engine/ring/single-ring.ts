/**
 * The order of a ring of one: every record is ordered, received by all members and stable the moment it is taken from
 * the send queue, so spans go from the queue to the ordered log as they are.
 */

import { RingCounter } from '../host/ring-counters.ts';
import type { RecordSpan, RingHost } from '../host/ring-host.ts';
import type { NodeIndex } from '../wire/ids.ts';

/** Spans handled by one call, so that a queue that is refilled all the time cannot keep the caller forever. */
const SPANS_PER_CALL = 64;

export class SingleRing {
  readonly #self: NodeIndex;
  readonly #host: RingHost;
  readonly #counters: Float64Array;
  readonly #span: RecordSpan = { bytes: new Uint8Array(0), offset: 0, lengthBytes: 0 };
  #sequence = 0;

  constructor(self: NodeIndex, host: RingHost, counters: Float64Array) {
    this.#self = self;
    this.#host = host;
    this.#counters = counters;
  }

  /** A new configuration numbers its packets from 1. */
  restart(): void {
    this.#sequence = 0;
    this.#publish();
  }

  /** @returns whether records may be left that the next call could deliver */
  deliverQueued(): boolean {
    const host = this.#host;
    const span = this.#span;
    let spans = 0;
    while (spans < SPANS_PER_CALL && host.canDeliver() && host.borrowRecords(span)) {
      host.deliverRecords(this.#self, span.bytes, span.offset, span.lengthBytes);
      host.releaseRecords();
      spans++;
    }
    if (spans === 0) return false;
    this.#sequence += spans;
    this.#counters[RingCounter.PacketsSent] += spans;
    this.#counters[RingCounter.PacketsDelivered] += spans;
    this.#publish();
    return spans === SPANS_PER_CALL;
  }

  #publish(): void {
    const counters = this.#counters;
    counters[RingCounter.HighSeq] = this.#sequence;
    counters[RingCounter.MyAru] = this.#sequence;
    counters[RingCounter.Aru] = this.#sequence;
    counters[RingCounter.Delivered] = this.#sequence;
    counters[RingCounter.Discarded] = this.#sequence;
  }
}
