import { readMessageType } from '../../engine/wire/frame.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUP_COUNT_OFFSET,
  FRAME_GROUPS_OFFSET,
  FRAME_HEADER_LENGTH,
  FRAME_HINT_OFFSET,
  FRAME_SENDER_OFFSET,
  FRAME_TYPE_OFFSET,
} from '../../engine/wire/layout/frame-header.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { OLD_TYPE_LENGTH, readOldType } from '../../engine/wire/reject-decode.ts';
import { ENDIAN_FLAG, REGULAR_MESS, REJECT_MESS, SELF_DISCARD } from '../../engine/wire/service.ts';
import { illegal } from '../check.ts';
import { SkeinError } from '../errors.ts';
import type { ByteOrder, ReceivedEvent } from '../events.ts';
import { type Service, serviceOf } from '../service-names.ts';
import type { Batch } from './batch.ts';
import { decodeEvent, type FrameFields } from './decode-event.ts';
import { type FrameKind, frameKind } from './frame-kind.ts';
import { viewOf } from './receive-buffer.ts';

/** Where a cursor without a frame looks: a header of nothing, so that accessors at the wrong time read no other memory. */
const EMPTY = Buffer.alloc(FRAME_HEADER_LENGTH);
const EMPTY_VIEW = viewOf(EMPTY);

/** A position in bytes that `FrameScan` has found to be whole frames. One object serves all of a session's frames. */
export class FrameCursor implements Batch, FrameFields {
  bytes: Buffer = EMPTY;
  view: DataView = EMPTY_VIEW;
  length = 0;
  /** Where the current frame starts, and whether its writer was little-endian. */
  frameOffset = 0;
  littleEndian = true;
  serviceBits = 0;
  groupCount = 0;
  groupsOffset = 0;
  dataOffset = 0;
  dataLength = 0;
  readonly #ownName: string;
  #end = 0;
  #next = 0;
  #framesLeft = 0;
  #lastSender = '';
  #lastGroup = '';

  constructor(ownName: string) {
    this.#ownName = ownName;
  }

  /** Places the cursor before the first of `frameCount` whole frames in `bytes[start, end)`. */
  reset(bytes: Buffer, view: DataView, start: number, end: number, frameCount: number): void {
    this.bytes = bytes;
    this.view = view;
    this.length = frameCount;
    this.#framesLeft = frameCount;
    this.#next = start;
    this.#end = end;
    this.frameOffset = start;
    this.serviceBits = 0;
    this.groupCount = 0;
    this.dataOffset = start;
    this.dataLength = 0;
  }

  /** Releases the bytes: a cursor that is kept shows no frame any more. */
  release(): void {
    this.reset(EMPTY, EMPTY_VIEW, 0, 0, 0);
  }

  /** Where the next frame starts, and how many follow the current one. */
  get nextOffset(): number {
    return this.#next;
  }
  get framesLeft(): number {
    return this.#framesLeft;
  }

