/**
 * Attacks of strangers on a daemon that asks for passwords: its memory does not grow, and an honest client can log in and is
 * served during the attack.
 */
import { scryptSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { connect, type Session, SkeinError } from '../../client/index.ts';
import { type DaemonFigures, type DaemonProcess, daemonProcess } from './support/daemon-process.ts';
import { authChoice, connectBytes } from './support/wire-client.ts';

const MEMORY_LIMIT_BYTES = 64 * 1024 * 1024;
const TEST_TIMEOUT_MS = 60_000;
const ATTACK_MS = 1000;

const folder = mkdtempSync(join(tmpdir(), 'skein-attacks-'));
afterAll(() => rmSync(folder, { recursive: true }));

function passwordFile(cost: number): string {
  const salt = Buffer.alloc(16, 3);
  const hash = scryptSync('secret', salt, 32, { N: cost, r: 8, p: 1, maxmem: 2 ** 30 }).toString('base64');
  const path = join(folder, `passwords-${cost}`);
  writeFileSync(path, `carol:scrypt$${cost}$8$1$${salt.toString('base64')}$${hash}\n`);
  return path;
}

const credentials = (user: string, password: string): Buffer => {
  const bytes = Buffer.alloc(40);
  bytes.write(user, 0, 'latin1');
  bytes.write(password, 32, 'latin1');
  return bytes;
};

const LOGIN = Buffer.concat([connectBytes('', false), authChoice('PWORD'), credentials('carol', 'guess')]);

/** A connection of an attacker; it never throws. */
function stranger(port: number, localAddress = '127.0.0.1'): Socket {
  const socket = connectSocket({ port, host: '127.0.0.1', localAddress, noDelay: true });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Sends as much as the daemon takes until the attack ends. @returns bytes that the kernel or the daemon took */
async function flood(port: number, beginning: Buffer, untilMs: number, localAddress = '127.0.0.1'): Promise<number> {
  const chunk = Buffer.alloc(256 * 1024, 0x41);
  let taken = 0;
  while (performance.now() < untilMs) {
    const socket = stranger(port, localAddress);
    socket.write(beginning);
    let isOver = false;
    socket.once('close', () => {
      isOver = true;
    });
    while (!isOver && performance.now() < untilMs) {
      if (socket.writableLength < 1024 * 1024) socket.write(chunk);
      await delay(1);
    }
    taken += socket.bytesWritten - socket.writableLength;
    socket.destroy();
  }
  return taken;
}

const times = <T>(count: number, make: (i: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i));

interface Attack {
  readonly name: string;
  readonly options?: { readonly maxHandshakes?: number; readonly maxWaitingPasswords?: number };
  /** Of scrypt; 16,384 takes some 50 ms. */
  readonly cost?: number;
  readonly durationMs?: number;
  /** Runs until `untilMs`. */
  readonly run: (port: number, untilMs: number) => Promise<unknown>;
  /** What the counters must show of it. */
  readonly check?: (figures: DaemonFigures) => void;
}

/** Attacks on every step of the handshake. */
const STEPS = {
  'before CONNECT is whole': connectBytes('alice', true).subarray(0, 7),
  'behind CONNECT': connectBytes('', true),
  'behind a refusal': Buffer.from([3, 0, 0, 0, 0]),
  'behind AUTH-CHOICE': LOGIN.subarray(0, LOGIN.length - 40),
};

const attacks: readonly Attack[] = [
  ...Object.entries(STEPS).map(
    ([step, beginning]): Attack => ({
      name: `input without end, ${step}`,
      run: (port, untilMs) => Promise.all(times(8, () => flood(port, beginning, untilMs))),
    }),
  ),
  {
    // Many, so that each waits long; from another address, so that the honest client gets its turn.
    name: 'input without end, while a password waits',
    cost: 16_384,
    durationMs: 2500,
    run: (port, untilMs) => Promise.all(times(60, () => flood(port, LOGIN, untilMs, '127.0.0.2'))),
  },
  {
    name: '80 logins a second that hang up',
    cost: 16_384,
    run: async (port, untilMs) => {
      for (let i = 0; performance.now() < untilMs; i++) {
        const socket = stranger(port);
        socket.write(LOGIN);
        setTimeout(() => {
          if (i % 3 === 0) socket.end();
          else if (i % 3 === 1) socket.destroy();
          else socket.resetAndDestroy();
        }, 10);
        await delay(12);
      }
    },
    check: (figures) => expect(figures.delivery('PasswordsSkipped')).toBeGreaterThan(5),
  },
  {
    name: 'logins that stay, from another address',
    cost: 16_384,
    options: { maxWaitingPasswords: 20 },
    run: async (port, untilMs) => {
      const sockets = new Set<Socket>();
      while (performance.now() < untilMs) {
        while (sockets.size < 100) {
          const socket = stranger(port, '127.0.0.2');
          socket.write(LOGIN);
          sockets.add(socket);
          socket.once('close', () => sockets.delete(socket));
          socket.resume();
        }
        await delay(10);
      }
    },
    check: (figures) => expect(figures.delivery('PasswordsBusy')).toBeGreaterThan(20),
  },
  {
    name: 'connections that never send',
    options: { maxHandshakes: 50 },
    run: async (port, untilMs) => {
      times(400, () => stranger(port));
      await delay(untilMs - performance.now());
    },
    check: (figures) => expect(figures.delivery('HandshakesCrowdedOut')).toBeGreaterThan(300),
  },
  {
    name: 'connections that send a byte at a time',
    options: { maxHandshakes: 50 },
    run: async (port, untilMs) => {
      const sockets = times(200, () => stranger(port));
      for (let i = 0; performance.now() < untilMs; i++) {
        for (const socket of sockets) if (!socket.destroyed) socket.write(LOGIN.subarray(i, i + 1));
        await delay(20);
      }
    },
  },
  {
    name: 'connections that close their side at once, and refused ones that stay',
    options: { maxHandshakes: 50 },
    run: async (port, untilMs) => {
      while (performance.now() < untilMs) {
        times(10, (i) => {
          const socket = stranger(port);
          if (i % 2 === 0) socket.end(LOGIN.subarray(0, 5));
          else socket.write(STEPS['behind a refusal']);
        });
        await delay(20);
      }
    },
  },
];

/** Retries when the daemon is busy, as a client should. Any other answer is an error. */
async function logIn(daemon: DaemonProcess): Promise<Session> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await connect({
        address: { host: '127.0.0.1', port: daemon.port },
        auth: { user: 'carol', password: 'secret', methods: ['PWORD'] },
        connectTimeoutMs: 20_000,
      });
    } catch (error) {
      if (!(error instanceof SkeinError) || error.code !== 'REJECT_QUOTA' || attempts === 20) throw error;
      await delay(20);
    }
  }
}

