import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PeerIncarnations } from '../../engine/seal/peer-incarnations.ts';
import { REPLAY_WINDOW } from '../../engine/seal/replay-window.ts';

const NODE = 1;
const INCARNATION = 7;
const SALT = new Uint8Array(32).fill(3);

function proven(counter: number): {
  readonly incarnations: PeerIncarnations;
  prove(counter: number): void;
  open(counter: number): boolean;
} {
  const incarnations = new PeerIncarnations(2);
  incarnations.prove(NODE, INCARNATION, SALT, counter);
  const { window } = incarnations.find(NODE, SALT, 0)!;
  return {
    incarnations,
    prove: (at) => void incarnations.prove(NODE, INCARNATION, SALT, at),
    open: (at) => {
      if (!window.isFresh(at)) return false;
      window.accept(at);
      return true;
    },
  };
}

describe('an incarnation that proves itself again', () => {
  it.each([
    ['its daemon was lost', (incarnations: PeerIncarnations) => incarnations.putBack(NODE)],
    ['a key was removed', (incarnations: PeerIncarnations) => incarnations.keysChanged(true)],
    ['a key was added', (incarnations: PeerIncarnations) => incarnations.keysChanged(false)],
  ])('with an answer that comes late opens nothing twice, after %s', (_, disturb) => {
    const { incarnations, prove, open } = proven(100);
    disturb(incarnations);
    expect(open(107)).toBe(true);
    prove(104);
    expect(open(107)).toBe(false);
    expect(open(108)).toBe(true);
  });

  it('has the datagrams refused that it sealed before the answer, even when the answer is late', () => {
    const { incarnations, prove, open } = proven(100);
    incarnations.putBack(NODE);
    open(107);
    prove(104);
    expect([101, 102, 103, 104, 105, 106].map(open)).toEqual([false, false, false, false, true, true]);
  });

  it('is accepted again after the holder of a removed key claimed a number far ahead', () => {
    const { incarnations, prove, open } = proven(100);
    open(100 + 2 * REPLAY_WINDOW);
    expect(open(101)).toBe(false);
    incarnations.keysChanged(true);
    prove(102);
    expect(open(103)).toBe(true);
  });

  it('has no number opened twice, whatever happens in any order', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('open' as const), counter: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ kind: fc.constant('prove' as const), counter: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ kind: fc.constantFrom('lost' as const, 'removed' as const, 'added' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { incarnations, prove, open } = proven(1);
        const opened = new Set<number>();
        for (const taken of steps) {
          if (taken.kind === 'lost') incarnations.putBack(NODE);
          else if (taken.kind === 'prove') prove(taken.counter);
          else if (taken.kind !== 'open') incarnations.keysChanged(taken.kind === 'removed');
          else if (open(taken.counter)) {
            expect(opened.has(taken.counter)).toBe(false);
            opened.add(taken.counter);
          }
        }
      }),
    );
  });
});
