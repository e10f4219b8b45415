/** `npm run simulate`: runs seeds, replays and shrinks one, hunts mutants, prints figures of scale. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { ringEngine } from './engines.ts';
import { ENGINE_MUTANTS } from './mutants/engine-mutants.ts';
import { type Catch, hunt } from './mutants/hunt.ts';
import { openPool } from './pool.ts';
import { makeScenario, type RangeResult, type SeedFailure, SWARM, violationsOf } from './run-seeds.ts';
import { printGroupGrowth } from './scale/group-growth.ts';
import { printScale } from './scale/ring-growth.ts';
import { NAMED_SCENARIOS, namedScenario } from './scenario/named.ts';
import { type Reduction, reduce, shrink, wholeOf } from './scenario/reduction.ts';
import type { Scenario } from './scenario/scenario.ts';
import type { SwarmLimits } from './scenario/swarm.ts';
import { Simulation } from './simulation.ts';
import { renderTimeline, type TimelineDetail } from './trace/timeline.ts';

const SEEDS_PER_TASK = 10;
const DEFAULT_SEEDS = 1_000;
const PROGRESS_EVERY_MS = 5_000;
/** The run stops after this many failing seeds. */
const MAX_FAILURES = 10;
const MAX_SHRUNK = 2;
const MUTANT_SEEDS = 400;

interface Options {
  readonly seeds?: number;
  readonly seed?: number;
  readonly minutes?: number;
  readonly nodes: SwarmLimits;
  readonly scenario: string;
  readonly trace?: TimelineDetail | true;
  readonly threads?: number;
  readonly onlyFaults?: readonly number[];
  readonly onlyClients?: readonly number[];
  readonly nodeCount?: number;
  readonly shrink: boolean;
  readonly mutants?: string | true;
  readonly scale?: boolean;
  readonly scaleGroups?: boolean;
  readonly quick?: boolean;
  readonly sealed?: boolean;
  readonly list?: boolean;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError(`${JSON.stringify(text)} is not a number above 0.`);
  return value;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError(`${JSON.stringify(text)} is not a whole number from 0 up.`);
  return value;
}

function nodeRange(text: string): SwarmLimits {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(text);
  const minNodes = Number(match?.[1]);
  const maxNodes = Number(match?.[2] ?? match?.[1]);
  if (match === null || minNodes < 1 || maxNodes < minNodes || maxNodes > 128)
    throw new InvalidArgumentError(`${JSON.stringify(text)} is not a range A..B with 1 <= A <= B <= 128.`);
  return { minNodes, maxNodes };
}

const indexList = (text: string): number[] => (text === '' ? [] : text.split(',').map(wholeNumber));

function program(): Command {
  return new Command('simulate')
    .description(
      'Runs the engine on virtual machines and a virtual network, and checks EVS-1..24 and GRP-1..10 on every run.',
    )
    .option('--seeds <n>', `how many seeds (default ${DEFAULT_SEEDS}, or 1 with --seed alone)`, wholeNumber)
    .option('--seed <s>', 'first seed', wholeNumber)
    .option('--minutes <m>', 'go on for so long, from a new first seed each time', positive)
    .option('--nodes <a..b>', 'numbers of daemons the swarm draws from', nodeRange, { minNodes: 2, maxNodes: 20 })
    .option('--scenario <name>', '`swarm`, `all` for every named one, or a name of --list', SWARM)
    .addOption(
      new Option('--trace [detail]', 'print the run of --seed as a timeline').choices(['brief', 'messages', 'packets']),
    )
    .option('--only-faults <i,j>', 'keep only these faults of the schedule', indexList)
    .option('--only-clients <i,j>', 'keep only these clients', indexList)
    .option('--node-count <n>', 'keep only the first n daemons', wholeNumber)
    .option('--no-shrink', 'do not look for a smaller schedule that fails')
    .option('--threads <n>', 'worker threads (default: one for each core)', wholeNumber)
    .option('--mutants [name]', 'break the engine in known ways; every one has to be caught')
    .option('--scale', 'print how rotation, packets and recovery grow with the number of daemons')
    .option('--scale-groups', 'print what a merge and a message cost with many process groups')
    .option('--quick', 'large scenarios in the size that `npm test` runs; always so with `--scenario all`')
    .option('--sealed', 'with traffic sealed, which some scenarios and a part of the swarm are anyway')
    .option('--list', 'print the names of the scenarios');
}

