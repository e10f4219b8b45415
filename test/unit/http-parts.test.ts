/** The parts of the HTTP server that need no daemon: requests, health, metrics, slow consumers, event streams and checks. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CHECKS, judge } from '../../daemon/http/checks.ts';
import { EventLog } from '../../daemon/http/event-log.ts';
import { EventStreams } from '../../daemon/http/event-streams.ts';
import { Health } from '../../daemon/http/health.ts';
import { MAX_EVENTS, MAX_STREAMS } from '../../daemon/http/http-limits.ts';
import { COUNTER_METRICS } from '../../daemon/http/metric-names.ts';
import { isCrossSite, isOwnHost } from '../../daemon/http/request-check.ts';
import { isSlow, SessionWatch } from '../../daemon/http/slow-sessions.ts';
import type { Sample, Tick } from '../../daemon/http/status-types.ts';
import { parseTokens } from '../../daemon/http/token-file.ts';
import { COUNTER_TABLE } from '../../engine/buffers/counter-table.ts';
import {
  AgentCounter,
  createCounters,
  OrderingCounter,
  RING_NODE_COUNTERS,
  ringCounters,
  SupervisorCounter,
  supervisorCounters,
} from '../../engine/buffers/counters.ts';
import { blocksOf } from '../../engine/buffers/read-counters.ts';
import { isLoopbackEndpoint, parseEndpoint } from '../../engine/config/endpoint.ts';
import { GroupsState } from '../../engine/groups/groups-state.ts';
import { RingCounter, RingState } from '../../engine/host/ring-counters.ts';
import { type Inspection, NOTHING_TO_REPORT, type SessionReport } from '../../workers/inspection.ts';
import { largest } from '../../workers/largest.ts';
import { eventually } from '../e2e/support/daemons.ts';
import { EventReader, open } from '../e2e/support/http.ts';

describe('an address with a port', () => {
  it.each([
    ['127.0.0.1:4880', true],
    ['127.9.9.9:0', true],
    ['[::1]:4880', true],
    ['[0:0:0:0:0:0:0:1]:1', true],
    ['0.0.0.0:1', false],
    ['[::]:1', false],
    ['10.0.0.1:1', false],
    ['[::ffff:127.0.0.1]:1', false],
    ['[1::]:1', false],
  ])('%s: only this machine reaches it: %s', (text, isHere) => {
    expect(isLoopbackEndpoint(parseEndpoint(text)!)).toBe(isHere);
  });
});

describe('the Host of a request without tokens', () => {
  it.each([
    '127.0.0.1:4880',
    '127.0.0.1',
    '[::1]:4880',
    '10.1.2.3',
    'localhost:1',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
  ])('%s is this daemon', (host) => expect(isOwnHost(host)).toBe(true));
  it.each([
    undefined,
    '',
    'attacker.example',
    '127.0.0.1.nip.io',
    'localhost.attacker.example',
    '1.2.3',
    '[::1',
    'a@127.0.0.1',
    '127.0.0.1:x',
    '::1',
  ])('%s is not', (host) => expect(isOwnHost(host)).toBe(false));
  it('a link to the dashboard works, and no page of another site may read', () => {
    const of = (site: string, mode: string, dest: string): boolean =>
      isCrossSite({
        headers: { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest },
      } as unknown as IncomingMessage);
    expect(of('cross-site', 'navigate', 'document')).toBe(false);
    expect(of('same-origin', 'cors', 'empty')).toBe(false);
    expect(of('none', 'navigate', 'document')).toBe(false);
    expect(of('cross-site', 'navigate', 'iframe')).toBe(true);
    expect(of('cross-site', 'no-cors', 'image')).toBe(true);
    expect(of('same-site', 'cors', 'empty')).toBe(true);
  });
});

describe('tokens', () => {
  it('are one a line, beside comments, with a right behind them', () => {
    const [short, long] = ['a'.repeat(16), 'b'.repeat(256)];
    expect(parseTokens(`#x\n\n ${short} \r\n${long}\tadmin\n`)).toEqual([
      { text: short, right: 'read' },
      { text: long, right: 'admin' },
    ]);
  });

  it.each(['read', 'Admin', 'admin admin', 'admin #', 'write'])('have no right "%s"', (right) => {
    expect(() => parseTokens(`# x\n${'a'.repeat(16)} ${right}`)).toThrow('line 2: a token has printable ASCII');
  });

  it('are refused when too short, too long or too many', () => {
    expect(() => parseTokens('a'.repeat(15))).toThrow('line 1');
    expect(() => parseTokens(`#\n${'a'.repeat(257)}`)).toThrow('line 2');
    expect(() => parseTokens(`${'a'.repeat(16)}\n`.repeat(17))).toThrow('17 tokens');
    expect(() => parseTokens('')).toThrow('no token');
  });
});

describe('health', () => {
  function daemon() {
    const counters = createCounters(2);
    const ring = ringCounters(counters);
    ring[RING_NODE_COUNTERS + RingCounter.State] = RingState.Operational;
    ring[RING_NODE_COUNTERS + RingCounter.Members] = 1;
    ring[OrderingCounter.GroupsState] = GroupsState.Operational;
    const health = new Health(counters);
    health.running();
    const turn = (except = -1): void => {
      for (const [i, page] of blocksOf(counters, 'agent').entries()) if (i !== except) page[AgentCounter.DutyCycles]!++;
      health.look();
    };
    return { ring, health, turn };
  }

  it.each([
    [0, 'ring'],
    [1, 'network'],
    [2, 'delivery-0'],
    [3, 'delivery-1'],
  ])('notices that agent %s does not run any more, and that it runs again', (agent, name) => {
    const { health, turn } = daemon();
    turn();
    for (let i = 0; i < 4; i++) turn(agent);
    expect(health.status()).toEqual({ alive: true, ready: true, reason: null });
    turn(agent);
    expect(health.status()).toEqual({ alive: false, ready: false, reason: `agent ${name} does not run` });
    turn();
    expect(health.status().alive).toBe(true);
  });

  it.each([
    ['gathers', RING_NODE_COUNTERS + RingCounter.State, RingState.Gather, /membership/],
    ['commits', RING_NODE_COUNTERS + RingCounter.State, RingState.Commit, /membership/],
    ['recovers', RING_NODE_COUNTERS + RingCounter.State, RingState.Recover, /membership/],
    ['has stopped', RING_NODE_COUNTERS + RingCounter.State, RingState.Stopped, /membership/],
    ['has no ring yet', RING_NODE_COUNTERS + RingCounter.Members, 0, /membership/],
    ['exchanges groups', OrderingCounter.GroupsState, GroupsState.Gathering, /groups/],
    ['is in a transition', OrderingCounter.GroupsState, GroupsState.Transitional, /groups/],
  ])('is not ready while the daemon %s', (_, slot, value, reason) => {
    const { ring, health } = daemon();
    ring[slot] = value;
    expect(health.status()).toMatchObject({ alive: true, ready: false, reason: expect.stringMatching(reason) });
  });

  it('is not ready before it runs and while it drains', () => {
    expect(new Health(createCounters(1)).status().reason).toBe('starting');
    const { health } = daemon();
    health.draining();
    expect(health.status()).toEqual({ alive: true, ready: false, reason: 'draining' });
  });
});

describe('metrics of the counters', () => {
  it('cover the whole table, each under one name, in base units', () => {
    const exported = COUNTER_METRICS.flatMap(({ counters }) => counters);
    expect(new Set(exported)).toEqual(new Set(COUNTER_TABLE));
    expect(exported).toHaveLength(COUNTER_TABLE.length);
    const names = COUNTER_METRICS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, type, counters } of COUNTER_METRICS) {
      expect(name).toMatch(/^skein_(agent|ring|network|delivery|supervisor)_[a-z0-9]+(_[a-z0-9]+)*$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(name).not.toMatch(/micros|_us\b|_ms\b|bytes_.*bytes/);
      const { unit } = counters[0]!;
      if (unit === 'bytes') expect(name).toMatch(/_bytes(_total)?$/);
      if (unit === 'µs' || unit === 'ms') expect(name).toMatch(/_seconds(_total)?$/);
    }
  });
});

const QUIET: SessionReport = {
  name: '#a#d',
  peer: '127.0.0.1:1',
  isEncrypted: false,
  user: null,
  worker: 0,
  openMs: 60_000,
  idleMs: 0,
  groups: 1,
  waitingBytes: 0,
  waitingMessages: 0,
  behindMs: 0,
  droppedMessages: 0,
  isHeld: false,
  timesHeld: 0,
  messagesIn: 0,
  bytesIn: 0,
  messagesOut: 0,
  bytesOut: 0,
};
const LIMITS = { maxSessionMessages: 1000, maxSessionBytes: 10_000_000 };

describe('a slow consumer', () => {
  it.each([
    ['nothing waits', {}, false],
    ['a burst that is taken within a second', { behindMs: 999, waitingBytes: 9_000_000 }, false],
    ['a little, behind for a few seconds', { behindMs: 9999, waitingBytes: 1000, waitingMessages: 99 }, false],
    ['a megabyte for a second', { behindMs: 1000, waitingBytes: 1024 * 1024 }, true],
    ['a tenth of the messages for a second', { behindMs: 1000, waitingMessages: 100 }, true],
    ['a tenth of the bytes for a second', { behindMs: 1000, waitingBytes: 1_000_000 }, true],
    ['anything for ten seconds', { behindMs: 10_000, waitingBytes: 1 }, true],
  ])('%s', (_, change, slow) => expect(isSlow({ ...QUIET, ...change }, LIMITS)).toBe(slow));

  it('is reported once when it begins and once when it recovers, with rates between samples', () => {
    const events = new EventLog();
    const watch = new SessionWatch(() => LIMITS, events);
    const look = (sessions: readonly SessionReport[], nowMs: number) => {
      const inspection: Inspection = { ...NOTHING_TO_REPORT, sessions, answers: [] };
      return watch.look(inspection, nowMs);
    };
    const stuck = { ...QUIET, behindMs: 20_000, waitingBytes: 5 };
    expect(look([QUIET], 0)[0]).toMatchObject({ isSlow: false, rates: null });
    expect(look([{ ...stuck, messagesIn: 50, bytesOut: 100 }], 2000)[0]).toMatchObject({
      isSlow: true,
      rates: { messagesIn: 25, messagesOut: 0, bytesIn: 0, bytesOut: 50 },
    });
    look([{ ...stuck, messagesIn: 50, bytesOut: 100 }], 3000);
    look([{ ...QUIET, messagesIn: 50, bytesOut: 100 }], 4000);
    // Neither another connection under the same name nor an ended one has recovered.
    look([{ ...stuck, peer: '127.0.0.1:2' }], 5000);
    look([], 6000);
    expect(events.list().map(({ kind }) => kind)).toEqual(['slow', 'recovered', 'slow']);
    expect(events.total('slow')).toBe(2);
    expect(look([{ ...QUIET, peer: '127.0.0.1:3' }], 7000)[0]!.rates).toBeNull();
  });
});

describe('the event log', () => {
  it('keeps the last hundred events, numbered, with the members that joined and left', () => {
    const events = new EventLog();
    events.told({ kind: 'membership', ringSeq: 5, members: ['a', 'b'] });
    events.told({ kind: 'membership', ringSeq: 6, members: ['b', 'c'] });
    expect(events.list()[1]).toMatchObject({ id: 2, joined: ['c'], left: ['a'], members: ['b', 'c'] });
    for (let i = 0; i < 200; i++) events.told({ kind: 'membership', ringSeq: i, members: [] });
    expect(events.list()).toHaveLength(MAX_EVENTS);
    expect(events.list().at(-1)!.id).toBe(202);
    expect(events.list(200).map(({ id }) => id)).toEqual([201, 202]);
    expect(events.total('membership')).toBe(202);
  });
});

describe('streams of events', () => {
  const TICK: Tick = {
    sample: {} as Sample,
    ring: { state: 'x'.repeat(50_000), groupsState: '', ringSeq: 0, members: [] },
    health: { alive: true, ready: true, reason: null },
  };

  async function server() {
    const counters = supervisorCounters(createCounters(1));
    const streams = new EventStreams(counters);
    const http = createServer((_, response) => streams.begin(response, true, {}, []));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      http.closeAllConnections();
      http.close();
    });
    return { counters, streams, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/` };
  }

  it('end for a client that does not read, and continue for the others', async () => {
    const { counters, streams, url } = await server();
    const stuck = await open(url);
    stuck.on('error', () => {});
    stuck.pause();
    const reader = await EventReader.open(url);
    onTestFinished(() => reader.close());
    let ticks = 0;
    await eventually(() => {
      streams.tick(TICK, ticks++);
      return counters[SupervisorCounter.HttpStreamsDropped] === 1;
    }, 'the end of the stream that nobody reads');
    await eventually(() => reader.ofKind('tick').length === ticks, 'all ticks at the other');
    expect(counters[SupervisorCounter.HttpStreams]).toBe(1);
  });

  it('are limited to 32', async () => {
    const { counters, streams, url } = await server();
    const readers = await Promise.all(Array.from({ length: MAX_STREAMS }, () => EventReader.open(url)));
    expect(streams.isFull).toBe(true);
    readers[0]!.close();
    await eventually(() => counters[SupervisorCounter.HttpStreams] === MAX_STREAMS - 1, 'one is gone');
    expect(streams.isFull).toBe(false);
    for (const reader of readers) reader.close();
  });
});

describe('the largest', () => {
  it('are the first after sorting, in any input order', () => {
    const numbers = Array.from({ length: 500 }, (_, i) => (i * 7919) % 503);
    for (const count of [0, 1, 7, 499, 500, 600])
      expect(largest(numbers, count, (value) => value)).toEqual([...numbers].sort((a, b) => b - a).slice(0, count));
  });
});

describe('checks', () => {
  it.each(CHECKS)(
    '$name is described, and has a threshold',
    ({ name, warning, critical, meaning, advice, trouble }) => {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect([warning, critical].some((limit) => limit !== null)).toBe(true);
      expect(meaning).toMatch(/^[a-zA-Z].*[^.]$/);
      expect(advice).toMatch(/[.]$/);
      if (warning !== null && critical !== null)
        expect(trouble === 'above' ? critical > warning : critical < warning).toBe(true);
    },
  );

  it('judge on both sides of their thresholds', () => {
    const limits = { warning: 1, critical: 3 };
    expect([0, 1, 1.1, 3, 3.1].map((value) => judge(value, 'above', limits))).toEqual([
      'ok',
      'ok',
      'warning',
      'warning',
      'critical',
    ]);
    expect([1, 0].map((value) => judge(value, 'below', { warning: null, critical: 1 }))).toEqual(['ok', 'critical']);
    expect(judge(null, 'above', limits)).toBe('unknown');
  });
});
