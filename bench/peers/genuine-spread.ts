import { access, constants } from 'node:fs/promises';
import { connect } from 'node:net';
import { withTemporaryDirectory } from '../clean-up.ts';
import type { Endpoint } from '../load/connection.ts';
import { addLoopbackAddresses } from './loopback-addresses.ts';
import { type DaemonKind, startSpreadDaemons } from './spread-daemons.ts';
import type { System } from './system.ts';

const GENUINE_SPREAD_VARIABLE = 'SKEIN_BENCH_SPREAD';

/** As root a Spread daemon needs its own user and a chroot; as an ordinary user it needs neither. */
const asOrdinaryUser = (command: readonly string[]): readonly string[] =>
  process.getuid?.() === 0
    ? ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', ...command]
    : command;

/** The version in a daemon's ACCEPT (client-protocol.md, sections 1.3 to 1.7). */
function versionInHandshake(endpoint: Endpoint): Promise<string> {
  const connectRequest = Uint8Array.of(4, 4, 0, 0, 4, ...Buffer.from('peek'));
  const authChoice = Buffer.alloc(90);
  authChoice.write('NULL');
  return new Promise((resolve, reject) => {
    const socket = connect(endpoint, () => socket.write(connectRequest));
    let received = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the daemon closed the connection')));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const listLength = 1 + received[0];
      if (received.length === listLength) socket.write(authChoice);
      if (received.length < listLength + 4) return;
      resolve([...received.subarray(listLength + 1, listLength + 4)].join('.'));
      socket.destroy();
    });
  });
}

const versions = new Map<string, Promise<string>>();

function askVersion(path: string): Promise<string> {
  const kind: DaemonKind = { command: commandOf(path), options: ['SocketPortReuse = ON'], formMs: () => 300 };
  return withTemporaryDirectory(async (directory) => {
    const running = await startSpreadDaemons(kind, { daemons: 1, network: 'loopback', directory });
    try {
      return await versionInHandshake(running.endpoints[0]);
    } finally {
      await running.stop();
    }
  });
}

/** Asks each binary only once. */
function versionOfDaemon(path: string): Promise<string> {
  const asked = versions.get(path) ?? askVersion(path);
  versions.set(path, asked);
  return asked;
}

const commandOf =
  (path: string) =>
  (configFile: string, daemonName: string): readonly string[] =>
    asOrdinaryUser([path, '-c', configFile, '-n', daemonName]);

function genuineSpread(id: string, title: string, accelerated: boolean): System {
  const options = [
    `AcceleratedRing = ${accelerated}`,
    'MaxSessionMessages = 20000',
    'SocketPortReuse = ON',
    'EventPriority = ERROR',
  ];
  return {
    id,
    title,
    debianPackages: [],
    guarantees: {
      order: 'total (agreed, safe), causal, FIFO or none, by message',
      reliability: 'reliable; slow readers are disconnected',
      membership: 'views of groups and daemons, extended virtual synchrony',
    },
    configuration: options.join('; '),
    async availability() {
      const path = process.env[GENUINE_SPREAD_VARIABLE];
      if (path === undefined) return { available: false, why: `${GENUINE_SPREAD_VARIABLE} names no spread binary` };
      try {
        await access(path, constants.X_OK);
      } catch {
        return { available: false, why: `${GENUINE_SPREAD_VARIABLE}=${path} cannot be run` };
      }
      try {
        return { available: true, version: await versionOfDaemon(path) };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return { available: false, why: `${GENUINE_SPREAD_VARIABLE}=${path}: ${reason}` };
      }
    },
    unsuited(scenario) {
      const connections = scenario.senders + scenario.receivers + scenario.idleClients;
      const perDaemon = Math.ceil(connections / scenario.daemons);
      if (perDaemon > 997) return `${perDaemon} connections; its limit is 997 a daemon`;
      if (!accelerated && scenario.daemons === 1) return 'one daemon: no ring to accelerate';
      return null;
    },
    protocol: (scenario) => ({ kind: 'spread', options: { service: scenario.service } }),
    async start(request) {
      const path = process.env[GENUINE_SPREAD_VARIABLE] ?? '';
      const kind: DaemonKind = {
        command: commandOf(path),
        options,
        formMs: (daemons) => (daemons === 1 ? 300 : 7_000),
      };
      const removeAddresses = request.network === 'loopback' ? addLoopbackAddresses(request.daemons) : () => {};
      try {
        const running = await startSpreadDaemons(kind, request);
        return { ...running, stop: () => running.stop().finally(removeAddresses) };
      } catch (error) {
        removeAddresses();
        throw error;
      }
    },
  };
}

export const genuineSpreadSystems: readonly System[] = [
  genuineSpread('spread', 'Spread', true),
  genuineSpread('spread-original', 'Spread, original ring', false),
];
