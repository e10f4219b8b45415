/** What an operator does to a running cluster with `skein monitor` and signals (client-protocol.md, 10.3). */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askStatus } from '../../cli/monitor/ask-status.ts';
import { loadCluster } from '../../cli/monitor/cluster.ts';
import type { StatusReport } from '../../cli/monitor/status-protocol.ts';
import { Cli, skein } from './cli-process.ts';
import { freePort } from './support/daemons.ts';

const WAIT_MS = 60_000;
const ANSWER_MS = 2000;
const TEST_MS = 90_000;

const [KEY_ONE, KEY_TWO] = [1, 2].map((id) => `${id}:${randomBytes(32).toString('base64')}\n`);

describe('a cluster of two with keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'skein-operator-'));
  const keyFile = join(folder, 'cluster.keys');
  const configFile = join(folder, 'spread.conf');
  const logOf = (name: string): string => readFileSync(join(folder, `${name}.log`), 'utf8');
  let daemons: readonly Cli[] = [];

  beforeAll(async () => {
    writeFileSync(keyFile, KEY_ONE!);
    const ports = [await freePort(), await freePort()];
    const segments = ports.map((port, i) => `Spread_Segment 127.0.0.255:${port} { d${i + 1} 127.0.0.${i + 1} }`);
    // On a busy machine the token must not get lost without a fault.
    const options = ['DangerousMonitor = yes', `ClusterKeyFile = ${keyFile}`, 'Volatile = yes', 'TimeScale = 3'];
    writeFileSync(configFile, `${[...segments, ...options].join('\n')}\n`);
    daemons = ['d1', 'd2'].map(
      (name) =>
        new Cli([
          'start',
          '-n',
          name,
          '-c',
          configFile,
          '--no-unix-socket',
          '-o',
          `eventLogFile=${join(folder, `${name}.log`)}`,
        ]),
    );
    await members(['d1', 'd2'], ['d1', 'd2']);
  }, TEST_MS);

  afterAll(async () => {
    for (const daemon of daemons) daemon.kill('SIGKILL');
    await Promise.all(daemons.map(({ ended }) => ended));
    rmSync(folder, { recursive: true, force: true });
  });

  async function reports(): Promise<readonly (StatusReport | null)[]> {
    const cluster = await loadCluster(configFile);
    return (await askStatus(cluster.daemons, cluster.ownAddress, ANSWER_MS)).map(({ report }) => report);
  }

  async function reportsWhen(condition: (reports: readonly (StatusReport | null)[]) => boolean, what: string) {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const now = await reports();
      if (condition(now)) return now as readonly StatusReport[];
      if (Date.now() > deadline) throw new Error(`waited for ${what}: ${JSON.stringify(now)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Waits until each daemon that is given sees exactly these in its ring. */
  const members = (...expected: readonly (readonly string[])[]) =>
    reportsWhen(
      (now) =>
        expected.every(
          (names, i) =>
            now[i]?.state === 'operational' &&
            now[i].ring!.members.join() === names.map((name) => `127.0.0.${name.slice(1)}`).join(),
        ),
      `members ${JSON.stringify(expected)}`,
    );

  const monitor = (...args: readonly string[]) =>
    skein(['monitor', ...args, '-c', configFile, '--timeout', `${ANSWER_MS}ms`]);

  it(
    'is split and heals when the monitor ends',
    async () => {
      const split = new Cli(['monitor', 'partition', 'd2', '--yes', '-c', configFile, '--timeout', `${ANSWER_MS}ms`]);
      const apart = await members(['d1'], ['d2']);
      expect(apart.map(({ ring }) => ring!.partitioned)).toEqual([1, 1]);
      split.kill('SIGINT');
      expect(await split.ended).toMatchObject({
        code: 0,
        stdout: 'd1: partitioned\nd2: partitioned\nd1: healed\nd2: healed\n',
      });
      const together = await members(['d1', 'd2'], ['d1', 'd2']);
      expect(together.map(({ ring }) => ring!.partitioned)).toEqual([0, 0]);
      expect(together[0]!.ring!.partitionDropped).toBeGreaterThan(0);
    },
    TEST_MS,
  );

  it('changes flow control at the named daemons, within the limits', async () => {
    expect(await monitor('flow', '--personal', '7', '--accelerated', '3', 'd2', '--yes')).toMatchObject({
      ...{ code: 0, stdout: 'd2: changed\n' },
    });
    const windows = (await reports()).map((report) => [
      report!.window,
      report!.personalWindow,
      report!.acceleratedWindow,
    ]);
    expect(windows).toEqual([
      [160, 20, 15],
      [160, 7, 3],
    ]);
    const tooLarge = await monitor('flow', '--window', '161', '--yes');
    expect(tooLarge.code).toBe(1);
    expect(tooLarge.stdout).toContain('d1: refused: window is 161; it must be an integer from 1 to 160');
    expect((await reports()).map((report) => report!.window)).toEqual([160, 160]);
  });

  it('takes daemons from a configuration or an address; a configuration precedes the environment', async () => {
    const args = ['monitor', '-c', configFile, '--json', '--timeout', `${ANSWER_MS}ms`];
    expect(await skein(args, '', { SKEIN_ADDRESS: '1@127.0.0.1' })).toMatchObject({ code: 0 });
    expect((await skein([...args, '-s', '4803'])).stderr).toContain('not both');
    expect((await monitor('heal', '-s', '4803')).stderr).toContain('not both');
  });

  it('asks for confirmation, which needs a terminal', async () => {
    const asked = await monitor('kill', 'd1');
    expect(asked).toMatchObject({ code: 2 });
    expect(asked.stderr).toContain('--yes');
    expect((await monitor('kill', 'd3', '--yes')).stderr).toContain('d3');
  });

  it('refuses a monitor with another key, and the monitor reports it', async () => {
    const stranger = join(folder, 'stranger.conf');
    const strangerKeys = join(folder, 'stranger.keys');
    writeFileSync(strangerKeys, `1:${randomBytes(32).toString('base64')}\n`);
    writeFileSync(stranger, readFileSync(configFile, 'utf8').replace(keyFile, strangerKeys));
    const refused = await skein(['monitor', 'kill', 'd1', '--yes', '-c', stranger, '--timeout', `${ANSWER_MS}ms`]);
    expect(refused).toMatchObject({ code: 1, stdout: 'd1: refused: its key with that id is a different one\n' });
    expect(logOf('d1')).toContain('command of a monitor refused');
    expect((await reports())[0]!.ring!.commandsRefused).toBeGreaterThan(0);
  });

  it(
    'changes its key without a change of membership',
    async () => {
      const [before] = await members(['d1', 'd2'], ['d1', 'd2']);
      // A daemon obeys the new key once it has read it, so this waits for both daemons.
      const reloaded = async (keys: string): Promise<void> => {
        writeFileSync(keyFile, keys);
        for (const daemon of daemons) daemon.kill('SIGHUP');
        const deadline = Date.now() + WAIT_MS;
        while ((await monitor('heal')).code !== 0)
          if (Date.now() > deadline) throw new Error('the keys were not reloaded');
      };
      await reloaded(KEY_ONE! + KEY_TWO!);
      await reloaded(KEY_TWO! + KEY_ONE!);
      await reloaded(KEY_TWO!);
      const [after] = await members(['d1', 'd2'], ['d1', 'd2']);
      expect(after!.membershipChanges).toBe(before!.membershipChanges);
      expect(after!.ring!.sealsWrongKey).toBe(0);
      expect(after!.tokenRounds).toBeGreaterThan(before!.tokenRounds);
    },
    TEST_MS,
  );

  it('keeps running with a wrong key file', async () => {
    writeFileSync(keyFile, 'nonsense\n');
    daemons[0]!.kill('SIGHUP');
    await reportsWhen(() => logOf('d1').includes('options not reloaded'), 'the log');
    writeFileSync(keyFile, KEY_TWO!);
    expect((await monitor('heal')).code).toBe(0);
  });

  it(
    'stops a daemon, which leaves in order',
    async () => {
      expect(await monitor('kill', 'd2', '--yes')).toMatchObject({ code: 0, stdout: 'd2: ending\n' });
      await members(['d1']);
      expect(await daemons[1]!.ended).toMatchObject({ code: 0 });
      expect(logOf('d2')).toContain('a monitor ends this daemon');
      expect((await reports())[1]).toBeNull();
    },
    TEST_MS,
  );
});
