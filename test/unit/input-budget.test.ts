/** The limit on the inputs of all sessions of a worker: which sessions are not read, and which are ended. */
import { describe, expect, it } from 'vitest';
import { createSession } from '../../bench/micro/sessions.ts';
import type { SwallowingTransport } from '../../bench/micro/swallowing-transport.ts';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import type { ClientSession } from '../../workers/delivery/client-session.ts';
import { InputBudget } from '../../workers/delivery/input-budget.ts';
import { LiveValue } from '../../workers/delivery/live.ts';

const MAX_BYTES = 64 * 1024;
const bytes = Buffer.alloc(128 * 1024);

class Scene {
  nowMs = 1;
  isRingFull = false;
  readonly counters = new Float64Array(64);
  readonly ended: ClientSession[] = [];
  readonly sessions: readonly ClientSession[];
  readonly budget: InputBudget;

  constructor(count: number) {
    this.sessions = Array.from({ length: count }, (_, i) => createSession(i));
    const byHandle = new Map(this.sessions.map((session): [number, ClientSession] => [session.handle, session]));
    this.budget = new InputBudget(
      new LiveValue({ maxInputBytes: MAX_BYTES }),
      byHandle,
      this.counters,
      () => this.nowMs,
      {
        isRingFull: () => this.isRingFull,
        end: (session) => this.#end(session),
        inputEnded: (session) => this.#end(session),
      },
    );
  }

  /** The session receives `length` more bytes of an incomplete frame. @returns whether the daemon keeps reading it */
  keep(i: number, length: number): boolean {
    this.sessions[i]!.input.append(bytes, 0, length);
    return this.budget.changed(this.sessions[i]!);
  }

  after(ms: number): void {
    this.nowMs += ms;
    this.budget.poll(this.nowMs);
  }

  get kept(): number {
    return this.counters[DeliveryCounter.InputBytes]!;
  }

  get read(): readonly boolean[] {
    return this.sessions.map(({ transport, input }) => !(transport as SwallowingTransport).isPaused && !input.stalled);
  }

  get endedNumbers(): readonly number[] {
    return this.ended.map((session) => this.sessions.indexOf(session));
  }

  #end(session: ClientSession): void {
    this.ended.push(session);
    session.state = 'closing';
    this.budget.forget(session);
  }
}

describe('incomplete frames', () => {
  it('have no effect while there is room', () => {
    const scene = new Scene(3);
    expect(scene.keep(0, 20_000)).toBe(true);
    scene.after(3_600_000);
    expect([scene.ended, scene.kept]).toEqual([[], 32 * 1024]);
    scene.sessions[0]!.input.consume(20_000);
    scene.budget.changed(scene.sessions[0]!);
    expect(scene.kept).toBe(0);
  });

  it('end their sessions after a second without room, the oldest first, until there is room', () => {
    const scene = new Scene(4);
    for (const i of [2, 0, 1, 3]) {
      scene.nowMs++;
      expect(scene.keep(i, 30_000)).toBe(true);
    }
    scene.after(900);
    expect(scene.ended).toEqual([]);
    scene.after(200);
    expect(scene.endedNumbers).toEqual([2, 0]);
    expect(scene.kept).toBe(MAX_BYTES);
    expect(scene.counters[DeliveryCounter.InputsEnded]).toBe(2);
  });

  it('end their sessions at once beyond twice the limit', () => {
    const scene = new Scene(6);
    for (const i of [5, 4, 3, 2, 1, 0]) {
      scene.nowMs++;
      scene.keep(i, 30_000);
    }
    scene.after(100);
    expect(scene.endedNumbers).toEqual([5, 4]);
    expect(scene.kept).toBe(2 * MAX_BYTES);
  });

  it('start a new time limit once a frame completes', () => {
    const scene = new Scene(3);
    for (const i of [0, 1, 2]) scene.keep(i, 30_000);
    scene.after(900);
    const { input } = scene.sessions[0]!;
    input.consume(input.start + 10_000);
    scene.budget.changed(scene.sessions[0]!);
    scene.after(200);
    expect(scene.endedNumbers).toEqual([1]);
  });
});

describe('a full ring', () => {
  it('stops reading from all sessions once too much is kept, and not before', () => {
    const scene = new Scene(4);
    scene.isRingFull = true;
    expect(scene.keep(0, 60_000)).toBe(true);
    expect(scene.read).toEqual([true, true, true, true]);
    expect(scene.keep(1, 10_000)).toBe(false);
    expect(scene.read).toEqual([false, false, false, false]);
    expect(scene.counters[DeliveryCounter.InputPauses]).toBe(1);
    // Not even for a new session, or for one whose bytes were consumed.
    const late = createSession(9);
    expect(scene.budget.mayRead(late)).toBe(false);
    scene.after(10_000);
    expect([scene.ended, scene.budget.isIdle]).toEqual([[], false]);

    scene.isRingFull = false;
    scene.after(1);
    expect(scene.read).toEqual([true, true, true, true]);
    expect([scene.budget.isIdle, late.input.stalled, scene.budget.mayRead(late)]).toEqual([true, false, true]);
    // Their frames are incomplete from now on, because the rest is unread.
    scene.after(500);
    expect(scene.ended).toEqual([]);
    scene.after(600);
    expect(scene.endedNumbers).toEqual([0]);
  });

  it('finishes sessions that were closed meanwhile once it has room', () => {
    const scene = new Scene(2);
    scene.isRingFull = true;
    scene.keep(0, 70_000);
    scene.sessions[1]!.input.ended = true;
    scene.isRingFull = false;
    scene.after(1);
    expect(scene.endedNumbers).toEqual([1]);
  });
});
