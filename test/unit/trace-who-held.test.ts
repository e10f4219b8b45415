/** Who held a probe back: one case for each cause, each named for its reason and nothing else. */
import { describe, expect, it } from 'vitest';
import { PeerClocks } from '../../daemon/trace/peer-clocks.ts';
import { readWord } from '../../daemon/trace/peer-words.ts';
import { readProbeWish, readTracedGroup } from '../../daemon/trace/trace-wish.ts';
import { type Evidence, type Witness, whoHeld } from '../../daemon/trace/who-held.ts';

const flight = { ringSeq: 7, receivedAt: 1002, stableAt: 1003, deliveredAt: 1003, visits: [], standstills: [] };

const witness = (name: string, node: number, more: Partial<Witness> = {}): Witness => ({
  name,
  node,
  isPresent: true,
  flight,
  clockErrorMs: 0.5,
  deliveredAt: 1004,
  receivers: { count: 0, waitingBytes: 0, slowest: [] },
  ...more,
});

const evidence = (more: Partial<Evidence> = {}, ...others: readonly Witness[]): Evidence => {
  const witnesses = [witness('a', 0, { clockErrorMs: 0 }), witness('b', 1), witness('c', 2)];
  for (const other of others) witnesses[other.node] = other;
  return {
    self: 'a',
    isRingChanged: false,
    isSafe: true,
    askedAt: 1000,
    submittedAt: 1000.5,
    sequencedAt: 1001,
    seq: 10,
    queuedBytes: 0,
    visits: 0,
    isDelivered: true,
    next: 'b',
    endAt: 1004,
    witnesses,
    ...more,
  };
};

const first = (given: Evidence): string => {
  const [most] = whoHeld(given);
  return most === undefined ? 'nobody' : `${most.cause} ${most.who} ${most.ms}`;
};

const visit = (hop: number, at: number, more: object = {}) => ({ hop, at, seq: 10, aru: 10, holder: 0, ...more });

describe('a probe', () => {
  it.each<readonly [string, Evidence, string]>([
    ['that nobody held', evidence(), 'nobody'],
    ['whose queue was full', evidence({ submittedAt: 1080, sequencedAt: 1081 }), 'submit a 80'],
    [
      'that was never submitted',
      evidence({ submittedAt: null, sequencedAt: null, seq: null, isDelivered: false, next: null, endAt: 1100 }),
      'submit a 100',
    ],
    ['behind other messages', evidence({ sequencedAt: 1050, queuedBytes: 900_000, visits: 9 }), 'queue a 49.5'],
    [
      'that a daemon stood still for',
      evidence({ endAt: 1400 }, witness('c', 2, { flight: { ...flight, standstills: [{ from: 1010, to: 1390 }] } })),
      'standstill c 380',
    ],
    [
      'before which a daemon stood still',
      evidence({}, witness('c', 2, { flight: { ...flight, standstills: [{ from: 10, to: 900 }] } })),
      'nobody',
    ],
    [
      'that a daemon left the ring for',
      evidence(
        { endAt: 3000, isRingChanged: true },
        witness('c', 2, { flight: null, isPresent: false, deliveredAt: null }),
      ),
      'membership c 2000',
    ],
    [
      'while a daemon was absent, of which the ring knew',
      evidence({}, witness('c', 2, { flight: null, isPresent: false, deliveredAt: null })),
      'nobody',
    ],
    [
      'of which a daemon does not tell',
      evidence({ endAt: 1200 }, witness('b', 1, { flight: null, deliveredAt: null })),
      'silent b 200',
    ],
    [
      'that one daemon was last to have',
      evidence(
        { endAt: 1100 },
        witness('b', 1, {
          flight: { ...flight, visits: [visit(5, 1002, { aru: 9, holder: 2 }), visit(8, 1090, { aru: 9, holder: 2 })] },
        }),
      ),
      'aru c 89',
    ],
    [
      'that waited for the token, which was long on its way',
      evidence(
        { endAt: 1060, sequencedAt: 1055 },
        witness('a', 0, { clockErrorMs: 0, flight: { ...flight, visits: [visit(6, 1055)] } }),
        witness('b', 1, { flight: { ...flight, visits: [visit(4, 1001)] } }),
        witness('c', 2, { flight: { ...flight, visits: [visit(5, 1051)] } }),
      ),
      'token c 50',
    ],
    [
      'whose clocks cannot tell',
      evidence(
        { endAt: 1060 },
        witness('b', 1, { clockErrorMs: 40, flight: { ...flight, visits: [visit(4, 1001)] } }),
        witness('c', 2, { clockErrorMs: 40, flight: { ...flight, visits: [visit(5, 1051)] } }),
      ),
      'nobody',
    ],
    [
      'that the token does not come back with',
      evidence({ isDelivered: false, endAt: 2000, sequencedAt: null, seq: null }),
      'token b 1000',
    ],
    ['that delivery workers came to late', evidence({}, witness('b', 1, { deliveredAt: 1043 })), 'delivery b 40'],
    [
      'in front of a slow receiver',
      evidence(
        {},
        witness('b', 1, {
          receivers: {
            count: 1,
            waitingBytes: 5000,
            slowest: [{ name: '#slow#b', waitingBytes: 5000, behindMs: 700 }],
          },
        }),
      ),
      'receiver #slow#b 700',
    ],
  ])('%s', (_, given, expected) => {
    expect(first(given)).toBe(expected);
  });

  it('is explained by a standstill once, not by what came of it', () => {
    const visits = [visit(5, 1300, { aru: 9, holder: 2 })];
    const holds = whoHeld(
      evidence(
        { endAt: 1310, sequencedAt: 1290, visits: 3, queuedBytes: 5 },
        witness('b', 1, { flight: { ...flight, visits } }),
        witness('c', 2, { flight: { ...flight, standstills: [{ from: 1001, to: 1288 }] } }),
      ),
    );
    expect(holds.map(({ cause, who }) => `${cause} ${who}`)).toEqual(['standstill c']);
  });
});

