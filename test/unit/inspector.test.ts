/** Each thread is asked at most once a second for all observers; a late thread delays nobody and is not asked again meanwhile. */
import { describe, expect, it } from 'vitest';
import { type GroupReport, NOTHING_TO_REPORT, type ThreadInspection } from '../../workers/inspection.ts';
import { Inspector } from '../../workers/inspector.ts';

const group = (name: string): GroupReport => ({ name, members: 1, localMembers: 1, daemons: 1 });

/** A thread that answers with the number of the question. */
class Thread {
  readonly name: string;
  asked = 0;
  #answer: ((inspection: ThreadInspection) => void) | null = null;
  readonly #isSilent: boolean;

  constructor(name: string, isSilent = false) {
    this.name = name;
    this.#isSilent = isSilent;
  }

  readonly inspect = (): Promise<ThreadInspection> => {
    this.asked++;
    if (!this.#isSilent) return Promise.resolve(this.#inspection());
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  };

  answerLate(): void {
    this.#answer?.(this.#inspection());
  }

  #inspection(): ThreadInspection {
    return { ...NOTHING_TO_REPORT, groups: [group(`${this.name}-${this.asked}`)], groupCount: 1, sessionCount: 2 };
  }
}

describe('looks at sessions and groups', () => {
  it('ask every thread once for all requests within a second', async () => {
    let nowMs = 0;
    const inspector = new Inspector(() => nowMs);
    const threads = [new Thread('a'), new Thread('b')];
    const looks = await Promise.all([inspector.look(threads), inspector.look(threads)]);
    nowMs = 999;
    looks.push(await inspector.look(threads));
    expect(new Set(looks).size).toBe(1);
    expect(threads.map(({ asked }) => asked)).toEqual([1, 1]);
    expect(looks[0]).toMatchObject({ sessionCount: 4, groupCount: 2, groups: [{ name: 'a-1' }, { name: 'b-1' }] });
    nowMs = 1000;
    expect((await inspector.look(threads)).groups.map(({ name }) => name)).toEqual(['a-2', 'b-2']);
  });

  it('complete without a thread that does not answer, and use its answer when it comes', async () => {
    let nowMs = 0;
    const inspector = new Inspector(() => nowMs);
    const [quick, late] = [new Thread('quick'), new Thread('late', true)];
    const first = await inspector.look([quick, late]);
    expect(first.groups.map(({ name }) => name)).toEqual(['quick-1']);
    expect(first.answers).toEqual([
      { thread: 'quick', tookMs: 0 },
      { thread: 'late', tookMs: null },
    ]);
    nowMs = 2000;
    await inspector.look([quick, late]);
    expect([quick.asked, late.asked]).toEqual([2, 1]);
    late.answerLate();
    await Promise.resolve();
    nowMs = 4000;
    const third = inspector.look([quick, late]);
    await new Promise((resolve) => setTimeout(resolve, 10));
    late.answerLate();
    expect((await third).groups.map(({ name }) => name)).toEqual(['quick-3', 'late-2']);
    expect(late.asked).toBe(2);
  });
});
