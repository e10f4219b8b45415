/** Changed settings reach all workers of a running daemon, or none, in every threading mode. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../client/index.ts';
import { createDaemonSpec } from '../../daemon/create-daemon-spec.ts';
import { loadOptions } from '../../daemon/options-load.ts';
import { AgentCounter, deliveryCounters, networkCounters, ringCounters } from '../../engine/buffers/counters.ts';
import type { DaemonSpec } from '../../workers/daemon-spec.ts';
import type { DeliverySettings } from '../../workers/delivery/delivery-settings.ts';
import type { SettingsSnapshot } from '../../workers/settings/settings-snapshot.ts';
import { inTwoSteps } from '../../workers/settings/two-steps.ts';
import { Supervisor } from '../../workers/supervisor.ts';
import { planThreads } from '../../workers/threading.ts';
import { Authority } from './support/certificates.ts';
import { eventually } from './support/daemons.ts';

const WORKER = pathToFileURL(fileURLToPath(new URL('../../dist/worker.js', import.meta.url)));
const IGNORED = { log: () => {}, report: () => {}, tell: () => {}, stopRequested: () => {}, failed: () => {} };

it.each(['inline', 'shared', 'shared-network', 'dedicated'] as const)('in mode %s', async (mode) => {
  const options = { port: 0, volatile: true, logLevel: 'error', unixSocketDir: null } as const;
  const { spec } = await createDaemonSpec(await loadOptions(options));
  const plan = planThreads(mode, 2, { cores: 4, nodeVersion: process.versions.node });
  const supervisor = new Supervisor(spec, plan, WORKER, IGNORED);
  const bound = await supervisor.start();
  onTestFinished(() => supervisor.stop(100));
  const tcp = bound.find(({ address }) => address.kind === 'tcp')!.address as { readonly port: number };
  const address = { host: '127.0.0.1', port: tcp.port };
  const sessions = await Promise.all(['a', 'b', 'c', 'd'].map((name) => connect({ address, name })));
  onTestFinished(() => sessions.forEach((session) => void session.destroy()));
  for (const session of sessions) await session.join('first');
  await change(supervisor, spec, 2, { maxSessionGroups: 1 });
  for (const session of sessions) {
    await eventually(async () => {
      const isRefused = await session.join('second').then(
        () => false,
        (error: { readonly code: string }) => error.code === 'REJECT_AUTH',
      );
      if (!isRefused) await session.leave('second');
      return isRefused;
    }, 'the new limit');
  }
  await change(supervisor, spec, 3, {});
  for (const session of sessions) {
    await eventually(
      () =>
        session.join('second').then(
          () => true,
          () => false,
        ),
      'the old limit',
    );
  }
  expect(sessions.map(({ groups }) => [...groups].sort())).toEqual(Array(4).fill(['first', 'second']));
});

/** Resolves when all threads go by it. */
function change(supervisor: Supervisor, spec: DaemonSpec, generation: number, part: Partial<DeliverySettings>) {
  return inTwoSteps(supervisor.preparations(snapshotOf(spec, generation, part)));
}

function snapshotOf(spec: DaemonSpec, generation: number, part: Partial<DeliverySettings>): SettingsSnapshot {
  const { logLevel, delivery, clusterKeys, ring, network } = spec;
  const { dangerousMonitor } = network;
  return {
    generation,
    logLevel,
    delivery: { ...delivery, ...part },
    ring: { clusterKeys, maxSessions: ring.maxSessions, dangerousMonitor },
  };
}

describe('RL-1: what one worker refuses leaves all as they were,', () => {
  it.each(['inline', 'shared', 'shared-network', 'dedicated'] as const)('in mode %s', async (mode) => {
    const authority = new Authority();
    onTestFinished(() => authority.remove());
    const { certFile, keyFile, key } = authority.issue('daemon');
    const keys = join(authority.folder, 'keys');
    writeFileSync(keys, `1:${Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7)).toString('base64')}\n`, {
      mode: 0o600,
    });
    const tls = { tlsListen: '127.0.0.1:0', tlsCertificateFile: certFile, tlsKeyFile: keyFile };
    const options = { port: 0, volatile: true, logLevel: 'error', unixSocketDir: null, clusterKeyFile: keys } as const;
    const { spec } = await createDaemonSpec(await loadOptions({ ...options, ...tls }));
    const plan = planThreads(mode, 2, { cores: 4, nodeVersion: process.versions.node });
    const supervisor = new Supervisor(spec, plan, WORKER, IGNORED);
    const bound = await supervisor.start();
    onTestFinished(() => supervisor.stop(100));
    const tcp = bound.find(({ address }) => address.kind === 'tcp')!.address as { readonly port: number };
    const session = await connect({ host: '127.0.0.1', port: tcp.port });
    onTestFinished(() => session.destroy());
    await session.join('first');
    const { counters } = supervisor.memory;
    const generations = (): readonly number[] =>
      [ringCounters(counters), networkCounters(counters)]
        .concat(Array.from({ length: plan.deliveryWorkers }, (_, worker) => deliveryCounters(counters, worker)))
        .map((block) => block[AgentCounter.SettingsGeneration]!);
    const all = (generation: number): readonly number[] => generations().map(() => generation);
    const good = snapshotOf(spec, 2, { maxSessionGroups: 1 });
    const wrong: readonly (readonly [RegExp, SettingsSnapshot])[] = [
      [/agent ring: .*key/, { ...good, ring: { ...good.ring, clusterKeys: [] } }],
      [/agent delivery-\d: /, { ...good, delivery: { ...good.delivery, tls: { ...spec.delivery.tls!, key: 'none' } } }],
      [/agent delivery-\d: /, { ...good, delivery: { ...good.delivery, tls: null } }],
      [
        /agent delivery-\d: /,
        { ...good, delivery: { ...good.delivery, tls: { ...spec.delivery.tls!, certificate: key } } },
      ],
    ];
    for (const [reason, snapshot] of wrong) {
      await expect(inTwoSteps(supervisor.preparations(snapshot))).rejects.toThrow(reason);
      expect(generations()).toEqual(all(1));
      await session.join('second');
      await session.leave('second');
    }
    // Each thread in turn refuses what all others have prepared.
    for (let refusing = 0; refusing < plan.threads.length; refusing++) {
      const parts = supervisor.preparations(good).map((part, i) => ({
        ...part,
        prepare: async () => {
          const prepared = await part.prepare();
          if (i !== refusing) return prepared;
          prepared.discard();
          throw new Error('no room');
        },
      }));
      const { name } = parts[refusing]!;
      await expect(inTwoSteps(parts)).rejects.toMatchObject({ refusals: [{ worker: name, reason: 'no room' }] });
      expect(generations()).toEqual(all(1));
    }
    await inTwoSteps(supervisor.preparations(good));
    expect(generations()).toEqual(all(2));
    await expect(session.join('second')).rejects.toMatchObject({ code: 'REJECT_AUTH' });
  });

  it('also when the daemon ends meanwhile', async () => {
    const { spec } = await createDaemonSpec(await loadOptions({ port: 0, volatile: true, unixSocketDir: null }));
    const plan = planThreads('dedicated', 1, { cores: 4, nodeVersion: process.versions.node });
    const supervisor = new Supervisor(spec, plan, WORKER, IGNORED);
    await supervisor.start();
    const before = change(supervisor, spec, 2, {});
    const stopped = supervisor.stop(0);
    await Promise.allSettled([before, stopped]);
    await expect(change(supervisor, spec, 3, {})).rejects.toThrow('the daemon is about to end');
  });
});
