/** A run as text: what happened, in the order of virtual time. */
import { type ClientEvent, type ProcessEvent, senderOf, type Trace } from './trace.ts';

export interface TimelineEntry {
  readonly atMs: number;
  /** `packet` lines are many. */
  readonly kind: 'fault' | 'state' | 'packet' | 'control' | 'event' | 'client';
  readonly text: string;
}

export type TimelineDetail = 'brief' | 'messages' | 'packets';

const SHOWN: Readonly<Record<TimelineDetail, readonly TimelineEntry['kind'][]>> = {
  brief: ['fault', 'state', 'control'],
  messages: ['fault', 'state', 'control', 'event', 'client'],
  packets: ['fault', 'state', 'control', 'event', 'client', 'packet'],
};

function processLine(node: number, trace: Trace, event: ProcessEvent): Omit<TimelineEntry, 'atMs'> | null {
  switch (event.kind) {
    case 'configuration':
      return {
        kind: 'state',
        text: `node ${node}  == ${event.regular ? 'regular' : 'transitional'} ${event.id} {${event.members.map((m) => m.node).join(',')}}`,
      };
    case 'send':
      return {
        kind: 'event',
        text: `node ${node}  sends ${event.message} (${event.service}) as #${event.sequence} of ${event.configuration}`,
      };
    case 'deliver': {
      const sender = trace.processes[senderOf(event.message)];
      const what = event.group === null ? '' : `: ${event.group.operation} ${event.group.member} ${event.group.group}`;
      return {
        kind: 'event',
        text: `node ${node}  delivers ${event.message} of node ${sender?.node} (${event.service})${what}`,
      };
    }
    case 'failure':
      return { kind: 'fault', text: `node ${node}  FAILED: ${event.reason}` };
    case 'left-out':
      return { kind: 'fault', text: `node ${node}  leaves out the clients of node ${event.node}` };
    case 'gauge':
      return null;
  }
}

function clientLine(event: ClientEvent): string {
  switch (event.kind) {
    case 'view':
      return `view ${event.group} ${event.id.leader}:${event.id.time}:${event.id.index} by ${event.cause} {${event.members.join(' ')}}`;
    case 'transition':
    case 'self-leave':
      return `${event.kind} ${event.group}`;
    case 'message':
      return `message ${event.multicast} to ${event.groups.join(',')}`;
    case 'multicast-requested':
      return `multicasts ${event.multicast}`;
    case 'join-requested':
    case 'leave-requested':
      return `${event.kind} ${event.group}`;
  }
}

/** The lines to print, sorted by time; entries of one time keep the order in which they were noted. */
export function renderTimeline(trace: Trace, noted: readonly TimelineEntry[], detail: TimelineDetail): string[] {
  const entries: TimelineEntry[] = [...noted];
  for (const process of trace.processes) {
    for (const event of process.events) {
      const line = processLine(process.node, trace, event);
      if (line !== null) entries.push({ atMs: event.atMs, ...line });
    }
    for (const client of trace.clients)
      if (client.process === process.process)
        for (const event of client.events) {
          const atMs = process.events[Math.max(0, event.position - 1)]?.atMs ?? 0;
          entries.push({ atMs, kind: 'client', text: `    ${client.member}/${client.session}  ${clientLine(event)}` });
        }
  }
  return entries
    .filter((entry) => SHOWN[detail].includes(entry.kind))
    .sort((a, b) => a.atMs - b.atMs)
    .map((entry) => `${entry.atMs.toFixed(3).padStart(10)}  ${entry.text}`);
}
