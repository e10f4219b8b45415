/** The `skein` command: its sub-commands, and how every one of them ends. */
import { Command, CommanderError } from 'commander';
import { packageRelease } from '../daemon/release.ts';
import { ConfigError } from '../engine/config/config-error.ts';
import { registerAccess } from './access.ts';
import { registerCheck } from './check.ts';
import { registerConf } from './conf.ts';
import { registerContext } from './context.ts';
import { registerEvents } from './events.ts';
import { describeFailure, ExitCode, exitCodeOf, QuietExit } from './exit.ts';
import { registerFlood } from './flood.ts';
import { registerKeygen } from './keygen.ts';
import { registerMonitor } from './monitor.ts';
import { registerPasswd } from './passwd.ts';
import { registerPublish } from './publish.ts';
import { printError } from './standard-output.ts';
import { registerStart } from './start.ts';
import { registerState } from './state.ts';
import { registerSubscribe } from './subscribe.ts';
import { registerTop } from './top.ts';
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

/** Set by the whole program's `--verbose`, and by the environment of people who look for errors. */
const wantsStack = (program: Command): boolean =>
  program.opts<{ verbose?: true }>().verbose === true || (process.env['DEBUG'] ?? '') !== '';

/** The commands, with errors thrown instead of ending the process. */
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
  registerEvents(program);
  registerCheck(program);
  registerContext(program);
  registerConf(program);
  registerPasswd(program);
  registerAccess(program);
  registerState(program);
  registerKeygen(program);
  return program;
}

/** Commander's errors, with the program's name in front as all others have it, and without saying the value twice. */
const usageErrorText = (text: string): string =>
  text.replace(/^error: (?:command-argument value '.*' is invalid for argument '.*'\. )?/s, 'skein: ');

/** Runs one command line; resolves with the exit code. Never rejects. */
export async function run(args: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: 'user' });
    return ExitCode.Ok;
  } catch (error) {
    // Commander has printed its own already.
    if (error instanceof QuietExit) return error.exitCode;
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage;
    printError(failureText(error));
    if (wantsStack(program) && error instanceof Error) printError(error.stack ?? '');
    return exitCodeOf(error);
  }
}

/** A problem with a place in a file begins with the place, as editors and people expect. */
function failureText(error: unknown): string {
  const hasPlace = error instanceof ConfigError && error.problems[0]?.line !== undefined;
  return `${hasPlace ? '' : 'skein: '}${describeFailure(error)}`;
}
