/** EVS-1 to EVS-8: configurations and when they change. */
import type { ConfigurationEvent, Disruption, Trace } from '../trace/trace.ts';
import { type Check, isMember, type Model, memberKey, type Property, processName } from './model.ts';

const membersText = (configuration: ConfigurationEvent): string =>
  configuration.members.map((m) => memberKey(m.node, m.incarnation)).join(',');

const selfInclusion: Check = ({ trace }) => {
  const found: string[] = [];
  for (const process of trace.processes)
    for (const event of process.events)
      if (event.kind === 'configuration' && !isMember(event, process))
        found.push(`${processName(process)} got ${event.id} without being a member of it`);
  return found;
};

const alternation: Check = ({ trace }) => {
  const found: string[] = [];
  for (const process of trace.processes) {
    let expectRegular = true;
    let any = false;
    for (const event of process.events) {
      if (event.kind === 'deliver' && !any) found.push(`${processName(process)} delivered before any configuration`);
      if (event.kind !== 'configuration') continue;
      if (event.regular !== expectRegular)
        found.push(
          `${processName(process)} got ${event.id} where a ${expectRegular ? 'regular' : 'transitional'} one is due`,
        );
      expectRegular = !event.regular;
      any = true;
    }
  }
  return found;
};

const oneMeaningPerId: Check = ({ trace }) => {
  const found: string[] = [];
  const meaning = new Map<string, string>();
  for (const process of trace.processes) {
    const seen = new Set<string>();
    for (const event of process.events) {
      if (event.kind !== 'configuration') continue;
      const text = `${event.regular ? 'regular' : 'transitional'} {${membersText(event)}}`;
      const known = meaning.get(event.id);
      if (known === undefined) meaning.set(event.id, text);
      else if (known !== text) found.push(`${event.id} is ${known} and also ${text}`);
      if (seen.has(event.id)) found.push(`${processName(process)} got ${event.id} twice`);
      seen.add(event.id);
    }
  }
  return found;
};

const localMonotony: Check = ({ trace }) => {
  const found: string[] = [];
  const highest = new Map<number, ConfigurationEvent>();
  const byIncarnation = [...trace.processes].sort((a, b) => a.incarnation - b.incarnation);
  for (const process of byIncarnation)
    for (const event of process.events) {
      if (event.kind !== 'configuration' || !event.regular) continue;
      const last = highest.get(process.machine);
      if (last !== undefined && event.ringSeq <= last.ringSeq)
        found.push(`node ${process.node} installed ${event.id} after ${last.id}`);
      highest.set(process.machine, event);
    }
  return found;
};

const transitionalMembership: Check = (model) => {
  const found: string[] = [];
  for (const stays of model.stays)
    for (const { process, regular, transitional, next } of stays) {
      if (transitional === null || next === null) continue;
      const step = `${processName(process)}, ${regular.id} -> ${transitional.id} -> ${next.id}`;
      for (const m of transitional.members) {
        const q = model.processOf.get(memberKey(m.node, m.incarnation));
        if (q === undefined) found.push(`${step}: member ${memberKey(m.node, m.incarnation)} never existed`);
        if (q === undefined) continue;
        if (!isMember(regular, q)) found.push(`${step}: ${processName(q)} is not in ${regular.id}`);
        if (!isMember(next, q)) found.push(`${step}: ${processName(q)} is not in ${next.id}`);
        for (const other of model.stays[q.process]!)
          if (
            other.next?.id === next.id &&
            (other.regular.id !== regular.id || other.transitional?.id !== transitional.id)
          )
            found.push(`${step}: ${processName(q)} came by ${other.regular.id} -> ${other.transitional?.id}`);
      }
      for (const other of model.staysIn.get(regular.id) ?? [])
        if (other.next?.id === next.id && !isMember(transitional, other.process))
          found.push(`${step}: ${processName(other.process)} made the same step and is not in ${transitional.id}`);
    }
  return found;
};

/** When the last live process installed the configuration that holds exactly the live ones; null when that never was. */
function convergedAt(trace: Trace): { atMs: number; id: string } | string {
  let id: string | null = null;
  let atMs = 0;
  const expected = trace.live
    .map((p) => memberKey(trace.processes[p]!.node, trace.processes[p]!.incarnation))
    .sort()
    .join(',');
  for (const p of trace.live) {
    const process = trace.processes[p]!;
    const last = process.events.findLast((event) => event.kind === 'configuration');
    if (last === undefined || last.kind !== 'configuration' || !last.regular)
      return `${processName(process)} is in no regular configuration at the end`;
    const members = last.members
      .map((m) => memberKey(m.node, m.incarnation))
      .sort()
      .join(',');
    if (members !== expected) return `${processName(process)} ends in ${last.id} {${members}}; live are {${expected}}`;
    if (id !== null && id !== last.id) return `${processName(process)} ends in ${last.id}, others in ${id}`;
    id = last.id;
    atMs = Math.max(atMs, last.atMs);
  }
  return { atMs, id: id ?? '' };
}

