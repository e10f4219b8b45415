/** Bugs in membership: forming a ring, recovery, ring numbers, incarnations, configurations. */
import type { Mutant } from './mutant.ts';

const RING = 'engine/ring';
const NODE = 'engine/node';
const MEMBERSHIP = 'engine/membership';

export const MEMBERSHIP_MUTANTS: readonly Mutant[] = [
  {
    name: 'no-veto',
    breaks: 'once a daemon gave a ring up, it never helps it again (2.2, rule 4)',
    changes: [
      {
        file: `${NODE}/packet-receiver.ts`,
        from: 'const handlesTokens = state === RingState.Recover || state === RingState.Operational;',
        to: 'const handlesTokens = true;',
      },
      {
        file: `${MEMBERSHIP}/daemon-membership.ts`,
        from: '    this.#desk.stop();\n    this.#link.stop();\n    this.#exchange.stop();\n    this.#merging.stop();\n    this.#paths.stop();\n    this.future = null;',
        to: '    this.#exchange.stop();\n    this.#merging.stop();\n    this.#paths.stop();\n    this.future = null;',
      },
    ],
    scenarios: ['cascade', 'pause', 'delay-spike'],
  },
  {
    name: 'obligations-forgotten',
    breaks: 'obligations grow over failed attempts (3.7)',
    changes: [
      {
        file: `${MEMBERSHIP}/commit.ts`,
        from: 'obliged: new Set([...own.obligations, self]),',
        to: 'obliged: new Set([self]),',
      },
    ],
    scenarios: ['obligation', 'hole-then-more'],
    expected: ['EVS-13', 'EVS-18'],
  },
  {
    name: 'install-before-all-done',
    breaks: 'INSTALL waits for the done bits of all (3.6)',
    changes: [
      {
        file: `${MEMBERSHIP}/recovery.ts`,
        from: 'if (ring.isLeader && this.#allDone(token)) {',
        to: 'if (ring.isLeader && isDone(token.done, ring.myPlace)) {',
      },
    ],
    scenarios: ['hole-then-more', 'loss-30-data', 'cascade'],
  },
  {
    name: 'recovered-packets-forgotten',
    breaks: 'what came in a failed attempt is kept for the next one (3.5, 3.8)',
    changes: [
      {
        file: `${RING}/packet-store.ts`,
        from: '  get slotBytes(): number {',
        to: [
          '  kept: number[] = [];',
          '  remember(): void { this.kept = []; for (let s = this.discarded + 1; s <= this.highSeq; s++) if (this.has(s)) this.kept.push(s); }',
          '  forget(): void {',
          '    for (let s = this.delivered + 1; s <= this.highSeq; s++)',
          '      if (this.has(s) && !this.kept.includes(s)) { this.#states[this.#slot(s)] = 0; this.held--; }',
          '    this.myAru = this.delivered; this.#advanceAru();',
          '    if (!this.has(this.delivered + 1)) this.myAru = this.delivered;',
          '  }',
          '  get slotBytes(): number {',
        ].join('\n'),
      },
      {
        file: `${MEMBERSHIP}/daemon-membership.ts`,
        from: 'counters[RingCounter.FailedRecoveries]++;',
        to: '{ counters[RingCounter.FailedRecoveries]++; this.#installer.store.forget(); }',
      },
      {
        file: `${MEMBERSHIP}/daemon-membership.ts`,
        from: '    this.#recovery.begin(commit, this.future,',
        to: '    this.#installer.store.remember();\n    this.#recovery.begin(commit, this.future,',
      },
    ],
    scenarios: ['obligation', 'hole-then-more', 'cascade'],
  },
  {
    name: 'ring-id-by-seconds',
    breaks: 'a new ring has a higher number than any its members saw (3.4, 3.11)',
    changes: [
      {
        file: `${MEMBERSHIP}/daemon-membership.ts`,
        from: 'gathering.maxRingSeq = Math.max(gathering.maxRingSeq + 1, clockFloor(wallSeconds));',
        to: 'gathering.maxRingSeq = clockFloor(wallSeconds);',
      },
    ],
    scenarios: ['restart-fast', 'partition-2'],
  },
  {
    name: 'unstored-ring-seq-by-seconds',
    breaks: 'runs without a state folder share no membership id, though they start within a second (3.11)',
    changes: [
      {
        file: `${RING}/unstored-ring-seq.ts`,
        from: 'Math.floor(wallSeconds) + Math.floor(random * SPAN);',
        to: 'Math.floor(wallSeconds) + Math.floor(random * 0 * SPAN);',
      },
    ],
    scenarios: ['restart-volatile'],
    expected: ['restart'],
  },
  {
    name: 'ring-numbers-of-others-continued',
    breaks: 'an incarnation that knows no numbers of earlier ones leaves some out above those of others (3.11)',
    changes: [
      { file: `${RING}/unstored-ring-seq.ts`, from: 'Math.floor(random * STEP)', to: 'Math.floor(random * 0 * STEP)' },
    ],
    scenarios: ['restart-volatile'],
    expected: ['restart'],
  },
  {
    name: 'two-machines-take-turns',
    breaks: 'of two runs with one id the earlier is left out until the later has been silent for long (3.11)',
    changes: [
      { file: `${MEMBERSHIP}/incarnations.ts`, from: 'const PENALTY_PROBES = 3;', to: 'const PENALTY_PROBES = 0.5;' },
    ],
    scenarios: ['two-same-ids'],
    expected: ['two-same-ids'],
  },
  {
    name: 'two-machines-take-turns-outside',
    breaks: 'a later incarnation that is heard outside the ring keeps the earlier one out for long (3.11)',
    changes: [
      {
        file: `${MEMBERSHIP}/incarnations.ts`,
        from: 'this.#vanished[node] === 1 ? this.#successionMs',
        to: 'this.#vanished[node]! >= 0 ? this.#successionMs',
      },
    ],
    scenarios: ['two-same-ids'],
    expected: ['two-same-ids'],
  },
  {
    name: 'clock-set-back-waits-for-long',
    breaks: 'a daemon that comes back with an earlier number is let in soon after its last incarnation vanished',
    changes: [
      {
        file: `${MEMBERSHIP}/incarnations.ts`,
        from: 'this.#vanished[node] === 1 ? this.#successionMs',
        to: 'this.#vanished[node]! < 0 ? this.#successionMs',
      },
    ],
    scenarios: ['clock-set-back'],
    expected: ['clock-set-back'],
  },
  {
    name: 'earlier-incarnation-not-told',
    breaks: 'a daemon that is not listened to is told so',
    changes: [
      {
        file: `${MEMBERSHIP}/incarnation-refusals.ts`,
        from: 'if (refused !== options.incarnation || known <= refused) {',
        to: 'if (refused === options.incarnation || known <= refused) {',
      },
    ],
    scenarios: ['clock-set-back'],
    expected: ['clock-set-back'],
  },
  {
    name: 'earlier-incarnation-out-for-ever',
    breaks: 'once the wrong one of two machines is switched off, the right one comes back (3.11)',
    changes: [
      {
        file: `${MEMBERSHIP}/incarnations.ts`,
        from: 'return nodeIncarnation < this.#known[node]! && !this.#isSilent(node);',
        to: 'return nodeIncarnation < this.#known[node]!;',
      },
    ],
    scenarios: ['two-same-ids'],
    expected: ['EVS-6'],
  },
  {
    name: 'configurations-not-told-apart',
    breaks: 'daemons of another configuration are ignored (3.10)',
    changes: [
      { file: 'engine/wire/ring-header.ts', from: "if (header.cluster !== cluster) return 'foreign';", to: '' },
      {
        file: `${NODE}/packet-receiver.ts`,
        from: 'if (body === undefined || !reader.equals(options.clusterHash)) {',
        to: 'if (body === undefined || (!reader.equals(options.clusterHash) && !reader.ok)) {',
      },
    ],
    scenarios: ['reconfigure'],
    expected: ['reconfigure'],
  },
];
