import { FRAME_DATA_LENGTH_OFFSET } from '../../engine/wire/layout/frame-header.ts';
import { SkeinError } from '../errors.ts';
import { viewOf } from '../receive/receive-buffer.ts';
import type { ClientSocket } from '../transport.ts';
import { bytesOf, checkAttached, type Data, isBytes, lengthOf, plainView } from './data.ts';
import type { FrameTemplate } from './frame-template.ts';

interface Block {
  readonly bytes: Buffer;
  readonly view: DataView;
}

interface FlushWaiter {
  /** Resolves when this many bytes, counted from the start of the session, have been given to the kernel. */
  readonly target: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

const BLOCK_LENGTH = 64 * 1024;
/** Blocks kept for reuse: what a session holds on to when it is idle. */
const MAX_SPARE_BLOCKS = 8;

export interface OutboundOptions {
  /** Unsent bytes from which `send` answers false. */
  readonly sendQueueBytes: number;
  /** Data shorter than this is copied, longer is sent from where it is. */
  readonly copyBelowBytes: number;
}

/**
 * The way out. Small frames are written one behind the other into blocks; a block leaves when it is full, and what is
 * left of it at the end of the program's turn, so a lone message goes at once and a stream of them in few writes. One
 * write is under way at a time: under load the next one grows meanwhile. A block is reused as soon as the kernel has
 * it.
 */
export class Outbound {
  readonly #socket: ClientSocket;
  readonly #options: OutboundOptions;
  #block: Block = newBlock();
  /** `block[pieceStart, filled)` is not yet among the pieces. */
  #pieceStart = 0;
  #filled = 0;
  /** Byte ranges to write, in order. */
  readonly #pieces: Uint8Array[] = [];
  /** What they hold, as it was when they were added. */
  #pendingBytes = 0;
  /** Full blocks with unsent bytes, and blocks whose bytes are being written. */
  #full: Block[] = [];
  #flying: Block[] = [];
  readonly #spare: Block[] = [];
  #acceptedBytes = 0;
  /** With the kernel. */
  #writtenBytes = 0;
  #flyingUpTo = 0;
  #writing = false;
  #flushScheduled = false;
  readonly #waiters: FlushWaiter[] = [];
  #closedBy: SkeinError | undefined;
  #abandoned = false;

