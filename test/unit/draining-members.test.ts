/** What a daemon knows of the members of its ring that drain, through changes of the ring. */
import { describe, expect, it } from 'vitest';
import { ControlWords, createControlWords } from '../../engine/buffers/control-words.ts';
import { OrderingCounter } from '../../engine/buffers/counters.ts';
import type { Configuration } from '../../engine/host/configuration.ts';
import type { NodeIndex } from '../../engine/wire/ids.ts';
import { DrainingMembers } from '../../workers/ring/draining-members.ts';

const node = (index: number): NodeIndex => index as NodeIndex;

/** Members as `[node, incarnation]`. */
const ring = (members: readonly (readonly [number, number])[], kind = 'regular'): Configuration =>
  ({
    id: { kind, ringSeq: 1 },
    members: members.map(([index, incarnation]) => ({ node: node(index), incarnation })),
  }) as unknown as Configuration;

class Bench {
  readonly words = new ControlWords(createControlWords(2));
  readonly counters = new Float64Array(128);
  readonly members = new DrainingMembers(this.words, this.counters);

  serving(): readonly number[] {
    return Array.from({ length: 128 }, (_, i) => i).filter((i) => this.words.isServing(i));
  }

  draining(): readonly number[] {
    return Array.from({ length: 128 }, (_, i) => i).filter(
      (i) => ((this.counters[OrderingCounter.DrainingBits + (i >>> 5)]! >>> (i & 31)) & 1) === 1,
    );
  }
}

describe('members that drain', () => {
  it('are those of the ring that said so, of all 128', () => {
    const bench = new Bench();
    expect([bench.serving(), bench.draining()]).toEqual([[], []]);
    const all = Array.from({ length: 128 }, (_, i) => [i, 1] as const);
    bench.members.configurationChanged(ring(all));
    expect(bench.serving()).toHaveLength(128);
    for (const index of [0, 31, 32, 127]) bench.members.delivered(node(index));
    bench.members.delivered(node(31));
    expect(bench.draining()).toEqual([0, 31, 32, 127]);
    expect(bench.serving()).toHaveLength(124);
  });

  it('stay so in the next ring, and serve again in another incarnation', () => {
    const bench = new Bench();
    bench.members.configurationChanged(
      ring([
        [0, 1],
        [1, 1],
        [2, 1],
      ]),
    );
    bench.members.delivered(node(1));
    bench.members.configurationChanged(ring([[1, 1]], 'transitional'));
    bench.members.configurationChanged(
      ring([
        [0, 1],
        [1, 1],
      ]),
    );
    expect([bench.serving(), bench.draining()]).toEqual([[0], [1]]);
    bench.members.configurationChanged(ring([[0, 1]]));
    expect([bench.serving(), bench.draining()]).toEqual([[0], []]);
    bench.members.configurationChanged(
      ring([
        [0, 1],
        [1, 2],
      ]),
    );
    expect([bench.serving(), bench.draining()]).toEqual([[0, 1], []]);
  });

  it('are beside the words of the workers, which they leave alone', () => {
    const bench = new Bench();
    bench.words.tellQueued(0, 640);
    bench.words.tellQueued(1, 64);
    bench.words.tellSessions(7);
    bench.members.configurationChanged(
      ring([
        [0, 1],
        [127, 1],
      ]),
    );
    expect([bench.words.queuedBytes, bench.words.sessions, bench.serving()]).toEqual([704, 7, [0, 127]]);
  });
});