describe('the clocks of other daemons', () => {
  const tell = (heardAt: number, saidAt: number) =>
    ({ say: 'tell', id: 1, to: 'a', heardAt, saidAt, deliveredAt: null, receivers: null, flight }) as const;

  it('are compared by question and answer, to half of the way', () => {
    const clocks = new PeerClocks();
    // 5000 ahead; 10 ms there, 1 ms of thought, 10 ms back.
    expect(clocks.compare('b', 1000, { heardAt: 1021, tell: tell(6010, 6011) })).toEqual({
      offsetMs: 5000,
      errorMs: 10,
    });
    expect(clocks.compare('b', 2000, { heardAt: 2003, tell: tell(7001, 7002) })).toEqual({
      offsetMs: 5000,
      errorMs: 1,
    });
    const later = clocks.compare('b', 3000, { heardAt: 3101, tell: tell(8090, 8091) });
    expect(later.offsetMs).toBe(5000);
    expect(later.errorMs).toBeCloseTo(1.2196, 3);
  });

  it('are compared anew with a machine that was started anew', () => {
    const clocks = new PeerClocks();
    clocks.compare('b', 1000, { heardAt: 1003, tell: tell(6001, 6002) });
    expect(clocks.compare('b', 2000, { heardAt: 2021, tell: tell(60, 61) })).toEqual({ offsetMs: -1950, errorMs: 10 });
  });
});

describe('what daemons say', () => {
  it.each([
    ['{"say":"probe","id":1,"group":"g"}', true],
    ['{"say":"probe","id":0,"group":"g"}', false],
    ['{"say":"probe","id":1,"group":"g","more":1}', false],
    ['{"say":"ask","id":1,"ringSeq":1,"seq":2,"fromHop":3}', true],
    ['{"say":"ask","id":1,"ringSeq":-1,"seq":2,"fromHop":3}', false],
    ['{"say":"other"}', false],
    ['[]', false],
    ['no JSON', false],
    ['', false],
  ])('%s', (text, isWord) => {
    expect(readWord(text) !== null).toBe(isWord);
  });
});

describe('what is asked of traces', () => {
  it.each([
    [{ group: 'g' }, { group: 'g', service: 'safe', timeoutMs: 10_000 }],
    [
      { group: 'g', service: 'fifo', timeoutMs: 5 },
      { group: 'g', service: 'fifo', timeoutMs: 5 },
    ],
  ])('%j', (wish, expected) => {
    expect(readProbeWish(wish)).toEqual(expected);
  });

  it.each([
    [{}, 'group must be the name of a group'],
    [{ group: '' }, 'must be 1 to 31 bytes'],
    [{ group: '#a#b' }, '0x23'],
    [{ group: 'x'.repeat(32) }, 'it has 32'],
    [{ group: 'g', service: 'fast' }, 'service must be one of unreliable'],
    [{ group: 'g', service: 'constructor' }, 'service must be one of'],
    [{ group: 'g', timeoutMs: 0 }, 'timeoutMs must be a whole number of 1 to 120000'],
    [{ group: 'g', timeoutMs: 120_001 }, 'timeoutMs'],
    [{ group: 'g', timeoutMs: Number.NaN }, 'timeoutMs'],
  ])('%j is refused', (wish, reason) => {
    expect(() => readProbeWish(wish)).toThrow(reason);
  });

  it('a group to trace', () => {
    expect(readTracedGroup('g')).toBe('g');
    for (const wrong of [null, 1, '', '#a#b']) expect(() => readTracedGroup(wrong)).toThrow();
  });
});
