/** Bugs in the choice of the datagram size (path-size.ts). */
import type { Mutant } from './mutant.ts';

const RING = 'engine/ring';

export const DATAGRAM_MUTANTS: readonly Mutant[] = [
  {
    name: 'ready-before-all-answered',
    breaks: 'long datagrams are used when they pass to all members (path-size.ts)',
    changes: [
      {
        file: `${RING}/path-size.ts`,
        from: 'if (--this.#answersMissing === 0) this.#becomeReady(ring);',
        to: 'this.#answersMissing = 0;\n      this.#becomeReady(ring);',
      },
    ],
    scenarios: ['long-datagrams-blocked'],
    expected: ['long-datagrams-blocked'],
  },
  {
    name: 'others-need-not-be-ready',
    breaks: 'any member can send again what another one sent first (path-size.ts)',
    changes: [
      {
        file: `${RING}/path-size.ts`,
        from: 'if (!this.#isReady || this.#readyMissing > 0) return;',
        to: 'if (!this.#isReady) return;',
      },
    ],
    scenarios: ['long-datagrams-blocked'],
    expected: ['long-datagrams-blocked'],
  },
  {
    name: 'long-in-the-next-ring-too',
    breaks: 'a ring begins with datagrams that pass everywhere (path-size.ts)',
    changes: [
      {
        file: `${RING}/path-size.ts`,
        from: 'this.#use(this.#context.options.datagramBytes);\n    const tries',
        to: 'const tries',
      },
    ],
    scenarios: ['long-datagrams-blocked'],
    expected: ['long-datagrams-blocked'],
  },
  {
    name: 'buffer-of-the-own-size',
    breaks: 'a daemon sends again what others sent, however long it is',
    changes: [
      {
        file: `${RING}/emitter.ts`,
        from: 'Math.max(context.largestDatagramBytes, 2048)',
        to: 'Math.max(options.datagramBytes, 2048)',
      },
    ],
    scenarios: ['mixed-datagrams'],
  },
];
