/** Every check of the soak, on good traces and on one that breaks just its property. */
import { describe, expect, test } from 'vitest';
import { FIFO_MESS } from '../../engine/wire/service.ts';
import { ALL_CHECKS } from './checks/all-checks.ts';
import { HistoryBuilder } from './history/history-builder.ts';
import { soakShape } from './shape.ts';
import { type ReceivedStep, type SessionScript, traceOf, type ViewStep } from './trace-script.ts';

/** Groups below 6 have a witness, 6 and 7 are free. */
const shape = soakShape(4, 8);
const ROOM = 2;
const FREE = 7;
/** Names in the order of their text: a0, a1, a2, a4. */
const ALICE = 0;
const BOB = 4;
const CAROL = 8;
const WITNESS = 16;

const view = (
  group: number,
  index: number,
  cause: ViewStep['cause'],
  changed: number,
  ...members: number[]
): ViewStep => ({
  kind: 'view',
  group,
  index,
  cause,
  changed,
  members,
});
const message = (from: number, sequence: number): ReceivedStep => ({ kind: 'message', from, sequence });

type Cast = Record<'witness' | 'alice' | 'bob' | 'carol', SessionScript>;

/** Alice and Bob join, talk, Bob leaves and sends from outside; Carol comes and goes in a free group, unseen. */
function firstEpoch(): Cast {
  const aliceJoins = view(ROOM, 2, 'join', ALICE, ALICE, WITNESS);
  const bobJoins = view(ROOM, 3, 'join', BOB, ALICE, BOB, WITNESS);
  const bobLeaves = view(ROOM, 4, 'leave', BOB, ALICE, WITNESS);
  const talk = [message(1, 0), message(2, 0), message(1, 1), message(2, 1)];
  const afterBob = [message(2, 2), message(2, 3)];
  return {
    witness: {
      serial: 0,
      name: WITNESS,
      requested: [{ kind: 'join', group: ROOM }],
      received: [view(ROOM, 1, 'join', WITNESS, WITNESS), aliceJoins, bobJoins, ...talk, bobLeaves, ...afterBob],
    },
    alice: {
      serial: 1,
      name: ALICE,
      requested: [
        { kind: 'join', group: ROOM },
        { kind: 'send', sequence: 0, groups: [ROOM] },
        { kind: 'send', sequence: 1, groups: [ROOM], service: FIFO_MESS },
      ],
      received: [aliceJoins, bobJoins, ...talk, bobLeaves, ...afterBob],
    },
    bob: {
      serial: 2,
      name: BOB,
      requested: [
        { kind: 'join', group: ROOM },
        { kind: 'send', sequence: 0, groups: [ROOM], names: [BOB] },
        { kind: 'send', sequence: 1, groups: [ROOM] },
        { kind: 'leave', group: ROOM },
        { kind: 'send', sequence: 2, groups: [ROOM], open: true },
        { kind: 'send', sequence: 3, groups: [ROOM], open: true },
        { kind: 'join', group: FREE },
      ],
      received: [bobJoins, ...talk, { kind: 'selfLeave', group: ROOM }, view(FREE, 1, 'join', BOB, BOB)],
    },
    carol: {
      serial: 3,
      name: CAROL,
      end: 'crashed',
      requested: [
        { kind: 'join', group: FREE },
        { kind: 'send', sequence: 0, groups: [FREE] },
        { kind: 'send', sequence: 1, groups: [FREE] },
      ],
      received: [view(FREE, 1, 'join', CAROL, CAROL), message(3, 0)],
    },
  };
}

/** Carol is back; nobody joins or leaves. One message discards its sender's copy, one goes to a group and a name. */
function secondEpoch(): Cast {
  const { witness, alice, bob, carol } = firstEpoch();
  const room = [message(2, 4), message(1, 3)];
  return {
    witness: { ...witness, started: false, requested: [], received: [message(1, 2), ...room] },
    alice: {
      ...alice,
      started: false,
      requested: [
        { kind: 'send', sequence: 2, groups: [ROOM], selfDiscard: true },
        { kind: 'send', sequence: 3, groups: [ROOM], names: [BOB] },
      ],
      received: [...room],
    },
    bob: {
      ...bob,
      started: false,
      requested: [{ kind: 'send', sequence: 4, groups: [ROOM], open: true }],
      received: [message(1, 3)],
    },
    carol: { ...carol, serial: 4, end: 'alive', requested: [], received: [] },
  };
}

