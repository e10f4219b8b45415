/**
 * Any byte stream, cut anywhere, against a running daemon: it stays up, its other clients are not affected, no session remains,
 * and memory returns to where it was.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Daemon } from '../../daemon/start-daemon.ts';
import { deliveryCount, eventually, orderingCount, testClient, testDaemon } from '../e2e/support/daemons.ts';
import { AGREED, SELF_LEAVE, VIEW_JOIN, VIEW_LEAVE } from '../e2e/support/wire-frames.ts';
import { type Attack, attack, launch } from './support/attacks.ts';

const WAVE = 4;
const TEST_TIMEOUT_MS = 60_000;

let launched = 0;

/** A name of its own for each: one that just left may still be taken. */
const nextName = (): string => `f${(launched++).toString(36)}`;

async function attackAll(daemon: Daemon, wave: readonly Attack[]): Promise<void> {
  await Promise.all(wave.map((one) => launch({ port: daemon.port! }, one, nextName())));
}

const waves = fc.array(attack, { minLength: WAVE, maxLength: WAVE });

async function untilAlone(daemon: Daemon, sessions: number): Promise<void> {
  await eventually(
    () => deliveryCount(daemon, 'SessionsOpen') === sessions && orderingCount(daemon, 'Sessions') === sessions,
    () => `${deliveryCount(daemon, 'SessionsOpen')} sessions, ${orderingCount(daemon, 'Sessions')} names are left`,
  );
}

it(
  'stays up, and its other clients see exactly their own messages and views',
  async () => {
    const daemon = await testDaemon({ threadingMode: 'shared', handshakeTimeout: 500 });
    let failure: unknown = null;
    daemon.closed.catch((error: unknown) => {
      failure = error;
    });
    const alice = await testClient(daemon, 'alice');
    const bob = await testClient(daemon, 'bob');
    await alice.joined('room');
    await bob.joined('room');
    await alice.frame();
    let round = 0;
    await fc.assert(
      fc.asyncProperty(waves, async (wave) => {
        const text = `round ${round++}`;
        const attacks = attackAll(daemon, wave);
        alice.multicast('room', text);
        expect(await bob.messages(1)).toEqual([text]);
        bob.leave('room');
        bob.join('room');
        expect((await bob.frames(2)).map((frame) => frame.type)).toEqual([SELF_LEAVE, VIEW_JOIN]);
        await attacks;
        expect(failure).toBe(null);
        const seen = (await alice.frames(3)).map(({ type, groups }) => [type, ...groups]);
        expect(seen).toEqual([
          [AGREED, 'room'],
          [VIEW_LEAVE, '#alice#localhost'],
          [VIEW_JOIN, '#alice#localhost', '#bob#localhost'],
        ]);
        expect([...(await alice.barrier()), ...(await bob.barrier())]).toEqual([]);
      }),
      { numRuns: 100 },
    );
    await untilAlone(daemon, 2);
    // Some attackers become sessions, some break the protocol, some give up in the handshake: the streams reach all code.
    expect(deliveryCount(daemon, 'SessionsClosed')).toBeGreaterThan(50);
    expect(deliveryCount(daemon, 'ProtocolErrors')).toBeGreaterThan(20);
    expect(deliveryCount(daemon, 'HandshakesRefused')).toBeGreaterThan(10);
    expect(orderingCount(daemon, 'Groups')).toBe(1);
    // Half a megabyte each: nobody keeps the ordered log from using the same few again.
    expect(orderingCount(daemon, 'LogTermBuffersTouched')).toBeLessThan(12);
  },
  TEST_TIMEOUT_MS,
);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Of this process; the daemon runs inline, so its objects and buffers are among them. */
async function memoryBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collectGarbage();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

it(
  'frees the memory of every connection',
  async () => {
    const daemon = await testDaemon({ threadingMode: 'inline', handshakeTimeout: 200 });
    const streams = fc.sample(waves, { numRuns: 25, seed: 4803 });
    const attackWithAll = async (): Promise<number> => {
      for (const wave of streams) await attackAll(daemon, wave);
      await untilAlone(daemon, 0);
      return memoryBytes();
    };
    await attackWithAll();
    const before = await attackWithAll();
    await attackWithAll();
    const after = await attackWithAll();
    const connections = 2 * streams.length * WAVE;
    // A session that is never let go of costs over 4 KiB; a quarter of that is left for what the test itself leaves behind.
    expect((after - before) / connections).toBeLessThan(1024);
  },
  TEST_TIMEOUT_MS,
);
