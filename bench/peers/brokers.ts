/** Common message brokers, each a single process on loopback. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProtocolChoice } from '../load/protocol.ts';
import type { Guarantees } from '../report-schema.ts';
import { freePort, startChild, versionOf } from './child.ts';
import { type System, singleBrokerUnsuited } from './system.ts';

interface Broker {
  readonly id: string;
  readonly title: string;
  readonly guarantees: Guarantees;
  readonly configuration: string;
  readonly debianPackages: readonly string[];
  /** Candidates in order; Debian puts some daemons into /usr/sbin, which may be missing from PATH. */
  readonly binaries: readonly string[];
  readonly versionArgs: readonly string[];
  readonly versionPattern: RegExp;
  readonly protocol: ProtocolChoice;
  args(port: number, directory: string): Promise<readonly string[]>;
}

async function findBinary(broker: Broker): Promise<{ path: string; version: string } | null> {
  for (const path of broker.binaries) {
    const version = await versionOf(path, broker.versionArgs, broker.versionPattern);
    if (version !== null) return { path, version };
  }
  return null;
}

function brokerSystem(broker: Broker): System {
  return {
    ...broker,
    async availability() {
      const found = await findBinary(broker);
      if (found !== null) return { available: true, version: found.version };
      const why = `${broker.binaries[0]} is not installed (Debian: ${broker.debianPackages.join(' ')}; or --install-peers)`;
      return { available: false, why };
    },
    unsuited: singleBrokerUnsuited,
    protocol: () => broker.protocol,
    async start(request) {
      const found = await findBinary(broker);
      if (found === null) throw new Error(`${broker.title} is not installed`);
      const port = await freePort();
      const child = startChild(found.path, await broker.args(port, request.directory), request.directory);
      try {
        await child.listening('127.0.0.1', port);
      } catch (error) {
        await child.stop();
        throw error;
      }
      return { endpoints: [{ host: '127.0.0.1', port }], pids: [child.pid], stop: () => child.stop() };
    },
  };
}

const nats: Broker = {
  id: 'nats',
  title: 'NATS core',
  guarantees: {
    order: 'FIFO per publisher',
    reliability: 'at most once; slow readers are disconnected',
    membership: 'none',
  },
  configuration: 'defaults; no JetStream, no authentication',
  debianPackages: ['nats-server'],
  binaries: ['nats-server', '/usr/sbin/nats-server'],
  versionArgs: ['--version'],
  versionPattern: /v?(\d+\.\d+\.\d+)/,
  protocol: { kind: 'nats' },
  args: async (port) => ['-a', '127.0.0.1', '-p', String(port)],
};

const redis: Broker = {
  id: 'redis',
  title: 'Redis pub/sub',
  guarantees: {
    order: 'total on one server (one thread)',
    reliability: 'at most once; slow readers are disconnected',
    membership: 'none',
  },
  configuration: 'persistence off; publishers ask for no replies',
  debianPackages: ['redis-server'],
  binaries: ['redis-server'],
  versionArgs: ['--version'],
  versionPattern: /v=(\d+\.\d+\.\d+)/,
  protocol: { kind: 'redis' },
  args: async (port, directory) => [
    ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    ...['--dir', directory, '--maxclients', '4000'],
  ],
};

const mosquitto = (qos: 0 | 1): Broker => ({
  id: qos === 0 ? 'mosquitto' : 'mosquitto-qos1',
  title: `Mosquitto, QoS ${qos}`,
  guarantees: {
    order: 'FIFO per publisher and topic',
    reliability: qos === 0 ? 'at most once; queue limits drop messages' : 'at least once',
    membership: 'last will of a client',
  },
  configuration: 'queue limits lifted, no persistence',
  debianPackages: ['mosquitto'],
  binaries: ['mosquitto', '/usr/sbin/mosquitto'],
  versionArgs: ['-h'],
  versionPattern: /version (\d+\.\d+\.\d+)/,
  protocol: { kind: 'mqtt', options: { qos } },
  async args(port, directory) {
    const file = join(directory, 'mosquitto.conf');
    const lines = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence false',
      'max_queued_messages 0',
      'max_inflight_messages 0',
      'set_tcp_nodelay true',
      'log_type error',
      'user root',
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    return ['-c', file];
  },
});

export const brokerSystems: readonly System[] = [nats, redis, mosquitto(0), mosquitto(1)].map(brokerSystem);
