/** Bugs in the order of what one session sends (EVS-24). */
import type { Mutant } from './mutant.ts';

const RING = 'engine/ring';

export const SESSION_ORDER_MUTANTS: readonly Mutant[] = [
  {
    name: 'weak-overtakes-its-own-session',
    breaks: 'a RELIABLE message does not overtake what its session sent before (sent-by-session.ts)',
    changes: [
      {
        file: `${RING}/packet-delivery.ts`,
        from: 'if (after > 0 && seq - after > store.delivered && !store.wasDeliveredEarly(seq - after)) return false;',
        to: '',
      },
    ],
    scenarios: ['in-one-breath', 'in-one-breath-lossy'],
    expected: ['EVS-24', 'GRP-9', 'GRP-10'],
  },
  {
    name: 'session-settled-by-the-own-log',
    breaks: 'what this daemon has delivered others may not have (sent-by-session.ts)',
    changes: [
      {
        file: `${RING}/ordering.ts`,
        from: 'packetClass, seq, store.stable);',
        to: 'packetClass, seq, store.delivered);',
      },
    ],
    scenarios: ['in-one-breath-lossy'],
    expected: ['EVS-24', 'GRP-10'],
  },
  {
    name: 'session-order-of-joins-only',
    breaks: 'weak messages do not overtake weak messages of their session either (sent-by-session.ts)',
    changes: [
      {
        file: `${RING}/sent-by-session.ts`,
        from: 'if (kind >= RecordKind.Groups) continue;',
        to: 'if (kind >= RecordKind.Groups || packetClass === PacketClass.Early) continue;',
      },
    ],
    scenarios: ['in-one-breath-lossy'],
    expected: ['EVS-24', 'GRP-10'],
  },
  {
    name: 'session-order-forgets-safe',
    breaks: 'a SAFE message holds back what its session sends after it (sent-by-session.ts)',
    changes: [
      {
        file: `${RING}/sent-by-session.ts`,
        from: 'if (kind >= RecordKind.Groups) continue;',
        to: 'if (kind >= RecordKind.Groups || packetClass === PacketClass.Safe) continue;',
      },
    ],
    scenarios: ['in-one-breath'],
    expected: ['EVS-24', 'GRP-9', 'GRP-10'],
  },
  {
    name: 'one-wait-for-all',
    breaks: 'every record of a packet is asked what it waits for (packet-delivery.ts)',
    changes: [
      {
        file: `${RING}/packet-delivery.ts`,
        from: 'const after = readU32(bytes, at + RECORD_AFTER_OFFSET);',
        to: 'const after = at === offset ? readU32(bytes, at + RECORD_AFTER_OFFSET) : 0;',
      },
    ],
    scenarios: ['in-one-breath-lossy'],
    expected: ['EVS-24', 'GRP-10'],
  },
];
