/** Views longer than a term of the log, or than all of it, reach every member whole, in order, and once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderingCounter } from '../../engine/buffers/counters.ts';
import { hashNameWords, nameWords } from '../../engine/wire/name-hash.ts';
import { type ChainClient, DeliveryChain } from './support/delivery-chain.ts';

const TERM_BYTES = 16 * 1024;
const PIECE_BYTES = TERM_BYTES / 2;
const SHAPE = { termBytes: TERM_BYTES, termBufferCount: 6, indexEntries: 2048 };
const GROUP = 'room';
const GROUP_HASH = hashNameWords(nameWords(GROUP), 0);

let seed = 0;
function bytes(lengthBytes: number): Buffer {
  const made = Buffer.alloc(lengthBytes);
  seed++;
  for (let i = 0; i < lengthBytes; i++) made[i] = seed * 31 + i * 7 + (i >>> 8) * 13;
  return made;
}

function join(chain: DeliveryChain, room: number): ChainClient {
  const client = chain.client(room);
  chain.output.memberAdded(GROUP, client.handle);
  return client;
}

function expectWhole(clients: readonly ChainClient[]): void {
  for (const { socket, expected, session } of clients) {
    expect(socket.received.equals(Buffer.concat(expected))).toBe(true);
    expect([session.output.queuedBytes, session.output.queuedFrames]).toEqual([0, 0]);
  }
}

describe('a frame around each boundary', () => {
  const around = [PIECE_BYTES, TERM_BYTES, 3 * PIECE_BYTES, SHAPE.termBufferCount * TERM_BYTES, 400_000];
  const lengths = around.flatMap((length) => [-33, -32, -31, -1, 0, 1, 31, 32, 33].map((by) => length + by));

  it.each(lengths)('%i bytes, to a group and to a list of sessions', (length) => {
    const chain = new DeliveryChain(SHAPE);
    const clients = [join(chain, 1e9), join(chain, 1e9), join(chain, 1e9)];
    const toAll = bytes(length);
    const toTwo = bytes(length);
    chain.output.groupFrame(GROUP, toAll, length);
    chain.output.sessionsFrame([clients[0]!.handle, clients[2]!.handle], toTwo, length);
    for (const [i, { expected }] of clients.entries()) expected.push(toAll, ...(i === 1 ? [] : [toTwo]));
    expect(chain.settle()).toBe(true);
    expectWhole(clients);
    expect(chain.ringCounters[OrderingCounter.MembershipFrames]).toBe(2);
    expect(chain.ringCounters[OrderingCounter.LogWaitingBytes]).toBe(0);
  });
});

it('a list of sessions longer than a term holds is written in parts', () => {
  const chain = new DeliveryChain(SHAPE);
  const clients = Array.from({ length: 1200 }, () => chain.client(1e9));
  const view = bytes(PIECE_BYTES + 5);
  chain.output.sessionsFrame(
    clients.map(({ handle }) => handle),
    view,
    view.length,
  );
  for (const { expected } of clients) expected.push(view);
  expect(chain.settle()).toBe(true);
  expectWhole(clients);
});

it('a frame that the daemon itself makes, such as a reject, never interrupts a view', () => {
  const chain = new DeliveryChain(SHAPE);
  const client = join(chain, 1e9);
  const view = bytes(20 * TERM_BYTES);
  chain.output.groupFrame(GROUP, view, view.length);
  chain.cycle();
  expect(client.socket.received.length).toBeGreaterThan(0);
  expect(client.socket.received.length).toBeLessThan(view.length);
  const reject = bytes(100);
  client.session.output.addOwned(reject, 1);
  chain.markDirty(client);
  chain.settle();
  chain.markDirty(client);
  chain.settle();
  client.expected.push(view, reject);
  expectWhole([client]);
});

describe('the limit on bytes', () => {
  const limits = { maxSessionMessages: 1000, maxSessionBytes: 20_000, policy: 'disconnect' } as const;

  it('does not count one long view, which could not be delivered otherwise', () => {
    const chain = new DeliveryChain({ ...SHAPE, termBufferCount: 40, limits });
    const client = join(chain, 100);
    const view = bytes(200_000);
    chain.output.groupFrame(GROUP, view, view.length);
    expect(chain.settle()).toBe(true);
    const message = bytes(10_000);
    chain.run(GROUP, message, GROUP_HASH);
    chain.settle();
    expect(chain.ended).toEqual([]);
    client.expected.push(view, message);
    for (let i = 0; i < 100; i++) {
      client.socket.take(10_000);
      client.socket.tick();
      chain.settle();
    }
    expectWhole([client]);
  });

  it('counts the next long view while the first one still waits', () => {
    const chain = new DeliveryChain({ ...SHAPE, termBufferCount: 80, limits });
    join(chain, 100);
    const view = bytes(200_000);
    chain.output.groupFrame(GROUP, view, view.length);
    chain.settle();
    expect(chain.ended).toHaveLength(0);
    chain.output.groupFrame(GROUP, view, view.length);
    chain.settle();
    expect(chain.ended).toHaveLength(1);
  });

  it('counts what waits behind a long view', () => {
    const chain = new DeliveryChain({ ...SHAPE, termBufferCount: 80, limits });
    join(chain, 100);
    const view = bytes(200_000);
    chain.output.groupFrame(GROUP, view, view.length);
    chain.settle();
    for (let i = 0; i < 3; i++) {
      expect(chain.ended).toHaveLength(0);
      chain.run(GROUP, bytes(10_000), GROUP_HASH);
      chain.settle();
    }
    expect(chain.ended).toHaveLength(1);
  });
});

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('view' as const), length: fc.integer({ min: 48, max: 90_000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('some' as const), length: fc.integer({ min: 48, max: 90_000 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('run' as const), length: fc.integer({ min: 80, max: 9000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('own' as const), length: fc.integer({ min: 48, max: 300 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('take' as const), length: fc.integer({ min: 1, max: 60_000 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('cycle' as const), length: fc.constant(0) }) },
);

it('any mix of long views, messages and slow clients', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.array(fc.nat(50_000), { minLength: 1, maxLength: 4 }),
      (steps, rooms) => {
        const chain = new DeliveryChain({ ...SHAPE, termBufferCount: 24 });
        const clients = rooms.map((room) => join(chain, room));
        const owned: Buffer[][] = clients.map(() => []);
        for (const [i, { kind, length }] of steps.entries()) {
          const client = clients[i % clients.length]!;
          if (kind === 'view') {
            const view = bytes(length);
            chain.output.groupFrame(GROUP, view, length);
            for (const { expected } of clients) expected.push(view);
          } else if (kind === 'some') {
            const view = bytes(length);
            const some = clients.filter((_, at) => (at + i) % 2 === 0);
            chain.output.sessionsFrame(
              some.map(({ handle }) => handle),
              view,
              length,
            );
            for (const { expected } of some) expected.push(view);
          } else if (kind === 'run') {
            const message = bytes(length);
            chain.run(GROUP, message, GROUP_HASH);
            for (const { expected } of clients) expected.push(message);
          } else if (kind === 'own') {
            const own = bytes(length);
            client.session.output.addOwned(own, 1);
            chain.markDirty(client);
            owned[i % clients.length]!.push(own);
          } else if (kind === 'take') {
            client.socket.take(length);
            client.socket.tick();
          }
          chain.cycle();
        }
        for (let round = 0; round < 50; round++) {
          for (const client of clients) {
            client.socket.take(1 << 24);
            client.socket.tick();
            chain.markDirty(client);
          }
          chain.settle();
        }
        for (const [i, { socket, expected }] of clients.entries()) {
          let rest = socket.received;
          // Owned frames stand between other frames, in their own order; without them the rest is as ordered.
          const waiting = [...owned[i]!];
          const parts = [...expected];
          while (rest.length > 0) {
            const next = [parts[0], waiting[0]].find(
              (part) => part !== undefined && rest.subarray(0, part.length).equals(part),
            );
            expect(next).toBeDefined();
            if (next === parts[0]) parts.shift();
            else waiting.shift();
            rest = rest.subarray(next!.length);
          }
          expect([parts.length, waiting.length]).toEqual([0, 0]);
        }
        expect(chain.ended).toEqual([]);
      },
    ),
    { numRuns: 100 },
  );
}, 60_000);
