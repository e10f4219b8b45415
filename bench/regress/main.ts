/** `npm run bench:regress`: compares allocations, system calls, wake-ups and writes with the committed baseline. It times nothing. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { plural } from '../../engine/plural.ts';
import { exitOnSignals, withTemporaryDirectory } from '../clean-up.ts';
import { notBuilt } from '../peers/skein.ts';
import { ALLOCATION_NODE_OPTIONS } from './allocation.ts';
import { daemonFigures, SHAPES } from './daemon-figures.ts';
import {
  type Baseline,
  compareFigures,
  type Figure,
  formatComparisons,
  isRegression,
  makeBaseline,
  parseBaseline,
} from './figures.ts';

interface Options {
  readonly update?: true;
  readonly json?: true;
  readonly baseline: string;
}

const projectDirectory = fileURLToPath(new URL('../..', import.meta.url));
const nodeMajor = Number(process.versions.node.split('.')[0]);

const program = new Command('bench:regress')
  .description(
    'Figures that do not depend on how busy the machine is, against the committed baseline. Exit code 1: something got worse.',
  )
  .option('--update', 'write what is measured as the new baseline')
  .option('--json', 'print figures and verdicts as JSON')
  .option('--baseline <file>', 'which baseline', join(projectDirectory, 'reports', 'regress-baseline.json'))
  .showSuggestionAfterError();

async function agentFigures(): Promise<readonly Figure[]> {
  const probe = fileURLToPath(new URL('./regress-agents.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [...ALLOCATION_NODE_OPTIONS, probe]);
  return JSON.parse(stdout) as readonly Figure[];
}

async function measure(): Promise<readonly Figure[]> {
  const note = (text: string): boolean => process.stderr.write(`${text}\n`);
  note('agents, in virtual time');
  const figures = [...(await agentFigures())];
  for (const shape of SHAPES) {
    note(`daemon, ${shape.title}`);
    figures.push(...(await withTemporaryDirectory((directory) => daemonFigures(shape, directory))));
  }
  return figures;
}

async function readBaseline(file: string): Promise<Baseline | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return null;
  }
  return parseBaseline(text, file);
}

async function main(): Promise<void> {
  const options = program.parse().opts<Options>();
  const why = await notBuilt();
  if (why !== null) throw new Error(why);
  const baseline = await readBaseline(options.baseline);
  const figures = await measure();
  const comparisons = compareFigures(figures, baseline);
  const worse = comparisons.filter(isRegression);
  if (options.json) process.stdout.write(`${JSON.stringify({ nodeMajor, comparisons }, null, 1)}\n`);
  else
    process.stdout.write(
      `${formatComparisons(comparisons)}\n\n${comparisons.length} ${plural(comparisons.length, 'figure')}, ${worse.length} ${plural(worse.length, 'regression')}\n`,
    );
  if (baseline !== null && baseline.nodeMajor !== nodeMajor) {
    process.stderr.write(
      `the baseline is of Node ${baseline.nodeMajor}, this is Node ${nodeMajor}: allocations may differ\n`,
    );
  }
  if (options.update) {
    await writeFile(options.baseline, `${JSON.stringify(makeBaseline(figures, nodeMajor, baseline), null, 1)}\n`);
    process.stderr.write(`${options.baseline} written\n`);
  } else if (baseline === null) throw new Error(`${options.baseline} is not there: --update writes it`);
  else if (worse.length > 0) process.exitCode = 1;
}

exitOnSignals();
try {
  await main();
} catch (error) {
  process.stderr.write(`bench:regress: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