/**
 * @param root the repository
 * @returns exit code: 0 when everything held, 1 when not
 */
export async function main(root: string, argv: readonly string[]): Promise<number> {
  const given = program().parse(argv, { from: 'user' }).opts<Options>();
  const options: Options = { ...given, nodes: { ...given.nodes, sealed: given.sealed === true } };
  if (options.list === true) {
    for (const { number, name } of NAMED_SCENARIOS) console.log(`${String(number).padStart(3)}  ${name}`);
    return 0;
  }
  if (options.scale === true) {
    printScale();
    return 0;
  }
  if (options.scaleGroups === true) return printGroupGrowth() ? 0 : 1;
  if (options.scenario !== SWARM && options.scenario !== 'all') namedScenario(options.scenario);
  if (options.mutants !== undefined) return huntMutants(root, options);
  const isOne = options.seed !== undefined && options.seeds === undefined && options.minutes === undefined;
  return isOne && options.scenario !== 'all' ? runOne(options) : runMany(root, options);
}

function runOne(options: Options): number {
  const seed = options.seed!;
  const whole = makeScenario(options.scenario, seed, options.nodes, options.quick);
  const all = wholeOf(whole);
  const left: Reduction = {
    faults: options.onlyFaults ?? all.faults,
    clients: options.onlyClients ?? all.clients,
    nodeCount: options.nodeCount ?? all.nodeCount,
  };
  const scenario = reduce(whole, left);
  if (options.trace !== undefined) {
    const { trace, timeline } = new Simulation(scenario, ringEngine, true).run();
    const detail = options.trace === true ? 'messages' : options.trace;
    for (const line of renderTimeline(trace, timeline, detail)) console.log(line);
  }
  const { violations, result } = violationsOf(scenario);
  if (violations.length === 0) {
    console.log(`seed ${seed} of ${options.scenario}: all properties hold`);
    const figures =
      options.scenario === SWARM ? undefined : namedScenario(options.scenario).figures?.(scenario, result);
    if (figures !== undefined) console.log(figures);
    return 0;
  }
  report({ seed, scenario: options.scenario, violations });
  if (options.shrink)
    shrinkAndPrint(
      options,
      seed,
      whole,
      violations.map((violation) => violation.property),
    );
  return 1;
}

async function runMany(root: string, options: Options): Promise<number> {
  const pool = await openPool(root, options.threads);
  const startedMs = performance.now();
  const endMs = options.minutes === undefined ? Number.POSITIVE_INFINITY : startedMs + options.minutes * 60_000;
  const names = options.scenario === 'all' ? NAMED_SCENARIOS.map((scenario) => scenario.name) : [options.scenario];
  const first = options.seed ?? (options.minutes === undefined ? 1 : Date.now() % 1_000_000_000);
  const usual = names.length === 1 && names[0] !== SWARM ? namedScenario(names[0]!).seeds : undefined;
  const wanted = options.seeds ?? (options.minutes === undefined ? (usual ?? DEFAULT_SEEDS) : Number.POSITIVE_INFINITY);
  const quick = options.quick === true || options.scenario === 'all';
  console.log(
    `${options.scenario}: seeds from ${first}${Number.isFinite(wanted) ? `, ${wanted} of them` : ''} on ${pool.options.maxThreads} threads`,
  );
  const totals = { seeds: 0, virtualMs: 0, datagrams: 0, configurations: 0, deliveries: 0 };
  const failures: SeedFailure[] = [];
  let printedMs = startedMs;
  const add = (result: RangeResult): void => {
    for (const key of Object.keys(totals) as (keyof typeof totals)[]) totals[key] += result[key];
    failures.push(...result.failures);
    for (const failure of result.failures) report(failure);
    for (const line of options.scenario === 'all' ? [] : result.figures) console.log(`  ${line}`);
    if (performance.now() - printedMs < PROGRESS_EVERY_MS) return;
    printedMs = performance.now();
    const perSecond = totals.seeds / ((printedMs - startedMs) / 1000);
    console.log(`  ${totals.seeds} seeds, ${perSecond.toFixed(0)} per second, ${failures.length} failed`);
  };
  const tasks = ranges(names, first, wanted);
  const worker = async (): Promise<void> => {
    for (let task = tasks.next(); !task.done; task = tasks.next()) {
      if (performance.now() >= endMs || failures.length >= MAX_FAILURES) return;
      add(await pool.run({ ...task.value, limits: options.nodes, quick }));
    }
  };
  await Promise.all(Array.from({ length: pool.options.maxThreads }, worker));
  await pool.close();
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(
    `${totals.seeds} seeds in ${seconds.toFixed(0)} s: ${(totals.virtualMs / 60_000).toFixed(0)} virtual minutes, ` +
      `${totals.datagrams} datagrams, ${totals.configurations} configurations, ${totals.deliveries} deliveries checked; ${failures.length} seeds failed`,
  );
  if (options.shrink)
    for (const failure of failures.slice(0, MAX_SHRUNK)) {
      const whole = makeScenario(failure.scenario, failure.seed, options.nodes, quick);
      const properties = failure.violations.map((violation) => violation.property);
      shrinkAndPrint({ ...options, quick, scenario: failure.scenario }, failure.seed, whole, properties);
    }
  return failures.length === 0 ? 0 : 1;
}

