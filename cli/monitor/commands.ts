/** The commands of `skein monitor` that change a running cluster (client-protocol.md, 10.3). */
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import { VERDICT_TEXTS } from '../../engine/wire/monitor-answer.ts';
import type { MonitorCommand } from '../../engine/wire/monitor-commands.ts';
import { duration, integer } from '../arguments.ts';
import { CliError, ExitCode } from '../exit.ts';
import { stopSignal } from '../stop-signal.ts';
import { type Cluster, type ConfiguredDaemon, commandKeys, loadCluster } from './cluster.ts';
import { componentsOf, nodeOf } from './components.ts';
import { confirm } from './confirm.ts';
import { type CommandResult, sendCommand } from './send-command.ts';
import { silenceHint } from './silence.ts';

interface CommandFlags {
  readonly config?: string;
  readonly spread?: string;
  readonly from?: string;
  readonly timeout: number;
  readonly json?: true;
  readonly yes?: true;
}

interface PartitionFlags extends CommandFlags {
  readonly for?: number;
}

interface FlowFlags extends CommandFlags {
  readonly window?: number;
  readonly personal?: number;
  readonly accelerated?: number;
}

const MAX_WINDOW = 32_767;
/** Daemons heal by themselves after 60 s; two repetitions may be lost (client-protocol.md, 10.3). */
const REPEAT_MS = 25_000;

const HELP = `
Needs -c with DangerousMonitor = yes and a ClusterKeyFile, both also at the
daemons. The first key of the file seals the commands.`;

export function registerMonitorCommands(monitor: Command): void {
  const add = (usage: string, description: string): Command =>
    monitor
      .command(usage)
      .description(description)
      .option('-y, --yes', 'do not ask')
      .configureHelp({ showGlobalOptions: true })
      .addHelpText('after', HELP);
  add('partition <parts...>', 'cut the network between daemons until Ctrl-C: "partition a,b c" isolates c')
    .addOption(new Option('--for <time>', 'heal after this time').argParser(duration))
    .action((parts: string[], _: unknown, command: Command) => partition(parts, command.optsWithGlobals()));
  add('heal', 'end a partition').action((_: unknown, command: Command) => heal(command.optsWithGlobals()));
  add('kill <names...>', 'stop daemons, after they have delivered what was ordered').action(
    (names: string[], _: unknown, command: Command) => kill(names, command.optsWithGlobals()),
  );
  add('flow [names...]', 'change flow control of these daemons (default: all)')
    .option('--window <packets>', 'limit of all daemons in one rotation of the token', integer(1, MAX_WINDOW))
    .option('--personal <packets>', 'limit of one daemon in one rotation', integer(1, MAX_WINDOW))
    .option('--accelerated <packets>', 'how many of these may follow the token', integer(0, MAX_WINDOW))
    .action((names: string[], _: unknown, command: Command) => flow(names, command.optsWithGlobals()));
}

/** What every command needs. */
interface Desk {
  readonly cluster: Cluster;
  readonly keys: readonly ClusterKey[];
  readonly flags: CommandFlags;
}

async function open(flags: CommandFlags): Promise<Desk> {
  if (flags.config === undefined)
    throw new CliError('commands need the configuration of the daemons: give -c FILE', ExitCode.Usage);
  const cluster = await loadCluster(flags.config);
  return { cluster, keys: await commandKeys(cluster, flags.config), flags };
}

const namesOf = ({ cluster }: Desk): readonly string[] => cluster.daemons.map(({ name }) => name);

/** The text of each command that succeeded. A partition ends with a heal, and their outputs must differ. */
const DONE = { partition: 'partitioned', heal: 'healed', kill: 'ending', flow: 'changed' } as const;
type Done = (typeof DONE)[keyof typeof DONE];

