import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { addressesFor, allHosts, type Segment } from '../engine/config/configuration.ts';
import { isLoopback, parseIpv4 } from '../engine/config/ipv4.ts';
import { DEFAULT_PORT } from '../engine/wire/limits.ts';
import { duration } from './arguments.ts';
import { CliError, ExitCode } from './exit.ts';
import { askStatus, type DaemonStatus, type MonitoredDaemon } from './monitor/ask-status.ts';
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
Daemons answer only to the addresses of their own configuration, so run it on the machine of one of them. Exit code 1 when a
daemon does not answer. Works with daemons of Spread 4 as well.

Examples:
  skein monitor
  skein monitor -c spread.conf --watch 2
  skein monitor -s 4803@10.0.0.7 --json`;

const DEFAULT_WATCH_MS = 2000;

export function registerMonitor(program: Command): void {
  program
    .command('monitor')
    .description('show the state of daemons')
    .addOption(new Option('-s, --spread <address>', 'one daemon: PORT or PORT@HOST').env('SKEIN_ADDRESS'))
    .addOption(new Option('-c, --config <file>', 'all daemons of a configuration').conflicts('spread'))
    .option('--from <address>', 'address of this machine that answers are sent to (default: found out)')
    .addOption(new Option('--timeout <time>', 'how long to wait for answers').argParser(duration).default(1000, '1s'))
    .option('-w, --watch [time]', 'again and again, every 2 s or so often', duration)
    .option('--json', 'print JSON: one array for each look, on one line')
    .addHelpText('after', HELP)
    .action(monitor);
}

async function monitor(flags: MonitorFlags): Promise<void> {
  const { daemons, answerAddress } = await daemonsToAsk(flags);
  const stop = stopSignal();
  let earlier: readonly DaemonStatus[] = [];
  for (;;) {
    const statuses = await askStatus(daemons, answerAddress, flags.timeout);
    print(statuses, earlier, flags);
    if (flags.watch === undefined) {
      const silent = statuses.filter(({ report }) => report === null).map(({ address, port }) => `${address}:${port}`);
      if (silent.length > 0) throw new CliError(`no answer from ${silent.join(', ')} within ${flags.timeout} ms`);
      return;
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
  const { loadConfiguration } = await import('../daemon/options-load.ts');
  const { segments } = (await loadConfiguration({ configFile: config })).configuration;
  const daemons = allHosts(segments).map((host) => ({
    name: host.name,
    address: addressesFor(host, 'monitor')[0] ?? host.address,
    port: segments[host.segment]!.port,
  }));
  return { daemons, answerAddress: from ?? ownAddress(segments) };
}

async function daemonAt(text: string): Promise<MonitoredDaemon> {
  const match = /^(\d{1,5})(?:@(.+))?$/.exec(text);
  const port = Number(match?.[1]);
  if (match === null || port < 1 || port > 65_535)
    throw new CliError(`address ${JSON.stringify(text)}: must be PORT or PORT@HOST, port 1 to 65535`, ExitCode.Usage);
  const name = match[2] ?? 'localhost';
  const found = await lookup(name, { family: 4 }).catch(() => null);
  if (found === null) throw new CliError(`host ${name} has no IPv4 address`, ExitCode.Usage);
  return { name, address: found.address, port };
}

/** The first address of the configuration that is this machine's. */
function ownAddress(segments: readonly Segment[]): string | undefined {
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((one) => one.address)));
  const configured = allHosts(segments).map((host) => host.address);
  return configured.find((address) => own.has(address) || isLoopback(address));
}
