import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { duration, integer } from './arguments.ts';
import { stopSignal } from './stop-signal.ts';
import { plain, roundTrips } from './top/round-trips.ts';
import { SORT_KEYS, sorted, type TopSession, topText } from './top/top-table.ts';
import { addWatchOptions, type WatchFlags, watchedDaemon } from './watch/watch-flags.ts';
import type { WatchedDaemon } from './watch/watched-daemon.ts';

interface TopFlags extends WatchFlags {
  readonly sort: string;
  readonly limit: number;
  readonly ended: number;
  readonly watch?: number | true;
  readonly once?: true;
  readonly json?: true;
}

const DEFAULT_WATCH_MS = 2000;
/** Rates need two samples, and the daemon takes one a second. */
const BETWEEN_LOOKS_MS = 1100;

const HELP = `
Shows the clients of one daemon, the longest queue first, and those that ended
last with the reason. On a terminal it repeats every 2 s until Ctrl-C; otherwise
it prints once. "slow" marks clients that read too slowly. Round trips are shown
when the command runs on the daemon's host and iproute2 (ss) is installed.

Examples:
  skein top
  skein top --sort out --limit 5
  skein top --http http://10.0.0.1:4880 --token-file token --json`;

export function registerTop(program: Command): void {
  addWatchOptions(
    program
      .command('top')
      .description('show the clients of a daemon: queues, rates, round trips, idle time')
      .addOption(
        new Option('--sort <key>', 'sort by this, the highest first')
          .choices(Object.keys(SORT_KEYS))
          .default('waiting'),
      )
      .option('--limit <n>', 'clients to print', integer(1, 100_000), 20)
      .option('--ended <n>', 'ended clients to print', integer(0, 1000), 5)
      .option('-w, --watch [time]', 'repeat every TIME (default: 2s)', duration)
      .option('--once', 'print once, also on a terminal')
      .option('--json', 'print JSON: an object on one line, for each round'),
  )
    .addHelpText('after', HELP)
    .action(top);
}

async function top(flags: TopFlags, command: Command): Promise<void> {
  const daemon = await watchedDaemon(flags, command);
  try {
    await show(daemon, flags);
  } finally {
    await daemon.close();
  }
}

async function show(daemon: WatchedDaemon, flags: TopFlags): Promise<void> {
  const isTerminal = process.stdout.isTTY === true;
  const repeats = flags.once !== true && (flags.watch !== undefined || (isTerminal && flags.json !== true));
  const stop = stopSignal();
  await daemon.status();
  await delay(BETWEEN_LOOKS_MS, undefined, { signal: stop }).catch(() => undefined);
  for (;;) {
    if (stop.aborted) return;
    const [status, trips] = await Promise.all([daemon.status(), roundTrips()]);
    const sessions = status.sessions.list.map(
      (session): TopSession => ({ ...session, roundTripMs: trips.get(plain(session.peer)) ?? null }),
    );
    const chosen = sorted(sessions, flags.sort);
    if (flags.json === true) {
      const { daemon: info, health, ended, limits } = status;
      const told = { daemon: info, health, limits, count: status.sessions.count };
      const list = chosen.slice(0, flags.limit);
      process.stdout.write(`${JSON.stringify({ ...told, sessions: list, ended: ended.slice(-flags.ended) })}\n`);
    } else {
      if (repeats && isTerminal) process.stdout.write('\u001b[H\u001b[2J');
      process.stdout.write(`${topText(status, chosen, flags.limit, flags.ended)}\n`);
    }
    if (!repeats) return;
    const everyMs = typeof flags.watch === 'number' ? flags.watch : DEFAULT_WATCH_MS;
    await delay(everyMs, undefined, { signal: stop }).catch(() => undefined);
  }
}
