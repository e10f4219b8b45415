/** The `skein` command: its sub-commands, their errors and exit codes. */
import { Command, CommanderError } from 'commander';
import { packageRelease } from '../daemon/release.ts';
import { ConfigError } from '../engine/config/config-error.ts';
import { registerAccess } from './access.ts';
import { registerCheck } from './check.ts';
import { registerConf } from './conf.ts';
import { registerContext } from './context.ts';
import { registerDrain } from './drain.ts';
import { registerEvents } from './events.ts';
import { describeFailure, ExitCode, exitCodeOf, QuietExit } from './exit.ts';
import { registerFlood } from './flood.ts';
import { registerKeygen } from './keygen.ts';
import { registerMonitor } from './monitor.ts';
import { registerPasswd } from './passwd.ts';
import { registerPublish } from './publish.ts';
import { registerReload } from './reload.ts';
import { printError } from './standard-output.ts';
import { registerStart } from './start.ts';
import { registerState } from './state.ts';
import { registerSubscribe } from './subscribe.ts';
import { registerTop } from './top.ts';
import { registerTrace } from './trace.ts';
import { registerUser } from './user.ts';

const AFTER_HELP = `
Addresses:
  4803             the Unix socket /tmp/4803
  4803@localhost   TCP; also localhost:4803, [::1]:4803, tcp://localhost:4803
  /run/x/4803      a Unix socket by its path
  Without --spread and SKEIN_ADDRESS: 4803, then 4803@localhost.

Exit codes:
  0  done    1  failed    2  wrong arguments or configuration
  "skein check" has those of Nagios.

Try:
  skein start &
  skein subscribe news &
  echo hello | skein publish news`;

/** By `--verbose` or a non-empty DEBUG. */
const wantsStack = (program: Command): boolean =>
  program.opts<{ verbose?: true }>().verbose === true || (process.env['DEBUG'] ?? '') !== '';

/** All commands. Errors are thrown and do not end the process. */
export function createProgram(): Command {
  const program = new Command('skein')
    .description(
      'Group communication: ordered, reliable multicast between programs, compatible with the Spread Toolkit.',
    )
    .version(packageRelease(), '-V, --version', 'print the version')
    .option('--verbose', 'print the stack of an error')
    .helpOption('-h, --help', 'print help, also for a command')
    .showHelpAfterError('(add --help for help)')
    .showSuggestionAfterError()
    .configureOutput({ outputError: (text, write) => write(usageErrorText(text)) })
    .addHelpText('after', AFTER_HELP)
    .exitOverride();
  registerStart(program);
  registerUser(program);
  registerPublish(program);
  registerSubscribe(program);
  registerFlood(program);
  registerMonitor(program);
  registerTop(program);
  registerTrace(program);
  registerEvents(program);
  registerDrain(program);
  registerReload(program);
  registerCheck(program);
  registerContext(program);
  registerConf(program);
  registerPasswd(program);
  registerAccess(program);
  registerState(program);
  registerKeygen(program);
  return program;
}

/** Commander's errors in the form of all others: with the program's name in front, and the value only once. */
const usageErrorText = (text: string): string =>
  text.replace(/^error: (?:command-argument value '.*' is invalid for argument '.*'\. )?/s, 'skein: ');

/** Runs one command line; resolves with the exit code. Never rejects. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
    return ExitCode.Ok;
  } catch (error) {
    // Commander has printed its errors already.
    if (error instanceof QuietExit) return error.exitCode;
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage;
    printError(failureText(error));
    if (wantsStack(program) && error instanceof Error) printError(error.stack ?? '');
    return exitCodeOf(error);
  }
}

/** A problem with a place begins with the place, which editors recognise. */
function failureText(error: unknown): string {
  const hasPlace = error instanceof ConfigError && error.problems[0]?.line !== undefined;
  return `${hasPlace ? '' : 'skein: '}${describeFailure(error)}`;
}
