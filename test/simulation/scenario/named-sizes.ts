/** Beyond the list of the specification: datagrams of several sizes, and networks on which long ones do not pass. */
import { RingCounter } from '../../../engine/host/ring-counters.ts';
import type { Violation } from '../checker/check.ts';
import { processName } from '../checker/model.ts';
import { type Random, randomFor } from '../core/random.ts';
import type { RunResult } from '../simulation.ts';
import type { NamedScenario } from './named.ts';
import { disturbance, impair } from './named-network.ts';
import { client, LAN, plainScenario } from './profile.ts';
import type { ClientPlan, Fault, Scenario } from './scenario.ts';

const SHORT_BYTES = 1400;
const LONG_BYTES = 16_000;

/** Enough at once to fill a long datagram. */
const busyClients = (nodeCount: number): ClientPlan[] =>
  Array.from({ length: nodeCount }, (_, i) => client(i, `c${i}`, { maxBytes: 3000, burst: 8, intervalMs: 20 }));

const somebody = (random: Random, nodeCount: number): number | null =>
  random.chance(0.4) ? null : random.integer(0, nodeCount - 1);

/** Long datagrams pass from the first moment to the last. */
function passing(seed: number): Scenario {
  const random = randomFor(seed, 'long-datagrams');
  const nodeCount = random.integer(2, 7);
  const faults: Fault[] = [];
  if (random.chance(0.5)) faults.push(impair(20, 900, { loss: random.real(0.01, 0.05) }));
  if (random.chance(0.5)) faults.push(disturbance(random, nodeCount, random.real(200, 600)));
  return plainScenario('long-datagrams', seed, nodeCount, {
    clients: busyClients(nodeCount),
    longDatagramBytes: LONG_BYTES,
    faults,
    faultsEndMs: 1000,
    workAfterMs: 800,
  });
}

/** Some cannot exchange long datagrams, in one direction at least. */
function blocked(seed: number): Scenario {
  const random = randomFor(seed, 'long-datagrams-blocked');
  const nodeCount = random.integer(2, 7);
  const narrowLinks = Array.from({ length: random.integer(1, 3) }, () => {
    const from = random.integer(0, nodeCount - 1);
    return { from, to: (from + random.integer(1, nodeCount - 1)) % nodeCount, mtuBytes: SHORT_BYTES };
  });
  const faults: Fault[] = random.chance(0.5) ? [disturbance(random, nodeCount, random.real(200, 600))] : [];
  // Late, one end of a narrow link comes to a ring that uses long ones already.
  const late = random.pick([narrowLinks[0]!.from, narrowLinks[0]!.to]);
  const lateMs = random.chance(0.5) ? random.real(100, 700) : 0;
  return plainScenario('long-datagrams-blocked', seed, nodeCount, {
    clients: busyClients(nodeCount),
    longDatagramBytes: LONG_BYTES,
    network: { ...LAN, narrowLinks },
    startMs: Array.from({ length: nodeCount }, (_, i) => (i === late ? lateMs : i * 0.7)),
    faults,
    faultsEndMs: 1500,
  });
}

/** Long datagrams are in use when the network stops passing them. */
function lost(seed: number): Scenario {
  const random = randomFor(seed, 'long-datagrams-lost');
  const nodeCount = random.integer(2, 6);
  const faults: Fault[] = [
    impair(random.real(150, 500), random.real(1000, 2500), {
      from: somebody(random, nodeCount),
      to: somebody(random, nodeCount),
      loss: random.chance(0.7) ? 1 : random.real(0.3, 0.9),
      aboveBytes: SHORT_BYTES,
    }),
  ];
  if (random.chance(0.3)) faults.push(disturbance(random, nodeCount, random.real(200, 900)));
  return plainScenario('long-datagrams-lost', seed, nodeCount, {
    clients: busyClients(nodeCount),
    longDatagramBytes: LONG_BYTES,
    faults,
    faultsEndMs: 3000,
  });
}

/** Daemons with sizes of their own, so that some send again what they would never have sent. */
function mixed(seed: number): Scenario {
  const random = randomFor(seed, 'mixed-datagrams');
  const nodeCount = random.integer(2, 6);
  const faults: Fault[] = [impair(30, 900, { loss: random.real(0.02, 0.25) })];
  if (random.chance(0.5)) faults.push(disturbance(random, nodeCount, random.real(200, 600)));
  return plainScenario('mixed-datagrams', seed, nodeCount, {
    clients: busyClients(nodeCount),
    datagramBytesOf: Array.from({ length: nodeCount }, () => random.pick([600, 1400, 9000, 60_000])),
    longDatagramBytes: random.pick([0, LONG_BYTES]),
    faults,
    faultsEndMs: 1000,
  });
}

/** What every daemon that still runs sends at the end. */
const endsWith =
  (datagramBytes: number, title: string) =>
  ({ name }: Scenario, { trace, counters }: RunResult): Violation[] => {
    const examples = trace.processes
      .filter(({ end, process }) => end === 'running' && counters[process]![RingCounter.Members]! > 1)
      .filter(({ process }) => counters[process]![RingCounter.DatagramBytes] !== datagramBytes)
      .map((process) => `${processName(process)} sends ${counters[process.process]![RingCounter.DatagramBytes]} bytes`);
    return examples.length === 0 ? [] : [{ property: name, title, examples, count: examples.length }];
  };

export const sizeScenarios: readonly NamedScenario[] = [
  {
    number: 43,
    name: 'long-datagrams',
    make: passing,
    extra: endsWith(LONG_BYTES, 'where long datagrams pass they are used'),
  },
  {
    number: 43,
    name: 'long-datagrams-blocked',
    make: blocked,
    extra: endsWith(SHORT_BYTES, 'where long datagrams do not pass they are not used'),
  },
  { number: 43, name: 'long-datagrams-lost', make: lost },
  { number: 43, name: 'mixed-datagrams', make: mixed },
];
