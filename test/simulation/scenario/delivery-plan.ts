/** Ordered logs as small as the records of a scenario allow, so that they wrap and are full many times in a run. */
import { FRAME_HEADER_LENGTH } from '../../../engine/wire/layout/frame-header.ts';
import { RECORD_HEADER_LENGTH } from '../../../engine/wire/layout/record-header.ts';
import { MAX_FRAME_LENGTH, NAME_FIELD_LENGTH } from '../../../engine/wire/limits.ts';
import { alignRecord } from '../../../engine/wire/record.ts';
import { largestDatagramBytes } from './profile.ts';
import type { DeliveryPlan, Scenario } from './scenario.ts';

export interface DeliveryShape {
  readonly termBufferCount: number;
  /** Spans that fit into a term. */
  readonly spansPerTerm: number;
  /** What is asked of the log before each span, as a part of what the span may need: below 1 more has to wait outside of the log. */
  readonly roomPart: number;
  readonly lagMs: number;
  readonly socketBytes: number;
  readonly maxSessionMessages: number;
  readonly maxSessionBytes: number;
  /** Of all sessions of a daemon together, as a multiple of `maxSessionBytes`. */
  readonly maxQueues: number;
}

export const DEFAULT_DELIVERY: DeliveryShape = {
  termBufferCount: 4,
  spansPerTerm: 2,
  roomPart: 1,
  lagMs: 0,
  socketBytes: 4_000,
  maxSessionMessages: 1_000,
  maxSessionBytes: 1_000_000,
  maxQueues: 1_000,
};

const MIN_SPAN_BYTES = 2_048;
/** A run of several frames is cut here, as a delivery worker does. */
export const MAX_RUN_BYTES = 16_384;
/** Terms are a multiple of this long. */
const TERM_STEP_BYTES = 64;
/** A record that becomes an entry is no shorter. */
const MIN_RECORD_BYTES = RECORD_HEADER_LENGTH + NAME_FIELD_LENGTH;

export function deliveryPlan(scenario: Scenario, shape: DeliveryShape): DeliveryPlan {
  let longest = MIN_SPAN_BYTES;
  for (const { maxBytes, groups, burst } of scenario.clients) {
    const frame = FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH * groups.length + maxBytes;
    longest = Math.max(longest, Math.min(frame * burst, MAX_RUN_BYTES), frame);
  }
  const maxSpanBytes = alignRecord(Math.min(longest, MAX_FRAME_LENGTH) + RECORD_HEADER_LENGTH);
  const roomBytes = Math.max(maxSpanBytes, largestDatagramBytes(scenario));
  const termBytes = TERM_STEP_BYTES * Math.ceil((roomBytes * shape.spansPerTerm) / TERM_STEP_BYTES);
  const entries = Math.max(8, Math.ceil((roomBytes / MIN_RECORD_BYTES) * shape.roomPart));
  return {
    log: { termBytes, termBufferCount: shape.termBufferCount, indexEntries: 2 ** Math.ceil(Math.log2(entries)) },
    room: { entries, bytes: Math.ceil(roomBytes * shape.roomPart) },
    maxSpanBytes,
    lagMs: shape.lagMs,
    socketBytes: shape.socketBytes,
    limits: {
      maxSessionMessages: shape.maxSessionMessages,
      maxSessionBytes: shape.maxSessionBytes,
      policy: 'disconnect',
    },
    maxQueuedBytes: shape.maxSessionBytes * shape.maxQueues,
  };
}
