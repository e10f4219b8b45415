/**
 * Reject messages (client-protocol.md, section 3.5): the frame of the refused request with 4 bytes, its `type`,
 * between header and groups, and the originator's private name appended to the groups.
 */
import { REJECT_GROUPS_OFFSET, REJECT_OLD_TYPE_OFFSET } from './layout/reject-frame.ts';
import { ENDIAN_FLAG } from './service.ts';

/** Width of the refused request's `type`, between the header and the groups of a reject. */
export const OLD_TYPE_LENGTH = REJECT_GROUPS_OFFSET - REJECT_OLD_TYPE_OFFSET;

/** The refused request's type bits at `offset`, without the endian flag. */
export const readOldType = (view: DataView, offset: number, littleEndian: boolean): number =>
  view.getUint32(offset, littleEndian) & ~ENDIAN_FLAG;
