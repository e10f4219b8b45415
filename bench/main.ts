/** `npm run bench`: measures, writes reports/<stamp>.json and .html, compares reports. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { plural } from '../engine/plural.ts';
import { positive, positiveInteger } from './arguments.ts';
import { exitOnSignals } from './clean-up.ts';
import { compareReports, formatComparison } from './compare.ts';
import { execute, type LoadShape } from './execute.ts';
import { installPeers } from './install-peers.ts';
import { joinReports } from './join.ts';
import { describeCommit, describeMachine } from './machine.ts';
import { allSystems } from './peers/all-systems.ts';
import { ATTACHABLE_PROTOCOLS, type AttachableProtocol, attachedSystem, parseEndpoint } from './peers/attached.ts';
import type { Availability, System } from './peers/system.ts';
import { estimateMs, type PlannedRun, planRuns, type ScenarioSet, SET_DEFAULTS, type Selection } from './plan.ts';
import { Progress } from './progress.ts';
import { LATEST, quoteInReadme, writeReport } from './publish.ts';
import { parseReport, REPORT_VERSION, type Report, type ReportSystem, type Run } from './report-schema.ts';
import { type Scenario, scenarios } from './scenarios.ts';

interface Options {
  readonly quick?: true;
  readonly full?: true;
  readonly scenario: readonly string[];
  readonly peer: readonly string[];
  readonly repeats?: number;
  readonly seconds?: number;
  readonly window?: number;
  readonly batch?: number;
  readonly senderThreads: number;
  readonly receiverThreads: number;
  readonly attach?: string;
  readonly attachProtocol: AttachableProtocol;
  readonly attachLabel: string;
  readonly output: string;
  readonly save: boolean;
  readonly compare?: readonly string[];
  readonly join?: readonly string[];
  readonly render?: string;
  readonly publish?: true;
  readonly readme?: string;
  readonly readmeFile: string;
  readonly installPeers?: true;
  readonly list?: true;
}

const projectDirectory = fileURLToPath(new URL('../..', import.meta.url));

const program = new Command('bench')
  .description('Measures skein and what people would use instead, with the same load generator, in the same run.')
  .addOption(new Option('--quick', 'three scenarios, about a minute').conflicts('full'))
  .option('--full', 'all scenarios, all variants, five repeats')
  .option('--scenario <id...>', 'only these scenarios', [])
  .option('--peer <id...>', 'only these systems', [])
  .option('--repeats <n>', 'runs of each cell', positiveInteger)
  .option('--seconds <s>', 'measured time of a run', positive)
  .option('--window <n>', 'messages under way in throughput runs', positiveInteger)
  .option('--batch <n>', 'messages in one write in throughput runs', positiveInteger)
  .option('--sender-threads <n>', 'threads for the sending connections', positiveInteger, 1)
  .option('--receiver-threads <n>', 'threads for the receiving connections', positiveInteger, 1)
  .option('--attach <endpoints>', 'measure what runs at host:port[,host:port...]')
  .addOption(new Option('--attach-protocol <name>', 'what it speaks').choices(ATTACHABLE_PROTOCOLS).default('spread'))
  .option('--attach-label <name>', 'how it is called in the report', 'attached')
  .option('--output <directory>', 'where reports are written', resolve(projectDirectory, 'reports'))
  .option('--no-save', 'print only, write no report')
  .option('--compare <reports...>', 'compare two reports, A.json B.json, and measure nothing')
  .option('--join <reports...>', 'one report out of several of one commit, with different scenarios; measures nothing')
  .option(
    '--render <report>',
    'write the page of a report again, or with --publish of the published one, and measure nothing',
  )
  .option('--publish', 'write the report to latest.json and latest.html as well, and the figures into README.md')
  .option('--readme <report>', "write a report's figures into README.md, and measure nothing")
  .option('--readme-file <path>', 'which README', resolve(projectDirectory, 'README.md'))
  .option('--install-peers', 'install the peers that Debian has, then stop')
  .option('--list', 'list scenarios and systems, then stop')
  .showSuggestionAfterError();

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

async function describeSystem(system: System, availability: Availability): Promise<ReportSystem> {
  return {
    id: system.id,
    title: system.title,
    guarantees: system.guarantees,
    available: availability.available,
    detail: availability.available ? availability.version : availability.why,
    configuration: system.configuration,
  };
}

function toReportScenario(scenario: Scenario): Report['scenarios'][number] {
  const { headline: _, variants: __, saturationShare: ___, ...rest } = scenario;
  return rest;
}

/** The command line without output paths, which concern only this machine. */
function describeCommand(args: readonly string[]): string {
  const told = args.filter((arg, i) => !/^--output(=|$)/.test(arg) && args[i - 1] !== '--output');
  return `npm run bench -- ${told.join(' ')}`.trim();
}

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

async function list(): Promise<void> {
  say('scenarios (headline marked *):');
  for (const scenario of scenarios)
    say(`  ${scenario.headline ? '*' : ' '} ${scenario.id.padEnd(30)} ${scenario.title}`);
  say('systems:');
  for (const system of allSystems) {
    const availability = await system.availability();
    const detail = availability.available ? availability.version : `not available: ${availability.why}`;
    say(`    ${system.id.padEnd(22)} ${system.title.padEnd(26)} ${detail}`);
  }
}

