/**
 * Real daemons with a key, and an attacker between them who records and replays everything: what earlier incarnations sealed, what this
 * one sealed, to its receivers, to others, and back to its sender.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { askStatus } from '../../cli/monitor/ask-status.ts';
import type { StatusReport } from '../../cli/monitor/status-protocol.ts';
import { ProxiedCluster } from '../cluster/proxy/proxied-cluster.ts';
import type { PassedDatagram } from '../cluster/proxy/udp-proxy.ts';
import { settle, together } from '../cluster/settle.ts';
import { checkRun } from '../cluster/trace-of-run.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TIMEOUT_MS = 180_000;
const DAEMONS = 3;
const VICTIM = 1;
/** The timers of a LAN, for a machine that may stall. */
const TIME_SCALE = 4;
/** More than a stall costs; an effective replay costs endless retries. The simulator measures this independently of the machine. */
const REJOIN_MS = 3_000 * TIME_SCALE;
const REPLAYS_EACH_TURN = 4;
const TURN_MS = 10;
const MOST_RECORDED = 20_000;

function keyFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'skein-seal-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'keys');
  writeFileSync(file, `1:${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  return file;
}

it(
  'a restarted daemon joins the ring as fast as usual although everything sealed before is replayed',
  async () => {
    const cluster = await ProxiedCluster.create({
      root: ROOT,
      daemons: DAEMONS,
      seed: 1,
      walkers: 1,
      pauseMs: 20,
      configuration: { ClusterKeyFile: keyFile(), TimeScale: TIME_SCALE },
    });
    onTestFinished(() => cluster.remove());
    const { proxy, random, stations, ports } = cluster;
    const recorded: PassedDatagram[] = [];
    proxy.tap = (passed) => {
      if (recorded.length < MOST_RECORDED) recorded.push({ ...passed, datagram: Buffer.from(passed.datagram) });
    };
    const status = async (): Promise<readonly StatusReport[]> => {
      const daemons = ports.map((port, i) => ({ name: `d${i + 1}`, address: `127.0.0.${i + 1}`, port }));
      const answers = await askStatus(daemons, '127.0.0.1', 10_000);
      return answers.map(({ report }) => report!);
    };
    await cluster.up();
    await delay(1_000);
    const victim = stations[VICTIM]!;
    await victim.kill();
    await together(stations);
    await victim.up();
    await together(stations);
    expect(recorded.some(({ from }) => from === VICTIM)).toBe(true);

    /** Replays it to its receiver, to all others, and to its sender. */
    const replay = (from: number): void => {
      const { to, port, datagram } = recorded[from]!;
      proxy.inject({ to, port, datagram });
      for (let node = 0; node < DAEMONS; node++) {
        const isToken = port !== ports[to];
        if (node !== to) proxy.inject({ to: node, port: ports[node]! + (isToken ? 1 : 0), datagram });
      }
    };
    let isReplaying = true;
    const attack = (async () => {
      while (isReplaying) {
        for (let i = 0; i < REPLAYS_EACH_TURN; i++) replay(random.integer(0, recorded.length - 1));
        await delay(TURN_MS);
      }
    })();
    const before = await status();
    await delay(2_000);
    const during = await status();
    // No ring broke because of it.
    expect(during.map(({ membershipChanges }) => membershipChanges)).toEqual(
      before.map(({ membershipChanges }) => membershipChanges),
    );

    await victim.kill();
    await together(stations);
    await victim.up();
    const startMs = performance.now();
    await together(stations);
    const rejoinMs = performance.now() - startMs;
    const cleanMs = await cleanRejoinMs(cluster, () => {
      isReplaying = false;
      return attack;
    });
    console.log(
      `back after ${rejoinMs.toFixed(0)} ms while everything was sent again, ${cleanMs.toFixed(0)} ms without`,
    );
    expect(rejoinMs).toBeLessThan(cleanMs + REJOIN_MS);

    for (const [node, { ring }] of during.entries()) {
      expect(ring!.sealsReplayed).toBeGreaterThan(0);
      // Only the victim had an earlier incarnation, and the victim recognizes it as its own.
      if (node !== VICTIM) expect(ring!.sealsUnknownIncarnation).toBeGreaterThan(0);
      expect(ring!.sealsMisdirected).toBeGreaterThan(0);
      expect(ring!.sealsWrongKey).toBe(0);
      expect(ring!.sealsShort).toBe(0);
    }
    await settle(stations);
    cluster.noteFailures();
    expect(checkRun(cluster.run)).toEqual([]);
  },
  TIMEOUT_MS,
);

/** The same without a replay, which shows how busy this machine is. */
async function cleanRejoinMs({ stations }: ProxiedCluster, stopAttack: () => Promise<void>): Promise<number> {
  await stopAttack();
  const victim = stations[VICTIM]!;
  await victim.kill();
  await together(stations);
  await victim.up();
  const startMs = performance.now();
  await together(stations);
  return performance.now() - startMs;
}
