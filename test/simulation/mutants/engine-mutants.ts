/** The list of ring-protocol.md 8.5 ("Mutation check") and some more: bugs that the simulator has to find. */
import type { Mutant } from './mutant.ts';
import { RECORD_MUTANTS } from './record-mutants.ts';
import { SEAL_MUTANTS } from './seal-mutants.ts';

const RING = 'engine/ring';
const NODE = 'engine/node';
const MEMBERSHIP = 'engine/membership';
const GROUPS = 'engine/groups';
const SIMULATION = 'test/simulation';

export const ENGINE_MUTANTS: readonly Mutant[] = [
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
    name: 'groups-looked-up-at-send',
    breaks: 'the group table is looked up where a message is delivered (4.2)',
    changes: [
      {
        file: `${SIMULATION}/node/virtual-client.ts`,
        from: '      frames.push(frame);',
        to: '      frames.push(frame);\n      const memory = globalThis as { moment?: number; sentAt?: Map<number, number> };\n      memory.moment = (memory.moment ?? 0) + 1;\n      memory.sentAt ??= new Map();\n      memory.sentAt.set(message, memory.moment);',
      },
      {
        file: 'workers/delivery/log-consumer.ts',
        from: '        if (session !== undefined) this.#names.add(this.#nameHere(), session);',
        to: '        if (session !== undefined) {\n          const memory = globalThis as { moment?: number };\n          memory.moment = (memory.moment ?? 0) + 1;\n          Object.assign(session, { joinedAt: memory.moment });\n          this.#names.add(this.#nameHere(), session);\n        }',
      },
      {
        file: 'workers/delivery/log-consumer.ts',
        from: "    if (session.state !== 'open' || !session.receives) return;",
        to: "    if (session.state !== 'open' || !session.receives) return;\n    const at = termBuffer * this.#log.shape.termBytes + start;\n    if (((session as { joinedAt?: number }).joinedAt ?? 0) > ((globalThis as { sentAt?: Map<number, number> }).sentAt?.get(this.#log.view.getUint32(at + 32, true)) ?? 1e9)) return;",
      },
    ],
    scenarios: ['groups-churn', 'calm'],
    expected: ['GRP-1', 'GRP-8', 'GRP-4'],
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
    name: 'clients-not-blocked',
    breaks: 'no client data precedes the state exchange (4.5)',
    changes: [
      {
        file: `${GROUPS}/groups-layer.ts`,
        from: 'if (this.currentState !== GroupsState.GatheringTransitional) this.output.blockClients(true);',
        to: '',
      },
    ],
    scenarios: ['groups-exchange-cut', 'merge-3way'],
  },
  {
    name: 'reliable-overtakes-exchange',
    breaks: 'nothing weaker than AGREED is delivered early while tables are exchanged (4.3)',
    changes: [
      {
        file: `${RING}/packet-delivery.ts`,
        from: '|| !host.canDeliverEarly() ',
        to: '',
      },
    ],
    scenarios: ['reliable-early', 'groups-exchange-cut'],
  },
  {
    name: 'exchange-salvaged-without-own-table',
    breaks: 'tables of a cut exchange count only for those whose own arrived in full (4.3)',
    changes: [
      {
        file: `${GROUPS}/groups-layer.ts`,
        from: 'if (isCovered) {\n      this.forget(exchange.unspoken());',
        to: '{\n      this.forget(exchange.unspoken());',
      },
    ],
    scenarios: ['groups-exchange-cut', 'cascade'],
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
  ...SEAL_MUTANTS,
  ...RECORD_MUTANTS,
];
