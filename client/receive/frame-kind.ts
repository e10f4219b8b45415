/** What a frame from the daemon is (client-protocol.md, sections 3.1 and 5.1). */
import { isSelfLeave, REG_MEMB_MESS, REGULAR_MESS, REJECT_MESS, TRANSITION_MESS } from '../../engine/wire/service.ts';

/** What a received frame is: the `kind` of its event. */
export type FrameKind = 'message' | 'membership' | 'transition' | 'selfLeave' | 'reject';

/**
 * Told from the bits of `type`. A service bit always means a client's message: the daemon's own frames have none, and
 * the original daemon passes on what clients set beside it, so those bits prove nothing (section 3.2). Undefined for
 * a frame that is nothing a daemon sends.
 */
export function frameKind(type: number): FrameKind | undefined {
  if ((type & REGULAR_MESS) !== 0) return 'message';
  if ((type & REJECT_MESS) !== 0) return 'reject';
  if ((type & REG_MEMB_MESS) !== 0) return 'membership';
  if ((type & TRANSITION_MESS) !== 0) return 'transition';
  return isSelfLeave(type) ? 'selfLeave' : undefined;
}