async function compare(files: readonly string[]): Promise<void> {
  const [first, second] = files;
  if (first === undefined || second === undefined || files.length > 2) {
    throw new Error(`--compare takes two reports, got ${files.length}`);
  }
  const cells = compareReports(await load(first), await load(second));
  say(formatComparison(cells));
  const worse = cells.filter((cell) => cell.verdict === 'worse');
  say(`\n${cells.length} ${plural(cells.length, 'cell')}, ${worse.length} ${plural(worse.length, 'regression')}`);
  if (worse.length > 0) process.exitCode = 1;
}

const load = async (file: string): Promise<Report> => parseReport(await readFile(file, 'utf8'), file);

async function publish(report: Report, options: Options): Promise<void> {
  for (const file of await writeReport(report, options.output, LATEST)) say(file);
  say(await quoteInReadme(report, options.readmeFile));
}

async function save(report: Report, options: Options): Promise<void> {
  const stamp = report.createdAt.slice(0, 19).replaceAll(':', '').replace('T', '-');
  say('');
  for (const file of await writeReport(report, options.output, stamp)) say(file);
  if (options.publish) await publish(report, options);
}

const setOf = (options: Options): ScenarioSet => (options.full ? 'full' : options.quick ? 'quick' : 'headline');

function shapeOf(options: Options): LoadShape {
  const defaults = SET_DEFAULTS[setOf(options)];
  return {
    measureMs: (options.seconds ?? defaults.measureSeconds) * 1000,
    warmUpMs: defaults.warmUpSeconds * 1000,
    latencyWarmUpMs: defaults.latencyWarmUpSeconds * 1000,
    senderThreads: options.senderThreads,
    receiverThreads: options.receiverThreads,
    windowMessages: options.window ?? null,
    batch: options.batch ?? null,
  };
}

function selectionOf(options: Options): Selection {
  const attached =
    options.attach === undefined
      ? null
      : attachedSystem(options.attachLabel, options.attachProtocol, options.attach.split(',').map(parseEndpoint));
  return {
    set: setOf(options),
    scenarioIds: options.scenario,
    systemIds: options.peer,
    repeats: options.repeats ?? SET_DEFAULTS[setOf(options)].repeats,
    attached,
  };
}

async function measureAll(planned: readonly PlannedRun[], shape: LoadShape): Promise<Run[]> {
  const estimate = estimateMs(planned, shape);
  const progress = new Progress(planned.length, estimate, process.stdout);
  say(`${planned.length} ${plural(planned.length, 'run')}, about ${Math.ceil(estimate / 60_000)} min`);
  const runs: Run[] = [];
  for (const run of planned) {
    progress.begin(run);
    const finished = await execute(run, shape);
    runs.push(finished);
    progress.end(finished);
  }
  return runs;
}

async function bench(options: Options): Promise<void> {
  const startedMs = performance.now();
  const createdAt = new Date().toISOString();
  const machine = await describeMachine();
  const shape = shapeOf(options);
  const everything = planRuns(selectionOf(options));
  if (everything.length === 0) throw new Error('nothing to measure: no chosen system suits a chosen scenario');
  const systems: ReportSystem[] = [];
  for (const system of distinct(everything.map((run) => run.system))) {
    const availability = await system.availability();
    systems.push(await describeSystem(system, availability));
    if (!availability.available) say(`${system.title}: not available, ${availability.why}`);
  }
  const available = new Set(systems.filter((system) => system.available).map((system) => system.id));
  if (available.size === 0) throw new Error('none of the chosen systems is available');
  const runs = await measureAll(
    everything.filter((run) => available.has(run.system.id)),
    shape,
  );
  if (!options.save) return;
  await save(
    {
      reportVersion: REPORT_VERSION,
      createdAt,
      durationSeconds: Math.round((performance.now() - startedMs) / 1000),
      command: describeCommand(process.argv.slice(2)),
      commit: await describeCommit(projectDirectory),
      machine,
      measureSeconds: shape.measureMs / 1000,
      warmUpSeconds: shape.warmUpMs / 1000,
      latencyWarmUpSeconds: shape.latencyWarmUpMs / 1000,
      systems,
      scenarios: distinct(everything.map((run) => run.scenario)).map(toReportScenario),
      runs,
    },
    options,
  );
}

async function join(files: readonly string[], options: Options): Promise<void> {
  const reports = await Promise.all(files.map(async (file) => ({ name: file, report: await load(file) })));
  await save(
    joinReports(reports, {
      scenarios: scenarios.map(({ id }) => id),
      systems: allSystems.map(({ id }) => id),
    }),
    options,
  );
}

async function render(file: string, options: Options): Promise<void> {
  const report = await load(file);
  if (options.publish) await publish(report, options);
  else for (const written of await writeReport(report, dirname(file), basename(file, '.json'))) say(written);
}

async function main(): Promise<void> {
  const options = program.parse().opts<Options>();
  if (options.installPeers) installPeers();
  else if (options.list) await list();
  else if (options.compare !== undefined) await compare(options.compare);
  else if (options.join !== undefined) await join(options.join, options);
  else if (options.render !== undefined) await render(options.render, options);
  else if (options.readme !== undefined) say(await quoteInReadme(await load(options.readme), options.readmeFile));
  else await bench(options);
}

exitOnSignals();
// The reader has closed the pipe (`npm run bench -- --list | head`).
process.stdout.on('error', () => process.exit());

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
