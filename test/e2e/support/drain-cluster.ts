/** Daemons of one ring in this process, that are drained, and clients that move away from them. */
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { type ConnectOptions, connect, type DrainNotice, type Session } from '../../../client/index.ts';
import { type Daemon, type StartDaemonOptions, startDaemon } from '../../../daemon/start-daemon.ts';
import { RING_NODE_COUNTERS, ringCounters } from '../../../engine/buffers/counters.ts';
import { RingCounter, RingState } from '../../../engine/host/ring-counters.ts';
import { type FileOptions, loopbackCluster, PATIENT_TIMERS } from '../../cluster/loopback.ts';
import { eventually } from './daemons.ts';

export interface DrainedDaemon {
  readonly daemon: Daemon;
  /** What it has logged, from `info` on. */
  readonly lines: readonly string[];
}

export const isWholeRing = ({ counters }: Daemon, members: number): boolean => {
  const ring = ringCounters(counters);
  return (
    ring[RING_NODE_COUNTERS + RingCounter.Members] === members &&
    ring[RING_NODE_COUNTERS + RingCounter.State] === RingState.Operational
  );
};

/** d1, d2, … in one ring. @param options beside `file`: the same for all, or by index */
export async function drainCluster(
  count: number,
  file: FileOptions = {},
  options: (index: number) => StartDaemonOptions = () => ({}),
): Promise<readonly DrainedDaemon[]> {
  const cluster = await loopbackCluster(count, { ...PATIENT_TIMERS, DrainTime: 30_000, ...file });
  onTestFinished(() => cluster.remove());
  const daemons = await Promise.all(
    cluster.daemons.map(async (_, i) => {
      const lines: string[] = [];
      const daemon = await startDaemon({
        name: `d${i + 1}`,
        configFile: join(cluster.folder, 'spread.conf'),
        unixSocketDir: null,
        threadingMode: 'shared',
        logger: pino({}, { write: (line: string) => void lines.push(line) }),
        ...options(i),
      });
      onTestFinished(() => daemon.stop({ drainTimeoutMs: 200 }));
      return { daemon, lines };
    }),
  );
  await eventually(() => daemons.every(({ daemon }) => isWholeRing(daemon, count)), 'one ring');
  return daemons;
}

/** A session that is closed with the test, and whose end is no error. */
export async function clientOf(daemon: Daemon, options: ConnectOptions): Promise<Session> {
  const session = await connect({
    host: daemon.addresses.find(({ port, tls }) => port !== undefined && tls !== true)!.host!,
    port: daemon.port!,
    connectTimeoutMs: 20_000,
    ...options,
  });
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  return session;
}

/** The next notice, and when it came. */
export const noticeOf = (session: Session): Promise<DrainNotice & { readonly atMs: number }> =>
  new Promise((resolve) => session.once('drain', (notice) => resolve({ ...notice, atMs: performance.now() })));

export const closed = (session: Session): Promise<unknown> =>
  new Promise((resolve) => {
    if (session.closed) resolve(undefined);
    else session.once('close', resolve);
  });

/** The fields of the last line. */
export function lastLine({ lines }: DrainedDaemon): Readonly<Record<string, unknown>> {
  return JSON.parse(lines.at(-1)!);
}

export const CUT_NOTHING = {
  msg: 'daemon stopped',
  sessionsCut: 0,
  bytesUnread: 0,
  bytesNotOrdered: 0,
  messagesNotDelivered: 0,
  packetsUnstable: 0,
} as const;
