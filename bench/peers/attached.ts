import { connect } from 'node:net';
import type { Endpoint } from '../load/connection.ts';
import { listenersOnPort } from '../load/process-stats.ts';
import type { ProtocolChoice } from '../load/protocol.ts';
import type { System } from './system.ts';

export const ATTACHABLE_PROTOCOLS = ['spread', 'nats', 'redis', 'mqtt'] as const;
export type AttachableProtocol = (typeof ATTACHABLE_PROTOCOLS)[number];

const reachable = (endpoint: Endpoint): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(endpoint);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

/** `host:port`, or `port` on loopback. */
export function parseEndpoint(text: string): Endpoint {
  const [, host = '127.0.0.1', port] = /^(?:(.+):)?(\d+)$/.exec(text) ?? [];
  const number = Number(port);
  if (port === undefined || number < 1 || number > 65_535) {
    throw new Error(`"${text}" is not an endpoint: host:port with a port from 1 to 65535`);
  }
  return { host, port: number };
}

/** A system that runs already. It is measured as it is, and left running. */
export function attachedSystem(title: string, protocol: AttachableProtocol, endpoints: readonly Endpoint[]): System {
  const where = endpoints.map(({ host, port }) => `${host}:${port}`).join(', ');
  return {
    id: title,
    title,
    debianPackages: [],
    guarantees: { order: 'not known', reliability: 'not known', membership: 'not known' },
    configuration: `attached at ${where}`,
    async availability() {
      for (const endpoint of endpoints) {
        if (!(await reachable(endpoint))) {
          return { available: false, why: `nothing listens on ${endpoint.host}:${endpoint.port}` };
        }
      }
      return { available: true, version: `attached at ${where}` };
    },
    unsuited: (scenario) =>
      scenario.daemons > endpoints.length ? `needs ${scenario.daemons} daemons, attached to ${endpoints.length}` : null,
    protocol(scenario): ProtocolChoice {
      if (protocol === 'spread') return { kind: 'spread', options: { service: scenario.service } };
      if (protocol === 'mqtt') return { kind: 'mqtt', options: { qos: 0 } };
      return { kind: protocol };
    },
    async start(request) {
      const used = endpoints.slice(0, request.daemons);
      const pids = new Set(used.flatMap(({ port }) => listenersOnPort(port)));
      return { endpoints: used, pids: [...pids], stop: async () => {} };
    },
  };
}
