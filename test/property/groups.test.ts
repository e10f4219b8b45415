import fc from 'fast-check';
import { describe, it } from 'vitest';
import { Cluster } from './groups-cluster.ts';

const kinds = [
  'act',
  'burst',
  'burst',
  'burst',
  'originate',
  'advance',
  'advance',
  'split',
  'split',
  'restart',
  'drain',
];
const number = fc.nat(4095);
const step = fc.tuple(fc.constantFrom(...kinds), number, number, number);

/** Three bits of `bits` for each daemon's colour, so that merges are as frequent as splits. */
const colours = (bits: number): number[] =>
  [0, 1, 2, 3, 4].map((node) => [0, 0, 0, 1, 1, 2][(bits >> (2 * node)) % 6]!);

function run(
  nodeCount: number,
  bodyBytes: number,
  steps: readonly (readonly [string, number, number, number])[],
): void {
  const cluster = new Cluster(nodeCount, bodyBytes);
  for (const [what, a, b, c] of steps) {
    if (what === 'act') cluster.act(a, b, b >> 3, c);
    else if (what === 'burst') {
      for (const bits of [b, b >> 4, b >> 8]) cluster.act(a, bits, bits >> 2, c + (bits >> 1));
      cluster.originate(a);
    } else if (what === 'originate') cluster.originate(a);
    else if (what === 'advance') cluster.advance(a, 1 + (b % 6));
    else if (what === 'split')
      cluster.reconfigure(colours(a), b, c % 4 === 0 ? new Set([(c >> 2) % nodeCount]) : new Set());
    else if (what === 'restart' && a % 4 === 0) cluster.restart(b);
    else cluster.drain();
  }
  cluster.settle();
}

describe('group layers on a network with extended virtual synchrony', () => {
  it('agree at every place of the order, and their clients see what GRP-1 to GRP-6 promise', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        fc.integer({ min: 24, max: 200 }),
        fc.array(step, { size: '+1' }),
        run,
      ),
      { numRuns: 800 },
    );
  });
});
