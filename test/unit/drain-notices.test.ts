/** Whom a delivery worker tells that the daemon drains, and when: pace, order, what does not fit, and what changes meanwhile. */
import { describe, expect, it } from 'vitest';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { type DrainNotice, decodeDrainNotice } from '../../engine/wire/drain-notice.ts';
import { FRAME_GROUPS_OFFSET } from '../../engine/wire/layout/frame-header.ts';
import { changeFrameLength } from '../../engine/wire/membership-encode.ts';
import { hashNameWords, nameWords } from '../../engine/wire/name-hash.ts';
import type { ClientSession } from '../../workers/delivery/client-session.ts';
import type { TransportPeer } from '../../workers/delivery/client-transport.ts';
import { DrainNotices } from '../../workers/delivery/drain-notices.ts';
import { LiveValue } from '../../workers/delivery/live.ts';
import { NameTable } from '../../workers/delivery/name-table.ts';

const TARGETS = [1, 2, 3].map((node) => ({
  node,
  plain: `h${node}:4803`,
  tls: `tls://h${node}:4805`,
  webSocket: `ws://h${node}:4884/`,
  secureWebSocket: null,
}));

interface Fake {
  readonly session: ClientSession;
  readonly notices: DrainNotice[];
}

class Bench {
  readonly sessions = new Map<number, ClientSession>();
  readonly fakes: Fake[] = [];
  readonly names = new NameTable();
  readonly counters = new Float64Array(128);
  readonly lines: string[] = [];
  readonly serving = new Set([1, 2, 3]);
  nowMs = 1000;
  readonly notices: DrainNotices;

  constructor(drainViewBytes = 1024 ** 3, workers = 1) {
    const log = (_: object, message: string): void => void this.lines.push(message);
    let seed = 1;
    this.notices = new DrainNotices({
      workers,
      daemonName: 'berlin',
      sessions: this.sessions,
      names: this.names,
      targets: TARGETS,
      settings: new LiveValue({ drainViewBytes }),
      words: { isServing: (node) => this.serving.has(node) },
      counters: this.counters,
      logger: { debug: log, info: log, warn: log, error: log } as never,
      now: () => this.nowMs,
      random: () => {
        seed = (seed * 48_271) % 2_147_483_647;
        return seed / 2_147_483_647;
      },
      markDirty: () => {},
    });
  }

  add(count: number, groups: readonly string[] = [], peer: Partial<TransportPeer> = {}, takesNotices = true): Fake[] {
    return Array.from({ length: count }, () => {
      const notices: DrainNotice[] = [];
      const addOwned = (bytes: Buffer): void => {
        notices.push(decodeDrainNotice(bytes, FRAME_GROUPS_OFFSET, bytes.length - FRAME_GROUPS_OFFSET)!);
      };
      const session = {
        state: 'open',
        takesNotices,
        isToldToMove: false,
        groups: new Set(groups),
        transport: { peer: { label: 'x', address: undefined, ...peer } },
        output: { addOwned },
      } as unknown as ClientSession;
      this.sessions.set(this.sessions.size, session);
      for (const group of groups) this.names.add(nameWords(group), session);
      const fake = { session, notices };
      this.fakes.push(fake);
      return fake;
    });
  }

  /** @returns how many were told in each tenth of a second */
  run(ms: number): number[] {
    const told: number[] = [];
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += 100;
      told.push(this.notices.poll(this.nowMs));
    }
    return told;
  }

  get told(): number {
    return this.fakes.filter(({ notices }) => notices.length > 0).length;
  }

  count(counter: keyof typeof DeliveryCounter): number {
    return this.counters[DeliveryCounter[counter]]!;
  }
}

const end = ({ session }: Fake): void => {
  session.state = 'closed';
};

