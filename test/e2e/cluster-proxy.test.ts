/** Scenario 42: real daemons behind a proxy that drops, duplicates and reorders datagrams; what clients saw is checked. */
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { ProxiedCluster } from '../cluster/proxy/proxied-cluster.ts';
import { REAL_SCENARIOS } from '../cluster/proxy/scenarios.ts';
import { settle } from '../cluster/settle.ts';
import { checkRun } from '../cluster/trace-of-run.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TIMEOUT_MS = 120_000;

it(
  `three daemons on real sockets keep every property through ${REAL_SCENARIOS.map(({ name }) => name).join(', ')}`,
  async () => {
    const cluster = await ProxiedCluster.create({ root: ROOT, daemons: 3, seed: 1, walkers: 2, pauseMs: 10 });
    onTestFinished(() => cluster.remove());
    const { proxy } = cluster;
    await cluster.up();
    for (const scenario of REAL_SCENARIOS) await scenario.run(cluster);
    await settle(cluster.stations);
    cluster.noteFailures();
    // All traffic went through the proxy, and each kind of damage happened.
    for (const count of Object.values(proxy.counts)) expect(count).toBeGreaterThan(0);
    expect(checkRun(cluster.run)).toEqual([]);
  },
  TIMEOUT_MS,
);
