/** Real daemons on loopback addresses, with clients that send, join and leave on each, through kills, pauses and stops. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { loopbackCluster, PATIENT_TIMERS } from '../cluster/loopback.ts';
import { RunRecord } from '../cluster/run-record.ts';
import { settle, together } from '../cluster/settle.ts';
import { Station } from '../cluster/station.ts';
import { checkRun, WITNESS_GROUP } from '../cluster/trace-of-run.ts';
import { randomFor } from '../simulation/core/random.ts';

const TIMEOUT_MS = 120_000;
/** Clients send for this long before and after each fault. */
const LOAD_MS = 400;

interface Loaded {
  readonly run: RunRecord;
  readonly stations: readonly Station[];
}

/** Starts `count` daemons with their clients, waits until they are one ring, and lets the clients send. */
async function loadedCluster(count: number): Promise<Loaded> {
  const cluster = await loopbackCluster(count, PATIENT_TIMERS);
  onTestFinished(() => cluster.remove());
  const run = new RunRecord();
  const stations = cluster.daemons.map(
    (daemon, node) =>
      new Station({
        run,
        node,
        daemon,
        address: cluster.addresses[node]!,
        walkers: 2,
        pauseMs: 10,
        random: randomFor(count, `station ${node}`),
      }),
  );
  await Promise.all(stations.map((station) => station.up()));
  await together(stations);
  for (const station of stations) station.startLoad();
  await delay(LOAD_MS);
  return { run, stations };
}

/** Ends the load, then checks every client-visible property on what the clients saw. */
async function expectSound({ run, stations }: Loaded): Promise<void> {
  await settle(stations);
  for (const { options } of stations) run.failures.push(...options.daemon.unexpectedEnds);
  const witnessed = run.clients.filter(({ isWitness, process }) => isWitness && process.end === 'running');
  for (const { observations, member } of witnessed) {
    const senders = new Set(observations.flatMap((event) => (event.kind === 'message' ? [event.sender] : [])));
    for (const other of witnessed) expect(senders, `who ${member} heard of`).toContain(other.member);
    expect(observations.some((event) => event.kind === 'view' && event.group === WITNESS_GROUP)).toBe(true);
  }
  expect(checkRun(run)).toEqual([]);
}

const networkViews = (station: Station): number =>
  station.witness!.record.observations.filter((event) => event.kind === 'view' && event.view.cause === 'network')
    .length;

it(
  'three daemons keep one order through a kill, a pause and an orderly stop under load',
  async () => {
    const cluster = await loadedCluster(3);
    const [first, second, third] = cluster.stations;
    const views = networkViews(first!);

    await second!.kill();
    await together(cluster.stations);
    await delay(LOAD_MS);
    await second!.up();
    await together(cluster.stations);
    await delay(LOAD_MS);

    third!.pause();
    await together([first!, second!]);
    await delay(LOAD_MS);
    third!.resume();
    await together(cluster.stations);
    await delay(LOAD_MS);

    await third!.stop();
    await together(cluster.stations);
    await delay(LOAD_MS);
    expect(networkViews(first!)).toBeGreaterThan(views);
    await third!.up();
    await expectSound(cluster);
  },
  TIMEOUT_MS,
);

it(
  'five daemons keep one order when one is killed and comes back under load',
  async () => {
    const cluster = await loadedCluster(5);
    const victim = cluster.stations[0]!;
    await victim.kill();
    await together(cluster.stations);
    await delay(LOAD_MS);
    await victim.up();
    await expectSound(cluster);
  },
  TIMEOUT_MS,
);
