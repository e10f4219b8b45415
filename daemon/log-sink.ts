/**
 * Takes log lines and gets them to their target without ever waiting or throwing. While the target has no room (a full disk, a
 * pipe without a reader) a bounded number of bytes wait; what is beyond is dropped and counted, and a line says so as soon as there
 * is room again. A line that was cut short by a full disk is completed before anything else is written.
 */
import type { LogTarget } from './log-target.ts';

/** Lines that wait for room, in bytes. */
export const MAX_WAITING_BYTES = 256 * 1024;
/** How often a target without room is tried again. */
const RETRY_MS = 200;
/** How long the end of the daemon waits for a reader that takes nothing. */
const CLOSE_PATIENCE_MS = 250;
const CLOSE_LOOK_MS = 10;

/** What happened to lines since the target last worked. */
export interface LogGap {
  readonly lost: number;
  /** Lines that waited and were written late. */
  readonly late: number;
  /** Code of the system's error, such as ENOSPC; EAGAIN: the reader was too slow. */
  readonly reason: string;
}

export interface LogSinkOptions {
  /** Opens the target, also again. @throws the error of the system */
  readonly open: () => LogTarget;
  /** The line that reports a gap, with its line feed. */
  readonly describeGap: (gap: LogGap) => string;
}

/** Errors of opening that time can mend: no space for a new file, a FIFO that has no reader yet. */
const PASSING_OPEN_ERRORS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'ENXIO', 'EMFILE', 'ENFILE']);

const LINE_FEED = Buffer.from('\n');

export class LogSink {
  #open: () => LogTarget;
  readonly #describeGap: (gap: LogGap) => string;
  #target: LogTarget | null = null;
  /** Lines in order; `#written` bytes of the first are in the target. */
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #written = 0;
  #lost = 0;
  /** Since the last gap was told. */
  #lostInGap = 0;
  #lateInGap = 0;
  #reason: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  /** Told whenever lines are lost, with their number since the start. */
  onLost: (lost: number) => void = () => {};

  /** @throws the error of the system when the target cannot be opened, nor could be later */
  constructor(options: LogSinkOptions) {
    this.#open = options.open;
    this.#describeGap = options.describeGap;
    try {
      this.#use(options.open());
    } catch (error) {
      if (!PASSING_OPEN_ERRORS.has(codeOf(error))) throw error;
      this.#failed(error);
    }
  }

  /** Lines lost since the start. */
  get linesLost(): number {
    return this.#lost;
  }

  /** @param line with its line feed */
  write(line: string): void {
    if (this.#closed) return;
    const bytes = Buffer.from(line);
    // After a lost line the following are dropped too, until the gap is reported: so the report is where the gap is.
    if (this.#reason !== null) this.#drain();
    // A line that is longer than all that may wait has its try as long as none waits.
    const isFull = this.#waiting.length > 0 && this.#waitingBytes + bytes.length > MAX_WAITING_BYTES;
    if (this.#lostInGap > 0 || isFull) {
      this.#lose(1);
      return;
    }
    this.#push(bytes);
    this.#drain();
  }

  /**
   * Opens the target's path anew, which another program may have renamed: what was said before goes to the old file, what comes to
   * the new one.
   * @throws the error of the system; the old target stays in use then
   */
  reopen(): void {
    if (this.#closed) return;
    this.#drain();
    this.moveTo(this.#open(), this.#open);
  }

  /**
   * Goes on in another target: what was said before goes to the old one.
   * @param open opens it again
   */
  moveTo(target: LogTarget, open: () => LogTarget): void {
    if (this.#closed) {
      target.close();
      return;
    }
    this.#drain();
    this.#open = open;
    this.#closeTarget();
    this.#use(target);
    this.#drain();
  }

  /** Writes waiting lines while the target accepts them, then releases it. Never rejects. */
  async close(): Promise<void> {
    this.#drain();
    let progressAtMs = performance.now();
    while (this.#waiting.length > 0 && performance.now() - progressAtMs < CLOSE_PATIENCE_MS) {
      const before = this.#waitingBytes - this.#written;
      await new Promise((resolve) => setTimeout(resolve, CLOSE_LOOK_MS));
      this.#drain();
      if (this.#waitingBytes - this.#written < before) progressAtMs = performance.now();
    }
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#waiting.length > 0) this.#lose(this.#waiting.length);
    this.#closeTarget();
  }

  /** Gives the target to the user that the daemon becomes. @throws the error of the system */
  handOver(uid: number, gid: number): void {
    this.#target?.handOver(uid, gid);
  }

  #use(target: LogTarget): void {
    // A line of which a part is in another file is written whole here.
    this.#written = 0;
    this.#target = target;
    if (!target.beginsTorn) return;
    this.#waiting.unshift(LINE_FEED);
    this.#waitingBytes += LINE_FEED.length;
  }

  #push(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  #shift(): void {
    this.#waitingBytes -= this.#waiting.shift()!.length;
    this.#written = 0;
  }

  #lose(lines: number): void {
    this.#lost += lines;
    this.#lostInGap += lines;
    this.onLost(this.#lost);
  }

  /** Writes until all is written or the target refuses. */
  #drain(): void {
    try {
      this.#openIfLost();
      for (;;) {
        while (this.#waiting.length > 0) this.#writeFirst();
        if (this.#reason === null) return;
        this.#tellGap();
        if (this.#waiting.length === 0) return;
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  #writeFirst(): void {
    const line = this.#waiting[0]!;
    this.#written += this.#put(line, this.#written);
    if (this.#written < line.length) return;
    this.#shift();
    if (this.#reason !== null && line !== LINE_FEED) this.#lateInGap++;
  }

  /** Nothing waits. The gap is cleared once its report has begun to be written. */
  #tellGap(): void {
    const gap = { lost: this.#lostInGap, late: this.#lateInGap, reason: this.#reason! };
    // A reader that was slow for a moment but got everything is not reported.
    if (gap.lost > 0 || gap.reason !== 'EAGAIN') {
      const line = Buffer.from(this.#describeGap(gap));
      const taken = this.#put(line, 0);
      if (taken < line.length) {
        this.#push(line);
        this.#written = taken;
      }
    }
    this.#lostInGap = 0;
    this.#lateInGap = 0;
    this.#reason = null;
  }

  #put(line: Buffer, offset: number): number {
    const taken = this.#target!.write(line, offset);
    if (taken === 0) throw Object.assign(new Error('nothing was taken'), { code: 'EAGAIN' });
    return taken;
  }

  #openIfLost(): void {
    if (this.#target?.isLinked() === false) this.#closeTarget();
    if (this.#target === null) this.#use(this.#open());
  }

  #closeTarget(): void {
    try {
      this.#target?.close();
    } catch {
      // What the kernel could not write back is lost with the disk.
    }
    this.#target = null;
  }

  #failed(error: unknown): void {
    const code = codeOf(error);
    // Of a gap with several causes the more specific one is reported.
    if (this.#reason === null || code !== 'EAGAIN') this.#reason = code;
    if (code === 'EPIPE' && this.#written > 0) {
      // The reader of the first half is gone; another one must not get the second half alone.
      this.#shift();
      this.#lose(1);
    }
    if (this.#timer !== null || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#drain();
    }, RETRY_MS).unref();
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
