/** `npm run profile`: profiles a daemon under load. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Argument, Command, Option } from 'commander';
import { THREADING_MODES, type ThreadingMode } from '../../engine/config/configuration-options.ts';
import { planThreads } from '../../workers/threading.ts';
import { positive } from '../arguments.ts';
import { exitOnSignals, onExit, withTemporaryDirectory } from '../clean-up.ts';
import { type LoadShape, loadOnce, startFor } from '../execute.ts';
import { monotonicMs } from '../load/clock.ts';
import { listenersOnPort } from '../load/process-stats.ts';
import { daemonCommand, notBuilt, startSkein } from '../peers/skein.ts';
import type { System } from '../peers/system.ts';
import { describeRun } from '../progress.ts';
import { type Scenario, scenarios } from '../scenarios.ts';
import { CLINIC_TOOLS, clinicCommand, clinicPage, isClinicTool } from './clinic.ts';
import { formatSummary, type Interval, parseCpuProfile, summarise } from './cpu-profile.ts';
import { sourcePlaces } from './source-places.ts';

type Tool = 'cpu' | keyof typeof CLINIC_TOOLS;

interface Options {
  readonly seconds: number;
  readonly mode?: ThreadingMode;
  readonly top: number;
  readonly output: string;
}

const projectDirectory = fileURLToPath(new URL('../..', import.meta.url));
const plainDaemon = fileURLToPath(new URL('./profile-daemon.js', import.meta.url));
const profileWorkers = new URL('./profile-workers.js', import.meta.url).href;
/** clinic needs a while to write the profile and the page. */
const ANALYSIS_LIMIT_MS = 180_000;
const POLL_MS = 100;

const program = new Command('profile')
  .description(
    'Runs a daemon under load in a profiler. clinic sees one thread, so its tools get mode inline; cpu profiles every thread.',
  )
  .addArgument(
    new Argument('<tool>', 'flame, doctor, bubbleprof, heap: clinic; cpu: node --cpu-prof').choices([
      'cpu',
      ...Object.keys(CLINIC_TOOLS),
    ]),
  )
  .argument('[scenario]', 'which load, as in npm run bench -- --list', 'one-to-one-64')
  .option('--seconds <s>', 'how long', positive, 4)
  .addOption(new Option('--mode <mode>', 'threading mode; cpu only (default: dedicated)').choices(THREADING_MODES))
  .option('--top <n>', 'functions shown for each thread; cpu only', positive, 12)
  .option('--output <directory>', 'where results go', join(projectDirectory, 'reports', 'profiles'))
  .showSuggestionAfterError();

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

function scenarioOf(id: string): Scenario {
  const found = scenarios.find((scenario) => scenario.id === id);
  if (found !== undefined) return found;
  throw new Error(`no scenario "${id}"; there are: ${scenarios.map((scenario) => scenario.id).join(', ')}`);
}

