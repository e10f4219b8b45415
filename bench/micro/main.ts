/** `npm run bench:micro`: measures the parts of the engine, row by row. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Command } from 'commander';
import { plural } from '../../engine/plural.ts';
import { positive } from '../arguments.ts';
import { exitOnSignals } from '../clean-up.ts';
import { describeCommit, describeMachine } from '../machine.ts';
import { families } from './families.ts';
import type { FamilyInput, FamilyMessage } from './family-thread.ts';
import {
  formatRow,
  MICRO_REPORT_VERSION,
  type MicroReport,
  microReportSchema,
  ROW_HEAD,
  renderMicroPage,
  rowCells,
} from './micro-report.ts';
import { disagrees, type MicroFamily, type MicroResult } from './micro-row.ts';

interface Options {
  readonly family: readonly string[];
  readonly quick?: true;
  readonly milliseconds?: number;
  readonly json?: true;
  readonly list?: true;
  readonly save?: true;
  readonly publish?: true;
  readonly output: string;
}

const projectDirectory = fileURLToPath(new URL('../..', import.meta.url));
const MEASURE_MS = 500;
const QUICK_MS = 30;
const LATEST = 'latest-micro';

const program = new Command('bench:micro')
  .description('Measures the parts of the engine: nanoseconds per operation, bytes per second, spread.')
  .option('--family <id...>', 'only these families', [])
  .option('--quick', `${QUICK_MS} ms for each row: a look whether everything runs, no figures to quote`)
  .option('--milliseconds <ms>', `time for each row (default: ${MEASURE_MS})`, positive)
  .option('--json', 'print the report as JSON and nothing else')
  .option('--save', 'write the report and its page')
  .option('--publish', `write them as ${LATEST}.json and ${LATEST}.html`)
  .option('--output <directory>', 'where to', join(projectDirectory, 'reports'))
  .option('--list', 'list families, then stop')
  .showSuggestionAfterError();

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

function chosen(ids: readonly string[]): readonly MicroFamily[] {
  if (ids.length === 0) return families;
  return ids.map((id) => {
    const found = families.find((family) => family.id === id);
    if (found !== undefined) return found;
    throw new Error(`no family "${id}"; there are: ${families.map((family) => family.id).join(', ')}`);
  });
}

function inThread(input: FamilyInput, onMessage: (message: FamilyMessage) => void): Promise<void> {
  return new Promise((done, reject) => {
    const worker = new Worker(new URL('./micro-family.js', import.meta.url), { workerData: input });
    worker.on('message', onMessage);
    worker.on('error', reject);
    worker.on('exit', (code) => (code === 0 ? done() : reject(new Error(`${input.family} ended with code ${code}`))));
  });
}

async function measureFamily(family: MicroFamily, measureMs: number): Promise<readonly MicroResult[]> {
  const times = { measureMs, warmUpMs: measureMs / 4, samples: measureMs < MEASURE_MS ? 5 : 30 };
  const opinions = new Map<string, number>();
  await inThread({ family: family.id, harness: 'benchmark', times }, (message) => {
    if (message.kind === 'second-opinion') opinions.set(message.title, message.nanoseconds);
  });
  const results: MicroResult[] = [];
  await inThread({ family: family.id, harness: 'tinybench', times }, (message) => {
    if (message.kind !== 'row') return;
    results.push({ ...message.result, secondOpinion: opinions.get(message.result.title) ?? null });
  });
  return results;
}

async function save(report: MicroReport, directory: string, name: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const base = join(resolve(directory), name);
  await writeFile(`${base}.json`, `${JSON.stringify(report, null, 1)}\n`);
  await writeFile(`${base}.html`, renderMicroPage(report));
  process.stderr.write(`${base}.json\n${base}.html\n`);
}

async function main(): Promise<void> {
  const options = program.parse().opts<Options>();
  const wanted = chosen(options.family);
  if (options.list) {
    for (const family of wanted) say(`${family.id.padEnd(16)} ${family.title}`);
    return;
  }
  const measureMs = options.milliseconds ?? (options.quick ? QUICK_MS : MEASURE_MS);
  const machine = await describeMachine();
  const results: MicroResult[] = [];
  for (const family of wanted) {
    if (!options.json) say(`\n${formatRow([family.title, ...ROW_HEAD.slice(1)])}`);
    for (const result of await measureFamily(family, measureMs)) {
      results.push(result);
      if (!options.json) say(formatRow(rowCells(result)));
    }
  }
  const report: MicroReport = microReportSchema.parse({
    microReportVersion: MICRO_REPORT_VERSION,
    createdAt: new Date().toISOString(),
    command: `npm run bench:micro -- ${process.argv.slice(2).join(' ')}`.trim(),
    commit: await describeCommit(projectDirectory),
    machine,
    measureMs,
    families: wanted.map(({ id, title }) => ({ id, title })),
    results,
  });
  if (options.json) say(JSON.stringify(report, null, 1));
  else {
    const doubtful = results.filter(disagrees);
    say(`\n${results.length} ${plural(results.length, 'row')}; the two harnesses disagree on ${doubtful.length}`);
  }
  if (options.save)
    await save(report, options.output, `${report.createdAt.slice(0, 19).replaceAll(':', '').replace('T', '-')}-micro`);
  if (options.publish) await save(report, options.output, LATEST);
}

exitOnSignals();
try {
  await main();
} catch (error) {
  process.stderr.write(`bench:micro: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
