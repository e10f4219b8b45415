/** Bugs in the orderly stop of a daemon (3.12). */
import type { Mutant } from './mutant.ts';

const RING = 'engine/ring';

export const STOP_MUTANTS: readonly Mutant[] = [
  {
    name: 'leaves-before-others-are-done',
    breaks: 'daemons that stop at the same time wait for each other (3.12)',
    changes: [
      {
        file: `${RING}/drain-barrier.ts`,
        from: 'this.#host.isSettled() && !this.#isWaiting)',
        to: 'this.#host.isSettled())',
      },
    ],
    scenarios: ['stop-together'],
    expected: ['stop'],
  },
  {
    name: 'forgets-who-stops',
    breaks: 'who stops as well is known from the order (3.12)',
    changes: [
      {
        file: `${RING}/drain-barrier.ts`,
        from: 'this.#stages[origin] = Math.max(this.#stages[origin]!, stage);',
        to: 'if (origin === this.#self || stage > DrainStage.Draining) this.#stages[origin] = stage;',
      },
    ],
    scenarios: ['stop-together'],
    expected: ['stop'],
  },
  {
    name: 'hung-up-before-the-log-is-read',
    breaks: 'a client is let go behind its last delivery',
    changes: [
      {
        file: 'workers/delivery/log-delivery.ts',
        from: 'return ((this.#log.head - entries) | 0) >= 0;',
        to: 'return this.#log.head - entries < Infinity;',
      },
    ],
    scenarios: ['stop-together'],
    expected: ['stop'],
  },
];
