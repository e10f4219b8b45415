/**
 * Reject messages (client-protocol.md, section 3.5): the frame of the refused request with 4 bytes, its `type`,
 * between header and groups, and the originator's private name appended to the groups.
 */
import { ENDIAN_FLAG, REGULAR_MESS, REJECT_MESS } from './service.ts';

/** Width of the refused request's `type`, between the header and the groups of a reject. */
export const OLD_TYPE_LENGTH = 4;

/**
 * Whether the frame has the 4 extra bytes. A reject made by a daemon never has a service bit; a REJECT bit next
 * to one was forged by a client, and the original daemon passes such a frame on without the extra bytes.
 */
export const hasOldType = (type: number): boolean => (type & REJECT_MESS) !== 0 && (type & REGULAR_MESS) === 0;

/** The refused request's type bits at `offset`, without the endian flag. */
export const readOldType = (view: DataView, offset: number, littleEndian: boolean): number =>
  view.getUint32(offset, littleEndian) & ~ENDIAN_FLAG;
