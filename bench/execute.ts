/** Executes the planned runs one after the other. A failed run becomes a row with the reason. */
import { withTemporaryDirectory } from './clean-up.ts';
import { openLoop, type Pacing } from './load/load-task.ts';
import { type LoadRequest, runLoad } from './load/run-load.ts';
import { namespacesUnavailable } from './peers/namespaces.ts';
import type { RunningSystem, System } from './peers/system.ts';
import { type LoadTimes, type PlannedRun, warmUpMsOf } from './plan.ts';
import type { Run, RunMetrics } from './report-schema.ts';
import { type Scenario, windowMessages } from './scenarios.ts';

/** The load of one run. */
export interface LoadShape extends LoadTimes {
  readonly senderThreads: number;
  readonly receiverThreads: number;
  /** Overrides the scenario; null: the scenario's own. */
  readonly windowMessages: number | null;
  readonly batch: number | null;
}

let nextRunNumber = Math.floor(Date.now() / 1000) % 40_000;

/** A scenario on a system: a planned run without its place in the plan. */
export type Subject = Pick<PlannedRun, 'scenario' | 'system'>;

function measure(running: RunningSystem, subject: Subject, pacing: Pacing, shape: LoadShape): Promise<RunMetrics> {
  const { scenario, system } = subject;
  const request: LoadRequest = {
    protocol: system.protocol(scenario),
    endpoints: running.endpoints,
    senderEndpoints: running.senderEndpoints ?? running.endpoints,
    pids: running.pids,
    topology: { senders: scenario.senders, receivers: scenario.receivers, groups: scenario.groups },
    pacing,
    noDelay: scenario.noDelay,
    payloadBytes: scenario.payloadBytes,
    idleClients: scenario.idleClients,
    warmUpMs: warmUpMsOf(pacing.kind, scenario.daemons, shape),
    measureMs: shape.measureMs,
    run: nextRunNumber++,
    senderThreads: shape.senderThreads,
    receiverThreads: shape.receiverThreads,
  };
  return runLoad(request);
}

async function choosePacing(running: RunningSystem, subject: Subject, shape: LoadShape): Promise<Pacing> {
  const { scenario } = subject;
  const closed: Pacing = {
    kind: 'closed',
    batch: shape.batch ?? scenario.batch,
    windowMessages: shape.windowMessages ?? windowMessages(scenario),
  };
  if (scenario.kind === 'throughput') return closed;
  if (scenario.saturationShare === null) return openLoop(scenario.ratePerSecond ?? 1000);
  const saturated = await measure(running, subject, { ...closed, batch: 32 }, shape);
  return openLoop(Math.floor(saturated.messagesPerSecond * scenario.saturationShare));
}

/** Why the machine cannot run `scenario`, or null. */
const machineUnsuited = (scenario: Scenario): Promise<string | null> =>
  scenario.network === 'namespaces' ? namespacesUnavailable() : Promise.resolve(null);

/** Runs the load of a scenario once against a running system. */
export async function loadOnce(running: RunningSystem, subject: Subject, shape: LoadShape): Promise<RunMetrics> {
  return measure(running, subject, await choosePacing(running, subject, shape), shape);
}

/** Starts `system` for a scenario. @throws (rejects) also when the scenario cannot run on this machine */
export async function startFor(scenario: Scenario, system: System, directory: string): Promise<RunningSystem> {
  const unsuited = await machineUnsuited(scenario);
  if (unsuited !== null) throw new Error(unsuited);
  return system.start({ daemons: scenario.daemons, network: scenario.network, directory });
}

export const execute = (planned: PlannedRun, shape: LoadShape): Promise<Run> =>
  withTemporaryDirectory((directory) => executeIn(directory, planned, shape));

async function executeIn(directory: string, planned: PlannedRun, shape: LoadShape): Promise<Run> {
  const { scenario, system, repeat } = planned;
  const base = { scenario: scenario.id, system: system.id, repeat, startedAt: new Date().toISOString() };
  let running: RunningSystem | null = null;
  let pacing: Pacing | null = null;
  const used = (): Pick<Run, 'windowMessages' | 'ratePerSecond'> => ({
    windowMessages: pacing?.kind === 'closed' ? pacing.windowMessages : null,
    ratePerSecond: pacing?.kind === 'open' ? pacing.ratePerSecond : null,
  });
  try {
    running = await startFor(scenario, system, directory);
    pacing = await choosePacing(running, planned, shape);
    const metrics = await measure(running, planned, pacing, shape);
    return { ...base, ...used(), metrics, error: null };
  } catch (error) {
    return { ...base, ...used(), metrics: null, error: error instanceof Error ? error.message : String(error) };
  } finally {
    await running?.stop();
  }
}
