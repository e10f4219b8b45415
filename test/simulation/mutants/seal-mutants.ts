/** Rules of the seal, each left out. */
import type { Mutant } from './mutant.ts';

const SEAL = 'engine/seal';
const MEMBERSHIP = 'engine/membership';
const EXPECTED = ['seal'];
const SCENARIOS = ['replay-attack', 'sealed'];
const LATE = ['late-answers'];

export const SEAL_MUTANTS: readonly Mutant[] = [
  {
    name: 'seal-opened-twice',
    breaks: 'a counter of an incarnation opens once',
    changes: [
      {
        file: `${SEAL}/keyed-sealer.ts`,
        from: 'if (!peer.window.isFresh(counter)) return -SealRefusal.Replayed;',
        to: '',
      },
    ],
    scenarios: SCENARIOS,
    expected: EXPECTED,
  },
  {
    name: 'seal-not-for-one-receiver',
    breaks: 'what was sealed for one daemon opens at no other',
    changes: [
      {
        file: `${SEAL}/keyed-sealer.ts`,
        from: 'if (node === self || (to !== self && to !== FOR_ANY)) return',
        to: 'if (node === self) return',
      },
    ],
    scenarios: SCENARIOS,
    expected: EXPECTED,
  },
  {
    name: 'any-answer-proves',
    breaks: 'an incarnation is proven by an answer to a question of this incarnation',
    changes: [
      {
        file: `${MEMBERSHIP}/incarnation-proofs.ts`,
        from: 'if (question === null || !isSame(question.nonce, answers!)) return;',
        to: 'if (question === null || answers === null) return;',
      },
    ],
    scenarios: SCENARIOS,
    expected: EXPECTED,
  },
  {
    name: 'question-outlives-the-next-incarnation',
    breaks: 'what an incarnation answered before the next one came proves nothing any more',
    changes: [
      {
        file: `${MEMBERSHIP}/incarnation-proofs.ts`,
        from: 'if (incarnations.peers.prove(from, fromIncarnation, salt, counter)) this.#questions[from] = null;',
        to: 'incarnations.peers.prove(from, fromIncarnation, salt, counter);',
      },
    ],
    scenarios: SCENARIOS,
    expected: EXPECTED,
  },
  {
    name: 'proven-from-its-first-datagram',
    breaks: 'what an incarnation sealed before it was proven is refused',
    changes: [
      {
        file: `${SEAL}/peer-incarnations.ts`,
        from: '      peer.isProven = true;\n      peer.window.reset(counter);',
        to: '      peer.isProven = true;\n      peer.window.reset(0);',
      },
    ],
    scenarios: SCENARIOS,
    expected: EXPECTED,
  },
  {
    name: 'late-answer-turns-the-window-back',
    breaks: 'what was opened before a late answer came is not opened again',
    changes: [
      {
        file: `${SEAL}/peer-incarnations.ts`,
        from: 'else if (known.isDoubted || !known.isProven) window.refuseUpTo(counter);',
        to: 'else if (known.isDoubted || !known.isProven) window.reset(counter);',
      },
    ],
    scenarios: LATE,
    expected: EXPECTED,
  },
  {
    name: 'late-answer-refuses-nothing',
    breaks: 'what an incarnation sealed before its answer is refused, also when the answer comes late',
    changes: [
      {
        file: `${SEAL}/peer-incarnations.ts`,
        from: 'else if (known.isDoubted || !known.isProven) window.refuseUpTo(counter);',
        to: 'else if ((known.isDoubted || !known.isProven) && counter > window.highest) window.reset(counter);',
      },
    ],
    scenarios: LATE,
    expected: EXPECTED,
  },
  {
    name: 'proven-again-from-where-it-was',
    breaks: 'what an incarnation sealed while it was not proven is refused',
    changes: [
      {
        file: `${SEAL}/peer-incarnations.ts`,
        from: 'else if (known.isDoubted || !known.isProven) window.refuseUpTo(counter);',
        to: '',
      },
    ],
    scenarios: LATE,
    expected: EXPECTED,
  },
  {
    name: 'earlier-incarnation-stays-proven',
    breaks: 'an incarnation that is new puts the others of its daemon back',
    changes: [
      {
        file: `${SEAL}/peer-incarnations.ts`,
        from: 'for (const other of incarnations) other.isProven = false;',
        to: '',
      },
    ],
    scenarios: SCENARIOS,
    expected: EXPECTED,
  },
  {
    name: 'incarnations-need-no-proof',
    breaks: 'only runs that are proven are opened',
    changes: [
      {
        file: `${SEAL}/keyed-sealer.ts`,
        from: 'if (peer === null || !peer.isProven) return',
        to: 'if (peer === null) return',
      },
    ],
    scenarios: SCENARIOS,
    expected: EXPECTED,
  },
  {
    name: 'counters-start-again-with-a-key',
    breaks: 'a change of the cluster’s keys does not turn counters back',
    changes: [
      {
        file: `${SEAL}/keyed-sealer.ts`,
        from: 'this.#keys.forget();\n    this.peers',
        to: 'this.#keys.forget();\n    this.#counter = 0;\n    this.peers',
      },
    ],
    scenarios: SCENARIOS,
    expected: EXPECTED,
  },
  {
    name: 'nobody-is-asked',
    breaks: 'an incarnation that is not proven is asked, so that it can be',
    changes: [
      { file: `${MEMBERSHIP}/incarnation-proofs.ts`, from: 'if (dueMs <= nowMs) this.#ask(node, question);', to: '' },
      { file: `${MEMBERSHIP}/incarnation-proofs.ts`, from: 'else this.#askAt(question, dueMs);', to: '' },
    ],
    scenarios: SCENARIOS,
  },
  {
    name: 'asked-daemon-says-nothing-again',
    breaks: 'who is asked says again what was not heard, so that first contact takes one more round trip and no more',
    changes: [
      { file: 'engine/node/packet-receiver.ts', from: 'if (effect !== GreetingEffect.Asked) return;', to: 'return;' },
    ],
    scenarios: SCENARIOS,
    expected: ['replay', 'EVS-6'],
  },
];
