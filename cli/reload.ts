import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { OptionDifference } from '../daemon/reload/option-changes.ts';
import type { ReloadReport } from '../daemon/reload/reloader.ts';
import { CliError, ExitCode, QuietExit } from './exit.ts';
import { printable } from './text.ts';
import { addHttpOptions, administeredDaemon, type HttpFlags } from './watch/watch-flags.ts';

interface ReloadFlags extends HttpFlags {
  readonly json?: true;
  readonly pid?: string;
}

const HELP = `
The daemon reads its configuration and the files that it names again, and puts
in force what it can without a restart: all of it, or with a mistake anywhere
nothing. The answer says what changed, what takes a restart, and what belongs
to the ring (drift).

It needs a token with the right admin: in HttpTokenFile, a line "TOKEN admin".
A daemon without HTTP takes a signal: --pid sends it SIGHUP, and the answer is
in its log.

Exit codes: 0 in force, 1 the daemon could not be asked, 2 refused: nothing has
changed

Examples:
  skein reload --token-file token
  skein reload --context berlin --json
  skein reload --pid /run/skein.pid`;

export function registerReload(program: Command): void {
  addHttpOptions(
    program
      .command('reload')
      .description('have a daemon read its options and files again')
      .addOption(
        new Option(
          '--pid <pid>',
          'send SIGHUP to this process, a number or a file with it, in place of HTTP',
        ).conflicts('http'),
      )
      .option('--json', 'print JSON'),
  )
    .addHelpText('after', HELP)
    .action(reload);
}

async function reload(flags: ReloadFlags): Promise<void> {
  if (flags.pid !== undefined) {
    signal(flags.pid);
    return;
  }
  const daemon = administeredDaemon(flags);
  const answer = await daemon.reload();
  if (flags.json === true) print(JSON.stringify(answer));
  else if ('refused' in answer) {
    for (const problem of answer.problems) process.stderr.write(`${printable(problem)}\n`);
    process.stderr.write('options not reloaded; the old ones stay in force\n');
  } else for (const line of linesOf(answer)) print(line);
  if ('refused' in answer) throw new QuietExit(ExitCode.Usage);
}

function linesOf({ generation, changed, restart, drift, warnings }: ReloadReport): readonly string[] {
  const list = (word: string, differences: readonly OptionDifference[]): readonly string[] =>
    differences.map(({ option, was, now, because }) => {
      const why = because === undefined ? '' : ` (${because})`;
      return `${word} ${option}: ${was} -> ${now}${why}`;
    });
  const lines = [...list('changed', changed), ...list('restart', restart), ...list('drift  ', drift)];
  const texts = warnings.map((warning) => `warning ${warning}`);
  return [
    `options reloaded, generation ${generation}`,
    ...(lines.length === 0 ? ['nothing differs'] : lines),
    ...texts,
  ].map(printable);
}

/** @throws CliError when there is no such process, or it is another user's */
function signal(given: string): void {
  const text = /^\d+$/.test(given) ? given : pidIn(given);
  if (!/^[1-9]\d{0,9}$/.test(text))
    throw new CliError(`--pid ${given}: must be a process number from 1, or a file with one`, ExitCode.Usage);
  const pid = Number(text);
  try {
    process.kill(pid, 'SIGHUP');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ESRCH' ? 'there is no such process' : code === 'EPERM' ? "it is another user's" : message;
    throw new CliError(`process ${pid}: ${reason}`);
  }
  print(`process ${pid} got SIGHUP; the answer is in its log`);
}

function pidIn(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new CliError(`--pid ${path}: cannot be read: ${(error as Error).message}`, ExitCode.Usage, { cause: error });
  }
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
