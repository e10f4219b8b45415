/** The load generator against a relay in the same process: it counts correctly and detects faults. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { afterEach, describe, expect, it } from 'vitest';
import { monotonicMs } from '../../bench/load/clock.ts';
import {
  type LoadTask,
  openLoop,
  type Pacing,
  type ReceiveResult,
  type SendResult,
} from '../../bench/load/load-task.ts';
import { receive } from '../../bench/load/receiver.ts';
import { send } from '../../bench/load/sender.ts';
import {
  createSharedState,
  DONE,
  outstanding,
  PHASE,
  PHASE_CLOSE,
  PHASE_RUN,
  READY,
  type SharedState,
  TIME_FROM,
  TIME_START,
  TIME_TO,
  type Topology,
} from '../../bench/load/shared-state.ts';
import { createRelay } from '../../bench/peers/relay-server.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

interface Outcome {
  readonly received: ReceiveResult;
  readonly sent: SendResult;
  readonly state: SharedState;
  readonly missing: number;
}

async function until(reached: () => boolean): Promise<void> {
  while (!reached()) await delay(2);
}

/** One run with all senders and receivers in this thread. */
async function run(port: number, topology: Topology, pacing: Pacing, payloadBytes = 64): Promise<Outcome> {
  const state = createSharedState(topology);
  const common = {
    run: 7,
    protocol: { kind: 'spread', options: { service: 'agreed' } } as const,
    endpoints: [{ host: '127.0.0.1', port }],
    pacing,
    noDelay: false,
    payloadBytes,
    groupNames: Array.from({ length: topology.groups }, (_, i) => `group.${i}`),
    state,
  };
  const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  const receiving = receive({
    ...common,
    role: 'receive',
    connections: indices(topology.receivers),
  } satisfies LoadTask);
  await Promise.race([receiving, until(() => state.words[READY] === 1)]);
  const sending = send({ ...common, role: 'send', connections: indices(topology.senders) } satisfies LoadTask);
  await Promise.race([receiving, sending, until(() => state.words[READY] === 2)]);
  const startMs = monotonicMs() + 5;
  state.times[TIME_START] = startMs;
  state.times[TIME_FROM] = startMs + 20;
  state.times[TIME_TO] = startMs + 120;
  Atomics.store(state.words, PHASE, PHASE_RUN);
  await Promise.race([receiving, until(() => state.words[DONE] === 1)]);
  for (let i = 0; i < 50 && outstanding(state) > 0; i++) await delay(5);
  const missing = outstanding(state);
  Atomics.store(state.words, PHASE, PHASE_CLOSE);
  return { received: await receiving, sent: await sending, state, missing };
}

const closed: Pacing = { kind: 'closed', batch: 8, windowMessages: 64 };

/** Passes bytes on between clients and a relay, giving `meddle` each chunk that goes to a client. */
async function meddler(meddle: (chunk: Buffer, toClient: Socket) => void): Promise<number> {
  const relayPort = await listen(createRelay());
  const { connect } = await import('node:net');
  return listen(
    createServer((client) => {
      const relay = connect(relayPort, '127.0.0.1');
      client.pipe(relay);
      relay.on('data', (chunk) => meddle(chunk, client));
      for (const socket of [client, relay]) socket.on('error', () => {});
      client.on('close', () => relay.destroy());
      relay.on('close', () => client.destroy());
    }),
  );
}

const FRAME_BYTES = 48 + 32 + 64;

describe('a closed-loop run', () => {
  it('delivers every message to every receiver, in sequence', async () => {
    const port = await listen(createRelay());
    const { received, missing } = await run(port, { senders: 2, receivers: 3, groups: 1 }, closed);
    expect(received.total).toBeGreaterThan(0);
    expect(received.total % 3).toBe(0);
    expect(received).toMatchObject({ gaps: 0, disorder: 0, latency: null });
    expect(received.measured).toBeLessThanOrEqual(received.total);
    expect(missing).toBe(0);
  });

  it('spreads over many groups, one receiver each', async () => {
    const port = await listen(createRelay());
    const { received, missing } = await run(port, { senders: 2, receivers: 40, groups: 40 }, closed);
    expect(received.total).toBeGreaterThan(40);
    expect(received).toMatchObject({ gaps: 0, disorder: 0 });
    expect(missing).toBe(0);
  });

  it('copes with messages larger than a chunk and with chunks of any size', async () => {
    const port = await meddler((chunk, client) => {
      const cut = 1 + (chunk.length % 977);
      client.write(chunk.subarray(0, cut));
      if (cut < chunk.length) client.write(chunk.subarray(cut));
    });
    const large = await run(port, { senders: 1, receivers: 1, groups: 1 }, closed, 100_000);
    expect(large.received.total).toBeGreaterThan(0);
    expect(large.received).toMatchObject({ gaps: 0, disorder: 0 });
    expect(large.missing).toBe(0);
  });

  it('never has more messages in flight than its window', async () => {
    let held: { chunk: Buffer; client: Socket }[] = [];
    let holding = false;
    const port = await meddler((chunk, client) => {
      if (chunk.length < FRAME_BYTES && !holding) client.write(chunk);
      else {
        holding = true;
        held.push({ chunk, client });
      }
    });
    const { state } = await run(port, { senders: 1, receivers: 1, groups: 1 }, closed);
    held = [];
    expect(outstanding(state)).toBe(64);
  });
});