describe('notices of a drain', () => {
  it('go to those who take them, and to nobody else', () => {
    const bench = new Bench();
    bench.add(5);
    const others = bench.add(5, [], {}, false);
    const [closing] = bench.add(1);
    closing!.session.state = 'closing';
    bench.notices.begin(30_000);
    bench.run(30_000);
    expect(bench.told).toBe(5);
    expect(others.every(({ notices }) => notices.length === 0)).toBe(true);
    expect(bench.count('NoticesSent')).toBe(5);
  });

  it('begin after a tenth of a second, are at most 50 in one, and in no order', () => {
    const bench = new Bench();
    bench.add(120);
    bench.notices.begin(30_000);
    expect(bench.notices.poll(bench.nowMs + 99)).toBe(0);
    expect(bench.run(400)).toEqual([50, 50, 20, 0]);
    const firsts = new Bench();
    firsts.add(120);
    firsts.notices.begin(30_000);
    firsts.run(100);
    const order = firsts.fakes.flatMap(({ notices }, i) => (notices.length > 0 ? [i] : []));
    expect(order).not.toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(order).not.toEqual(Array.from({ length: 50 }, (_, i) => 70 + i));
  });

  it.each([1, 2, 4])('are shared by %i workers', (workers) => {
    const bench = new Bench(1024 ** 3, workers);
    bench.add(200);
    bench.notices.begin(30_000);
    expect(bench.run(100)).toEqual([Math.ceil(50 / workers)]);
  });

  it.each([1000, 3000, 30_000])('have all gone out after 0.7 of %i ms, however many they are', (timeMs) => {
    const bench = new Bench();
    bench.add(4000);
    bench.notices.begin(timeMs);
    bench.run(0.7 * timeMs);
    expect(bench.told).toBe(4000);
    const last = bench.fakes.map(({ notices }) => notices[0]!.msLeft);
    expect(Math.min(...last)).toBeGreaterThanOrEqual(Math.floor(0.3 * timeMs) - 100);
    expect(Math.max(...last)).toBeLessThan(timeMs);
  });

  it('cost no more views than allowed: members of large groups are told more slowly', () => {
    const views = 2 * changeFrameLength(100);
    // Two clients a batch.
    const bench = new Bench(20 * views);
    bench.add(100, ['room']);
    bench.notices.begin(60_000);
    const told = bench.run(10_000);
    expect(Math.max(...told)).toBeLessThanOrEqual(3);
    for (let second = 0; second < 5; second++) {
      const inSecond = told.slice(10 * second, 10 * second + 10).reduce((sum, count) => sum + count, 0);
      expect(inSecond).toBeLessThanOrEqual(21);
    }
    expect(bench.told).toBe(100);
  });

  it('count a group by its last view, and all groups of a client', () => {
    const bench = new Bench(1000);
    const [fake] = bench.add(1, ['a', 'b']);
    const other = bench.names;
    expect([other.sizeOf('a'), other.sizeOf('nobody')]).toEqual([1, 0]);
    const group = other.find(viewOf('a'), 0, hashOf('a'))!;
    group.memberCount = 500;
    expect(other.sizeOf('a')).toBe(500);
    bench.add(1, ['a']);
    bench.notices.begin(10_000);
    // The first costs 32 kB: the second has to wait for half a minute, which it does not have.
    bench.run(10_000);
    expect(bench.told).toBe(1);
    expect(bench.count('SessionsNotTold')).toBe(1);
    expect(fake).toBeDefined();
  });

  it('leave out what does not fit, and say so', () => {
    const bench = new Bench(10 * changeFrameLength(50));
    bench.add(50, ['room']);
    bench.notices.begin(2000);
    expect(bench.lines.join('')).toContain('not all clients can be told to move');
    const left = bench.count('SessionsNotTold');
    expect(left).toBeGreaterThan(35);
    bench.run(2000);
    expect(bench.told).toBe(50 - left);
    expect(bench.count('NoticesSent')).toBe(50 - left);
  });

  it('are of the kind that the client uses, and never lead away from TLS', () => {
    const bench = new Bench();
    const kinds = [
      [{}, 'h'],
      [{ isEncrypted: true }, 'tls://'],
      [{ isWeb: true }, 'ws://'],
      [{ isWeb: true, isEncrypted: true }, null],
    ] as const;
    const fakes = kinds.map(([peer]) => bench.add(1, [], peer)[0]!);
    bench.notices.begin(10_000);
    bench.run(100);
    for (const [i, [, start]] of kinds.entries()) {
      const { addresses } = fakes[i]!.notices[0]!;
      expect(addresses).toHaveLength(start === null ? 0 : 3);
      for (const address of addresses) expect(address.startsWith(start!)).toBe(true);
    }
  });

  it('name members that serve on, each first for some clients', () => {
    const bench = new Bench();
    bench.serving.delete(2);
    bench.add(40);
    bench.notices.begin(10_000);
    bench.run(100);
    const firsts = new Set(bench.fakes.map(({ notices }) => notices[0]!.addresses[0]));
    expect([...firsts].sort()).toEqual(['h1:4803', 'h3:4803']);
    expect(bench.fakes[0]!.notices[0]!.addresses).not.toContain('h2:4803');
  });

  it('come again when others drain as well, or come', () => {
    const bench = new Bench();
    const [stays, goes] = bench.add(2);
    bench.notices.begin(10_000);
    bench.run(100);
    end(goes!);
    bench.serving.delete(3);
    bench.run(100);
    expect([stays!.notices.length, goes!.notices.length]).toEqual([2, 1]);
    expect([...stays!.notices[1]!.addresses].sort()).toEqual(['h1:4803', 'h2:4803']);
    bench.run(500);
    bench.serving.add(3);
    bench.run(100);
    expect(stays!.notices.map(({ addresses }) => addresses.length)).toEqual([3, 2, 3]);
    expect(bench.count('NoticesSent')).toBe(2);
  });

  it('are one empty notice for all when nobody serves on, and nobody is waited for', () => {
    const bench = new Bench(1);
    bench.add(500, ['room']);
    bench.serving.clear();
    bench.notices.begin(30_000);
    bench.run(100);
    for (const { notices } of bench.fakes.filter(({ notices }) => notices.length > 0))
      expect(notices).toEqual([{ msLeft: 0, addresses: [] }]);
    expect(bench.told).toBeGreaterThan(0);
    expect(bench.notices.isDone()).toBe(true);
  });

  it('say at the end to those who stayed that there is nowhere to go any more', () => {
    const bench = new Bench();
    const [fake] = bench.add(1);
    bench.notices.begin(30_000);
    bench.run(100);
    expect(bench.notices.isDone()).toBe(false);
    bench.serving.clear();
    expect(bench.notices.isDone()).toBe(true);
    bench.notices.end();
    expect(fake!.notices.at(-1)).toEqual({ msLeft: 0, addresses: [] });
  });

  it('are waited for until the last that was told is gone', () => {
    const bench = new Bench();
    const fakes = bench.add(60);
    bench.notices.begin(30_000);
    expect(bench.notices.isDone()).toBe(false);
    bench.run(100);
    for (const fake of fakes) if (fake.notices.length > 0) end(fake);
    // Ten are still to be told.
    expect(bench.notices.isDone()).toBe(false);
    bench.run(100);
    expect(bench.notices.isDone()).toBe(false);
    for (const fake of fakes) end(fake);
    expect(bench.notices.isDone()).toBe(true);
  });

  it.each([0, 1])('with %i ms: nobody is told, or all at once', (timeMs) => {
    const bench = new Bench();
    bench.add(10);
    bench.notices.begin(timeMs);
    bench.run(100);
    expect(bench.told).toBe(timeMs === 0 ? 0 : 10);
    if (timeMs === 0) expect(bench.notices.isDone()).toBe(true);
  });

  it('cut short are counted', () => {
    const bench = new Bench();
    bench.add(200);
    bench.notices.begin(30_000);
    bench.run(100);
    bench.notices.end();
    expect(bench.count('SessionsNotTold')).toBe(150);
    expect(bench.run(30_000).every((told) => told === 0)).toBe(true);
    expect(bench.notices.nextDeadlineMs()).toBe(Number.POSITIVE_INFINITY);
  });
});

function viewOf(name: string): DataView {
  const words = nameWords(name);
  return new DataView(words.buffer, words.byteOffset, words.byteLength);
}

function hashOf(name: string): number {
  return hashNameWords(nameWords(name), 0);
}
