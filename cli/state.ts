import type { Command } from 'commander';
import { fileReason } from '../daemon/file-reason.ts';
import type { StateEntry } from '../daemon/state-folder.ts';
import { integer } from './arguments.ts';
import { CliError, ExitCode } from './exit.ts';
import { confirm } from './monitor/confirm.ts';
import { counted, table } from './text.ts';

const SHOW_HELP = `
The exit code is 1 when a number is broken (its daemon does not start) or
exhausted (its daemon stays alone).

Examples:
  skein state show /var/lib/skein
  skein state show /var/lib/skein --json`;

const REPAIR_HELP = `
Replaces broken and exhausted numbers by fresh ones, and keeps the old files
under names that begin with "old-". Stop the daemons of the folder first.
Replace exhausted ring sequence numbers on all hosts while all daemons are
stopped, because daemons tell each other the highest.

Examples:
  skein state repair /var/lib/skein
  skein state repair /var/lib/skein berlin --ring-seq 1795760000`;

interface RepairFlags {
  readonly incarnation?: number;
  readonly ringSeq?: number;
  readonly doubtful?: true;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

interface Replacement {
  readonly daemon: string;
  readonly number: StateEntry['number'];
  readonly from: number | null;
  readonly to: number;
  readonly reason: string;
  /** File with the old content; null: there was none. */
  readonly kept: string | null;
}

export function registerState(program: Command): void {
  const state = program.command('state').description('show and repair the numbers that daemons keep in StateDir');
  state
    .command('show')
    .description('show the numbers, and which are wrong')
    .argument('<folder>', 'StateDir of the configuration')
    .option('--json', 'print JSON')
    .addHelpText('after', SHOW_HELP)
    .action(show);
  state
    .command('repair')
    .description('replace numbers a daemon cannot use')
    .argument('<folder>', 'StateDir of the configuration')
    .argument('[daemons...]', 'only the numbers of these daemons (default: all)')
    .option('--incarnation <n>', 'set the incarnation of one daemon', integer(0, 2 ** 48 - 2))
    .option('--ring-seq <n>', 'set the ring sequence number of one daemon', integer(0, 0xffff_0000))
    .option('--doubtful', 'also replace numbers that are far ahead of the clock')
    .option('--dry-run', 'print what would be done, and do nothing')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print JSON')
    .addHelpText('after', REPAIR_HELP)
    .action(repair);
}

async function show(folder: string, flags: { readonly json?: true }): Promise<void> {
  const entries = await inspect(folder);
  if (flags.json === true) printJson({ folder, entries });
  else if (entries.length === 0) process.stdout.write(`${folder}: no daemon keeps numbers here\n`);
  else process.stdout.write(`${table([HEADINGS, ...entries.map(row)], TEXT_COLUMNS)}\n`);
  const unusable = entries.filter(isUnusable);
  if (unusable.length > 0)
    throw new CliError(`${counted(unusable.length, 'number')} cannot be used: skein state repair ${folder}`);
}

const HEADINGS = ['daemon', 'number', 'value', 'as a date', 'state'];
const TEXT_COLUMNS = [0, 1, 3, 4];

const row = ({ daemon, number, value, date, verdict, problem }: StateEntry): string[] => [
  daemon,
  number,
  value === null ? '-' : String(value),
  date ?? '-',
  problem === null ? verdict : `${verdict}: ${problem}`,
];

const isUnusable = ({ verdict }: StateEntry): boolean => verdict === 'broken' || verdict === 'exhausted';

async function repair(folder: string, daemons: readonly string[], flags: RepairFlags): Promise<void> {
  const { freshNumber, replaceNumber } = await import('../daemon/state-folder.ts');
  const nowMs = Date.now();
  const entries = await inspect(folder);
  const chosen = choose(entries, folder, daemons, flags);
  const values = chosen.map((entry) => given(entry, flags) ?? freshNumber(entry, nowMs));
  const asks = flags.dryRun !== true && flags.yes !== true;
  const verb = flags.dryRun === true || asks ? 'would become' : 'becomes';
  const plan = chosen.map((entry, i) => `${entry.daemon}: ${entry.number} ${verb} ${values[i]} (${beforeOf(entry)})`);
  if (flags.json !== true && plan.length > 0) process.stdout.write(`${plan.join('\n')}\n`);
  if (asks && chosen.length > 0)
    await confirm(`Replace ${counted(chosen.length, 'number')}? The daemons of ${folder} must be stopped.`);
  const replaced: Replacement[] = [];
  for (const [i, entry] of chosen.entries()) {
    const to = values[i]!;
    const kept = flags.dryRun === true ? null : await replaceNumber(entry, folder, to, nowMs);
    replaced.push({ daemon: entry.daemon, number: entry.number, from: entry.value, to, reason: reasonOf(entry), kept });
  }
  if (flags.json === true) printJson({ folder, dryRun: flags.dryRun === true, replaced });
  else if (replaced.length === 0) process.stdout.write(`${folder}: nothing to repair\n`);
}

function choose(
  entries: readonly StateEntry[],
  folder: string,
  daemons: readonly string[],
  flags: RepairFlags,
): readonly StateEntry[] {
  const known = [...new Set(entries.map(({ daemon }) => daemon))];
  const stranger = daemons.find((name) => !known.includes(name));
  if (stranger !== undefined)
    throw new CliError(
      `${folder} holds no number of a daemon "${stranger}"; it has ${known.join(', ') || 'none'}`,
      ExitCode.Usage,
    );
  const isGiven = flags.incarnation !== undefined || flags.ringSeq !== undefined;
  if (isGiven && daemons.length !== 1)
    throw new CliError(
      '--incarnation and --ring-seq set numbers of one daemon: name it after the folder',
      ExitCode.Usage,
    );
  const mine = daemons.length === 0 ? entries : entries.filter(({ daemon }) => daemons.includes(daemon));
  if (isGiven) return mine.filter((entry) => given(entry, flags) !== undefined);
  return mine.filter((entry) => isUnusable(entry) || (flags.doubtful === true && entry.verdict === 'doubtful'));
}

const given = ({ number }: StateEntry, { incarnation, ringSeq }: RepairFlags): number | undefined =>
  number === 'incarnation' ? incarnation : ringSeq;

const beforeOf = ({ value, problem }: StateEntry): string => problem ?? `now ${value ?? 'missing'}`;

const reasonOf = ({ verdict, problem }: StateEntry): string => problem ?? verdict;

async function inspect(folder: string): Promise<readonly StateEntry[]> {
  const { inspectStateFolder } = await import('../daemon/state-folder.ts');
  return inspectStateFolder(folder, Date.now()).catch((error: Error) => {
    throw new CliError(`${folder} cannot be read: ${fileReason(error)}`, ExitCode.Failure, { cause: error });
  });
}

const printJson = (value: object): void => {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
};
