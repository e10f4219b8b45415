/** Bytes that several slow clients wait for are kept once, reach each of them whole, and are freed with the last. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { hashNameWords, nameWords } from '../../engine/wire/name-hash.ts';
import { type ChainClient, DeliveryChain } from './support/delivery-chain.ts';

const TERM_BYTES = 16 * 1024;
const SHAPE = { termBytes: TERM_BYTES, termBufferCount: 48, indexEntries: 4096 };
/** What lists and lone writes may cost each client beside the bytes. */
const COST_PER_CLIENT = 8 * 1024;

let seed = 0;
function message(lengthBytes: number): Buffer {
  const made = Buffer.alloc(lengthBytes);
  seed++;
  for (let i = 0; i < lengthBytes; i++) made[i] = seed * 31 + i * 7 + (i >>> 8) * 13;
  return made;
}

class Scene {
  readonly chain: DeliveryChain;
  readonly members = new Map<string, ChainClient[]>();
  sentBytes = 0;

  constructor(maxQueuedBytes?: number) {
    this.chain = new DeliveryChain(maxQueuedBytes === undefined ? SHAPE : { ...SHAPE, maxQueuedBytes });
  }

  client(room: number, ...groups: readonly string[]): ChainClient {
    const client = this.chain.client(room);
    for (const group of groups) {
      this.chain.output.memberAdded(group, client.handle);
      this.members.set(group, [...(this.members.get(group) ?? []), client]);
    }
    return client;
  }

  send(group: string, lengthBytes: number): void {
    const bytes = message(lengthBytes);
    this.chain.run(group, bytes, hashNameWords(nameWords(group), 0));
    this.sentBytes += lengthBytes;
    for (const { expected, session } of this.members.get(group) ?? [])
      if (session.state === 'open') expected.push(bytes);
  }

  /** All clients read all. */
  finish(clients: readonly ChainClient[] = this.chain.clients): void {
    for (let round = 0; round < 100; round++) {
      for (const client of clients) {
        client.socket.take(1 << 20);
        client.socket.tick();
        this.chain.markDirty(client);
      }
      this.chain.settle();
    }
    for (const { socket, expected } of clients) expect(socket.received.equals(Buffer.concat(expected))).toBe(true);
    const { store } = this.chain;
    expect([store.heldBytes, store.liveBytes, store.closingBytes]).toEqual([0, 0, 0]);
  }
}

describe('forty stuck members', { timeout: 60_000 }, () => {
  it('of one group cost what one costs', () => {
    const scene = new Scene();
    for (let i = 0; i < 40; i++) scene.client(1000, 'room');
    for (let i = 0; i < 400; i++) {
      scene.send('room', 3000);
      scene.chain.cycle();
    }
    scene.chain.settle();
    const { store } = scene.chain;
    expect(store.liveBytes).toBeGreaterThan(scene.sentBytes / 2);
    expect(store.heldBytes).toBeLessThanOrEqual(scene.sentBytes + 40 * COST_PER_CLIENT);
    scene.finish();
  });

  it('of different groups cost the bytes of their groups, whatever else is in the log', () => {
    const scene = new Scene();
    for (let i = 0; i < 40; i++) scene.client(100, `g${i % 4}`, `g${(i + 1) % 4}`);
    for (let i = 0; i < 2000; i++) {
      scene.send(i % 10 === 0 ? `g${(i / 10) % 4}` : 'nobody', 900);
      scene.chain.cycle();
    }
    scene.chain.settle();
    expect(scene.chain.store.liveBytes).toBeLessThanOrEqual(scene.sentBytes / 10);
    expect(scene.chain.store.heldBytes).toBeLessThanOrEqual(scene.sentBytes / 10 + 40 * COST_PER_CLIENT);
    scene.finish();
  });

  it('leave nothing behind when they end, although one with few bytes stays', () => {
    const scene = new Scene();
    const stuck = Array.from({ length: 40 }, () => scene.client(1000, 'room'));
    const small = scene.client(10, 'small');
    for (let i = 0; i < 3000; i++) {
      scene.send(i % 20 === 0 ? 'small' : 'room', i % 20 === 0 ? 100 : 5000);
      scene.chain.cycle();
    }
    scene.chain.settle();
    const { store } = scene.chain;
    expect(store.heldBytes).toBeGreaterThan(11_000_000);
    for (const { session } of stuck) scene.chain.end(session);
    expect(store.liveBytes).toBeLessThan(30_000);
    scene.send('room', 100);
    for (let i = 0; i < 20; i++) scene.send('nobody', TERM_BYTES);
    scene.chain.settle();
    // Chunks of which little is used are emptied once that is much.
    expect(store.heldBytes).toBeLessThan(9_000_000);
    scene.finish([small]);
  });
});