  constructor(socket: ClientSocket, options: OutboundOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Bytes accepted and not yet with the kernel. */
  get pendingBytes(): number {
    return this.#acceptedBytes - this.#writtenBytes;
  }

  /**
   * Sends one frame. False: wait for `drained` before sending more. Throws MESSAGE_TOO_LONG, ILLEGAL_PARAM for what is neither
   * text nor bytes, or the reason the session ended; nothing is changed then.
   */
  send(template: FrameTemplate, data: Data): boolean {
    if (typeof data === 'string') return this.#sendText(template, data);
    const bytes = isBytes(data) ? data : bytesOf('data', data);
    const dataLength = lengthOf(bytes);
    if (dataLength === 0) checkAttached('data', bytes);
    const head = template.bytes;
    const frameLength = head.length + dataLength;
    if (dataLength >= this.#options.copyBelowBytes || frameLength > BLOCK_LENGTH)
      return this.#sendPieces(template, [bytes]);
    if (dataLength > template.maxDataLength) throw tooLong(dataLength, template);
    const offset = this.#reserve(frameLength);
    const block = this.#block;
    block.bytes.set(head, offset);
    block.view.setInt32(offset + FRAME_DATA_LENGTH_OFFSET, dataLength, true);
    block.bytes.set(bytes, offset + head.length);
    return this.#accepted(frameLength);
  }

  /** Sends one frame whose data is the pieces one behind the other, as `piecesOf` gives them; only short pieces are copied. */
  sendScattered(template: FrameTemplate, pieces: readonly Uint8Array[]): boolean {
    return this.#sendPieces(template, pieces);
  }

  /** Throws what `sendScattered` with this template would. */
  check(template: FrameTemplate, pieces: readonly Uint8Array[]): void {
    if (this.#closedBy !== undefined) throw this.#closedBy;
    checkLength(template, pieces);
  }

  /** Resolves when at most half the send queue is unsent; rejects when the session ends before. */
  drained(): Promise<void> {
    return this.#whenWritten(this.#acceptedBytes - Math.floor(this.#options.sendQueueBytes / 2));
  }

  /** Resolves when the kernel has everything sent so far; rejects when the session ends before. */
  flushed(): Promise<void> {
    return this.#whenWritten(this.#acceptedBytes);
  }

  /** Takes nothing more: `send` throws `reason` from now on. What was accepted still goes. */
  close(reason: SkeinError): void {
    this.#closedBy ??= reason;
  }

  /** Gives up what is unsent. */
  abandon(reason: SkeinError): void {
    this.close(reason);
    this.#abandoned = true;
    this.#pieces.length = 0;
    this.#pendingBytes = 0;
    this.#full.length = 0;
    this.#pieceStart = this.#filled;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason);
  }

  #sendText(template: FrameTemplate, text: string): boolean {
    const dataLength = Buffer.byteLength(text);
    const headLength = template.bytes.length;
    const frameLength = headLength + dataLength;
    if (frameLength > BLOCK_LENGTH) return this.#sendPieces(template, [Buffer.from(text)]);
    if (dataLength > template.maxDataLength) throw tooLong(dataLength, template);
    const offset = this.#reserve(frameLength);
    const block = this.#block;
    block.bytes.set(template.bytes, offset);
    block.view.setInt32(offset + FRAME_DATA_LENGTH_OFFSET, dataLength, true);
    block.bytes.write(text, offset + headLength, dataLength, 'utf8');
    return this.#accepted(frameLength);
  }

  #sendPieces(template: FrameTemplate, pieces: readonly Uint8Array[]): boolean {
    const dataLength = checkLength(template, pieces);
    const headLength = template.bytes.length;
    const offset = this.#reserve(headLength);
    this.#block.bytes.set(template.bytes, offset);
    this.#block.view.setInt32(offset + FRAME_DATA_LENGTH_OFFSET, dataLength, true);
    for (const piece of pieces) this.#appendPiece(piece);
    return this.#accepted(headLength + dataLength);
  }

  #appendPiece(piece: Uint8Array): void {
    const length = lengthOf(piece);
    if (length < this.#options.copyBelowBytes && length <= BLOCK_LENGTH) {
      const offset = this.#reserve(length);
      this.#block.bytes.set(piece, offset);
      return;
    }
    const bytes = plainView(piece);
    this.#closePiece();
    this.#pieces.push(length < this.#options.copyBelowBytes ? Buffer.from(bytes) : bytes);
    this.#pendingBytes += length;
  }

