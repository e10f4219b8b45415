/** Clients that do not read: the daemon's memory is bounded during the attack and returns after it, and others are served throughout. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cli } from './cli-process.ts';
import { eventually, freePort } from './support/daemons.ts';
import { WireClient } from './support/wire-client.ts';
import { AGREED, CAUSAL, FIFO, RELIABLE, SAFE, UNRELIABLE } from './support/wire-frames.ts';

const TEST_MS = 60_000;
const MIB = 1024 * 1024;
/** How much memory an attack may leave behind. */
const LEFT_BYTES = 64 * MIB;
/** Longest time for a good client to receive its own message, on a busy machine. */
const SERVED_MS = 5000;
const BODY = Buffer.alloc(8000, 7);

// Linux reports resident memory in /proc.
describe.skipIf(!existsSync('/proc/self/status'))('resident memory', () => {
  const folder = mkdtempSync(join(tmpdir(), 'skein-slow-'));
  let daemon: Cli;
  let port = 0;
  let clients: WireClient[] = [];
  let good: WireClient;
  let sender: WireClient;
  let isWatching = true;
  let watch: Promise<number>;

  async function start(...options: readonly string[]): Promise<void> {
    port = await freePort();
    const configFile = join(folder, `${port}.conf`);
    writeFileSync(configFile, [`Spread_Segment 127.0.0.255:${port} { d1 127.0.0.1 }`, ...options, ''].join('\n'));
    daemon = new Cli(['start', '-n', 'd1', '-c', configFile, '--no-unix-socket']);
    await eventually(() => daemon.stderr.includes('daemon ready'), 'the daemon');
    good = await client('good');
    sender = await client('sender');
    // The log and the code are warm before the first measurement.
    good.join('warm');
    await good.barrier();
    await flood(['warm'], 64 * MIB);
    await eventually(() => good.waiting.length >= (64 * MIB) / BODY.length - 1, 'the warm-up');
    good.leave('warm');
    await good.barrier();
    isWatching = true;
    watch = keepServed();
  }

  beforeEach(() => {
    clients = [];
  });

  afterEach(async () => {
    isWatching = false;
    for (const each of clients) each.close();
    daemon.kill('SIGKILL');
    await daemon.ended;
    if (clients.length === 0) rmSync(folder, { recursive: true, force: true });
  });

  async function client(name: string): Promise<WireClient> {
    const connected = await WireClient.connect({ port }, { name, membership: false });
    clients.push(connected);
    return connected;
  }

  async function stuckIn(count: number, groupsOf: (i: number) => readonly string[]): Promise<readonly WireClient[]> {
    const stuck = await Promise.all(Array.from({ length: count }, (_, i) => client(`s${i}`)));
    for (const [i, each] of stuck.entries()) {
      for (const group of groupsOf(i)) each.join(group);
      await each.barrier();
      each.socket.pause();
    }
    return stuck;
  }

  function residentBytes(): number {
    const status = readFileSync(`/proc/${daemon.process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
  }

  /** A good client sends itself messages until the test stops it. @returns the longest wait for one, ms */
  async function keepServed(): Promise<number> {
    let longest = 0;
    while (isWatching) {
      const before = performance.now();
      await good.barrier();
      longest = Math.max(longest, performance.now() - before);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return longest;
  }

  async function flood(
    groups: readonly string[],
    lengthBytes: number,
    services: readonly number[] = [AGREED],
    stop: () => boolean = () => false,
  ): Promise<void> {
    for (let sent = 0, i = 0; sent < lengthBytes && !stop(); ) {
      const burst: Buffer[] = [];
      for (let k = 0; k < 16; k++, i++) {
        burst.push(sender.encode(groups[i % groups.length]!, BODY, services[i % services.length]!));
        sent += BODY.length;
      }
      await sender.sendAll(Buffer.concat(burst));
    }
    await sender.barrier();
  }

  const ended = (): number => daemon.stderr.split('session ended:').length - 1;

  async function expectServed(): Promise<void> {
    isWatching = false;
    expect(await watch).toBeLessThan(SERVED_MS);
  }

  async function expectGivenBack(before: number): Promise<void> {
    let now = 0;
    await eventually(
      () => {
        now = residentBytes();
        return now - before <= LEFT_BYTES;
      },
      () => `${Math.round((now - before) / MIB)} MiB more than before`,
    );
  }

  it(
    'forty stuck subscribers of one group cost what one costs, and nothing once they have ended',
    async () => {
      await start();
      const before = residentBytes();
      await stuckIn(40, () => ['room']);
      await flood(['room'], 48 * MIB);
      // 40 x 48 MiB would be 1.9 GiB.
      expect(residentBytes() - before).toBeLessThan(48 * MIB + 2 * LEFT_BYTES);
      expect(ended()).toBe(0);
      await flood(['room'], 40 * MIB);
      await eventually(
        () => ended() === 40,
        () => `40 sessions to be ended, ${ended()} are`,
      );
      await expectGivenBack(before);
      await expectServed();
    },
    TEST_MS,
  );

  it(
    'stuck subscribers of many groups leave nothing behind, with messages of all services',
    async () => {
      await start();
      const before = residentBytes();
      const groups = Array.from({ length: 20 }, (_, i) => `g${i}`);
      await stuckIn(40, (i) => groups.filter((_, g) => (g * 7 + i) % 4 === 0));
      await flood(groups, 80 * MIB, [UNRELIABLE, RELIABLE, FIFO, CAUSAL, AGREED, SAFE]);
      expect(residentBytes() - before).toBeLessThan(80 * MIB + 2 * LEFT_BYTES);
      for (const each of clients.slice(2)) each.close();
      await expectGivenBack(before);
      await expectServed();
    },
    TEST_MS,
  );

  it(
    'subscribers that read again receive everything, and the memory is freed',
    async () => {
      await start();
      const before = residentBytes();
      const stuck = await stuckIn(5, () => ['room']);
      await flood(['room'], 24 * MIB);
      const messages = Math.ceil((24 * MIB) / BODY.length / 16) * 16;
      for (const each of stuck) {
        each.socket.resume();
        const frames = await each.frames(messages);
        expect(frames.every(({ data }) => data.equals(BODY))).toBe(true);
      }
      expect(ended()).toBe(0);
      await expectGivenBack(before);
      await expectServed();
    },
    TEST_MS,
  );

  it(
    'MaxQueuedBytes bounds the total and ends the slowest first',
    async () => {
      await start('MaxQueuedBytes = 32M');
      const before = residentBytes();
      const stuck = await stuckIn(20, (i) => [`own${i}`]);
      // Nothing is shared: each is the only member of its group, and a higher number receives more.
      const groups = stuck.flatMap((_, i) => Array.from({ length: i + 1 }, () => `own${i}`));
      let most = 0;
      await flood(groups, 160 * MIB, [AGREED], () => {
        most = Math.max(most, residentBytes() - before);
        return false;
      });
      expect(most).toBeLessThan(32 * MIB + LEFT_BYTES);
      expect(ended()).toBeGreaterThan(3);
      const first = /"session":"#s(\d+)#d1"[^\n]*"maxQueuedBytes":33554432,"msg":"session ended/.exec(daemon.stderr);
      expect(Number(first![1])).toBeGreaterThanOrEqual(18);
      for (const each of clients.slice(2)) each.close();
      await expectGivenBack(before);
      await expectServed();
    },
    TEST_MS,
  );
});
