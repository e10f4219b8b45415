import type { ByteOrder, ReceivedEvent } from '../events.ts';
import type { Service } from '../service-names.ts';
import type { FrameKind } from './frame-kind.ts';

/**
 * The frames that arrived together, seen through one reused cursor: nothing is allocated for a frame unless asked
 * for.
 *
 *     session.onBatch((batch) => {
 *       while (batch.next()) if (batch.kind === 'message') handle(batch.bytes, batch.dataOffset, batch.dataLength);
 *     });
 *
 * **Ownership:** the batch, `bytes` and what `data()` returns are valid only until the handler returns; then the
 * memory is read into again. What must last longer: `copy()`, `event()`, `retain()`, and every string. Frames the
 * handler does not visit are skipped. Before the first `next()` and after one that returned false, the accessors have
 * no meaning.
 */
export interface Batch {
  /** Frames in this batch. */
  readonly length: number;
  /** Goes to the next frame; false when there is none. */
  next(): boolean;

  /** What the frame is. */
  readonly kind: FrameKind;
  /** All bits of the frame's `type`, endian flag removed (client-protocol.md, section 3.1). */
  readonly serviceBits: number;
  /** Undefined for frames that are not messages. */
  readonly service: Service | undefined;
  /** The application's message type, an int16; 0 in frames made by the daemon. */
  readonly type: number;
  /** Byte order of the program that sent the data. */
  readonly byteOrder: ByteOrder;
  /** The sender asked not to get its own copy. */
  readonly selfDiscard: boolean;

  /** Private name of a message's sender; the group's name for membership, transition and self-leave. */
  readonly sender: string;
  /** As `sender === name`, without making a string. */
  senderEquals(name: string): boolean;

  /** Targets of a message; members of a membership message. */
  readonly groupCount: number;
  /** Makes a string of target `index`, 0-based. ILLEGAL_PARAM outside `groupCount`. */
  group(index: number): string;
  /** As `group(index) === name`, without making a string. */
  groupEquals(index: number, name: string): boolean;

  /** The memory that holds the frame: its data is `bytes[dataOffset, dataOffset + dataLength)`. */
  readonly bytes: Buffer;
  /** Where the data starts in `bytes`. */
  readonly dataOffset: number;
  /** Bytes of data. */
  readonly dataLength: number;
  /** A view of the data, not a copy. */
  data(): Buffer;
  /** A copy of the data, the caller's own. */
  copy(): Buffer;
  /** The frame as an object that owns its data; what the iterator and the events give. */
  event(): ReceivedEvent;
  /** A batch over a copy of the frames not yet visited, valid for as long as it is kept. */
  retain(): Batch;
}
