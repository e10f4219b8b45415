/**
 * A login cut anywhere, with any amount of frames sent ahead behind it, while its password waits or not: the session opens, and every
 * frame comes through once and in order. What goes on in between (short reads, a socket that is not read, the switch to long reads)
 * must not be seen.
 */
import { scryptSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { deliveryCount, eventually, orderingCount, testDaemon } from '../e2e/support/daemons.ts';
import { authChoice, connectBytes, WireSocket } from '../e2e/support/wire-client.ts';
import { AGREED, decodeFrame, encodeFrame, frameLength } from '../e2e/support/wire-frames.ts';

const TEST_TIMEOUT_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), 'skein-pipelined-'));
afterAll(() => rmSync(folder, { recursive: true }));

function passwordFile(cost: number): string {
  const salt = Buffer.alloc(16, 3);
  const hash = scryptSync('secret', salt, 32, { N: cost, r: 8, p: 1 }).toString('base64');
  const path = join(folder, `passwords-${cost}`);
  writeFileSync(path, `carol:scrypt$${cost}$8$1$${salt.toString('base64')}$${hash}\n`);
  return path;
}

const credentials = Buffer.alloc(40);
credentials.write('carol', 0, 'latin1');
credentials.write('secret', 32, 'latin1');

interface Client {
  readonly method: 'NULL' | 'PWORD';
  /** Bytes of data in each frame sent ahead. */
  readonly frames: readonly number[];
  readonly pieces: readonly number[];
  /** Whether it lets the daemon have a look between pieces. */
  readonly pauses: boolean;
}

const frameBytes = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 400 }) },
  { weight: 2, arbitrary: fc.nat({ max: 20_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(100_000, 143_920) },
);
const client: fc.Arbitrary<Client> = fc.record({
  method: fc.constantFrom('NULL' as const, 'PWORD' as const),
  frames: fc.array(frameBytes, { maxLength: 12 }),
  pieces: fc.array(
    fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constantFrom(135, 511, 512, 513, 1023, 1024, 5000, 200_000)),
    { minLength: 1, maxLength: 8 },
  ),
  pauses: fc.boolean(),
});

let logins = 0;

async function logIn(port: number, { method, frames, pieces, pauses }: Client): Promise<void> {
  const name = `c${(logins++).toString(36)}`;
  const sender = `#${name}#localhost`;
  const bodies = frames.map((length, i) => Buffer.alloc(length, `${i}.`));
  const bytes = Buffer.concat([
    connectBytes(name, false),
    authChoice(method),
    ...(method === 'PWORD' ? [credentials] : []),
    ...bodies.map((data) => encodeFrame({ type: AGREED, sender, groups: [sender], data })),
  ]);
  const socket = new WireSocket({ port });
  try {
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const piece = pieces[i % pieces.length]!;
      // Single bytes to the end would only be slow.
      const length = i < 40 ? piece : bytes.length;
      await socket.sendAll(bytes.subarray(at, at + length));
      at += length;
      if (pauses && i < 10) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await socket.take((await socket.take(1))[0]!);
    if (method === 'PWORD') expect((await socket.take(1))[0]).toBe(1);
    expect((await socket.take(5)).toString('hex')).toBe(`01040400${sender.length.toString(16).padStart(2, '0')}`);
    expect((await socket.take(sender.length)).toString('latin1')).toBe(sender);
    for (const body of bodies) {
      const length = (): number => frameLength(socket.gather());
      await socket.until(() => length() > 0 || socket.ended, 'a frame');
      expect(decodeFrame(await socket.take(length())).data.equals(body)).toBe(true);
    }
  } finally {
    socket.close();
  }
}

it.each([
  ['shared', 2048],
  // Enough passwords at once that most of them wait.
  ['inline', 8192],
] as const)(
  'in mode %s, with hashes of cost %d',
  async (threadingMode, cost) => {
    const daemon = await testDaemon({
      threadingMode,
      ...{ allowedAuthMethods: 'NULL PWORD', passwordFile: passwordFile(cost), handshakeTimeout: 60_000 },
    });
    await fc.assert(
      fc.asyncProperty(fc.array(client, { minLength: 1, maxLength: 8 }), (clients) =>
        Promise.all(clients.map((one) => logIn(daemon.port!, one))).then(() => true),
      ),
      { numRuns: 25 },
    );
    await eventually(() => orderingCount(daemon, 'Sessions') === 0, 'all to be gone');
    expect(deliveryCount(daemon, 'ProtocolErrors')).toBe(0);
    expect(deliveryCount(daemon, 'InputBytes')).toBe(0);
    expect(deliveryCount(daemon, 'HandshakesOpen')).toBe(0);
  },
  TEST_TIMEOUT_MS,
);