const membershipAgreement: Check = ({ trace }) => {
  if (trace.live.length === 0) return [];
  const converged = convergedAt(trace);
  if (typeof converged === 'string') return [converged];
  const limitMs = trace.faultsEndedAtMs + trace.bounds.convergeMs;
  return converged.atMs <= limitMs
    ? []
    : [
        `${converged.id} complete at ${converged.atMs.toFixed(1)} ms; faults ended ${trace.faultsEndedAtMs.toFixed(1)}, limit ${limitMs.toFixed(1)}`,
      ];
};

/**
 * Once all live processes are together after all faults, nothing may separate them. A configuration from before the end of
 * the faults counts only when it outlives the time in which a loss would have been noticed.
 */
const membershipAccuracy: Check = ({ trace }) => {
  const found: string[] = [];
  const current = new Map<number, ConfigurationEvent>();
  const events = trace.live
    .flatMap((p) => trace.processes[p]!.events.map((event) => ({ p, event })))
    .filter((entry): entry is { p: number; event: ConfigurationEvent } => entry.event.kind === 'configuration')
    .sort((a, b) => a.event.atMs - b.event.atMs);
  const togetherAt = (nowMs: number): boolean => {
    const configurations = [...current.values()];
    const first = configurations[0];
    if (first === undefined || configurations.length !== trace.live.length) return false;
    if (first.members.length !== trace.live.length || configurations.some((c) => c.id !== first.id)) return false;
    const settledMs = trace.faultsEndedAtMs + trace.bounds.detectMs;
    return nowMs > settledMs || configurations.every((c) => c.atMs > trace.faultsEndedAtMs);
  };
  let wasTogether = false;
  for (const { p, event } of events) {
    if (event.atMs > trace.faultsEndedAtMs) {
      wasTogether ||= togetherAt(event.atMs);
      if (wasTogether || event.atMs > trace.faultsEndedAtMs + trace.bounds.convergeMs)
        found.push(
          `${processName(trace.processes[p]!)} got ${event.id} at ${event.atMs.toFixed(1)} ms though nothing happened`,
        );
    }
    if (event.regular) current.set(p, event);
    else current.delete(p);
  }
  return found;
};

/** Nothing else disturbs the system between `fromMs` and `untilMs`. */
const isAlone = (trace: Trace, disruption: Disruption, fromMs: number, untilMs: number): boolean =>
  untilMs <= trace.endedAtMs &&
  trace.disruptions.every((d) => d === disruption || d.untilMs < fromMs || d.fromMs > untilMs);

const failureDetection: Check = (model) => {
  const { trace } = model;
  const found: string[] = [];
  for (const disruption of trace.disruptions) {
    const limitMs = disruption.fromMs + trace.bounds.detectMs;
    // What was done shortly before may still be at work, so it has to be quiet for as long before as after.
    if (!isAlone(trace, disruption, disruption.fromMs - trace.bounds.convergeMs, limitMs)) continue;
    for (const process of trace.processes) {
      if (process.startedAtMs > disruption.fromMs || (process.end !== 'running' && process.endedAtMs <= limitMs))
        continue;
      const at = process.events.findLast((e) => e.kind === 'configuration' && e.regular && e.atMs <= limitMs);
      if (at === undefined || at.kind !== 'configuration') continue;
      for (const lost of lostBy(model, disruption, process.node))
        if (at.members.some((m) => m.node === lost.node && m.incarnation === lost.incarnation))
          found.push(
            `${processName(process)} still has ${processName(lost)} in ${at.id}, ${trace.bounds.detectMs} ms after it was lost at ${disruption.fromMs.toFixed(1)}`,
          );
    }
  }
  return found;
};

function lostBy({ trace }: Model, disruption: Disruption, node: number) {
  if (disruption.kind === 'crash') return [trace.processes[disruption.process!]!].filter((p) => p.node !== node);
  if (disruption.kind !== 'partition' || disruption.untilMs < disruption.fromMs + trace.bounds.detectMs) return [];
  const component = disruption.component!;
  return trace.processes.filter((p) => component[p.node] !== component[node]);
}

export const configurationProperties: readonly Property[] = [
  { name: 'EVS-1', title: 'self-inclusion', check: selfInclusion },
  { name: 'EVS-2', title: 'regular and transitional configurations alternate', check: alternation },
  { name: 'EVS-3', title: 'one meaning per configuration id', check: oneMeaningPerId },
  { name: 'EVS-4', title: 'ring sequence rises locally, over restarts too', check: localMonotony },
  { name: 'EVS-5', title: 'transitional membership', check: transitionalMembership },
  { name: 'EVS-6', title: 'membership agreement after faults', check: membershipAgreement },
  { name: 'EVS-7', title: 'membership accuracy', check: membershipAccuracy },
  { name: 'EVS-8', title: 'failure detection in time', check: failureDetection },
];
