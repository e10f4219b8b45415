import { type Command, type CommanderError, InvalidArgumentError } from 'commander';
import { CHECKS, type Check, judge, type Thresholds, type Verdict } from '../daemon/http/checks.ts';
import { ExitCode, QuietExit } from './exit.ts';
import { counted, table } from './text.ts';
import { addWatchOptions, type WatchFlags, watchedDaemon } from './watch/watch-flags.ts';
import { NoAnswer, type WatchedDaemon } from './watch/watched-daemon.ts';

type Limits = Readonly<Record<string, number | null>>;

interface CheckFlags extends WatchFlags {
  readonly warning?: Limits;
  readonly critical?: Limits;
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly list?: true;
  readonly json?: true;
}

/** The exit codes of Nagios plugins, which differ from those of the other commands. */
const NAGIOS_CODES: Readonly<Record<Verdict, ExitCode>> = { ok: 0, warning: 1, critical: 2, unknown: 3 };
const SEVERITY: readonly Verdict[] = ['ok', 'unknown', 'warning', 'critical'];

const HELP = `
Checks a daemon against the thresholds of the Prometheus alerting rules
(ops/prometheus/skein.rules.yml), and prints one line for Nagios and compatible
monitors. Increases are over the last five minutes, as the daemon counts them.

Exit codes: 0 ok, 1 warning, 2 critical, 3 unknown (also for wrong arguments)

Examples:
  skein check
  skein check --http http://10.0.0.1:4880 --token-file token
  skein check --only ready members-absent --critical members-absent=0
  skein check --list`;

export function registerCheck(program: Command): void {
  addWatchOptions(
    program
      .command('check')
      .description('check a daemon against thresholds, for Nagios and compatible monitors')
      .option('--warning <name=value>', 'change a threshold; "none" switches it off; repeatable', limit)
      .option('--critical <name=value>', 'the same for critical', limit)
      .option('--only <names...>', 'only these checks', checkName)
      .option('--skip <names...>', 'all but these', checkName)
      .option('--list', 'print the checks and their thresholds')
      .option('--json', 'print JSON'),
  )
    .addHelpText('after', HELP)
    // Nagios reads the usual code of a usage error, 2, as "critical".
    .exitOverride((error: CommanderError) => {
      throw new QuietExit(error.exitCode === 0 ? ExitCode.Ok : ExitCode.NagiosUnknown);
    })
    .action(check);
}

const NAMES: ReadonlySet<string> = new Set(CHECKS.map(({ name }) => name));

function checkName(name: string, earlier: readonly string[] = []): readonly string[] {
  if (!NAMES.has(name)) throw new InvalidArgumentError(`There is no check "${name}"; --list prints them.`);
  return [...earlier, name];
}

function limit(text: string, earlier: Limits = {}): Limits {
  const [name = '', value = ''] = text.split('=', 2);
  const number = value === 'none' ? null : /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!NAMES.has(name) || Number.isNaN(number))
    throw new InvalidArgumentError('It must be NAME=NUMBER or NAME=none, with a name that --list prints.');
  return { ...earlier, [name]: number };
}

interface Judged {
  readonly name: string;
  readonly value: number | null;
  readonly verdict: Verdict;
  readonly limits: Thresholds;
  readonly check: Check;
}

async function check(flags: CheckFlags, command: Command): Promise<void> {
  const chosen = CHECKS.filter(
    ({ name }) => (flags.only?.includes(name) ?? true) && flags.skip?.includes(name) !== true,
  );
  if (flags.list === true) {
    list(chosen, flags);
    return;
  }
  let daemonName = '';
  let judged: readonly Judged[];
  let daemon: WatchedDaemon | null = null;
  try {
    daemon = await watchedDaemon(flags, command);
    const status = await daemon.status();
    daemonName = status.daemon.name;
    judged = chosen.map((one) => judgement(one, status.checks[one.name] ?? null, flags));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const verdict: Verdict = error instanceof NoAnswer ? 'critical' : 'unknown';
    if (flags.json === true) print(JSON.stringify({ daemon: null, verdict, reason: message, checks: [] }));
    else print(`SKEIN ${verdict.toUpperCase()} - ${message}`);
    throw new QuietExit(NAGIOS_CODES[verdict]);
  } finally {
    await daemon?.close();
  }
  const worst = judged.reduce<Verdict>(
    (most, { verdict }) => (SEVERITY.indexOf(verdict) > SEVERITY.indexOf(most) ? verdict : most),
    'ok',
  );
  if (flags.json === true) printJson(daemonName, worst, judged);
  else printNagios(daemonName, worst, judged);
  if (worst !== 'ok') throw new QuietExit(NAGIOS_CODES[worst]);
}

function judgement(check: Check, value: number | null, flags: CheckFlags): Judged {
  const { name, trouble } = check;
  const own = (given: Limits | undefined, standard: number | null): number | null =>
    given !== undefined && Object.hasOwn(given, name) ? given[name]! : standard;
  const limits = { warning: own(flags.warning, check.warning), critical: own(flags.critical, check.critical) };
  return { name, value, verdict: judge(value, trouble, limits), limits, check };
}

function printNagios(daemonName: string, worst: Verdict, judged: readonly Judged[]): void {
  const troubles = judged.filter(({ verdict }) => verdict !== 'ok');
  const said = troubles.map(({ name, value, check, verdict }) =>
    verdict === 'unknown' ? `${name}: the daemon does not report it` : `${name} ${number(value)}: ${check.meaning}`,
  );
  const text = said.length === 0 ? counted(judged.length, 'check') : said.join('; ');
  const figures = judged.map(({ name, value, limits, check }) => {
    // Ranges of Nagios: "N" alerts above N, "N:" below N.
    const range = (one: number | null): string =>
      one === null ? '' : check.trouble === 'above' ? String(one) : `${one}:`;
    const figure = value === null ? 'U' : number(value);
    return `'${name}'=${figure}${check.unit === 'seconds' ? 's' : ''};${range(limits.warning)};${range(limits.critical)}`;
  });
  print(`SKEIN ${worst.toUpperCase()} - ${daemonName}: ${text} | ${figures.join(' ')}`);
  for (const { name, check } of troubles) print(`${name}: ${check.advice}`);
}

const number = (value: number | null): string => (value === null ? 'U' : String(Math.round(value * 1e4) / 1e4));

function printJson(daemon: string, verdict: Verdict, judged: readonly Judged[]): void {
  const checks = judged.map(({ name, value, verdict: own, limits, check }) => ({
    name,
    value,
    verdict: own,
    ...limits,
    meaning: check.meaning,
    advice: check.advice,
  }));
  print(JSON.stringify({ daemon, verdict, reason: null, checks }));
}

function list(chosen: readonly Check[], flags: CheckFlags): void {
  const rows = chosen.map((one) => ({ ...one, ...judgement(one, null, flags).limits }));
  if (flags.json === true) {
    print(
      JSON.stringify(
        rows.map(({ name, trouble, warning, critical, meaning, advice }) => ({
          name,
          trouble,
          warning,
          critical,
          meaning,
          advice,
        })),
      ),
    );
    return;
  }
  const cells = rows.map(({ name, trouble, warning, critical, meaning }) => [
    name,
    warning === null ? '-' : `${trouble} ${warning}`,
    critical === null ? '-' : `${trouble} ${critical}`,
    meaning,
  ]);
  print(table([['check', 'warning', 'critical', 'meaning'], ...cells], [0, 1, 2, 3]));
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
