/**
 * An agent that throws ends the whole daemon cleanly. Failures are provoked from outside: the test keeps the shared
 * memory of the daemons it starts and writes what no agent would write.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ENTRY_WORDS, LogKind } from '../../engine/buffers/ordered-log.ts';
import { RecordKind } from '../../engine/wire/record.ts';
import { AgentFailure } from '../../workers/agent-thread.ts';
import type { DaemonMemory } from '../../workers/daemon-memory.ts';
import type { ResolvedThreadingMode } from '../../workers/threading.ts';
import { freePort, testClient, testDaemon } from './support/daemons.ts';
import { WireClient, WireSocket } from './support/wire-client.ts';

const memories = vi.hoisted((): DaemonMemory[] => []);

vi.mock('../../workers/daemon-memory.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../workers/daemon-memory.ts')>();
  return {
    ...original,
    createDaemonMemory: (...args: Parameters<typeof original.createDaemonMemory>) => {
      const memory = original.createDaemonMemory(...args);
      memories.push(memory);
      return memory;
    },
  };
});

const RING_DATA = 128;

/** Fills an unused SPSC queue so that its second record ends beyond the queue. */
function corruptRing(memory: SharedArrayBuffer, kind: RecordKind): void {
  const view = new DataView(memory, RING_DATA);
  const capacity = memory.byteLength - RING_DATA;
  for (const [offset, length] of [
    [0, capacity - 8],
    [capacity - 8, 8],
  ] as const) {
    view.setUint32(offset, length, true);
    view.setUint8(offset + 4, kind);
    // Of nobody; the last record has no room for it, which is what breaks its reader.
    if (offset === 0) view.setUint32(8, 0xffff, true);
  }
  Atomics.store(new Int32Array(memory), 0, capacity);
}

/** Adds an index entry whose bytes are in a term buffer that does not exist. */
function corruptLog({ log }: DaemonMemory): void {
  const control = new Int32Array(log.control);
  const tail = Atomics.load(control, 0);
  const entry = (tail & (log.shape.indexEntries - 1)) * ENTRY_WORDS;
  const words = new Int32Array(log.index);
  words[entry] = LogKind.Run;
  words[entry + 1] = log.shape.termBufferCount + 1;
  words[entry + 8] = 0;
  Atomics.store(control, 0, tail + 1);
}

const MODES: readonly ResolvedThreadingMode[] = ['shared', 'shared-network', 'dedicated', 'inline'];
/** The byte of REJECT_QUOTA, -3. */
const REFUSED = 253;
const folder = mkdtempSync(join(tmpdir(), 'skein-failure-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => memories.splice(0));

async function expectFailure(
  threadingMode: ResolvedThreadingMode,
  agent: string,
  corrupt: (memory: DaemonMemory) => void,
): Promise<void> {
  const port = await freePort();
  const daemon = await testDaemon({ threadingMode, port, unixSocketDir: folder });
  const socketFile = join(folder, String(port));
  expect(existsSync(socketFile)).toBe(true);
  // Connected but without a name, so the request queue is unused.
  const waiting = new WireSocket({ port });
  onTestFinished(() => waiting.close());
  corrupt(memories[0]!);
  const failure = await daemon.closed.catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AgentFailure);
  expect(failure).toMatchObject({ agent, message: expect.stringContaining(`agent ${agent} failed: `) });
  // Where the delivery agent still works, it refuses who is in the handshake.
  expect([[], [REFUSED]]).toContainEqual([...(await waiting.takeToEnd())]);
  expect(existsSync(socketFile)).toBe(false);
  await expect(WireClient.connect({ port }, { name: 'late' })).rejects.toThrow(/ECONNREFUSED|closed after/);
  await daemon.stop();
  // The port is free again.
  const next = await testDaemon({ threadingMode, port });
  const client = await testClient(next, 'alice');
  expect((await client.joined('room')).groups).toEqual(['#alice#localhost']);
}

describe.each(MODES)('%s', (threadingMode) => {
  it('ring agent', async () => {
    await expectFailure(threadingMode, 'ring', (memory) => corruptRing(memory.requests[0]!, RecordKind.Register));
  });

  it('delivery agent', async () => {
    await expectFailure(threadingMode, 'delivery-0', corruptLog);
  });

  it('network agent', async () => {
    await expectFailure(threadingMode, 'network', (memory) => corruptRing(memory.outbound, RecordKind.Datagram));
  });
});

it('ends the sessions of all delivery workers when one of them fails', async () => {
  const daemon = await testDaemon({ threadingMode: 'dedicated', deliveryWorkers: 2 });
  const names = Array.from({ length: 20 }, (_, i) => `c${i}`);
  const clients = await Promise.all(names.map((name) => testClient(daemon, name)));
  corruptLog(memories[0]!);
  await expect(daemon.closed).rejects.toThrow(AgentFailure);
  for (const client of clients) expect(await client.takeToEnd()).toHaveLength(0);
});

it('does not touch another daemon of the same process', async () => {
  const [failing, healthy] = [await testDaemon(), await testDaemon()];
  const client = await testClient(healthy, 'alice');
  corruptLog(memories[0]!);
  await expect(failing.closed).rejects.toThrow(AgentFailure);
  expect((await client.joined('room')).groups).toEqual(['#alice#localhost']);
});

it.each(MODES)('during a stop, or just before one, is still reported: %s', async (threadingMode) => {
  for (const failsFirst of [true, false]) {
    const daemon = await testDaemon({ threadingMode });
    const client = await testClient(daemon, 'alice');
    if (failsFirst) corruptLog(memories.at(-1)!);
    const stopped = failsFirst ? client.takeToEnd().then(() => daemon.stop()) : daemon.stop();
    if (!failsFirst) corruptLog(memories.at(-1)!);
    await expect(daemon.closed).rejects.toThrow(AgentFailure);
    await stopped;
  }
});