/** skein with its first daemon under the profiler. The other daemons of a ring run without it. */
function profiledSystem(tool: Tool, mode: ThreadingMode, directory: string): System {
  const command = (configFile: string, name: string): readonly string[] => {
    if (name !== 'd1') return daemonCommand(configFile, name);
    if (isClinicTool(tool)) return clinicCommand(tool, directory, [process.execPath, plainDaemon, configFile, name]);
    return daemonCommand(configFile, name, ['--import', profileWorkers, '--cpu-prof', `--cpu-prof-dir=${directory}`]);
  };
  const options = ['Volatile = true', 'AcceleratedRing = true', `ThreadingMode = ${mode}`];
  return {
    id: `skein-${mode}`,
    title: 'skein',
    guarantees: { order: '', reliability: '', membership: '' },
    configuration: options.join('; '),
    debianPackages: [],
    availability: async () => ({ available: true, version: '' }),
    unsuited: () => null,
    protocol: (scenario) => ({ kind: 'spread', options: { service: scenario.service } }),
    start: (request) => startSkein(options, request, command),
  };
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Stops the daemon, and waits until the profiler has written its results. */
async function finish(daemons: readonly number[], wrapper: number): Promise<void> {
  for (const pid of daemons) process.kill(pid, 'SIGTERM');
  const deadlineMs = performance.now() + ANALYSIS_LIMIT_MS;
  while (isAlive(wrapper)) {
    if (performance.now() > deadlineMs)
      throw new Error(`the profiler has not ended after ${ANALYSIS_LIMIT_MS / 1000} s`);
    await delay(POLL_MS);
  }
}

async function run(
  tool: Tool,
  scenario: Scenario,
  mode: ThreadingMode,
  directory: string,
  seconds: number,
): Promise<Interval> {
  const system = profiledSystem(tool, mode, directory);
  const shape: LoadShape = {
    measureMs: seconds * 1000,
    warmUpMs: 500,
    latencyWarmUpMs: 2_000,
    senderThreads: 1,
    receiverThreads: 1,
    windowMessages: null,
    batch: null,
  };
  return withTemporaryDirectory(async (temporary) => {
    const running = await startFor(scenario, system, temporary);
    const daemons = listenersOnPort(running.endpoints[0].port);
    // Under clinic the daemon is not a child of this process.
    const forget = onExit(() => {
      for (const pid of daemons) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    });
    try {
      const fromMs = monotonicMs();
      const metrics = await loadOnce({ ...running, pids: daemons }, { scenario, system }, shape);
      const base = { scenario: scenario.id, system: tool, repeat: 1, startedAt: new Date().toISOString() };
      say(describeRun({ ...base, metrics, error: null, windowMessages: null, ratePerSecond: scenario.ratePerSecond }));
      const toMs = monotonicMs();
      say('(profiled: no figure to quote)');
      await finish(daemons, running.pids[0]);
      return { fromMs, toMs };
    } finally {
      forget();
      await running.stop();
    }
  });
}

/** Worker threads are numbered in the order the daemon starts them; 0 is its main thread. */
function threadName(mode: ThreadingMode, id: number): string {
  if (id === 0) return mode === 'inline' ? 'main thread (all agents)' : 'main thread (supervisor)';
  const plan = planThreads(mode, 1, { cores: 1, nodeVersion: process.versions.node });
  return plan.threads[id - 1]?.name ?? `thread ${id}`;
}

async function showCpuProfiles(directory: string, mode: ThreadingMode, interval: Interval, top: number): Promise<void> {
  const locate = sourcePlaces(projectDirectory);
  // CPU.<date>.<time>.<process>.<thread>.<number>.cpuprofile
  const files = (await readdir(directory)).flatMap((name) => {
    const thread = /^CPU\.\d+\.\d+\.\d+\.(\d+)\.\d+\.cpuprofile$/.exec(name)?.[1];
    return thread === undefined ? [] : [{ file: join(directory, name), thread: Number(thread) }];
  });
  if (files.length === 0) throw new Error(`Node wrote no profile to ${directory}`);
  for (const { file, thread } of files.sort((a, b) => a.thread - b.thread)) {
    const summary = summarise(parseCpuProfile(await readFile(file, 'utf8'), file), locate, interval);
    say(`\n${formatSummary(threadName(mode, thread), summary, top)}\n  ${relative(process.cwd(), file)}`);
  }
}

async function main(): Promise<void> {
  program.parse();
  const [tool, scenarioId] = program.processedArgs as [Tool, string];
  const options = program.opts<Options>();
  const why = await notBuilt();
  if (why !== null) throw new Error(why);
  const scenario = scenarioOf(scenarioId);
  if (isClinicTool(tool) && options.mode !== undefined && options.mode !== 'inline') {
    throw new Error(`--mode ${options.mode}: clinic sees one thread only; use cpu, or mode inline`);
  }
  const mode = isClinicTool(tool) ? 'inline' : (options.mode ?? 'dedicated');
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  const directory = join(options.output, `${stamp}-${tool}-${scenario.id}`);
  await mkdir(directory, { recursive: true });
  const interval = await run(tool, scenario, mode, directory, options.seconds);
  if (isClinicTool(tool)) say(relative(process.cwd(), await clinicPage(directory)));
  else await showCpuProfiles(directory, mode, interval, options.top);
}

exitOnSignals();
try {
  await main();
} catch (error) {
  process.stderr.write(`profile: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
