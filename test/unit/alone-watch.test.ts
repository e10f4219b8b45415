/** A daemon that is alone logs each detectable reason once while it lasts. */
import { describe, expect, it } from 'vitest';
import {
  createCounters,
  NetworkCounter,
  networkCounters,
  OrderingCounter,
  RING_NODE_COUNTERS,
  ringCounters,
} from '../../engine/buffers/counters.ts';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import { WHILE_MEMBER } from '../../engine/membership/incarnation-refusals.ts';
import { MAX_RING_SEQ } from '../../engine/ring/ring-seq-limits.ts';
import { AloneWatch } from '../../workers/network/alone-watch.ts';

interface Line {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

function watch(daemonNames: readonly string[] = ['a', 'b', 'c']) {
  const counters = createCounters(1);
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (fields: Line['fields'], message: string): void =>
      void lines.push({ level, fields, message });
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const clock = { wallMs: Date.UTC(2026, 5) };
  const network = networkCounters(counters);
  const ring = ringCounters(counters);
  const node = (counter: number, value: number): void => {
    ring[RING_NODE_COUNTERS + counter] = value;
  };
  const alone = new AloneWatch({ daemonNames }, { counters, logger, wallMs: () => clock.wallMs });
  node(RingCounter.Members, 1);
  const run = (untilMs: number): void => {
    while (alone.nextDeadlineMs <= untilMs) alone.tick(alone.nextDeadlineMs);
  };
  return { alone, lines, network, ring, node, clock, run };
}

type Watched = ReturnType<typeof watch>;

describe('a daemon that is alone', () => {
  it.each<readonly [string, (watched: Watched) => unknown, RegExp]>([
    ['nobody is heard', () => undefined, /^no other daemon is heard/],
    [
      'others are heard',
      ({ network }) => network[NetworkCounter.DatagramsReceived]!++,
      /^others are heard, but no ring/,
    ],
    [
      'a monitor parted it',
      ({ network }) => network.fill(1, NetworkCounter.Partitioned, NetworkCounter.Partitioned + 1),
      /^a monitor has partitioned/,
    ],
    [
      'another configuration',
      ({ network }) => network[NetworkCounter.OtherConfiguration]!++,
      /^daemons with another conf/,
    ],
    [
      'another version',
      ({ network }) => network[NetworkCounter.OtherVersion]!++,
      /^daemons that speak another version/,
    ],
    ['another seal', ({ network }) => network[NetworkCounter.OtherSeal]!++, /^sealed and unsealed traffic do not mix/],
    ['other keys', ({ ring }) => ring[OrderingCounter.SealsRefused]!++, /^datagrams arrive that our keys do not open$/],
    ['two of one name', ({ network }) => network[NetworkCounter.IdentityConflicts]!++, /^another machine runs as this/],
    [
      'sends fail',
      ({ network }) => network.fill(7, NetworkCounter.SendsFailed + 2, NetworkCounter.SendsFailed + 2 + 1),
      /^datagrams could not be sent$/,
    ],
    ['sockets fail', ({ network }) => network[NetworkCounter.ReceiveErrors]!++, /^the UDP sockets report errors$/],
    ['its clock is at 1970', ({ clock }) => (clock.wallMs = 1000), /^the clock of this machine is wrong$/],
    [
      'its clock is beyond 2106',
      ({ clock }) => (clock.wallMs = Date.UTC(2107, 0)),
      /^the clock of this machine is wrong/,
    ],
    [
      'its incarnation is refused',
      ({ node }) => node(RingCounter.OwnIncarnationRefused, 1),
      /^the others remember a later incarnation/,
    ],
    [
      'its number is at the end',
      ({ node }) => node(RingCounter.RingSeq, MAX_RING_SEQ),
      /^its ring sequence numbers are near/,
    ],
    ['others’ numbers are', ({ node }) => node(RingCounter.NumbersRefused, 1), /^the ring sequence numbers of others/],
  ])('says so when %s', (_, happen, reason) => {
    const watched = watch();
    watched.run(1000);
    happen(watched);
    watched.run(9000);
    expect(watched.lines.filter(({ message }) => message.startsWith('this daemon is alone'))).toEqual([]);
    watched.run(3_000_000);
    const said = watched.lines.filter(({ message }) => message.startsWith('this daemon is alone'));
    expect(said).toMatchObject([
      { level: 'warn', fields: { aloneSeconds: 10, daemons: 3, reason: expect.stringMatching(reason) } },
    ]);
    watched.run(3_700_000);
    expect(watched.lines.filter(({ message }) => message.startsWith('this daemon is alone'))).toHaveLength(2);
    watched.node(RingCounter.Members, 2);
    watched.run(3_701_000);
    expect(watched.lines.at(-1)).toMatchObject({ level: 'info', message: 'this daemon is no longer alone' });
  });

  it('repeats the reason once an hour while its counters keep rising', () => {
    const { run, lines, network, clock } = watch();
    clock.wallMs = 1000;
    for (let minute = 0; minute < 50; minute++) {
      run(minute * 60_000);
      network[NetworkCounter.SendsFailed]! += 100;
      clock.wallMs += 60_000;
    }
    expect(lines).toHaveLength(1);
    expect(lines[0]!.fields['reason']).toBe('datagrams could not be sent; the clock of this machine is wrong');
  });

  it('logs a new reason after a minute, not at once', () => {
    const { run, lines, network } = watch();
    run(10_000);
    network[NetworkCounter.OtherSeal]!++;
    run(69_000);
    expect(lines).toHaveLength(1);
    run(71_000);
    expect(lines).toHaveLength(2);
    expect(lines[1]!.fields['reason']).toMatch(/^sealed and unsealed/);
  });

  it('logs nothing about the past, nor in a ring with others, nor without other daemons', () => {
    const before = watch();
    before.network[NetworkCounter.OtherVersion] = 9;
    before.run(20_000);
    expect(before.lines[0]!.fields['reason']).toMatch(/^no other daemon is heard/);
    const company = watch();
    company.node(RingCounter.Members, 2);
    company.run(20_000);
    expect(company.lines).toEqual([]);
    expect(watch(['a']).alone.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('refused incarnations', () => {
  it('are logged at once on both sides, then at most once a minute', () => {
    const { node, run, lines } = watch();
    node(RingCounter.Members, 2);
    node(RingCounter.OwnIncarnationRefused, 1);
    node(RingCounter.OwnIncarnationRefusedBy, 2);
    node(RingCounter.OwnIncarnationRefusedFor, 77);
    node(RingCounter.OwnIncarnationWaitMs, 2400);
    node(RingCounter.IncarnationsRefused, 1);
    node(RingCounter.RefusedNode, 1);
    node(RingCounter.RefusedWaitMs, WHILE_MEMBER);
    run(1000);
    expect(lines).toMatchObject([
      { level: 'warn', fields: { peerName: 'c', laterIncarnation: 77, waitMs: 2400, laterIncarnationIsMember: false } },
      { level: 'warn', fields: { peerName: 'b', waitMs: null, laterIncarnationIsMember: true } },
    ]);
    expect(lines[0]!.message).toMatch(/^this daemon is ignored for now: .* Its clock was set back/);
    expect(lines[1]!.message).toMatch(/^a daemon is ignored for now: /);
    for (let i = 2; i < 50; i++) {
      node(RingCounter.OwnIncarnationRefused, i);
      node(RingCounter.IncarnationsRefused, i);
      run(i * 1000);
    }
    expect(lines).toHaveLength(2);
  });

  it('and numbers near the end are logged with the daemon', () => {
    const { node, run, lines } = watch();
    node(RingCounter.Members, 2);
    node(RingCounter.NumbersRefused, 3);
    node(RingCounter.NumbersRefusedFrom, 1);
    run(1000);
    expect(lines).toMatchObject([{ level: 'warn', fields: { peerName: 'b' } }]);
    expect(lines[0]!.message).toMatch(/near their end.*skein state repair/);
  });
});
