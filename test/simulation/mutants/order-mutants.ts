/** Bugs in ordering and delivery by the ring: stability, retransmission, safe and early delivery, fragments, the token. */
import type { Mutant } from './mutant.ts';

const RING = 'engine/ring';

export const ORDER_MUTANTS: readonly Mutant[] = [
  {
    name: 'stable-after-one-rotation',
    breaks: 'stable is the lesser of the aru on two tokens in a row (2.7)',
    changes: [{ file: `${RING}/ordering.ts`, from: 'Math.min(token.aru, this.#lastSentAru)', to: 'token.aru' }],
    scenarios: ['loss-10-data', 'partition-at-safe', 'hole-then-more', 'loss-30-data'],
    expected: ['EVS-18', 'EVS-12', 'EVS-13', 'EVS-21', 'EVS-6', 'EVS-7'],
  },
  {
    name: 'request-without-delay',
    breaks: 'on an accelerated ring a packet is asked for one rotation after it was numbered (2.6)',
    changes: [
      {
        file: `${RING}/ordering.ts`,
        from: 'const limit = windows.acceleratedRing ? this.#lastSentSeq : store.highSeq;',
        to: 'const limit = store.highSeq;',
      },
    ],
    scenarios: ['calm'],
    expected: ['calm'],
  },
  {
    name: 'own-buffer-instead-of-block',
    breaks: 'the block overrides what a daemon holds (3.5)',
    changes: [
      {
        file: `${RING}/packet-delivery.ts`,
        from: 'while (seq <= block.high) {\n      if (isHole(block, seq)) break;',
        to: 'while (seq <= store.highSeq) {\n      if (!store.has(seq)) break;',
      },
      {
        file: `${RING}/packet-delivery.ts`,
        from: 'for (; seq <= block.high; seq++) {\n      if (isHole(block, seq)) {',
        to: 'for (; seq <= store.highSeq; seq++) {\n      if (!store.has(seq)) {',
      },
    ],
    scenarios: ['late-packet', 'hole-then-more'],
  },
  {
    name: 'deliver-behind-a-hole',
    breaks: 'after a hole only senders with obligations are delivered (3.7, step 4)',
    changes: [
      {
        file: `${RING}/packet-delivery.ts`,
        from: '!gap || block.obliged.has(store.originOf(seq)) ||',
        to: 'gap || !gap ||',
      },
    ],
    scenarios: ['hole-then-more', 'obligation'],
    expected: ['EVS-15', 'EVS-17'],
  },
  {
    name: 'safe-too-early',
    breaks: 'SAFE waits until all have it (2.7)',
    changes: [
      {
        file: `${RING}/packet-delivery.ts`,
        from: 'if (store.classOf(seq + 1) === PacketClass.Safe && seq + 1 > store.stable) break;',
        to: '',
      },
    ],
    scenarios: ['partition-at-safe', 'hole-then-more'],
    expected: ['EVS-18'],
  },
  {
    name: 'retransmission-forgotten',
    breaks: 'who takes a request off the token answers it (2.6)',
    changes: [
      {
        file: `${RING}/retransmission.ts`,
        from: '        this.#send(ring, store, seq, to);',
        to: '        if (seq % 5 !== 0) this.#send(ring, store, seq, to);',
      },
    ],
    scenarios: ['loss-10-data', 'hole-then-more'],
  },
  {
    name: 'aru-raised-by-anyone',
    breaks: 'only who lowered the aru may raise it (2.7)',
    changes: [{ file: `${RING}/aru.ts`, from: 'token.aruHolder === self', to: 'token.aru < myAru' }],
    scenarios: ['loss-30-data', 'loss-10-data', 'hole-then-more'],
  },
  {
    name: 'safe-in-the-regular-part',
    breaks: 'at an install a SAFE packet that is not stable waits for the transitional part (3.7, step 2)',
    changes: [
      {
        file: `${RING}/packet-delivery.ts`,
        from: 'if (seq > block.stable && store.classOf(seq) === PacketClass.Safe) break;',
        to: '',
      },
    ],
    scenarios: ['partition-at-safe', 'hole-then-more'],
    expected: ['EVS-18'],
  },
  {
    name: 'token-accepted-twice',
    breaks: 'a token is handled once for each hop (2.2, rule 3)',
    changes: [
      {
        file: `${RING}/token-link.ts`,
        from: "if (token.hop > this.#lastHop) return 'accept';",
        to: "if (token.hop >= this.#lastHop - ring.size) return 'accept';",
      },
    ],
    scenarios: ['dup', 'delay-spike'],
  },
  {
    name: 'message-not-restarted',
    breaks: 'a half-sent message is sent again from its start in the next ring (2.10)',
    changes: [
      {
        file: `${RING}/packing.ts`,
        from: '  restartMessage(): void {\n    this.#bodyDone = this.#messageStart;',
        to: '  restartMessage(): void {',
      },
    ],
    scenarios: ['fragments', 'crash-holder'],
  },
  {
    name: 'sequence-numbers-of-32-bits',
    breaks: 'packets are numbered in 48 bits (8.1)',
    changes: [
      {
        file: 'engine/wire/ring-bytes.ts',
        from: 'readU32(bytes, at) + readU16(bytes, at + 4) * U32;',
        to: 'readU32(bytes, at) + (readU32(bytes, at) < 1000 ? 0 : readU16(bytes, at + 4) * U32);',
      },
    ],
    scenarios: ['wrap'],
  },
  {
    name: 'used-up-ring-goes-on',
    breaks: 'a ring whose numbers come to their end is replaced',
    changes: [{ file: `${RING}/ordering.ts`, from: 'this.#lastSentSeq > LAST_NUMBER ||', to: '' }],
    scenarios: ['wrap-end'],
    expected: ['wrap-end'],
  },
];
