/** Two hundred clients move away from a daemon that drains, under load: nothing that was flushed is lost, and nothing comes twice. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { connect, type Session } from '../../client/index.ts';
import { NOTICE_MESS } from '../../engine/wire/service.ts';
import { deliveryCount, testClients } from './support/daemons.ts';
import { CUT_NOTHING, clientOf, drainCluster, lastLine } from './support/drain-cluster.ts';

const MOVERS = 200;
const GROUPS = 20;
const GENUINE = 3;
const EVERY_MS = 100;
const TIMEOUT_MS = 180_000;

/** What a member of `room` got, by the number of its client: the next message of each, and how many came out of turn. */
class Watcher {
  readonly next = new Map<number, number>();
  outOfTurn = 0;

  constructor(session: Session) {
    session.on('message', ({ data }) => {
      const client = data.readUInt32LE(0);
      const number = data.readUInt32LE(4);
      const expected = this.next.get(client) ?? 0;
      if (number !== expected) this.outOfTurn++;
      this.next.set(client, expected + 1);
    });
  }
}

function message(client: number, number: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeUInt32LE(client, 0);
  data.writeUInt32LE(number, 4);
  return data;
}

/** A program as docs/client.md has it: when its daemon drains it connects elsewhere, then ends the old session. */
class Mover {
  readonly #number: number;
  #session: Session;
  #sent = 0;
  moved: Promise<void> | null = null;
  #isOver = false;
  #switching: Promise<void> = Promise.resolve();
  movedTo = '';

  constructor(number: number, session: Session) {
    this.#number = number;
    this.#session = session;
    session.once('drain', ({ addresses }) => {
      this.moved = this.#move(addresses);
    });
  }

  /** Messages sent. */
  get sent(): number {
    return this.#sent;
  }

  async run(): Promise<void> {
    while (!this.#isOver) {
      for (let waited: unknown; waited !== this.#switching; ) {
        waited = this.#switching;
        await waited;
      }
      this.#session.multicast('room', message(this.#number, this.#sent++));
      // A session that is being closed takes what was sent with it.
      await this.#session.flushed().catch(() => undefined);
      await delay(EVERY_MS);
    }
    await this.#session.flushed();
  }

  end(): void {
    this.#isOver = true;
  }

  async #move(addresses: readonly string[]): Promise<void> {
    const old = this.#session;
    const [address] = addresses;
    this.movedTo = address!;
    const next = await connect({ address: address!, name: `n${this.#number}`, connectTimeoutMs: 50_000 });
    onTestFinished(() => next.destroy());
    const group = `g${this.#number % GROUPS}`;
    const isSeen = new Promise<void>((resolve) =>
      old.on('membership', ({ members }) => {
        if (members.includes(next.privateName)) resolve();
      }),
    );
    await Promise.all([next.join(group), isSeen]);
    const isGone = new Promise<void>((resolve) =>
      next.on('membership', ({ changed, cause }) => {
        if (changed === old.privateName && cause !== 'join') resolve();
      }),
    );
    // All that the old session has sent is in the order before its disconnect, and what the new one sends from there on is behind it.
    this.#switching = Promise.all([old.close(), isGone]).then(() => {
      this.#session = next;
    });
    await this.#switching;
  }
}

it(
  `${MOVERS} clients move, and genuine ones are served to the end`,
  async () => {
    const [drained, ...others] = await drainCluster(3, { DrainTime: 60_000, HandshakeTimeout: 60_000 });
    const watchers = await Promise.all(
      others.map(async ({ daemon }, i) => {
        const session = await clientOf(daemon, { name: `watch${i}` });
        const watcher = new Watcher(session);
        await session.join('room');
        return watcher;
      }),
    );
    const movers: Mover[] = [];
    for (let i = 0; i < MOVERS; i++) {
      const session = await clientOf(drained!.daemon, { name: `m${i}` });
      await session.join(`g${i % GROUPS}`);
      movers.push(new Mover(i, session));
    }
    // As the original's clients: no bit in CONNECT. They know nothing, and send until their connection ends.
    const genuine = await testClients(drained!.daemon, ...Array.from({ length: GENUINE }, (_, i) => `c${i}`));
    const genuineSent = genuine.map(() => 0);
    const genuineEnds = genuine.map((client) => new Promise((resolve) => client.socket.once('end', resolve)));
    let wasReset = false;
    for (const client of genuine) {
      client.join('g0');
      client.socket.on('error', () => {
        wasReset = true;
      });
    }
    const timers = genuine.map((client, i) =>
      setInterval(() => {
        if (client.socket.readableEnded || client.socket.writableEnded) return;
        client.multicast('room', message(MOVERS + i, genuineSent[i]!++));
      }, 10),
    );
    const running = movers.map((mover) => mover.run());
    await delay(1000);

    const startedMs = performance.now();
    const draining = drained!.daemon.drain();
    await Promise.all(genuineEnds);
    for (const timer of timers) clearInterval(timer);
    await draining;
    const tookMs = performance.now() - startedMs;
    await Promise.all(movers.map(({ moved }) => moved));
    for (const mover of movers) mover.end();
    await Promise.all(running);

    const sent = [...movers.map((mover) => mover.sent), ...genuineSent];
    for (let i = 0; i < 600 && watchers.some(({ next }) => sent.some((count, c) => (next.get(c) ?? 0) < count)); i++)
      await delay(50);
    for (const { next, outOfTurn } of watchers) {
      expect(sent.map((_, client) => next.get(client) ?? 0)).toEqual(sent);
      expect(outOfTurn).toBe(0);
    }
    // All were told, and to where others are; nobody had to wait for the end of DrainTime.
    expect(deliveryCount(drained!.daemon, 'NoticesSent')).toBe(MOVERS);
    expect(deliveryCount(drained!.daemon, 'SessionsMoved')).toBe(MOVERS);
    expect(new Set(movers.map(({ movedTo }) => movedTo)).size).toBe(2);
    expect(tookMs).toBeLessThan(55_000);
    expect(lastLine(drained!)).toMatchObject({ ...CUT_NOTHING, sessionsMoved: MOVERS, sessionsNotTold: 0 });
    // The genuine ones got messages and views, no notice, and the end of the connection rather than a reset.
    for (const client of genuine) {
      expect(client.waiting.length).toBeGreaterThan(0);
      for (const { type } of client.waiting) expect(type & NOTICE_MESS).toBe(0);
    }
    expect(wasReset).toBe(false);
  },
  TIMEOUT_MS,
);