/** Logs in, sends itself a message and leaves, again and again. @returns how often */
async function goodClient(daemon: DaemonProcess, untilMs: number): Promise<number> {
  let served = 0;
  do {
    const session = await logIn(daemon);
    session.multicast(session.privateName, 'to me');
    expect(await session.receive()).toMatchObject({ kind: 'message' });
    await session.close();
    served++;
  } while (performance.now() < untilMs);
  return served;
}

describe('a client beside', () => {
  it.each(attacks)(
    '$name: is served, and memory is what it was',
    async ({ options, cost = 2048, durationMs = ATTACK_MS, run, check }) => {
      const daemon = await daemonProcess({
        ...{ allowedAuthMethods: 'PWORD', passwordFile: passwordFile(cost), handshakeTimeout: 10_000 },
        ...options,
      });
      // Threads that hash keep their memory.
      await Promise.all(times(16, () => goodClient(daemon, 0)));
      const before = await daemon.figures();
      const untilMs = performance.now() + durationMs;
      const attack = run(daemon.port, untilMs);
      const served = await goodClient(daemon, untilMs);
      const during = await daemon.figures();
      await attack;
      expect(served).toBeGreaterThan(0);
      expect(during.rssBytes - before.rssBytes).toBeLessThan(MEMORY_LIMIT_BYTES);
      const after = await daemon.figures();
      expect(after.rssBytes - before.rssBytes).toBeLessThan(MEMORY_LIMIT_BYTES);
      expect(after.delivery('HandshakesOpen')).toBeLessThanOrEqual(options?.maxHandshakes ?? 100);
      check?.(after);
    },
    TEST_TIMEOUT_MS,
  );
});

it('answers a client whose password cannot be checked with "busy", not with "wrong password"', async () => {
  const daemon = await daemonProcess({
    ...{
      allowedAuthMethods: 'PWORD',
      passwordFile: passwordFile(131_072),
      maxWaitingPasswords: 0,
      handshakeTimeout: 20_000,
    },
  });
  const attempt = (): Promise<unknown> =>
    connect({
      address: { host: '127.0.0.1', port: daemon.port },
      auth: { user: 'carol', password: 'secret', methods: ['PWORD'] },
      connectTimeoutMs: 20_000,
    }).then(
      async (session) => {
        await session.close();
        return 'served';
      },
      (error: unknown) => (error instanceof SkeinError ? `${error.code}: ${error.message}` : error),
    );
  const outcomes = await Promise.all(times(6, attempt));
  expect(outcomes.filter((outcome) => outcome === 'served')).toHaveLength(2);
  const busy =
    'REJECT_QUOTA: the daemon refused the session: it is busy or full: a limit of sessions, handshakes or waiting passwords is reached';
  expect(outcomes.filter((outcome) => outcome === busy)).toHaveLength(4);
  expect((await daemon.figures()).delivery('PasswordsBusy')).toBe(4);
}, 60_000);

it(
  'ends sessions that keep parts of frames in the daemon, and serves the others',
  async () => {
    const daemon = await daemonProcess({ maxInputBytes: '4M' });
    const address = { host: '127.0.0.1', port: daemon.port };
    const good = await connect({ address, name: 'good' });
    onTestFinished(() => good.destroy());
    const before = await daemon.figures();
    const part = Buffer.alloc(140_000);
    // SELF_DISCARD | FIFO, and a length whose bytes never come.
    part.writeUInt32LE(0x8000_00c4, 0);
    part.writeInt32LE(1, 36);
    part.writeUInt32LE(0x8000_0080, 40);
    part.writeInt32LE(143_000, 44);
    for (let i = 0; i < 200; i++) {
      const name = `p${i}`;
      const socket = stranger(daemon.port);
      part.write(`#${name}#localhost`, 4, 'latin1');
      part.write('room', 48, 'latin1');
      socket.write(Buffer.concat([connectBytes(name, false), authChoice('NULL'), part]));
      socket.resume();
      good.multicast(good.privateName, `${i}`);
      expect(await good.receive()).toMatchObject({ kind: 'message' });
    }
    await delay(1500);
    const after = await daemon.figures();
    expect(after.delivery('InputsEnded')).toBeGreaterThan(150);
    expect(after.delivery('InputBytes')).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(after.rssBytes - before.rssBytes).toBeLessThan(MEMORY_LIMIT_BYTES);
    expect(after.delivery('ProtocolErrors')).toBe(0);
  },
  TEST_TIMEOUT_MS,
);
