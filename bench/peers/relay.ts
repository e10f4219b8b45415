import { fileURLToPath } from 'node:url';
import { freePort, startChild } from './child.ts';
import { type System, singleBrokerUnsuited } from './system.ts';

const program = fileURLToPath(new URL('./relay-daemon.js', import.meta.url));

/** The yardstick: a daemon on Node that only copies frames. */
export const relaySystem: System = {
  id: 'relay',
  title: 'bare relay',
  debianPackages: [],
  guarantees: { order: 'none across senders', reliability: 'none: no checks, no limits', membership: 'none' },
  configuration:
    'one thread that copies frames from socket to sockets; no checks, no order; a yardstick, not a product',
  availability: async () => ({ available: true, version: process.version }),
  unsuited: singleBrokerUnsuited,
  protocol: () => ({ kind: 'spread', options: { service: 'agreed' } }),
  async start(request) {
    const port = await freePort();
    const child = startChild(process.execPath, [program, String(port)], request.directory);
    try {
      await child.listening('127.0.0.1', port);
    } catch (error) {
      await child.stop();
      throw error;
    }
    return { endpoints: [{ host: '127.0.0.1', port }], pids: [child.pid], stop: () => child.stop() };
  },
};
