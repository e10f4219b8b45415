/** Settings of delivery reach the workers of a running daemon, wherever they run. */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { connect } from '../../client/index.ts';
import { createDaemonSpec } from '../../daemon/create-daemon-spec.ts';
import { loadOptions } from '../../daemon/options-load.ts';
import { Supervisor } from '../../workers/supervisor.ts';
import { planThreads } from '../../workers/threading.ts';
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
  supervisor.changeDelivery({ ...spec.delivery, maxSessionGroups: 1 });
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
  supervisor.changeDelivery(spec.delivery);
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
