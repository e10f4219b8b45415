import { type Command, Option } from 'commander';
import type { Daemon, DaemonListenAddress } from '../daemon/start-daemon.ts';
import {
  LOG_LEVELS,
  type LogLevel,
  THREADING_MODES,
  type ThreadingMode,
} from '../engine/config/configuration-options.ts';
import { ListenFailure } from '../workers/listen-failure.ts';
import { daemonOption, integer } from './arguments.ts';
import { CliError, describeFailure, ExitCode } from './exit.ts';
import { HangUp } from './hang-up.ts';
import { notifyServiceManager } from './service-manager.ts';
import { outputDoesNotMatter } from './standard-output.ts';
import { aborted, endSignal } from './stop-signal.ts';

interface StartFlags {
  readonly name?: string;
  readonly config?: string;
  readonly port?: number;
  readonly listen?: readonly string[];
  readonly unixSocket?: false;
  readonly threadingMode?: ThreadingMode;
  readonly deliveryWorkers?: number | 'auto';
  readonly logLevel?: LogLevel;
  readonly log?: 'y' | 'n';
  readonly option?: Readonly<Record<string, unknown>>;
  readonly drainTimeout: number;
  readonly json?: true;
}

const HELP = `
Without -c the configuration is ./spread.conf, else /etc/spread.conf. Without a
file the daemon is alone, on 127.0.0.1:4803 and the Unix socket /tmp/4803.

One line on standard output reports that clients can connect. The log goes to
standard error, one JSON object for each line.

-o takes every option of a configuration file, with a small first letter;
"skein conf options" lists them.

SIGTERM drains the daemon: clients that understand it are told to move to other
daemons of the ring, for DrainTime at most. Then, and at once at SIGINT, it
stops after it has ordered and delivered what its clients have sent. A second
signal ends it at once. SIGHUP opens the log file again and reloads options and
files. SIGUSR1 and SIGUSR2 log a line of status.

Examples:
  skein start
  skein start -c spread.conf -n berlin
  skein start --port 5000 --threading-mode shared -o maxSessions=100`;

export function registerStart(program: Command): void {
  const modes = new Option('--threading-mode <mode>', 'how the parts of the daemon share threads').choices(
    THREADING_MODES,
  );
  const levels = new Option('--log-level <level>', 'least severe line that is logged').choices(LOG_LEVELS);
  const oneOfTwo = new Option('-l, --log <y|n>', 'write the log to NAME.log, as Spread does').choices(['y', 'n']);
  program
    .command('start')
    .description('run a daemon')
    .option('-n, --name <name>', "this daemon's entry in the configuration")
    .option('-c, --config <file>', 'configuration in the format of spread.conf')
    .option('-p, --port <port>', 'port for clients; 0: any free port', integer(0, 65_535))
    .option('--listen <address>', 'IPv4 address for clients instead of the configured ones; repeatable', collect)
    .option('--no-unix-socket', 'no Unix socket')
    .addOption(modes)
    .option('--delivery-workers <n>', 'workers that serve clients: a number, or auto', workers)
    .addOption(levels)
    .addOption(oneOfTwo)
    .option('-o, --option <name=value>', 'any other option of the daemon; repeatable', daemonOption)
    .addOption(
      new Option('--drain-timeout <ms>', 'time to deliver what clients have sent when stopping, behind DrainTime')
        .argParser(integer(0, 600_000))
        .default(2000),
    )
    .option('--json', 'print the ready line as JSON')
    .addHelpText('after', HELP)
    .action(start);
}

const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];
const workers = (text: string): number | 'auto' => (text === 'auto' ? text : integer(1, 64)(text));

async function start(flags: StartFlags): Promise<void> {
  outputDoesNotMatter();
  let running: Daemon | null = null;
  let hangUp: HangUp | null = null;
  process.on('SIGHUP', () => void hangUp?.signalled());
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => running?.logStatus());
  const stop = endSignal();
  // Loaded here, so that the other commands start without the daemon's code.
  const { startDaemon, addressText } = await import('../daemon/start-daemon.ts');
  const { findConfigFile } = await import('../daemon/options-load.ts');
  const configFile = flags.config ?? (await findConfigFile()) ?? undefined;
  const options = { ...flags.option, ...daemonOptions(flags), configFile };
  const daemon = await startDaemon({ ...options, ...(await logFile(flags, options)) }).catch(explain);
  running = daemon;
  hangUp = new HangUp(daemon);
  process.stdout.write(`${flags.json === true ? readyJson(daemon) : readyText(daemon, addressText)}\n`);
  void notifyServiceManager(['READY=1', `STATUS=serves clients on ${daemon.addresses.map(addressText).join(', ')}`]);
  // A reader of the ready line may close the pipe from here on.
  await Promise.race([aborted(stop), daemon.closed.catch(explain)]);
  // Who presses Ctrl-C waits for the end; a service manager can wait for clients that move.
  const isDrain = stop.reason !== 'SIGINT';
  const status = isDrain ? 'lets clients move to other daemons' : 'delivers what clients have sent';
  void notifyServiceManager(['STOPPING=1', `STATUS=${status}, then stops`]);
  const drainTimeoutMs = flags.drainTimeout;
  await (isDrain ? daemon.drain({ drainTimeoutMs }) : daemon.stop({ drainTimeoutMs }));
  await daemon.closed.catch(explain);
}

function daemonOptions(flags: StartFlags): object {
  const { name, port, listen, threadingMode, deliveryWorkers, logLevel } = flags;
  const unixSocketDir = flags.unixSocket === false ? null : undefined;
  const given = { name, port, listen, threadingMode, deliveryWorkers, logLevel, unixSocketDir };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** The file has the name of the daemon, which depends on the whole configuration. */
async function logFile(flags: StartFlags, options: object): Promise<object> {
  if (flags.log === undefined) return {};
  if (flags.log === 'n') return { eventLogFile: null };
  const { loadOptions } = await import('../daemon/options-load.ts');
  return { eventLogFile: `${(await loadOptions(options)).self.name}.log` };
}

function readyText(daemon: Daemon, addressText: (address: DaemonListenAddress) => string): string {
  const { name, addresses, threadingMode, httpUrls } = daemon;
  const where = addresses.map(addressText).join(', ');
  const dashboard = httpUrls.length === 0 ? '' : `; dashboard: ${httpUrls.join(', ')}`;
  return `skein: daemon ${name} ready on ${where} (threading mode ${threadingMode})${dashboard}`;
}

const readyJson = ({ name, addresses, port, threadingMode, httpUrls }: Daemon): string =>
  JSON.stringify({ event: 'ready', name, addresses, port, threadingMode, httpUrls, pid: process.pid });

/** An address in use is a failure, not a usage error: the same command may succeed later. */
function explain(error: unknown): never {
  const { cause } = error as Error;
  if (!(cause instanceof ListenFailure)) throw error;
  const isPortTaken = cause.purpose === 'tcp' && cause.code === 'EADDRINUSE';
  const hint = isPortTaken ? '; --port chooses another port' : '';
  throw new CliError(`${describeFailure(error)}${hint}`, ExitCode.Failure, { cause: error });
}
