/** Machines that vanish silently, in real networks: the daemon detects such clients, and clients detect such a daemon. */
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, type SkeinError } from '../../client/index.ts';
import { CutLink, canCutLinks } from './support/cut-link.ts';
import { deliveryCount, eventually, freePort, testClient, testDaemon } from './support/daemons.ts';
import { changedMember, VIEW_DISCONNECT } from './support/wire-frames.ts';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const LIBRARY = pathToFileURL(join(DIST, 'index.js')).href;
const TIMEOUT_MS = 2000;
const TEST_TIMEOUT_MS = 60_000;
const isAble = canCutLinks();

describe.skipIf(!isAble)('clients whose machine is gone', () => {
  it(
    'are ended, whatever was in flight to them, and free their names; a client that merely does not read is kept',
    async () => {
      const link = new CutLink();
      const port = await freePort();
      const daemon = await testDaemon({ listen: ['127.0.0.1', link.here], port, clientTimeout: TIMEOUT_MS });
      const program = `
        import { connect } from ${JSON.stringify(LIBRARY)};
        const address = { host: '${link.here}', port: ${daemon.port} };
        for (const [name, group] of [['idle', 'quiet'], ['fed', 'busy'], ['full', 'flood']]) {
          const session = await connect({ address, name });
          await session.join(group);
          if (name === 'full') session.pause(); else session.on('message', () => {});
        }
        console.log('joined');`;
      await link.run(['--input-type=module', '-e', program], 'joined');
      const stuck = await testClient(daemon, 'stuck');
      await stuck.joined('flood');
      stuck.socket.pause();
      const watcher = await testClient(daemon, 'watcher');
      for (const group of ['quiet', 'busy']) await watcher.joined(group);

      // More than sockets and their buffers take, so that the TCP windows close.
      const flood = Buffer.alloc(100_000);
      for (let i = 0; i < 200; i++) await watcher.sendAll(watcher.encode('flood', flood));
      await watcher.barrier();
      expect(deliveryCount(daemon, 'SessionsOpen')).toBe(5);
      link.cut();
      const cutAt = performance.now();
      const feeding = setInterval(() => watcher.multicast('busy', 'still there?'), 100);
      onTestFinished(() => clearInterval(feeding));

      await eventually(() => deliveryCount(daemon, 'ClientsVanished') === 3, 'three to be ended');
      expect(performance.now() - cutAt).toBeGreaterThan(TIMEOUT_MS / 2);
      clearInterval(feeding);
      const seen = (await watcher.barrier()).filter(({ type }) => type === VIEW_DISCONNECT).map(changedMember);
      expect([...seen].sort()).toEqual(['#fed#localhost', '#idle#localhost']);
      for (const name of ['idle', 'fed', 'full']) {
        expect((await testClient(daemon, name)).privateName).toBe(`#${name}#localhost`);
      }
      // Its machine answers, so only the slow-consumer policy may end it.
      await new Promise((resolve) => setTimeout(resolve, 2 * TIMEOUT_MS));
      expect(deliveryCount(daemon, 'ClientsVanished')).toBe(3);
      stuck.socket.resume();
      expect((await stuck.frames(201)).length).toBe(201);
    },
    TEST_TIMEOUT_MS,
  );
});

describe.skipIf(!isAble)('a daemon whose machine is gone', () => {
  it(
    'is detected by clients that listen and by clients that send',
    async () => {
      const link = new CutLink();
      const config = `Spread_Segment ${link.there}:4803 { away ${link.there} }\nVolatile = yes\nUnixSocketDir = none\n`;
      const program = `
        import { startDaemon } from ${JSON.stringify(LIBRARY)};
        await startDaemon({ configText: ${JSON.stringify(config)}, logLevel: 'silent' });
        console.log('listening');`;
      await link.run(['--input-type=module', '-e', program], 'listening');
      const address = { host: link.there, port: 4803 };
      const options = { address, daemonTimeoutMs: TIMEOUT_MS };
      const listener = await connect({ ...options, name: 'listener' });
      const sender = await connect({ ...options, name: 'sender' });
      const patient = await connect({ ...options, name: 'patient', daemonTimeoutMs: 0 });
      onTestFinished(() => {
        for (const session of [listener, sender, patient]) session.destroy();
      });
      const errors = [listener, sender].map((session) => {
        session.on('message', () => {});
        return new Promise<SkeinError>((resolve) => session.once('error', resolve));
      });
      await listener.join('room');
      link.cut();
      const feeding = setInterval(() => {
        if (!sender.closed) sender.multicast('room', Buffer.from('still there?'));
      }, 100);
      onTestFinished(() => clearInterval(feeding));
      for (const error of await Promise.all(errors)) {
        expect(error).toMatchObject({
          code: 'CONNECTION_CLOSED',
          reason: 'daemon-vanished',
          message: `lost the connection to 4803@${link.there}: its machine does not answer any more (daemonTimeoutMs 2000)`,
        });
      }
      expect(patient.closed).toBe(false);
    },
    TEST_TIMEOUT_MS,
  );
});
