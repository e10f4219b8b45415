import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { parseIpv4 } from '../engine/config/ipv4.ts';
import { DEFAULT_PORT } from '../engine/wire/limits.ts';
import { duration } from './arguments.ts';
import { CliError, ExitCode } from './exit.ts';
import { askStatus, type DaemonStatus } from './monitor/ask-status.ts';
import { daemonAt, loadCluster } from './monitor/cluster.ts';
import { registerMonitorCommands } from './monitor/commands.ts';
import type { MonitoredDaemon } from './monitor/exchange.ts';
import { silenceHint } from './monitor/silence.ts';
import { statusTable } from './monitor/status-table.ts';
import { stopSignal } from './stop-signal.ts';

interface MonitorFlags {
  readonly spread?: string;
  readonly config?: string;
  readonly from?: string;
  readonly timeout: number;
  readonly watch?: number | true;
  readonly json?: true;
}

const HELP = `
Daemons answer only to addresses of their own configuration, so run the command
on the machine of one of them; --from gives the address that the configuration
has. The exit code is 1 when a daemon does not answer. Daemons of Spread 4
answer as well.

Examples:
  skein monitor
  skein monitor -c spread.conf --watch 2
  skein monitor -s 4803@10.0.0.7 --json
  skein monitor partition berlin,paris tokyo -c spread.conf
  skein monitor flow --window 100 --personal 15 -c spread.conf`;

const DEFAULT_WATCH_MS = 2000;

export function registerMonitor(program: Command): void {
  const command = program
    .command('monitor')
    .description('show the state of daemons, or change it')
    .addOption(new Option('-s, --spread <address>', 'one daemon: PORT or PORT@HOST').env('SKEIN_ADDRESS'))
    .addOption(new Option('-c, --config <file>', 'all daemons of a configuration'))
    .option('--from <address>', 'address of this machine that answers are sent to (default: detected)')
    .addOption(new Option('--timeout <time>', 'time to wait for answers').argParser(duration).default(1000, '1s'))
    .option('-w, --watch [time]', 'repeat every TIME (default: 2s), with rates', duration)
    .option('--json', 'print JSON: one array on one line, for each round')
    .addHelpText('after', HELP)
    .hook('preAction', oneOfBoth)
    .action(monitor);
  registerMonitorCommands(command);
}

/** A configuration overrides an address from the environment, but not one on the command line. */
function oneOfBoth(command: Command): void {
  if (command.opts<MonitorFlags>().config !== undefined && command.getOptionValueSource('spread') === 'cli')
    throw new CliError('give --config or --spread, not both', ExitCode.Usage);
}

async function monitor(flags: MonitorFlags): Promise<void> {
  const { daemons, answerAddress } = await daemonsToAsk(flags);
  const stop = stopSignal();
  let earlier: readonly DaemonStatus[] = [];
  for (;;) {
    const statuses = await askStatus(daemons, answerAddress, flags.timeout);
    print(statuses, earlier, flags);
    if (flags.watch === undefined) {
      const silent = statuses.filter(({ report }) => report === null);
      if (silent.length === 0) return;
      const names = silent.map(({ address, port }) => `${address}:${port}`).join(', ');
      const hint = await silenceHint(silent[0]!, answerAddress, flags.from !== undefined);
      throw new CliError(`no answer from ${names} within ${flags.timeout} ms${hint}`);
    }
    earlier = statuses;
    const everyMs = flags.watch === true ? DEFAULT_WATCH_MS : flags.watch;
    await delay(everyMs, undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
  }
}

function print(statuses: readonly DaemonStatus[], earlier: readonly DaemonStatus[], flags: MonitorFlags): void {
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(statuses)}\n`);
    return;
  }
  const isLive = flags.watch !== undefined && process.stdout.isTTY === true;
  if (isLive) process.stdout.write('\u001b[H\u001b[2J');
  process.stdout.write(`${statusTable(statuses, earlier)}\n`);
}

interface Question {
  readonly daemons: readonly MonitoredDaemon[];
  readonly answerAddress: string | undefined;
}

async function daemonsToAsk({ config, spread, from }: MonitorFlags): Promise<Question> {
  if (from !== undefined && parseIpv4(from) === null)
    throw new CliError(`--from ${from}: must be an IPv4 address of this machine`, ExitCode.Usage);
  if (config === undefined) return { daemons: [await daemonAt(spread ?? String(DEFAULT_PORT))], answerAddress: from };
  const { daemons, ownAddress } = await loadCluster(config);
  return { daemons, answerAddress: from ?? ownAddress };
}
