import type { Command } from 'commander';
import type { LoggedEvent, StopReport } from '../daemon/http/status-types.ts';
import { CliError, ExitCode, QuietExit } from './exit.ts';
import { isContextName, readContexts } from './http/contexts.ts';
import { stopSignal } from './stop-signal.ts';
import { isCleanStop, stopText } from './stop-text.ts';
import type { HttpDaemon } from './watch/http-daemon.ts';
import { addHttpOptions, administeredDaemon, type HttpFlags } from './watch/watch-flags.ts';

interface DrainFlags extends HttpFlags {
  readonly atOnce?: true;
  readonly wait?: true;
  readonly json?: true;
}

const HELP = `
NAME is the daemon's name in its configuration. It must be that of the daemon
that answers. Where neither --http nor --context is given, and there is a
context of that name, it says where the daemon is.

The daemon takes no new clients. Clients that understand it are told to move to
other daemons of the ring, a few at a time, for DrainTime at most; then the
daemon ends the others, and itself. With --at-once nobody is told: the members
of its groups get one network view for all of its clients.

It needs a token with the right admin: in HttpTokenFile, a line "TOKEN admin".

Exit codes: 0 the daemon drains, with --wait: it has ended and lost nothing;
1 failed, with --wait: also when it ended and cut something off

Examples:
  skein drain berlin --wait
  skein drain berlin --http http://10.0.0.1:4880 --token-file token
  skein drain berlin --at-once`;

export function registerDrain(program: Command): void {
  addHttpOptions(
    program
      .command('drain')
      .description('let the clients of a daemon move to others, then stop it')
      .argument('<name>', 'the daemon')
      .option('--at-once', 'stop it without letting clients move')
      .option('--wait', 'until it has ended; prints what was cut off')
      .option('--json', 'print JSON'),
  )
    .addHelpText('after', HELP)
    .action(drain);
}

async function drain(name: string, flags: DrainFlags): Promise<void> {
  const daemon = administeredDaemon({ ...flags, ...contextOf(name, flags) });
  const path = `drain?daemon=${encodeURIComponent(name)}${flags.atOnce === true ? '&at-once=1' : ''}`;
  if (flags.wait !== true) {
    const answer = await daemon.post(path);
    if (flags.json === true) print(JSON.stringify(answer));
    else print(flags.atOnce === true ? `${name} stops` : `${name} drains, and will end`);
    return;
  }
  const report = await endOf(daemon, path);
  if (flags.json === true) print(JSON.stringify({ daemon: name, stopped: true, ...report }));
  else print(`${name} has ended: ${stopText(report)}`);
  if (!isCleanStop(report)) throw new QuietExit(ExitCode.Failure);
}

function contextOf(name: string, { http, context }: DrainFlags): { readonly context?: string } {
  if (http !== undefined || context !== undefined || !isContextName(name)) return {};
  return Object.hasOwn(readContexts().contexts, name) ? { context: name } : {};
}

/** Follows its events from before the request on, so that the last one is not missed. */
async function endOf(daemon: HttpDaemon, path: string): Promise<StopReport> {
  const stop = stopSignal();
  let isRequested = false;
  for await (const { kind, data } of daemon.events('0', stop)) {
    if (!isRequested) {
      isRequested = true;
      await daemon.post(path);
    }
    if (kind !== 'daemon') continue;
    const event = JSON.parse(data) as LoggedEvent;
    if (event.kind === 'daemon' && event.what === 'stopped') return event.report;
  }
  throw new CliError(
    stop.aborted
      ? 'not waited for any longer; the daemon drains on'
      : `${daemon.label}: the connection ended, and the daemon did not say that it has stopped`,
  );
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
