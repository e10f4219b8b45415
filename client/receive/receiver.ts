import { type DrainNotice, decodeDrainNotice } from '../../engine/wire/drain-notice.ts';
import { FRAME_GROUPS_OFFSET } from '../../engine/wire/layout/frame-header.ts';
import { MalformedFrameError } from '../../engine/wire/membership-decode.ts';
import { SkeinError } from '../errors.ts';
import type { ReceivedEvent } from '../events.ts';
import type { FeedSource } from '../session-feed.ts';
import { throwLater } from '../throw-later.ts';
import type { ByteConsumer } from '../transport.ts';
import { Waiters } from '../waiters.ts';
import { Backlog } from './backlog.ts';
import type { Batch } from './batch.ts';
import { FrameCursor } from './frame-cursor.ts';
import { frameKind } from './frame-kind.ts';
import { FrameScan } from './frame-scan.ts';
import type { ReceiveBuffer } from './receive-buffer.ts';

/** What a receiver needs of its session. */
export interface ReceiverHost {
  readonly privateName: string;
  /** Bytes of unread frames at which reading stops. */
  readonly receiveQueueBytes: number;
  /** True while an answer is awaited that only reading on can bring; the bound is lifted for as long. */
  awaitsAnswer(): boolean;
  /** Whether anyone listens to the events of received frames. */
  hasListeners(): boolean;
  /** Gives an event to its listeners. Never throws. */
  emitEvent(event: ReceivedEvent): void;
  /** Every frame that is not a message, as it arrives, whenever the application gets to see it. */
  observe(event: ReceivedEvent): void;
  /** The daemon drains. In its place among the frames as they arrive. Never throws. */
  noticed(notice: DrainNotice): void;
  setReading(reading: boolean): void;
  /** The stream cannot be trusted any more. */
  failed(error: SkeinError): void;
  /** The connection ended. */
  ended(reason: unknown): void;
}

/** Called with the frames of one read; see `Session.onBatch`. The batch is valid until it returns. */
export type BatchHandler = (batch: Batch) => void;

/**
 * Passes received bytes to the batch handler, else the listeners, else the iterators. With none of
 * them ready, or while paused, whole frames wait as bytes in the backlog, and beyond a bound the socket is paused and
 * TCP pushes back. Every frame is given out once and in order, through all changes between the three ways.
 */
export class Receiver implements ByteConsumer, FeedSource<ReceivedEvent> {
  readonly #host: ReceiverHost;
  readonly #scan = new FrameScan();
  /**
   * Three cursors, since one may be in use while another moves: arriving frames, frames being delivered, frames
   * pulled.
   */
  readonly #arriving: FrameCursor;
  readonly #delivering: FrameCursor;
  readonly #pulling: FrameCursor;
  readonly #backlog = new Backlog();
  readonly #waiters = new Waiters<ReceivedEvent>();
  #batchHandler: BatchHandler | undefined;
  #paused = false;
  #full = false;
  #drainScheduled = false;
  #end: { readonly error: SkeinError | undefined } | undefined;
  #afterBacklog: (() => void) | undefined;