function* ranges(names: readonly string[], first: number, wanted: number) {
  for (let done = 0; done < wanted; done += SEEDS_PER_TASK)
    for (const scenario of names)
      yield { scenario, firstSeed: first + done, count: Math.min(SEEDS_PER_TASK, wanted - done) };
}

function report({ seed, scenario, violations }: SeedFailure): void {
  console.log(`FAILED seed ${seed} of ${scenario}`);
  for (const { property, title, count, examples } of violations) {
    console.log(`  ${property} ${title}: ${count}`);
    for (const example of examples) console.log(`      ${example}`);
  }
}

function shrinkAndPrint(options: Options, seed: number, whole: Scenario, properties: readonly string[]): void {
  console.log(`looking for a smaller schedule of seed ${seed} that fails by one of ${properties.join(', ')} ...`);
  const left = shrink(whole, (candidate) =>
    violationsOf(candidate).violations.some((violation) => properties.includes(violation.property)),
  );
  const small = reduce(whole, left);
  console.log(`${small.nodeCount} daemons, ${small.clients.length} clients, ${small.faults.length} faults:`);
  for (const fault of small.faults) console.log(`  ${JSON.stringify(fault)}`);
  const nodes = `${options.nodes.minNodes}..${options.nodes.maxNodes}`;
  console.log(
    `npm run simulate -- --scenario ${options.scenario} --seed ${seed} --nodes ${nodes} ${options.quick === true ? '--quick ' : ''}${options.sealed === true ? '--sealed ' : ''}--node-count ${left.nodeCount} ` +
      `--only-faults ${left.faults.join(',') || '""'} --only-clients ${left.clients.join(',') || '""'} --no-shrink --trace`,
  );
}

async function huntMutants(root: string, options: Options): Promise<number> {
  const wanted = ENGINE_MUTANTS.filter((mutant) => options.mutants === true || options.mutants === mutant.name);
  if (wanted.length === 0)
    throw new RangeError(
      `no mutant is named ${options.mutants}; there are ${ENGINE_MUTANTS.map((m) => m.name).join(', ')}`,
    );
  const catches: Catch[] = [];
  for (const mutant of wanted) {
    const pool = await openPool(root, options.threads, mutant);
    const caught = await hunt(pool, mutant, options.seeds ?? MUTANT_SEEDS);
    await pool.destroy();
    catches.push(caught);
    const outcome =
      caught.by === null
        ? `NOT CAUGHT in ${caught.seeds} runs`
        : `caught after ${caught.seeds} runs by ${caught.by.scenario} seed ${caught.by.seed}: ${caught.by.properties.join(' ')}`;
    console.log(`${mutant.name.padEnd(36)} ${outcome}`);
  }
  const missed = catches.filter((caught) => caught.by === null).length;
  console.log(`${catches.length - missed} of ${catches.length} mutants caught`);
  return missed === 0 ? 0 : 1;
}