async function partition(parts: readonly string[], flags: PartitionFlags): Promise<void> {
  const desk = await open(flags);
  const names = namesOf(desk);
  const components = componentsOf(parts, names);
  const groups = [...new Set(components)].map((component) =>
    names.filter((_, node) => components[node] === component).join(' '),
  );
  await confirmed(flags, `Cut the network into ${groups.join(' | ')}?`);
  const stop = stopSignal();
  const until = flags.for === undefined ? Number.POSITIVE_INFINITY : performance.now() + flags.for;
  const split: MonitorCommand = { kind: 'partition', components };
  const first = await send(desk, split, DONE.partition);
  print(first, flags);
  if (first.every(({ verdict }) => verdict !== 'accepted')) await failUnlessAccepted(first, desk);
  try {
    for (;;) {
      const pauseMs = Math.min(REPEAT_MS, until - performance.now());
      if (pauseMs > 0) await delay(pauseMs, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted || performance.now() >= until) break;
      const trouble = (await send(desk, split, DONE.partition)).filter(({ verdict }) => verdict !== 'accepted');
      if (trouble.length > 0) print(trouble, flags);
    }
  } finally {
    const healed = await send(desk, wholeOf(desk), DONE.heal);
    print(healed, flags);
    await failUnlessAccepted(healed, desk);
  }
}

async function heal(flags: CommandFlags): Promise<void> {
  const desk = await open(flags);
  await finish(await send(desk, wholeOf(desk), DONE.heal), desk);
}

async function kill(names: readonly string[], flags: CommandFlags): Promise<void> {
  const desk = await open(flags);
  const daemons = chosen(desk, names);
  await confirmed(flags, `End ${names.join(', ')}?`);
  await finish(await send(desk, { kind: 'terminate' }, DONE.kill, daemons), desk);
}

async function flow(names: readonly string[], flags: FlowFlags): Promise<void> {
  const { window = null, personal = null, accelerated = null } = flags;
  if (window === null && personal === null && accelerated === null)
    throw new CliError('nothing to change: give --window, --personal or --accelerated', ExitCode.Usage);
  const desk = await open(flags);
  const daemons = names.length === 0 ? desk.cluster.daemons : chosen(desk, names);
  await confirmed(flags, `Change flow control of ${daemons.map(({ name }) => name).join(', ')}?`);
  const command = { kind: 'flow', window, personalWindow: personal, acceleratedWindow: accelerated } as const;
  await finish(await send(desk, command, DONE.flow, daemons), desk);
}

const wholeOf = ({ cluster }: Desk): MonitorCommand => ({
  kind: 'partition',
  components: cluster.daemons.map(() => 0),
});

const chosen = (desk: Desk, names: readonly string[]): readonly ConfiguredDaemon[] =>
  names.map((name) => desk.cluster.daemons[nodeOf(name, namesOf(desk))]!);

async function confirmed(flags: CommandFlags, question: string): Promise<void> {
  if (flags.yes !== true) await confirm(question);
}

async function send(
  { cluster, keys, flags }: Desk,
  command: MonitorCommand,
  done: Done,
  daemons: readonly ConfiguredDaemon[] = cluster.daemons,
): Promise<readonly CommandResult[]> {
  const from = flags.from ?? cluster.ownAddress;
  const results = await Promise.all(daemons.map((daemon) => sendCommand(command, daemon, keys, from, flags.timeout)));
  return results.map((result) =>
    result.text === VERDICT_TEXTS.accepted && result.verdict === 'accepted' ? { ...result, text: done } : result,
  );
}

async function finish(results: readonly CommandResult[], desk: Desk): Promise<void> {
  print(results, desk.flags);
  await failUnlessAccepted(results, desk);
}

function print(results: readonly CommandResult[], { json }: CommandFlags): void {
  const lines = results.map(({ name, verdict, text }) => `${name}: ${PREFIXES[verdict] ?? 'refused: '}${text}\n`);
  process.stdout.write(json === true ? `${JSON.stringify(results)}\n` : lines.join(''));
}

const PREFIXES: Readonly<Record<string, string>> = { accepted: '', 'no-answer': '' };

async function failUnlessAccepted(results: readonly CommandResult[], { cluster, flags }: Desk): Promise<void> {
  const failed = results.filter(({ verdict }) => verdict !== 'accepted');
  if (failed.length === 0) return;
  const silent = failed.find(({ verdict }) => verdict === 'no-answer');
  const isChosen = flags.from !== undefined;
  const hint = silent === undefined ? '' : await silenceHint(silent, flags.from ?? cluster.ownAddress, isChosen);
  throw new CliError(`not done at ${failed.map(({ name }) => name).join(', ')}${hint}`);
}