  next(): boolean {
    const offset = this.#next;
    if (offset === this.#end) return false;
    const view = this.view;
    const type = view.getInt32(offset + FRAME_TYPE_OFFSET, true);
    const littleEndian = (type & ENDIAN_FLAG) === ENDIAN_FLAG;
    const bits = (littleEndian ? type : view.getInt32(offset + FRAME_TYPE_OFFSET, false)) & ~ENDIAN_FLAG;
    const groupCount = view.getInt32(offset + FRAME_GROUP_COUNT_OFFSET, littleEndian);
    const isReject = (bits & REGULAR_MESS) === 0 && (bits & REJECT_MESS) !== 0;
    this.frameOffset = offset;
    this.littleEndian = littleEndian;
    this.serviceBits = bits;
    this.groupCount = groupCount;
    this.groupsOffset = offset + FRAME_GROUPS_OFFSET + (isReject ? OLD_TYPE_LENGTH : 0);
    this.dataOffset = this.groupsOffset + groupCount * NAME_FIELD_LENGTH;
    this.dataLength = view.getInt32(offset + FRAME_DATA_LENGTH_OFFSET, littleEndian);
    this.#next = this.dataOffset + this.dataLength;
    this.#framesLeft--;
    return true;
  }

  /** `FrameScan` and the receiver let no other frames through, so the kind is always known. */
  get kind(): FrameKind {
    return frameKind(this.serviceBits)!;
  }

  get service(): Service | undefined {
    return serviceOf(this.serviceBits);
  }

  get type(): number {
    return readMessageType(this.view, this.frameOffset + FRAME_HINT_OFFSET);
  }

  get byteOrder(): ByteOrder {
    const hint = this.view.getInt32(this.frameOffset + FRAME_HINT_OFFSET, true);
    return (hint & ENDIAN_FLAG) === ENDIAN_FLAG ? 'little' : 'big';
  }

  get selfDiscard(): boolean {
    return (this.serviceBits & SELF_DISCARD) !== 0;
  }

  /** Senders and groups repeat themselves: the last one's string is kept and compared with the bytes first. */
  get sender(): string {
    const offset = this.frameOffset + FRAME_SENDER_OFFSET;
    if (!this.#fieldEquals(offset, this.#lastSender)) this.#lastSender = this.#name(offset);
    return this.#lastSender;
  }

  senderEquals(name: string): boolean {
    return this.#fieldEquals(this.frameOffset + FRAME_SENDER_OFFSET, name);
  }

  group(index: number): string {
    const offset = this.#groupField(index);
    if (!this.#fieldEquals(offset, this.#lastGroup)) this.#lastGroup = this.#name(offset);
    return this.#lastGroup;
  }

  groupEquals(index: number, name: string): boolean {
    return this.#fieldEquals(this.#groupField(index), name);
  }

  data(): Buffer {
    return this.bytes.subarray(this.dataOffset, this.dataOffset + this.dataLength);
  }

  copy(): Buffer {
    const copy = Buffer.allocUnsafe(this.dataLength);
    this.bytes.copy(copy, 0, this.dataOffset, this.dataOffset + this.dataLength);
    return copy;
  }

  event(): ReceivedEvent {
    if (frameKind(this.serviceBits) === undefined)
      throw new SkeinError(
        'ILLEGAL_STATE',
        'batch: it is at no frame; call next() first, and keep event() or retain()',
      );
    return decodeEvent(this, this.#ownName);
  }

  retain(): Batch {
    const bytes = Buffer.allocUnsafeSlow(this.#end - this.#next);
    bytes.set(this.bytes.subarray(this.#next, this.#end));
    const kept = new FrameCursor(this.#ownName);
    kept.reset(bytes, viewOf(bytes), 0, bytes.length, this.#framesLeft);
    return kept;
  }

  /** Type bits of the refused request, without endian flag; only of a reject. */
  get oldType(): number {
    return readOldType(this.view, this.frameOffset + FRAME_HEADER_LENGTH, this.littleEndian);
  }

  #groupField(index: number): number {
    if (typeof index !== 'number' || index >>> 0 !== index || index >= this.groupCount)
      throw illegal('index', index, `below ${this.groupCount}, the number of groups in the frame`);
    return this.groupsOffset + index * NAME_FIELD_LENGTH;
  }

  /** Cut at the first NUL; byte 31 counts as one (section 2.5). */
  #name(offset: number): string {
    const bytes = this.bytes;
    let end = offset;
    const last = offset + NAME_FIELD_LENGTH - 1;
    while (end < last && bytes[end] !== 0) end++;
    return bytes.toString('latin1', offset, end);
  }

  #fieldEquals(offset: number, name: string): boolean {
    if (typeof name !== 'string') throw illegal('name', name, 'a string');
    const bytes = this.bytes;
    const length = name.length;
    if (length >= NAME_FIELD_LENGTH) return false;
    if (length < NAME_FIELD_LENGTH - 1 && bytes[offset + length] !== 0) return false;
    for (let i = 0; i < length; i++) {
      const byte = bytes[offset + i];
      if (byte === 0 || byte !== name.charCodeAt(i)) return false;
    }
    return true;
  }
}
