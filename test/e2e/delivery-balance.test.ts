/** Several delivery workers share one TCP port: all accept, and where Node has SO_REUSEPORT the kernel spreads connections evenly. */
import { expect, it } from 'vitest';
import { connect, type Session } from '../../client/index.ts';
import { startDaemon } from '../../daemon/start-daemon.ts';
import { DeliveryCounter, deliveryCounters } from '../../engine/buffers/counters.ts';
import { hasReusePort } from '../../workers/threading.ts';
import { eventually } from './support/daemons.ts';

const WORKERS = 4;
const SESSIONS = 200;
/** An even spread is 50 with a standard deviation of 6. */
const FEWEST = 20;
const MOST = 90;

it('serves sessions at every worker, spread evenly where Node has SO_REUSEPORT', async () => {
  const daemon = await startDaemon({
    port: 0,
    listen: '127.0.0.1',
    logLevel: 'silent',
    unixSocketDir: null,
    threadingMode: 'shared-network',
    deliveryWorkers: WORKERS,
  });
  const sessions: Session[] = [];
  try {
    for (let i = 0; i < SESSIONS; i++) sessions.push(await connect({ port: daemon.port! }));
    const countsNow = (): readonly number[] =>
      Array.from(
        { length: WORKERS },
        (_, worker) => deliveryCounters(daemon.counters, worker)[DeliveryCounter.SessionsOpen]!,
      );
    // Workers update their counters after they answer.
    await eventually(() => countsNow().reduce((sum, count) => sum + count, 0) === SESSIONS, 'a count of all sessions');
    const counts = countsNow();
    if (hasReusePort(process.versions.node)) {
      expect(Math.min(...counts), counts.join()).toBeGreaterThanOrEqual(FEWEST);
      expect(Math.max(...counts), counts.join()).toBeLessThanOrEqual(MOST);
    }
    // The first and the last session receive each other's messages, whichever workers serve them.
    const [first, last] = [sessions[0]!, sessions.at(-1)!];
    first.multicast(last.privateName, 'hello');
    expect(await last.receive()).toMatchObject({ kind: 'message', sender: first.privateName });
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
    await daemon.stop({ drainTimeoutMs: 0 });
  }
});
