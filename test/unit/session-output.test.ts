/** The queue of a session: no loss, no duplicate, no byte of the log used after it was released. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogHolds } from '../../engine/buffers/log-position.ts';
import { KeptBytes } from '../../workers/delivery/kept-bytes.ts';
import { SessionOutput } from '../../workers/delivery/session-output.ts';
import { SharedSpill } from '../../workers/delivery/shared-spill.ts';
import { FakeTransport } from './fake-transport.ts';

const TERM_BYTES = 32 * 1024;
const TERM_BUFFERS = 24;
const KEEP_TERMS = 8;

/** The log as an output sees it. A term buffer is overwritten as soon as nobody holds it. */
class FakeLog implements LogHolds {
  readonly shape = { termBytes: TERM_BYTES, termBufferCount: TERM_BUFFERS, indexEntries: 16, readers: 1 };
  readonly bytes = Buffer.alloc(TERM_BYTES * TERM_BUFFERS);
  readonly #holds = new Int32Array(TERM_BUFFERS);
  termBuffer = 0;
  position = 0;
  term = 0;
  pinnedTermBuffers = 0;

  hold(termBuffer: number): void {
    this.#holds[termBuffer]!++;
  }

  unhold(termBuffer: number): void {
    expect(this.#holds[termBuffer]).toBeGreaterThan(0);
    this.#holds[termBuffer]!--;
    if (this.#holds[termBuffer] === 0 && termBuffer !== this.termBuffer) this.#overwrite(termBuffer);
  }

  get heldTermBuffers(): number {
    return this.#holds.filter((holds) => holds > 0).length;
  }

  /** Writes unique bytes. @returns their place */
  write(lengthBytes: number, seed: number): { readonly start: number; readonly end: number; readonly bytes: Buffer } {
    if (this.position + lengthBytes > TERM_BYTES) this.nextTerm();
    const start = this.position;
    const bytes = Buffer.alloc(lengthBytes);
    for (let i = 0; i < lengthBytes; i++) bytes[i] = seed * 31 + i * 7;
    bytes.copy(this.bytes, this.termBuffer * TERM_BYTES + start);
    this.position += lengthBytes;
    return { start, end: start + lengthBytes, bytes };
  }

  nextTerm(): void {
    const left = this.termBuffer;
    const free = [...this.#holds.keys()].find((termBuffer) => termBuffer !== left && this.#holds[termBuffer] === 0);
    if (free === undefined) throw new Error('an output holds every term buffer of the log');
    this.termBuffer = free;
    this.position = 0;
    this.term++;
    if (this.#holds[left] === 0) this.#overwrite(left);
  }

  #overwrite(termBuffer: number): void {
    this.bytes.fill(0xee, termBuffer * TERM_BYTES, (termBuffer + 1) * TERM_BYTES);
  }
}

class Bench {
  readonly log = new FakeLog();
  readonly socket: FakeTransport;
  readonly output: SessionOutput;
  readonly store = new KeptBytes(TERM_BYTES);
  readonly #spill: SharedSpill;
  readonly #sent: Buffer[] = [];
  frames = 0;
  unblocked = 0;
  #seed = 0;

  constructor(room: number) {
    this.socket = new FakeTransport(room);
    this.output = new SessionOutput(this.log, this.log.bytes, this.store, this.socket, () => this.unblocked++);
    this.#spill = new SharedSpill(this.store, this.log.bytes, TERM_BYTES);
  }

  /** Does the work of `SlowConsumers`: copies out ranges that are `KEEP_TERMS` terms behind the log. */
  spillOld(): void {
    const { output } = this;
    for (let term = output.oldestTerm(); term !== null; term = output.oldestTerm()) {
      if (this.log.term - term < KEEP_TERMS) return;
      this.#spill.begin(output.oldestTermBuffer());
      output.markSpill(term, this.#spill);
      this.#spill.settle();
      output.wantSpill(term, this.#spill, 1, 2);
      this.#spill.copy();
      output.takeSpill(term, this.#spill);
      this.#spill.end();
    }
  }

  /** A run of frames in the log for this session. */
  add(lengthBytes: number, frames = 1): void {
    const { start, end, bytes } = this.log.write(lengthBytes, this.#seed++);
    this.output.add(this.log.termBuffer, start, end, frames, this.log.term);
    this.#sent.push(bytes);
    this.frames += frames;
  }

  /** A run for others. */
  skip(lengthBytes: number): void {
    this.log.write(lengthBytes, this.#seed++);
  }

  addOwned(lengthBytes: number): void {
    const bytes = Buffer.alloc(lengthBytes, this.#seed++);
    this.output.addOwned(Buffer.from(bytes), 1);
    this.#sent.push(bytes);
    this.frames++;
  }

  get sent(): Buffer {
    return Buffer.concat(this.#sent);
  }

  /** From now on the socket takes everything. */
  finish(): void {
    for (let i = 0; i < 1000 && (this.output.queuedBytes > 0 || this.output.blocked); i++) {
      this.socket.take(1 << 24);
      this.socket.tick();
      this.output.flush();
    }
    expect(this.socket.received.equals(this.sent)).toBe(true);
    expect([this.output.queuedBytes, this.output.queuedFrames, this.output.blocked]).toEqual([0, 0, false]);
    expect(this.log.heldTermBuffers).toBe(0);
    expect([this.store.heldBytes, this.store.liveBytes, this.store.closingBytes]).toEqual([0, 0, 0]);
  }
}

describe('a socket that takes everything', () => {
  it('gets neighbouring runs as one write, straight from the log', () => {
    const bench = new Bench(1 << 24);
    for (let i = 0; i < 10; i++) bench.add(100);
    bench.output.flush();
    expect(bench.socket.writes).toBe(1);
    expect(bench.output.spilledBytes).toBe(0);
    bench.finish();
  });

  it('gets small scattered runs joined, and large ones in one vectored write', () => {
    for (const [lengthBytes, isCopied] of [
      [100, true],
      [5000, false],
    ] as const) {
      const bench = new Bench(1 << 24);
      for (let i = 0; i < 10; i++) {
        bench.add(lengthBytes);
        bench.skip(50);
      }
      bench.output.flush();
      expect(bench.socket.writes).toBe(1);
      expect(bench.output.spilledBytes).toBe(isCopied ? 10 * lengthBytes : 0);
      bench.finish();
    }
  });
});

describe('a socket that is full', () => {
  it('blocks the output until the write in flight completes, and reports it once', () => {
    const bench = new Bench(150);
    bench.add(100);
    bench.skip(10);
    bench.add(100);
    bench.output.flush();
    expect(bench.output.blocked).toBe(true);
    bench.add(100);
    bench.output.flush();
    expect(bench.socket.received.length).toBe(150);
    expect([bench.output.waitingBytes(), bench.output.waitingFrames()]).toEqual([150, 2]);
    bench.socket.take(50);
    bench.socket.tick();
    expect(bench.unblocked).toBe(1);
    expect([bench.output.waitingBytes(), bench.output.waitingFrames()]).toEqual([100, 1]);
    bench.finish();
  });

  it('leaves runs in the log for eight terms, then copies them; a write in flight is not moved', () => {
    const bench = new Bench(10);
    bench.add(1000);
    bench.output.flush();
    bench.add(1000);
    for (let i = 0; i < 7; i++) bench.log.nextTerm();
    bench.spillOld();
    expect(bench.output.spilledBytes).toBe(0);
    bench.log.nextTerm();
    bench.add(500);
    bench.spillOld();
    expect(bench.output.spilledBytes).toBe(1000);
    expect(bench.log.heldTermBuffers).toBe(2);
    expect(bench.output.heldSince()).toBe(0);
    bench.finish();
    expect(bench.output.heldSince()).toBe(null);
  });

  it('releases the term buffer of each run once, even when later runs leave the log first', () => {
    const bench = new Bench(10);
    bench.add(5000);
    bench.log.nextTerm();
    bench.add(5000);
    bench.skip(50);
    bench.add(5000);
    bench.output.flush();
    bench.log.nextTerm();
    bench.add(1000);
    expect(bench.log.heldTermBuffers).toBe(3);
    bench.addOwned(10);
    expect(bench.log.heldTermBuffers).toBe(3);
    bench.add(1000);
    bench.finish();
  });

  it('drops everything when the socket closes', () => {
    const bench = new Bench(10);
    bench.add(1000);
    bench.output.flush();
    bench.add(1000);
    bench.addOwned(10);
    bench.log.nextTerm();
    bench.add(10);
    bench.socket.isDestroyed = true;
    bench.output.discard();
    bench.output.flush();
    expect(bench.log.heldTermBuffers).toBe(0);
    expect([bench.output.queuedBytes, bench.output.queuedFrames, bench.output.waitingBytes()]).toEqual([0, 0, 0]);
    expect([bench.store.heldBytes, bench.store.liveBytes, bench.store.closingBytes]).toEqual([0, 0, 0]);
    expect(bench.unblocked).toBe(0);
  });
});

const length = fc.oneof(fc.integer({ min: 48, max: 300 }), fc.integer({ min: 1000, max: 20_000 }));
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('add' as const), length, frames: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('skip' as const), length }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('addOwned' as const), length: fc.integer({ min: 1, max: 500 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('nextTerm' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), length }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('tick' as const) }) },
);

it('sends every byte once and in order, and releases the log, for any sequence of events', () => {
  fc.assert(
    fc.property(fc.nat({ max: 30_000 }), fc.array(action, { maxLength: 150 }), (room, actions) => {
      const bench = new Bench(room);
      for (const step of actions) {
        if (step.kind === 'add') bench.add(step.length, step.frames);
        else if (step.kind === 'skip') bench.skip(step.length);
        else if (step.kind === 'addOwned') bench.addOwned(step.length);
        else if (step.kind === 'nextTerm') bench.log.nextTerm();
        else if (step.kind === 'flush') bench.output.flush();
        else if (step.kind === 'take') bench.socket.take(step.length);
        else bench.socket.tick();
        bench.spillOld();
        expect(bench.output.waitingBytes()).toBe(bench.sent.length - bench.socket.received.length);
        expect(bench.output.waitingFrames()).toBeLessThanOrEqual(bench.frames);
      }
      bench.output.flush();
      bench.finish();
    }),
    { numRuns: 300 },
  );
});