describe('the limit for all together', () => {
  it('ends the slowest first, and only as many as it takes', () => {
    const scene = new Scene(400_000);
    const good = scene.client(1e9, 'a', 'b');
    const [little, much] = [scene.client(100, 'a'), scene.client(100, 'b')];
    for (let i = 0; i < 200; i++) {
      scene.send('a', 500);
      scene.send('b', 3000);
      scene.chain.settle();
    }
    expect(scene.chain.ended).toEqual([much.session]);
    expect(scene.chain.reasons).toEqual(['all-sessions']);
    expect(scene.chain.deliveryCounters[DeliveryCounter.QueuesEnded]).toBe(1);
    expect(scene.chain.deliveryCounters[DeliveryCounter.QueuedBytesMost]).toBeLessThan(420_000);
    scene.finish([good, little]);
  });

  it('ends all clients that share too many bytes', () => {
    const scene = new Scene(300_000);
    const good = scene.client(1e9, 'room');
    for (let i = 0; i < 10; i++) scene.client(100, 'room');
    for (let i = 0; i < 300; i++) {
      scene.send('room', 3000);
      scene.chain.settle();
    }
    expect(scene.chain.ended).toHaveLength(10);
    expect(scene.chain.store.heldBytes).toBe(0);
    scene.finish([good]);
  });
});

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      which: fc.nat(5),
      length: fc.oneof(fc.integer({ min: 80, max: 400 }), fc.integer({ min: 80, max: 9000 })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('take' as const), which: fc.nat(9), length: fc.nat(30_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('own' as const), which: fc.nat(9), length: fc.constant(60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(30), length: fc.constant(0) }) },
);

it('any clients, groups, speeds and ends', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ room: fc.nat(20_000), groups: fc.subarray([0, 1, 2, 3, 4, 5]) }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.array(step, { minLength: 100, maxLength: 400 }),
      (cast, steps) => {
        const scene = new Scene();
        const clients = cast.map(({ room, groups }) => scene.client(room, ...groups.map((group) => `g${group}`)));
        const owned: Buffer[][] = clients.map(() => []);
        for (const { kind, which, length } of steps) {
          const at = which % clients.length;
          const client = clients[at]!;
          if (kind === 'send') scene.send(`g${which}`, length);
          else if (kind === 'take') {
            client.socket.take(length);
            client.socket.tick();
          } else if (kind === 'own' && client.session.state === 'open') {
            const own = message(length);
            client.session.output.addOwned(own, 1);
            owned[at]!.push(own);
            client.expected.push(own);
            scene.chain.markDirty(client);
          } else if (kind === 'end' && which < clients.length) scene.chain.end(client.session);
          scene.chain.settle();
          const { store } = scene.chain;
          expect(store.liveBytes).toBeLessThanOrEqual(store.chunkBytesUsed);
          const most = clients.reduce((sum, { session }) => sum + session.output.queuedBytes, 0);
          expect(store.liveBytes).toBeLessThanOrEqual(most);
        }
        scene.finish(clients.filter(({ session }) => session.state === 'open'));
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);
