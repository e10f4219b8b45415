import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_HEADER_LENGTH,
  FRAME_TYPE_OFFSET,
} from '../../engine/wire/layout/frame-header.ts';
import { MAX_MEMBERSHIP_FRAME_LENGTH, NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { OLD_TYPE_LENGTH } from '../../engine/wire/reject-decode.ts';
import { ENDIAN_FLAG, isNotice, REG_MEMB_MESS, REGULAR_MESS, REJECT_MESS } from '../../engine/wire/service.ts';
import { SkeinError } from '../errors.ts';

/**
 * Longest message and reject taken from a daemon. Daemons send at most 144,000 bytes; anything near this is a broken length field.
 * Views are as long as their groups are large. What no memory is set aside for before it has come (see `ReceiveBuffer`) needs no
 * other bound than the wire's own.
 */
const MAX_RECEIVED_MESSAGE_LENGTH = 64 * 1024 * 1024;

/** Told of every frame that is not a plain message, in order; `offset` is where it starts. */
export interface ControlFrames {
  controlFrame(bytes: Buffer, view: DataView, offset: number, lengthBytes: number): void;
}

/**
 * Walks received bytes frame by frame, checks the lengths that framing rests on, and finds where the last whole frame
 * ends. Code that handles the frames afterwards need not check these again.
 */
export class FrameScan {
  /** End of the last whole frame. */
  end = 0;
  /** Whole frames found. */
  frameCount = 0;
  /** Length of the frame that is cut at the end, as far as known yet; 0 when none is. */
  cutFrameLength = 0;
  /** Length of the notice that begins at `end`: it is nothing that is given out, and the scan stopped before it. 0: none. */
  noticeLength = 0;

  /**
   * Scans `bytes[from, to)`. Throws ILLEGAL_MESSAGE for counts no frame can have; `end` then stands before that
   * frame.
   */
  scan(bytes: Buffer, view: DataView, from: number, to: number, control: ControlFrames): void {
    let position = from;
    this.end = from;
    this.frameCount = 0;
    this.cutFrameLength = 0;
    this.noticeLength = 0;
    while (to - position >= FRAME_HEADER_LENGTH) {
      const type = view.getInt32(position + FRAME_TYPE_OFFSET, true);
      const flag = type & ENDIAN_FLAG;
      const littleEndian = flag === ENDIAN_FLAG;
      if (!littleEndian && flag !== 0) throw illegal('type', type >>> 0, 'both or no bits of 0x80000080');
      const groupCount = view.getInt32(position + FRAME_GROUP_COUNT_OFFSET, littleEndian);
      const dataLength = view.getInt32(position + FRAME_DATA_LENGTH_OFFSET, littleEndian);
      if (groupCount < 0) throw illegal('num_groups', groupCount, '0 or more');
      if (dataLength < 0) throw illegal('data_len', dataLength, '0 or more');
      const bits = littleEndian ? type : view.getInt32(position + FRAME_TYPE_OFFSET, false);
      let length = FRAME_HEADER_LENGTH + groupCount * NAME_FIELD_LENGTH + dataLength;
      const plain = (bits & REGULAR_MESS) !== 0;
      if (!plain && (bits & REJECT_MESS) !== 0) length += OLD_TYPE_LENGTH;
      const isView = !plain && (bits & REG_MEMB_MESS) !== 0;
      const limit = isView ? MAX_MEMBERSHIP_FRAME_LENGTH : MAX_RECEIVED_MESSAGE_LENGTH;
      if (length > limit) throw illegal('length of a frame', length, `at most ${limit} bytes`);
      if (length > to - position) {
        this.cutFrameLength = length;
        return;
      }
      if (!plain) {
        if (isNotice(bits)) {
          this.noticeLength = length;
          return;
        }
        control.controlFrame(bytes, view, position, length);
      }
      position += length;
      this.end = position;
      this.frameCount++;
    }
    if (position < to) this.cutFrameLength = FRAME_HEADER_LENGTH;
  }
}

const illegal = (field: string, value: number, limit: string): SkeinError =>
  new SkeinError('ILLEGAL_MESSAGE', `the daemon sent ${field} ${value}: must be ${limit}`);