  constructor(host: ReceiverHost) {
    this.#host = host;
    this.#arriving = new FrameCursor(host.privateName);
    this.#delivering = new FrameCursor(host.privateName);
    this.#pulling = new FrameCursor(host.privateName);
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  get hasBatchHandler(): boolean {
    return this.#batchHandler !== undefined;
  }

  get hasWaiters(): boolean {
    return !this.#waiters.isEmpty;
  }

  receive(input: ReceiveBuffer): void {
    const scan = this.#scan;
    let failure: SkeinError | undefined;
    let isAtNotice: boolean;
    do {
      const { bytes, view, start } = input;
      try {
        scan.scan(bytes, view, start, input.end, this);
      } catch (error) {
        failure = asBrokenStream(error);
      }
      const { end, frameCount, noticeLength } = scan;
      isAtNotice = failure === undefined && noticeLength > 0;
      const notice = isAtNotice ? this.#readNotice(bytes, end, noticeLength) : null;
      if (notice instanceof SkeinError) failure = notice;
      input.start = end + noticeLength;
      if (!isAtNotice) input.need(scan.cutFrameLength);
      if (frameCount > 0 && this.#end === undefined) {
        this.#take(bytes, view, start, end, frameCount);
        this.updateReading();
      }
      if (notice !== null && !(notice instanceof SkeinError) && this.#end === undefined) this.#host.noticed(notice);
    } while (isAtNotice && failure === undefined);
    if (failure !== undefined) this.#host.failed(failure);
  }

  ended(reason: unknown): void {
    this.#host.ended(reason);
  }

  /** FrameScan's hook. What it throws ends the scan before this frame. */
  controlFrame(bytes: Buffer, view: DataView, offset: number, lengthBytes: number): void {
    const frame = this.#arriving;
    frame.reset(bytes, view, offset, offset + lengthBytes, 1);
    frame.next();
    if (frameKind(frame.serviceBits) === undefined)
      throw new SkeinError(
        'ILLEGAL_MESSAGE',
        `the daemon sent type 0x${frame.serviceBits.toString(16)}: no daemon does`,
      );
    this.#host.observe(frame.event());
    frame.release();
  }

  /** @returns null: of an unknown kind */
  #readNotice(bytes: Buffer, offset: number, lengthBytes: number): DrainNotice | SkeinError | null {
    try {
      const data = FRAME_GROUPS_OFFSET;
      return decodeDrainNotice(bytes, offset + data, lengthBytes - data);
    } catch (error) {
      return asBrokenStream(error);
    }
  }

  setBatchHandler(handler: BatchHandler | undefined): void {
    this.#batchHandler = handler;
    this.scheduleDrain();
    this.listenerRemoved();
  }

  pause(): void {
    this.#paused = true;
    this.updateReading();
  }

  resume(): void {
    this.#paused = false;
    this.scheduleDrain();
    this.updateReading();
  }

  /** Gives what waits in the backlog to handler or listeners, once the program's current turn is over. */
  scheduleDrain(): void {
    if (this.#drainScheduled || this.#backlog.isEmpty) return;
    this.#drainScheduled = true;
    process.nextTick(this.#drain);
  }

  /** The next event for an iterator. */
  next(): Promise<IteratorResult<ReceivedEvent, undefined>> {
    const value = this.#pull();
    if (value !== undefined) {
      this.#checkBacklogDone();
      this.updateReading();
      return Promise.resolve({ value, done: false });
    }
    if (this.#end === undefined) return this.#waiters.wait();
    if (this.#end.error !== undefined) return Promise.reject(this.#end.error);
    return Promise.resolve({ value: undefined, done: true });
  }

  /**
   * Nothing more will be read. With an error, what was read before it is still given out; without, the application
   * wants no more, and the backlog is dropped.
   */
  finish(error: SkeinError | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    if (error === undefined) this.#backlog.clear();
    this.#waiters.end(error);
  }

  /** The application is through with a session that was lost: what waits is dropped. */
  abandon(): void {
    this.#backlog.clear();
    this.#checkBacklogDone();
  }

  listenerRemoved(): void {
    if (!this.#hasTaker()) this.#tellDelivered();
  }

  /** Calls `done` when handler or listeners, if there are any, have had what is in the backlog. */
  whenDelivered(done: () => void): void {
    if (!this.#backlog.isEmpty && this.#hasTaker()) this.#afterBacklog = done;
    else done();
  }

  /** Lets the socket be read, or not, as the state of things asks. */
  updateReading(): void {
    if (this.#end !== undefined) return;
    const limit = this.#host.receiveQueueBytes;
    const { lengthBytes } = this.#backlog;
    // Room again only at half the limit, so that reading does not stop and go with every frame.
    this.#full = this.#full ? lengthBytes > limit / 2 : lengthBytes >= limit;
    this.#host.setReading(!this.#paused && (!this.#full || this.#host.awaitsAnswer()));
  }

  #hasTaker(): boolean {
    return this.#batchHandler !== undefined || this.#host.hasListeners();
  }

  #canDeliver(): boolean {
    return this.#hasTaker() ? !this.#paused : !this.#waiters.isEmpty;
  }

  /** Delivers newly arrived frames in place; frames without a taker are copied to the backlog. */
  #take(bytes: Buffer, view: DataView, start: number, end: number, frameCount: number): void {
    const cursor = this.#delivering;
    cursor.reset(bytes, view, start, end, frameCount);
    if (this.#backlog.isEmpty && this.#canDeliver()) {
      if (this.#batchHandler === undefined) {
        while (this.#mayContinue() && cursor.next()) this.#dispatch(cursor.event());
      } else {
        this.#handleBatch(this.#batchHandler, cursor);
        cursor.release();
      }
    }
    if (!this.#isClosed() && cursor.framesLeft > 0) {
      this.#backlog.push(bytes, cursor.nextOffset, end, cursor.framesLeft);
      if (this.#canDeliver()) this.scheduleDrain();
    }
    cursor.release();
  }

  /** Between two events: a listener may have closed the session, paused it, or gone away. */
  #mayContinue(): boolean {
    return !this.#isClosed() && this.#batchHandler === undefined && this.#canDeliver();
  }

  /** Closed by the application, which wants no more; a lost connection is something else. */
  #isClosed(): boolean {
    return this.#end !== undefined && this.#end.error === undefined;
  }

  readonly #drain = (): void => {
    this.#drainScheduled = false;
    while (this.#canDeliver() && !this.#backlog.isEmpty) {
      if (this.#batchHandler === undefined) {
        this.#dispatch(this.#pull()!);
        continue;
      }
      const chunk = this.#backlog.peek()!;
      const end = chunk.bytes.length;
      this.#delivering.reset(chunk.bytes, chunk.view, chunk.start, end, chunk.frameCount);
      this.#backlog.consume(end, 0);
      this.#handleBatch(this.#batchHandler, this.#delivering);
      this.#delivering.release();
    }
    this.#checkBacklogDone();
    this.updateReading();
  };

  #checkBacklogDone(): void {
    if (this.#backlog.isEmpty) this.#tellDelivered();
  }

  #tellDelivered(): void {
    const done = this.#afterBacklog;
    this.#afterBacklog = undefined;
    done?.();
  }

  #pull(): ReceivedEvent | undefined {
    const chunk = this.#backlog.peek();
    if (chunk === undefined) return undefined;
    const cursor = this.#pulling;
    cursor.reset(chunk.bytes, chunk.view, chunk.start, chunk.bytes.length, chunk.frameCount);
    cursor.next();
    const event = cursor.event();
    this.#backlog.consume(cursor.nextOffset, cursor.framesLeft);
    cursor.release();
    return event;
  }

  #dispatch(event: ReceivedEvent): void {
    if (this.#host.hasListeners()) this.#host.emitEvent(event);
    else this.#waiters.serve(event);
  }

  #handleBatch(handler: BatchHandler, batch: Batch): void {
    try {
      handler(batch);
    } catch (error) {
      throwLater(error);
    }
  }
}

/** The error that ends the session; what the daemon's bytes cannot have caused is thrown on. */
function asBrokenStream(error: unknown): SkeinError {
  if (error instanceof SkeinError) return error;
  if (error instanceof MalformedFrameError) return new SkeinError('ILLEGAL_MESSAGE', error.message, { cause: error });
  throw error;
}
