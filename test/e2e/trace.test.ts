/** `skein trace` on a ring of three in real processes: who held a probe back, what passes in a group, and who may know. */
import { randomBytes, scryptSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../client/index.ts';
import type { ProbeResult, TraceEvent } from '../../daemon/trace/trace-types.ts';
import { Cli, skein } from './cli-process.ts';
import { eventually, freePort } from './support/daemons.ts';

const TEST_MS = 120_000;
const NAMES = ['a', 'b', 'c'] as const;

describe('a ring of three', () => {
  const folder = mkdtempSync(join(tmpdir(), 'skein-trace-'));
  const env = { XDG_CONFIG_HOME: folder, SKEIN_PASSWORD: 'secret' };
  const ports = new Map<string, number>();
  let daemons: readonly Cli[] = [];
  let http = '';

  const as = (user: string): readonly string[] => ['--auth', 'PWORD', '--login', user];
  const at = (name: string): string => `${ports.get(name)}@127.0.0.${NAMES.indexOf(name as 'a') + 1}`;
  const probes = async (args: readonly string[], way: readonly string[]): Promise<readonly ProbeResult[]> => {
    const { code, stdout, stderr } = await skein(['trace', 'news', '--probe', '--json', ...args, ...way], '', env);
    expect([stderr, code]).toEqual(['', 0]);
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ProbeResult);
  };
  const client = async (name: string, daemon: string) => {
    const session = await connect({ address: at(daemon), name });
    session.on('error', () => {});
    onTestFinished(() => session.destroy());
    return session;
  };

  beforeAll(async () => {
    for (const name of NAMES) ports.set(name, await freePort());
    const salt = Buffer.alloc(16, 1);
    const hash = scryptSync('secret', salt, 32, { N: 16, r: 8, p: 1 }).toString('base64');
    const line = (user: string): string => `${user}:scrypt$16$8$1$${salt.toString('base64')}$${hash}\n`;
    writeFileSync(join(folder, 'passwords'), ['ops', 'reader', 'other'].map(line).join(''));
    writeFileSync(join(folder, 'keys'), `1:${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    const rules = [
      'user ops admin',
      'user reader admin news join news',
      'user other join * send *',
      'address 127.0.0.0/8 join passing send *',
    ];
    writeFileSync(join(folder, 'rules'), `${rules.join('\n')}\n`);
    const httpPort = await freePort();
    http = `http://127.0.0.1:${httpPort}/`;
    const conf = [
      ...NAMES.map((name, i) => `Spread_Segment 127.0.0.255:${ports.get(name)} { ${name} 127.0.0.${i + 1} }`),
      // A paused daemon must not lose the token. Sealed, because tokens are looked at.
      'TimeScale = 10',
      'Volatile = yes',
      `ClusterKeyFile = ${join(folder, 'keys')}`,
      `PasswordFile = ${join(folder, 'passwords')}`,
      'AllowedAuthMethods = "NULL PWORD"',
    ];
    writeFileSync(join(folder, 'spread.conf'), `${conf.join('\n')}\n`);
    daemons = NAMES.map((name) => {
      const own = name === 'a' ? ['-o', `httpListen=127.0.0.1:${httpPort}`] : [];
      const access = name === 'b' ? ['-o', `accessFile=${join(folder, 'rules')}`] : [];
      const args = ['start', '-n', name, '-c', join(folder, 'spread.conf'), '--no-unix-socket', '--log-level', 'warn'];
      return new Cli([...args, ...own, ...access]);
    });
    await eventually(
      async () => {
        const { stdout } = await skein(['top', '--json', '--once', '--http', http], '', env);
        return (
          stdout.includes('"ready":true') &&
          (await skein(['check', '--only', 'members-absent', '--http', http], '', env)).code === 0
        );
      },
      () => daemons.map(({ lines, stderr }) => `${lines.join('\n')}${stderr}`).join('\n'),
    );
  }, TEST_MS);

  afterAll(async () => {
    for (const daemon of daemons) {
      daemon.kill('SIGCONT');
      daemon.kill('SIGKILL');
    }
    await Promise.all(daemons.map(({ ended }) => ended));
    rmSync(folder, { recursive: true, force: true });
  });

  it(
    'tells when a probe of each service was where, at each daemon, over HTTP and over the client port',
    async () => {
      for (const way of [
        ['--http', http],
        ['--spread', at('a')],
      ]) {
        for (const service of ['reliable', 'agreed', 'safe']) {
          const [probe] = await probes(['--count', '1', '--service', service], way);
          expect(probe).toMatchObject({ kind: 'probe', group: 'news', service, daemon: 'a', outcome: 'delivered' });
          expect(probe!.packet!.seq).toBeGreaterThan(0);
          expect(probe!.submittedMs).toBeLessThanOrEqual(probe!.sequencedMs!);
          expect(probe!.daemons.map(({ daemon, answered }) => [daemon, answered])).toEqual(
            NAMES.map((name) => [name, true]),
          );
          for (const { receivedMs, deliveredMs, clockErrorMs, stableMs } of probe!.daemons) {
            expect(receivedMs).not.toBeNull();
            expect(deliveredMs! - receivedMs!).toBeGreaterThanOrEqual(-1);
            expect(clockErrorMs).toBeGreaterThanOrEqual(0);
            if (service === 'safe') expect(deliveredMs! - stableMs!).toBeGreaterThanOrEqual(-1);
          }
        }
      }
    },
    TEST_MS,
  );

  it(
    'names a daemon that was paused as the one that held a safe probe back',
    async () => {
      const tracer = new Cli(['trace', 'news', '--probe', '--json', '--every', '100ms', '--spread', at('a')], env);
      onTestFinished(() => tracer.kill('SIGKILL'));
      const results = (): readonly ProbeResult[] => tracer.lines.map((line) => JSON.parse(line) as ProbeResult);
      await tracer.until((lines) => lines.length > 0);
      daemons[2]!.kill('SIGSTOP');
      await delay(1500);
      daemons[2]!.kill('SIGCONT');
      const before = tracer.lines.length;
      await tracer.until((lines) => lines.length > before + 1);
      const held = results().toSorted((x, y) => (y.heldBy?.ms ?? 0) - (x.heldBy?.ms ?? 0))[0]!;
      expect(held.heldBy).toMatchObject({ cause: 'standstill', who: 'c' });
      expect(held.heldBy!.ms).toBeGreaterThan(1000);
      expect(held.daemons.find(({ daemon }) => daemon === 'c')!.stoodStillMs).toBeGreaterThan(1000);
      tracer.kill('SIGINT');
      expect((await tracer.ended).code).toBe(0);
    },
    TEST_MS,
  );

  it(
    'names a client that does not read, at the daemon it is connected to',
    async () => {
      const slow = await client('slow', 'c');
      await slow.join('news');
      slow.pause();
      const writer = await client('writer', 'a');
      let isWriting = true;
      const writing = (async () => {
        while (isWriting) {
          if (!writer.multicast('news', Buffer.alloc(50_000), { service: 'fifo' })) await writer.drained();
          await delay(5);
        }
      })();
      try {
        await eventually(async () => {
          const [probe] = await probes(['--count', '1'], ['--spread', at('a')]);
          const { holds, daemons: told } = probe!;
          const receiver = holds.find(({ cause }) => cause === 'receiver');
          const waiting = told.find(({ daemon }) => daemon === 'c')!.receivers;
          return receiver?.who === '#slow#c' && waiting?.slowest[0]?.name === '#slow#c';
        }, 'a slow client that is named');
      } finally {
        isWriting = false;
        await writing;
      }
    },
    TEST_MS,
  );

  it(
    'shows what passes in a group, members who come and go too, also where nobody is in it',
    async () => {
      for (const way of [
        ['--http', http],
        ['--spread', at('a')],
      ]) {
        const tracer = new Cli(['trace', 'passing', '--json', '--count', '5', ...way], env);
        onTestFinished(() => tracer.kill('SIGKILL'));
        await delay(3000);
        const [member, sender] = [await client('member', 'c'), await client('sender', 'b')];
        await member.join('passing');
        sender.multicast('other', 'not seen');
        sender.multicast('passing', 'first', { service: 'safe', type: 7 });
        sender.multicast(['other', 'passing'], 'second');
        await sender.flushed();
        await member.leave('passing');
        await sender.join('passing');
        const { code, stdout, stderr } = await tracer.ended;
        expect([stderr, code]).toEqual(['', 0]);
        const events = stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as TraceEvent);
        expect(events.map(({ kind }) => kind).toSorted()).toEqual(['join', 'join', 'leave', 'message', 'message']);
        expect(events.filter(({ kind }) => kind === 'message')).toMatchObject([
          { daemon: 'b', sender: '#sender#b', service: 'safe', type: 7, bytes: 5, targets: 1, data: null },
          { daemon: 'b', sender: '#sender#b', service: 'agreed', type: 0, bytes: 6, targets: 2, data: null },
        ]);
        expect(events.find(({ kind }) => kind === 'leave')).toMatchObject({
          daemon: 'c',
          member: '#member#c',
          members: 0,
        });
        sender.destroy();
        member.destroy();
      }
    },
    TEST_MS,
  );

  it(
    'shows contents on request only, over the client port, and to those who may join',
    async () => {
      const overHttp = await skein(['trace', 'news', '--data', '--http', http], '', env);
      expect([overHttp.code, overHttp.stderr]).toEqual([2, expect.stringContaining('over the client port only')]);
      const asked = (...args: readonly string[]) => skein(['trace', 'news', ...args, '--spread', at('b')], '', env);
      const refused = async (args: readonly string[], reason: string): Promise<void> => {
        const { code, stderr } = await asked(...args);
        expect([code, stderr]).toEqual([1, expect.stringContaining(`(not-allowed): ${reason}`)]);
      };
      await refused([...as('other')], 'AccessFile does not allow admin news');
      await refused(['--probe', ...as('other')], 'AccessFile does not allow admin news');
      await refused([], 'AccessFile does not allow admin news');
      await refused(['--data', ...as('ops')], 'AccessFile does not allow join news');
      expect((await asked('--probe', '--count', '1', ...as('ops'))).code).toBe(0);
      const tracer = new Cli(['trace', 'news', '--data', '--count', '1', ...as('reader'), '--spread', at('b')], env);
      onTestFinished(() => tracer.kill('SIGKILL'));
      await delay(3000);
      (await client('talker', 'a')).multicast('news', 'to be read');
      expect(await tracer.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('"to be read"') });
    },
    TEST_MS,
  );

  it(
    'names a daemon that left the ring with the probe',
    async () => {
      const tracer = new Cli(
        ['trace', 'news', '--probe', '--json', '--every', '50ms', '--wait', '60s', '--spread', at('a')],
        env,
      );
      onTestFinished(() => tracer.kill('SIGKILL'));
      await tracer.until((lines) => lines.length > 0);
      daemons[2]!.kill('SIGKILL');
      const left = (): ProbeResult | undefined =>
        tracer.lines
          .map((line) => JSON.parse(line) as ProbeResult)
          .find(({ heldBy }) => heldBy?.cause === 'membership');
      await tracer.until(() => left() !== undefined);
      expect(left()!.heldBy).toMatchObject({ who: 'c' });
      tracer.kill('SIGINT');
      await tracer.ended;
    },
    TEST_MS,
  );
});