  /**
   * Room for `lengthBytes` (at most a block) in the current block, which may become a new one. Returns where it
   * starts.
   */
  #reserve(lengthBytes: number): number {
    if (this.#closedBy !== undefined) throw this.#closedBy;
    if (this.#filled + lengthBytes > BLOCK_LENGTH) this.#turnBlock();
    const offset = this.#filled;
    this.#filled = offset + lengthBytes;
    return offset;
  }

  #accepted(frameLength: number): boolean {
    this.#acceptedBytes += frameLength;
    if (!this.#flushScheduled && !this.#writing) {
      this.#flushScheduled = true;
      process.nextTick(this.#flushAtEndOfTurn);
    }
    return this.#acceptedBytes - this.#writtenBytes < this.#options.sendQueueBytes;
  }

  #closePiece(): void {
    if (this.#filled === this.#pieceStart) return;
    this.#pieces.push(this.#block.bytes.subarray(this.#pieceStart, this.#filled));
    this.#pendingBytes += this.#filled - this.#pieceStart;
    this.#pieceStart = this.#filled;
  }

  #turnBlock(): void {
    if (!this.#writing) this.#flush();
    // Written at once: the same block is empty again.
    if (this.#filled === 0) return;
    this.#closePiece();
    this.#full.push(this.#block);
    this.#block = this.#spare.pop() ?? newBlock();
    this.#pieceStart = 0;
    this.#filled = 0;
  }

  readonly #flushAtEndOfTurn = (): void => {
    this.#flushScheduled = false;
    if (!this.#writing) this.#flush();
  };

  /** Hands everything to the socket. Called only while no write is under way. */
  #flush(): void {
    this.#closePiece();
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    if (this.#isTorn()) return;
    const socket = this.#socket;
    const emptied = this.#flying;
    this.#flying = this.#full;
    this.#full = emptied;
    this.#flyingUpTo = this.#acceptedBytes;
    this.#writing = true;
    if (pieces.length === 1) {
      socket.write(pieces[0]!, this.#onWritten);
    } else {
      socket.cork();
      const last = pieces.length - 1;
      for (let i = 0; i < last; i++) socket.write(pieces[i]!);
      socket.write(pieces[last]!, this.#onWritten);
      socket.uncork();
    }
    pieces.length = 0;
    this.#pendingBytes = 0;
    // Usually the kernel takes it all on the spot, and the memory is ours again before the callback.
    if (socket.writableLength === 0) this.#completeWrite();
  }

  /**
   * Data that is sent from where it is must not change before it is. When its buffer was transferred away or cut, a frame lacks
   * bytes, and all behind it would be taken for the rest of it: the session cannot continue.
   */
  #isTorn(): boolean {
    let bytes = 0;
    for (const piece of this.#pieces) bytes += piece.length;
    if (bytes === this.#pendingBytes) return false;
    this.#socket.destroy(
      new SkeinError(
        'ILLEGAL_PARAM',
        'data: its ArrayBuffer was transferred or cut before flushed(); the session ends',
      ),
    );
    return true;
  }

  readonly #onWritten = (): void => {
    if (!this.#writing || this.#socket.writableLength > 0) return;
    this.#completeWrite();
    this.#flush();
  };

  #completeWrite(): void {
    this.#writing = false;
    this.#writtenBytes = this.#flyingUpTo;
    for (const block of this.#flying) if (this.#spare.length < MAX_SPARE_BLOCKS) this.#spare.push(block);
    this.#flying.length = 0;
    if (this.#pieceStart === this.#filled) {
      this.#pieceStart = 0;
      this.#filled = 0;
    }
    const waiters = this.#waiters;
    if (waiters.length === 0) return;
    let kept = 0;
    for (const waiter of waiters) {
      if (waiter.target <= this.#writtenBytes) waiter.resolve();
      else waiters[kept++] = waiter;
    }
    waiters.length = kept;
  }

  #whenWritten(target: number): Promise<void> {
    if (target <= this.#writtenBytes) return Promise.resolve();
    if (this.#abandoned) return handled(Promise.reject(this.#closedBy));
    return handled(new Promise((resolve, reject) => this.#waiters.push({ target, resolve, reject })));
  }
}

/** A caller that does not wait for the promise learns of the session's end in other ways. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

function newBlock(): Block {
  const bytes = Buffer.allocUnsafeSlow(BLOCK_LENGTH);
  return { bytes, view: viewOf(bytes) };
}

/** Length of all pieces. Throws MESSAGE_TOO_LONG. */
function checkLength(template: FrameTemplate, pieces: readonly Uint8Array[]): number {
  let dataLength = 0;
  for (const piece of pieces) dataLength += lengthOf(piece);
  if (dataLength > template.maxDataLength) throw tooLong(dataLength, template);
  return dataLength;
}

function tooLong(dataLength: number, template: FrameTemplate): SkeinError {
  return new SkeinError(
    'MESSAGE_TOO_LONG',
    `data: ${dataLength} bytes, at most ${template.maxDataLength} with these groups`,
  );
}
