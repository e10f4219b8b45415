/** A daemon restarts with a lower number than its last incarnation: both logs explain it, and it is let in soon. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startDaemon } from '../../daemon/start-daemon.ts';
import { eventually, freePort } from './support/daemons.ts';

interface LogLine {
  readonly msg: string;
  readonly count?: number;
  readonly peerName?: string;
  readonly waitMs?: number | null;
}

async function run(configText: string, name: string, stateDir: string) {
  const log: LogLine[] = [];
  const logger = pino({ base: {} }, { write: (line: string) => void log.push(JSON.parse(line)) });
  const options = { configText, name, logger, threadingMode: 'inline', unixSocketDir: null, stateDir } as const;
  const daemon = await startDaemon(options);
  onTestFinished(() => daemon.stop({ drainTimeoutMs: 100 }));
  return { daemon, log, members: () => log.findLast(({ msg }) => msg === 'daemon membership')?.count ?? 0 };
}

const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'skein-set-back-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

describe('a daemon whose clock was set back', () => {
  it.each(['', 'sealed'])('logs why it waits, and is let in (%s)', async (sealed) => {
    const ports = [await freePort(), await freePort()];
    const keys = join(folder(), 'keys');
    writeFileSync(keys, `1:${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    const configText = `${ports.map((port, i) => `Spread_Segment 127.0.0.255:${port} { d${i + 1} 127.0.0.${i + 1} }\n`).join('')}TimeScale = 0.5\n${sealed === '' ? '' : `ClusterKeyFile = ${keys}\n`}`;
    const first = await run(configText, 'd1', folder());
    const ahead = folder();
    writeFileSync(join(ahead, 'incarnation-d2'), `${Date.now() + 3_600_000}\n`);
    const before = await run(configText, 'd2', ahead);
    await eventually(
      () => first.members() === 2 && before.members() === 2,
      () => JSON.stringify([first.log, before.log]),
    );
    await before.daemon.stop({ drainTimeoutMs: 100 });
    const again = await run(configText, 'd2', folder());
    const startedAtMs = performance.now();
    await eventually(
      () => again.members() === 2,
      () => JSON.stringify([first.log, again.log]),
    );
    // Half of the times of a LAN: 1.2 s, and a probe.
    expect(performance.now() - startedAtMs).toBeLessThan(6000);
    const told = ({ log }: typeof first): LogLine | undefined =>
      log.find(({ msg }) => msg.includes('is ignored for now'));
    expect(told(again)).toMatchObject({ peerName: 'd1' });
    expect(told(first)).toMatchObject({ peerName: 'd2' });
    expect(told(first)!.msg).toMatch(/a later incarnation of it is remembered. Its clock was set back/);
  });
});
