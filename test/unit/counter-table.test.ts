/** Every counter is described once, written and read somewhere, and listed in docs/counters.md. */
import { describe, expect, it } from 'vitest';
import { COUNTER_TABLE } from '../../engine/buffers/counter-table.ts';
import {
  AgentCounter,
  createCounters,
  DeliveryCounter,
  deliveryCounters,
  NetworkCounter,
  networkCounters,
  OrderingCounter,
  RING_NODE_COUNTERS,
  ringCounters,
  SEND_CAUSES,
  SupervisorCounter,
  supervisorCounters,
} from '../../engine/buffers/counters.ts';
import { readCounters } from '../../engine/buffers/read-counters.ts';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import { SEAL_REFUSALS } from '../../engine/seal/seal-trailer.ts';
import { EXTENSION_COUNTERS } from '../../engine/wire/monitor-extension.ts';
import { COUNTER_DOCS_END, COUNTER_DOCS_START, counterDocs } from './support/counter-docs.ts';
import { productFiles, read } from './support/source-files.ts';

const SLOTS = { AgentCounter, OrderingCounter, NetworkCounter, DeliveryCounter, SupervisorCounter, RingCounter };
const TABLES = ['engine/buffers/counters.ts', 'engine/buffers/counter-table.ts', 'engine/host/ring-counters.ts'];
const sources = productFiles()
  .filter((file) => !TABLES.includes(file) && !file.startsWith('bench/'))
  .map(read);

const PLACES = Object.entries(SLOTS).flatMap(([table, slots]) => Object.keys(slots).map((name) => `${table}.${name}`));

/** Ways to write a counter: changed in brackets, as the target of `set`, or chosen to be incremented. */
const isWritten = (place: string): boolean => {
  const word = place.replace('.', '\\.');
  const ways = [
    `\\[\\s*${word}\\b[^\\]\\n]*\\]!?\\s*(?:\\+\\+|--|[+-]?=(?!=))`,
    `\\.set\\([^;\\n]*${word}\\b`,
    `[?:] ${word}\\b[^;]*;[^;]*\\[scope\\]!?\\+\\+`,
    `(?:\\+\\+|--)\\w*\\[${word}\\b`,
    `counters\\[[^\\]]*${word}\\b[^\\]]*\\]!?\\+\\+`,
  ].map((way) => new RegExp(way));
  return sources.some((source) => ways.some((way) => way.test(source)));
};

const isRead = (place: string): boolean => {
  const [table, name] = place.split('.') as [string, string];
  const slot = (SLOTS[table as keyof typeof SLOTS] as Record<string, number>)[name]!;
  const first = table === 'RingCounter' ? RING_NODE_COUNTERS : 0;
  const rows = COUNTER_TABLE.filter((counter) => counter.name === name && counter.slot >= first + slot);
  if (rows.some(({ field }) => field !== undefined)) return true;
  const word = place.replace('.', '\\.');
  // A use that is neither an assignment nor only an increment.
  const way = new RegExp(`${word}\\b(?![^\\]\\n]*\\]!?\\s*(?:\\+\\+|--|[+-]?=(?!=)))`);
  return sources.some((source) => way.test(source));
};

describe('the table of counters', () => {
  it('has a row for every slot, and no slot twice', () => {
    for (const block of ['ring', 'network', 'delivery', 'supervisor'] as const) {
      const slots = COUNTER_TABLE.filter((one) => one.block === block || one.block === 'agent').map(({ slot }) => slot);
      expect(new Set(slots).size, block).toBe(slots.length);
      expect(Math.max(...slots)).toBeLessThan(ringCounters(createCounters(1)).length);
    }
    expect(COUNTER_TABLE.filter(({ name }) => name === 'SendsFailed')).toHaveLength(SEND_CAUSES.length);
    expect(COUNTER_TABLE.filter(({ name }) => name === 'SealsRefusedBy')).toHaveLength(SEAL_REFUSALS);
    expect(COUNTER_TABLE.filter(({ name }) => name === 'SealRefusedFrom')).toHaveLength(SEAL_REFUSALS);
  });

  it('describes each in one line', () => {
    for (const { name, help } of COUNTER_TABLE) expect(help, name).toMatch(/^[a-zA-Z0-9`][^\n]{3,110}[^.\n]$/);
  });

  it.each(PLACES)('%s is written somewhere', (place) => {
    expect(isWritten(place)).toBe(true);
  });

  it.each(PLACES)('%s is read somewhere', (place) => {
    expect(isRead(place)).toBe(true);
  });

  it('gives the monitor each of its fields', () => {
    const named = new Set(COUNTER_TABLE.flatMap(({ field }) => (field === undefined ? [] : [field])));
    expect([...named].sort()).toEqual([...EXTENSION_COUNTERS].sort());
  });

  it('sums over workers, or takes the maximum where that is the meaning', () => {
    const counters = createCounters(2);
    for (const worker of [0, 1]) {
      const block = deliveryCounters(counters, worker);
      block[DeliveryCounter.FramesReceived] = 10 + worker;
      block[DeliveryCounter.LongestQueueBytes] = 100 + worker;
      block[AgentCounter.LongestCycleUs] = 7;
    }
    ringCounters(counters)[RING_NODE_COUNTERS + RingCounter.IdentityConflicts] = 2;
    networkCounters(counters)[NetworkCounter.IdentityConflicts] = 3;
    networkCounters(counters)[NetworkCounter.OtherConfiguration] = 4;
    ringCounters(counters)[RING_NODE_COUNTERS + RingCounter.ForeignCluster] = 5;
    ringCounters(counters)[AgentCounter.LongestCycleUs] = 9;
    networkCounters(counters)[NetworkCounter.SendsFailed + 1] = 6;
    supervisorCounters(counters)[SupervisorCounter.LogLinesLost] = 8;
    expect(readCounters(counters)).toMatchObject({
      framesReceived: 21,
      longestQueueBytes: 101,
      longestCycleMicros: 9,
      identityConflicts: 3,
      otherConfiguration: 9,
      sendsForbidden: 6,
      logLinesLost: 8,
    });
  });

  it('matches the table of docs/counters.md', () => {
    const page = read('docs/counters.md');
    const from = page.indexOf(COUNTER_DOCS_START) + COUNTER_DOCS_START.length;
    expect(page.slice(from, page.indexOf(COUNTER_DOCS_END)).trim()).toBe(counterDocs().trim());
  });
});