/** The properties that are violated in two epochs, after `damage` was done to their traces. */
function violated(damage: (first: Cast, second: Cast) => void): string[] {
  const [first, second] = [firstEpoch(), secondEpoch()];
  damage(first, second);
  const builder = new HistoryBuilder(shape, 1);
  const histories = [first, second].map((cast) => builder.next([traceOf(Object.values(cast))]));
  return ALL_CHECKS.filter(({ check }) => histories.some((history) => check(history).violationCount > 0)).map(
    ({ property }) => property,
  );
}

const swap = (steps: ReceivedStep[], i: number, j: number): void => {
  [steps[i], steps[j]] = [steps[j], steps[i]];
};

/** Where the witness and Alice have things in the first epoch. */
const FIRST_MESSAGE = { witness: 3, alice: 2, bob: 1 };

describe('the checks of the soak', () => {
  test('find nothing in good traces, and check every property there', () => {
    expect(violated(() => undefined)).toEqual([]);
    const builder = new HistoryBuilder(shape, 1);
    const checked = new Map<string, number>();
    for (const cast of [firstEpoch(), secondEpoch()]) {
      const history = builder.next([traceOf(Object.values(cast))]);
      for (const { property, check } of ALL_CHECKS)
        checked.set(property, (checked.get(property) ?? 0) + check(history).checked);
    }
    for (const [property, count] of checked) expect(count, property).toBeGreaterThan(0);
  });

  const broken: readonly (readonly [string, string, (first: Cast, second: Cast) => void])[] = [
    ['GRP-1', 'two members have messages in different order', ({ alice }) => swap(alice.received, 2, 3)],
    ['GRP-1', 'one member misses one message', ({ alice }) => alice.received.splice(FIRST_MESSAGE.alice, 1)],
    ['GRP-1', 'a message is on the other side of a view', ({ bob }) => swap(bob.received, 0, 1)],
    ['GRP-1', 'one member misses the last message of the epoch', ({ alice }) => alice.received.pop()],
    [
      'GRP-2',
      'a view lists a client that never joined',
      ({ witness }) => {
        witness.received[0] = view(ROOM, 1, 'join', WITNESS, CAROL, WITNESS);
      },
    ],
    [
      'GRP-2',
      'a view is not sorted',
      ({ witness, alice }) => {
        for (const { received } of [witness, alice]) {
          const at = received.findIndex((step) => step.kind === 'view' && step.index === 2);
          received[at] = view(ROOM, 2, 'join', ALICE, WITNESS, ALICE);
        }
      },
    ],
    ['GRP-2', 'a join that nobody asked for', ({ alice }) => alice.requested.shift()],
    [
      'GRP-2',
      'a leave that is not seen',
      ({ witness, alice, bob }) => {
        for (const { received } of [witness, alice])
          received.splice(
            received.findIndex((step) => step.kind === 'view' && step.index === 4),
            1,
          );
        bob.received = bob.received.filter(({ kind }) => kind !== 'selfLeave');
      },
    ],
    [
      'GRP-2',
      'a disconnected client remains in the last view',
      (_, { alice }) => {
        alice.end = 'closed';
      },
    ],
    [
      'GRP-3',
      'two members get different lists with one id',
      ({ alice }) => {
        alice.received[1] = view(ROOM, 3, 'join', BOB, BOB, WITNESS);
      },
    ],
    [
      'GRP-3',
      'two views have one id',
      ({ witness, alice }) => {
        for (const { received } of [witness, alice]) {
          const at = received.findIndex((step) => step.kind === 'view' && step.index === 4);
          received[at] = view(ROOM, 3, 'leave', BOB, ALICE, WITNESS);
        }
      },
    ],
    [
      'GRP-4',
      'a join view with another vs set',
      ({ alice }) => {
        alice.received[0] = { ...view(ROOM, 2, 'join', ALICE, ALICE, WITNESS), sets: false };
      },
    ],
    ['GRP-5', 'a message before the own join', ({ bob }) => swap(bob.received, 0, 1)],
    ['GRP-5', 'a message after the self-leave', ({ bob }) => bob.received.push(message(2, 2))],
    [
      'GRP-5',
      'a view after the self-leave',
      ({ bob }) => bob.received.push(view(ROOM, 4, 'leave', BOB, ALICE, WITNESS)),
    ],
    ['GRP-6', 'a transitional signal', ({ alice }) => alice.received.push({ kind: 'transition', group: ROOM })],
    [
      'GRP-6',
      'a view of the network',
      ({ witness }) => witness.received.push(view(ROOM, 5, 'network', 0, ALICE, WITNESS)),
    ],
    ['GRP-7', 'a copy for the group and one for the name', ({ bob }) => bob.received.splice(3, 0, message(2, 0))],
    ['GRP-8', 'messages from outside in different order', ({ alice }) => swap(alice.received, 7, 8)],
    ['EVS-9', 'a message nobody sent', ({ alice }) => alice.received.push(message(2, 9))],
    ['EVS-9', 'a message of an earlier epoch', (_, { alice }) => alice.received.push(message(2, 0))],
    [
      'EVS-9',
      'other content',
      ({ alice }) => {
        alice.received[FIRST_MESSAGE.alice] = { kind: 'message', from: 1, sequence: 0, hash: 5 };
      },
    ],
    ['EVS-9', 'a message twice', ({ alice }) => alice.received.push(message(2, 3))],
    ['EVS-9', 'an own message with SELF_DISCARD', (_, { alice }) => alice.received.unshift(message(1, 2))],
    ['EVS-9', 'a frame that is nothing', ({ alice }) => alice.received.push({ kind: 'stray' })],
    [
      'EVS-9+',
      'a message that reaches no member',
      (_, second) => {
        for (const { received } of Object.values(second)) {
          const at = received.findIndex((step) => step.kind === 'message' && step.from === 2);
          if (at >= 0) received.splice(at, 1);
        }
      },
    ],
    ['EVS-9+', 'a private message that does not come', (_, { bob }) => bob.received.pop()],
    ['EVS-9+', 'a message with SELF_DISCARD that another member misses', (_, { witness }) => witness.received.shift()],
    ['EVS-14', 'two messages of one sender change places', ({ alice }) => swap(alice.received, 2, 4)],
    ['EVS-16', 'two sessions disagree on the order', ({ alice }) => swap(alice.received, 2, 3)],
    ['EVS-16', 'a view and a message change places', ({ alice }) => swap(alice.received, 1, 2)],
  ];

  test.each(broken)('%s: %s', (property, _what, damage) => {
    expect(violated(damage)).toContain(property);
  });

  test('every property has a broken trace', () => {
    expect(new Set(broken.map(([property]) => property))).toEqual(new Set(ALL_CHECKS.map(({ property }) => property)));
  });

  test('messages of a cut connection that nobody got are not missed', () => {
    expect(
      violated((_, { bob }) => {
        bob.end = 'crashed';
        bob.requested.push({ kind: 'send', sequence: 5, groups: [ROOM], open: true });
      }),
    ).toEqual([]);
  });

  test('messages of a session that lives are', () => {
    expect(
      violated((_, { bob }) => bob.requested.push({ kind: 'send', sequence: 5, groups: [ROOM], open: true })),
    ).toEqual(['EVS-9+']);
  });

  test('with several daemons, weak services may come in any order, strong ones may not', () => {
    const swapped = (service: number): boolean => {
      const cast = secondEpoch();
      for (const script of Object.values(cast))
        script.requested = script.requested.map((step) => (step.kind === 'send' ? { ...step, service } : step));
      swap(cast.alice.received, 0, 1);
      const builder = new HistoryBuilder(shape, 2);
      builder.next([traceOf(Object.values(firstEpoch()))]);
      const history = builder.next([traceOf(Object.values(cast))]);
      const check = ALL_CHECKS.find(({ property }) => property === 'EVS-16')!.check;
      return check(history).violationCount > 0;
    };
    expect(swapped(2)).toBe(false);
    expect(swapped(16)).toBe(true);
  });
});
