import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { ServiceName, TraceEvent } from '../daemon/trace/trace-types.ts';
import { duration, integer } from './arguments.ts';
import { CliError, ExitCode } from './exit.ts';
import { stopSignal } from './stop-signal.ts';
import { eventLine, probeText } from './trace/trace-text.ts';
import { addWatchOptions, type WatchFlags, watchedDaemon } from './watch/watch-flags.ts';
import type { WatchedDaemon } from './watch/watched-daemon.ts';

interface TraceFlags extends WatchFlags {
  readonly probe?: true;
  readonly service: ServiceName;
  readonly every: number;
  readonly wait: number;
  readonly count?: number;
  readonly for?: number;
  readonly data?: true;
  readonly json?: true;
}

const SERVICES: readonly ServiceName[] = ['unreliable', 'reliable', 'fifo', 'causal', 'agreed', 'safe'];

const HELP = `
Shows what passes in a group, in the order of the daemon that is asked: messages
with sender, service, type and length, and members that come and go. Contents
are shown with --data only, over the client port, to users with "join" as well.

--probe sends a message of the ring that no client receives, and shows when each
daemon had it, and who held it back: a daemon that stood still, the one whose
aru was last to cover it, flow control, the token, or a client that does not
read. Clocks of hosts differ: each time has the bound of its error.

Examples:
  skein trace prices
  skein trace prices --count 10 --json
  skein trace prices --probe --service safe --every 1s
  skein trace prices --probe --count 1 -s 4803@10.0.0.1 --login alice`;

export function registerTrace(program: Command): void {
  addWatchOptions(
    program
      .command('trace')
      .description('show what passes in a group, and who holds messages back')
      .argument('<group>', 'name of the group')
      .option('--probe', 'send probes, and show their way')
      .addOption(new Option('--service <service>', 'of the probes').choices(SERVICES).default('safe'))
      .addOption(new Option('--every <time>', 'between probes').argParser(duration).default(1000, '1s'))
      .addOption(new Option('--wait <time>', 'for a probe to be delivered').argParser(duration).default(10_000, '10s'))
      .option('--count <n>', 'end after so many events or probes', integer(1, 1_000_000_000))
      .addOption(new Option('--for <time>', 'end after this time').argParser(duration))
      .option('--data', 'show contents, the first 1024 bytes of each')
      .option('--json', 'print each event or probe as a line of JSON'),
  )
    .addHelpText('after', HELP)
    .action(trace);
}

async function trace(group: string, flags: TraceFlags, command: Command): Promise<void> {
  if (flags.probe === true && flags.data === true)
    throw new CliError('--data is of no use with --probe: probes have no contents', ExitCode.Usage);
  const daemon = await watchedDaemon(flags, command);
  const stop = stopSignal();
  const end = flags.for === undefined ? stop : AbortSignal.any([stop, AbortSignal.timeout(flags.for)]);
  try {
    if (flags.probe === true) await probes(daemon, group, flags, end);
    else await follow(daemon, group, flags, end);
  } finally {
    await daemon.close();
  }
}

async function follow(daemon: WatchedDaemon, group: string, flags: TraceFlags, end: AbortSignal): Promise<void> {
  let left = flags.count ?? Number.POSITIVE_INFINITY;
  for await (const { kind, data } of daemon.trace(group, flags.data === true, end)) {
    if (kind !== 'traced') continue;
    const event = JSON.parse(data) as TraceEvent;
    process.stdout.write(`${flags.json === true ? JSON.stringify(event) : eventLine(event)}\n`);
    if (event.kind !== 'missed' && --left === 0) return;
  }
  if (!end.aborted) throw new CliError(`${daemon.label}: the daemon ended the trace`);
}

async function probes(daemon: WatchedDaemon, group: string, flags: TraceFlags, end: AbortSignal): Promise<void> {
  let isLate = false;
  for (let left = flags.count ?? Number.POSITIVE_INFINITY; left > 0 && !end.aborted; left--) {
    const result = await daemon.probe({ group, service: flags.service, timeoutMs: flags.wait });
    process.stdout.write(`${flags.json === true ? JSON.stringify(result) : probeText(result)}\n`);
    isLate = result.outcome === 'timeout';
    if (left > 1) await delay(flags.every, undefined, { signal: end }).catch(() => undefined);
  }
  if (isLate) throw new CliError(`the last probe was not delivered within ${flags.wait} ms`);
}
