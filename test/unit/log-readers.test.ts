/** Another kind of reader of the ordered log besides the delivery workers, as a journal would be. */
import { describe, expect, it } from 'vitest';
import type { LogPosition } from '../../engine/buffers/log-position.ts';
import {
  ENTRY_KIND,
  ENTRY_LENGTH,
  ENTRY_OFFSET,
  ENTRY_TERM_BUFFER,
  LogKind,
} from '../../engine/buffers/ordered-log.ts';
import { OrderedLogReader } from '../../engine/buffers/ordered-log-reader.ts';
import type { Agent } from '../../workers/agent.ts';
import { logReaders } from '../../workers/log-readers.ts';
import { type AgentRole, planThreads } from '../../workers/threading.ts';
import { decodeFrame, frameLength } from '../e2e/support/wire-frames.ts';
import { MemoryDaemon } from './memory-daemon.ts';

interface Write {
  readonly termBuffer: number;
  readonly bytes: Uint8Array;
}

/** Takes every run of messages; its writes own the log's memory until the test completes them. */
class Journal implements Agent {
  readonly name = 'journal';
  readonly counters = new Float64Array(8);
  reads = true;
  readonly messages: string[] = [];
  readonly #log: LogPosition;
  #writes: Write[] = [];

  constructor(log: LogPosition) {
    this.#log = log;
  }

  doWork(): number {
    if (!this.reads) return 0;
    const log = this.#log;
    let entries = 0;
    for (; log.next(); entries++) {
      const { index, entry } = log;
      if (index[entry + ENTRY_KIND] !== LogKind.Run) continue;
      const termBuffer = index[entry + ENTRY_TERM_BUFFER]!;
      const from = termBuffer * log.shape.termBytes + index[entry + ENTRY_OFFSET]!;
      log.hold(termBuffer);
      this.#writes.push({ termBuffer, bytes: log.bytes.subarray(from, from + index[entry + ENTRY_LENGTH]!) });
    }
    if (entries > 0) log.finish();
    return entries;
  }

  /** Completes all writes. */
  written(): void {
    for (const { termBuffer, bytes } of this.#writes) {
      let rest = Buffer.from(bytes);
      for (let length = frameLength(rest); length > 0; length = frameLength(rest)) {
        this.messages.push(decodeFrame(rest.subarray(0, length)).data.toString('latin1', 0, 8));
        rest = rest.subarray(length);
      }
      this.#log.unhold(termBuffer);
    }
    this.#writes = [];
  }

  nextDeadlineMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  hasWork(): boolean {
    return this.reads && this.#log.hasMore();
  }

  move(): void {}
  drain(): void {}

  hangUp(): void {}
  meet(): void {}

  drained(): boolean {
    return !this.#log.hasMore();
  }

  close(): void {}
}

async function journaled() {
  const daemon = await MemoryDaemon.start({}, 1);
  const journal = new Journal(new OrderedLogReader(daemon.memory.log, 1));
  daemon.host(journal);
  const client = daemon.login('client');
  client.join('room');
  client.frames();
  let sent = 0;
  return {
    daemon,
    journal,
    client,
    send(count: number): void {
      for (let i = 0; i < count; i++) {
        const body = Buffer.alloc(50_000, 0x20);
        body.write(`m${sent++}`, 'latin1');
        client.transport.send(client.message('room', body));
      }
    },
    received: (): readonly string[] => client.frames().map(({ data }) => data.toString('latin1', 0, 8)),
  };
}

const messages = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `m${i}`.padEnd(8));

describe('a second kind of reader', () => {
  it('sees the order that clients see, and its memory stays valid while its writes are in flight', async () => {
    const { daemon, journal, send, received } = await journaled();
    const got: string[] = [];
    // Forty megabytes: the log wraps many times except where it is held.
    for (let round = 0; round < 20; round++) {
      send(40);
      got.push(...received());
      if (round % 5 === 4) journal.written();
    }
    daemon.settle();
    journal.written();
    expect([got, journal.messages]).toEqual([messages(800), messages(800)]);
  });

  it('that stops blocks the ring, and nothing is lost when it resumes', async () => {
    const { daemon, journal, client, send, received } = await journaled();
    journal.reads = false;
    send(4000);
    const before = received();
    expect([before.length < 4000, client.transport.isPaused]).toEqual([true, true]);
    journal.reads = true;
    const got = [...before];
    for (let more = true; more; got.push(...received())) {
      const had = got.length;
      daemon.settle();
      journal.written();
      got.push(...received());
      more = got.length > had;
    }
    expect([got, journal.messages]).toEqual([messages(4000), messages(4000)]);
  });
});

describe('positions', () => {
  const machine = { cores: 8, nodeVersion: process.versions.node };

  it.each(['inline', 'shared', 'shared-network', 'dedicated'] as const)('of delivery workers in mode %s', (mode) => {
    expect(logReaders(planThreads(mode, 12, machine))).toEqual(Array.from({ length: 12 }, (_, worker) => worker));
  });

  it('of others are behind them, wherever they run', () => {
    const journal = 'journal' as unknown as AgentRole;
    const threads = [[journal, 'ring', 'network'], [1], [0]] as const;
    expect(logReaders({ threads: threads.map((roles) => ({ name: 't', roles, blocking: false })) })).toEqual([
      ...[0, 1, 'journal'],
    ]);
  });
});
