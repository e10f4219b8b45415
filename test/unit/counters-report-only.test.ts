/** Counters only report. An agent acts on control words (engine/buffers/control-words.ts) or its own fields. */
import { describe, expect, it } from 'vitest';
import { productFiles, read } from './support/source-files.ts';

/**
 * Allowed reads of a counter, by file, with their purpose: to update it, a log line, or a highest value so far. The ring's own measurements
 * are allowed too: one thread writes and reads them.
 */
const ALLOWED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'workers/delivery/slow-consumers.ts': { LongestQueueBytes: 'a highest value' },
  'workers/delivery/reception.ts': { AcceptErrors: 'a log line' },
  'workers/ring-agent.ts': {
    RecordsRefused: 'a log line',
    SealsRefused: 'whether there is something new to report',
    DatagramBytes: 'a log line',
    Members: 'a log line',
    HighSeq: 'what is told of the end',
    Aru: 'what is told of the end',
    RingSeq: 'what skein trace tells',
  },
  'workers/ring/flight-recorder.ts': { TokenRounds: 'what skein trace tells' },
  'workers/ring/probe-watch.ts': { HighSeq: 'what skein trace tells', TokenRounds: 'what skein trace tells' },
  'workers/ring/log-output.ts': { LogWaitingBytes: 'a highest value', LogWaitingHighWater: 'a highest value' },
  'workers/network/ring-sockets.ts': { ReceiveErrors: 'a log line' },
  'workers/network-agent.ts': {
    SealsRefused: 'a log line',
    SealsRefusedBy: 'a log line',
    SealRefusedFrom: 'a log line',
  },
  'workers/agent-thread.ts': { LongestCycleUs: 'a highest value' },
  'engine/node/ring-node.ts': { MembershipChanges: 'of the ring itself' },
  'engine/ring/path-size.ts': {
    PacketsReceived: 'of the ring itself',
    RequestsSent: 'of the ring itself',
    Duplicates: 'of the ring itself',
  },
};
/** Files whose purpose is to report. */
const REPORTERS =
  /^(engine\/buffers\/(counters|counter-table|read-counters)\.ts|workers\/network\/(status-report|alone-watch)\.ts)$/;

/** `counters[XCounter.Name]` where a value is taken: not assigned to, not counted up as a statement. */
const READ =
  /ounters(?:\([^()]*\))?!?\[\s*(?:Agent|Ordering|Delivery|Network|Ring|Supervisor)Counter\.(\w+)[^\]]*\](?!!?\s*(?:\+\+|--|[-+|&]?=[^=]))/g;

function readsOf(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*/g, '');
  return [...code.matchAll(READ)].map(([, name]) => name!);
}

const agents = productFiles().filter((path) => /^(workers|engine)\//.test(path) && !REPORTERS.test(path));

describe('counters', () => {
  it.each(agents)('steer nothing in %s', (path) => {
    const names = readsOf(read(path));
    const allowed = Object.keys(ALLOWED[path] ?? {});
    expect(names.filter((name) => !allowed.includes(name))).toEqual([]);
    expect(
      allowed.filter((name) => !names.includes(name)),
      'an allowance that nobody needs',
    ).toEqual([]);
  });

  it('of other agents would be detected', () => {
    expect(readsOf('if (ringCounters[OrderingCounter.Sessions]! < maxSessions) return;')).toEqual(['Sessions']);
    expect(readsOf('total += counters[DeliveryCounter.QueuedBytes]!;')).toEqual(['QueuedBytes']);
    expect(readsOf('counters[DeliveryCounter.Reads]!++; counters[DeliveryCounter.Bytes]! += 4;')).toEqual([]);
    expect(readsOf('counters[OrderingCounter.Sessions] = size;')).toEqual([]);
  });
});