describe('checks', () => {
  it('count a message that is missing in the middle as a gap', async () => {
    let dropped = false;
    const port = await meddler((chunk, client) => {
      if (dropped || chunk.length < 3 * FRAME_BYTES || chunk.length % FRAME_BYTES !== 0) client.write(chunk);
      else {
        dropped = true;
        client.write(Buffer.concat([chunk.subarray(0, FRAME_BYTES), chunk.subarray(2 * FRAME_BYTES)]));
      }
    });
    const { received } = await run(port, { senders: 1, receivers: 1, groups: 1 }, closed);
    expect(received).toMatchObject({ gaps: 1, disorder: 0 });
  });

  it('count a message that comes twice as disorder', async () => {
    let repeated = false;
    const port = await meddler((chunk, client) => {
      client.write(chunk);
      if (repeated || chunk.length < FRAME_BYTES || chunk.length % FRAME_BYTES !== 0) return;
      repeated = true;
      client.write(chunk.subarray(chunk.length - FRAME_BYTES));
    });
    const { received } = await run(port, { senders: 1, receivers: 1, groups: 1 }, closed);
    expect(received).toMatchObject({ gaps: 0, disorder: 1 });
  });

  it('report receivers that saw different orders', async () => {
    const port = await listen(createRelay());
    const same = await run(port, { senders: 1, receivers: 2, groups: 1 }, closed);
    expect(new Set(same.received.orderHashes).size).toBe(1);
    let swapped = false;
    const swapping = await meddler((chunk, client) => {
      if (swapped || chunk.length < 2 * FRAME_BYTES || chunk.length % FRAME_BYTES !== 0) client.write(chunk);
      else {
        swapped = true;
        const [first, second] = [chunk.subarray(0, FRAME_BYTES), chunk.subarray(FRAME_BYTES, 2 * FRAME_BYTES)];
        client.write(Buffer.concat([second, first, chunk.subarray(2 * FRAME_BYTES)]));
      }
    });
    const different = await run(swapping, { senders: 1, receivers: 2, groups: 1 }, closed);
    expect(new Set(different.received.orderHashes).size).toBe(2);
  });

  it('report a connection that the system closes', async () => {
    const port = await meddler((chunk, client) => {
      if (chunk.length >= FRAME_BYTES) client.destroy();
      else client.write(chunk);
    });
    await expect(run(port, { senders: 1, receivers: 1, groups: 1 }, closed)).rejects.toThrow(
      'receiver 0: closed by the system under test',
    );
  });
});

describe('an open-loop run', () => {
  it('sends every due message, and counts a stall of the system as latency', async () => {
    const stallMs = 60;
    let stalled = false;
    const port = await meddler((chunk, client) => {
      if (stalled || chunk.length < FRAME_BYTES) {
        client.write(chunk);
        return;
      }
      stalled = true;
      const until = performance.now() + stallMs;
      while (performance.now() < until);
      client.write(chunk);
    });
    const pacing = openLoop(1000);
    const { received, sent, missing } = await run(port, { senders: 1, receivers: 1, groups: 1 }, pacing);
    expect(missing).toBe(0);
    const latency = decodeFromCompressedBase64(received.latency ?? '');
    // 100 ms at 1,000 a second are measured; a closed loop would have sent next to nothing during the stall.
    expect(latency.totalCount).toBe(100);
    expect(received.total).toBe(100);
    expect(decodeFromCompressedBase64(sent.lateness ?? '').totalCount).toBe(100);
    const unitsPerMs = 10_000;
    // All messages that were due in the first half of the stall waited at least for the rest of it.
    expect(latency.getValueAtPercentile(75)).toBeGreaterThan((stallMs / 4) * unitsPerMs * 0.5);
  });
});
