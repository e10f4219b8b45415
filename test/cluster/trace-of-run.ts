/**
 * Converts the records of real daemons' clients into the trace that the simulator's checker reads.
 *
 * The inside of a real daemon is not visible, so its process trace is what its witness saw: a client in one group with the witnesses of all
 * other daemons and never leaves. A view of that group stands for a regular configuration; between two of them stands
 * a transitional one, whose members are the receiver's own VS set, at the transitional signal or, without one, right before the next view.
 */
import type { Membership } from '../../client/index.ts';
import { check, PROPERTIES, type Violation } from '../simulation/checker/check.ts';
import {
  type ClientEvent,
  type ClientTrace,
  type DeliverEvent,
  type Disruption,
  isOrdered,
  type Member,
  type MessageId,
  type ProcessEvent,
  type ProcessTrace,
  type SendEvent,
  type TimeBounds,
  type Trace,
} from '../simulation/trace/trace.ts';
import { orderOfConfigurations, type RingPlace } from './ring-order.ts';
import type { ClientRecord, Observation, ProcessRecord, RunRecord } from './run-record.ts';

export const WITNESS_GROUP = 'witnesses';

/**
 * What clients cannot show: group ids are not ring ids and may be older than the ring (EVS-4), rings may come and go between two views, so
 * that members with the same two views need not have moved together (EVS-5), daemons count no packets (EVS-22), and the replay of all
 * joins needs each daemon's own order (GRP-2, GRP-6, GRP-8).
 */
const BEYOND_CLIENTS = new Set(['EVS-4', 'EVS-5', 'EVS-22', 'GRP-2', 'GRP-6', 'GRP-8']);
const CLIENT_PROPERTIES = PROPERTIES.filter((property) => !BEYOND_CLIENTS.has(property.name));

export interface RunTimes {
  readonly disruptions: readonly Disruption[];
  readonly bounds: TimeBounds;
  readonly faultsEndedAtMs: number;
}

/** For machines of unknown speed: required events have no deadline. */
const untimed = (nowMs: number): RunTimes => ({
  disruptions: [],
  bounds: { detectMs: Infinity, convergeMs: Infinity, drainMs: Infinity },
  faultsEndedAtMs: nowMs,
});

export function checkRun(run: RunRecord, times?: RunTimes): Violation[] {
  return check(traceOfRun(run, times), CLIENT_PROPERTIES);
}

function traceOfRun(run: RunRecord, times: RunTimes = untimed(performance.now())): Trace {
  const witnesses = run.processes.map((process) => run.clients.find((c) => c.isWitness && c.process === process));
  const memberOf = new Map<string, Member>();
  for (const [i, witness] of witnesses.entries())
    if (witness !== undefined) memberOf.set(witness.member, run.processes[i]!);
  const processes = run.processes.map((process, i) => {
    const witness = witnesses[i];
    return witnessTrace(process, witness === undefined ? [] : configurationsOf(witness, memberOf), witness);
  });
  placeSends(processes, witnesses);
  const clients = run.clients.map(clientTrace);
  const last = processes.length;
  for (const [i, reason] of run.failures.entries()) {
    processes[Math.min(i, last - 1)]?.events.push({ kind: 'failure', atMs: performance.now(), reason });
  }
  return {
    nodeCount: Math.max(0, ...run.processes.map((process) => process.node)) + 1,
    processes,
    clients,
    multicasts: run.clients.flatMap((client) =>
      client.sent.map(({ message, groups, service, selfDiscard }) => ({
        multicast: message,
        client: client.client,
        groups,
        service,
        selfDiscard,
      })),
    ),
    ...times,
    workEndedAtMs: performance.now(),
    endedAtMs: performance.now(),
    live: run.processes.filter((p) => p.end === 'running').map((p) => p.process),
  };
}

function witnessTrace(record: ProcessRecord, events: ProcessEvent[], witness: ClientRecord | undefined): ProcessTrace {
  const delivered = new Set(events.flatMap((event) => (event.kind === 'deliver' ? [event.message] : [])));
  const unsent = witness?.sent.filter(
    ({ groups, message }) => groups.includes(WITNESS_GROUP) && !delivered.has(message),
  );
  return { ...record, machine: record.node, events, unsent: unsent?.length ?? 0 };
}

/**
 * A view inside a transitional period: a member joined or left before the network view came. A network view always has index 1; only
 * inside the period a network view counts on from it (client-protocol.md, 5.4).
 */
export const isPassing = ({ cause, viewId }: Membership): boolean => cause === 'network' && viewId.index > 1;

/** A witness's observations of its group as configurations and deliveries. */
function configurationsOf(witness: ClientRecord, memberOf: ReadonlyMap<string, Member>): ProcessEvent[] {
  const events: ProcessEvent[] = [];
  let current: Membership | null = null;
  /** Where the transitional configuration belongs, once its end is known. */
  let signalAt = -1;
  let signalMs = 0;
  const membersFrom = (names: readonly string[]): Member[] =>
    names.flatMap((name) => {
      const member = memberOf.get(name);
      return member === undefined ? [] : [{ node: member.node, incarnation: member.incarnation }];
    });
  const transitional = (atMs: number, id: string, together: readonly string[]): ProcessEvent => ({
    kind: 'configuration',
    atMs,
    regular: false,
    id,
    ringSeq: current?.viewId.time ?? 0,
    members: membersFrom(together),
  });
  for (const event of witness.observations) {
    if (event.kind === 'message') {
      if (current !== null && event.groups.includes(WITNESS_GROUP) && isOrdered(event.service))
        events.push(deliveryOf(event, memberOf));
      continue;
    }
    if (event.group !== WITNESS_GROUP) continue;
    if (event.kind === 'transition' && current !== null && signalAt === -1) {
      signalAt = events.length;
      signalMs = event.atMs;
    }
    if (event.kind !== 'view' || isPassing(event.view)) continue;
    const { view } = event;
    if (current !== null) {
      const together = movedTogether(current, view);
      const id = `${current.viewId} to ${view.viewId} with ${together.join()}`;
      if (signalAt === -1) events.push(transitional(event.atMs, id, together));
      else events.splice(signalAt, 0, transitional(signalMs, id, together));
    }
    signalAt = -1;
    current = view;
    events.push({
      kind: 'configuration',
      atMs: event.atMs,
      regular: true,
      id: String(view.viewId),
      ringSeq: view.viewId.time,
      members: membersFrom(view.members),
    });
  }
  if (signalAt !== -1)
    events.splice(
      signalAt,
      0,
      transitional(signalMs, `${current?.viewId} to the end of ${witness.member}`, [witness.member]),
    );
  return events;
}

const movedTogether = (from: Membership, to: Membership): readonly string[] => {
  if (to.cause !== 'network') return from.members.filter((member) => to.members.includes(member));
  // A member that joined between the signal and the view was not in the old view.
  return to.vsSets[to.ownVsSet]!.filter((member) => from.members.includes(member));
};

type MessageObservation = Extract<Observation, { kind: 'message' }>;

const deliveryOf = (event: MessageObservation, memberOf: ReadonlyMap<string, Member>): DeliverEvent => ({
  kind: 'deliver',
  atMs: event.atMs,
  message: event.message,
  service: event.service,
  contentHash: event.contentHash,
  origin: memberOf.get(event.sender)?.node ?? -1,
  // Only the witnesses, one on each daemon, send to their group.
  session: 0,
  group: null,
});

/**
 * Puts each send into its process's trace: into the configuration in which it was delivered, but not before the client sent it.
 * A message that nobody received was never ordered; for a live daemon it counts as `unsent`.
 */
function placeSends(processes: readonly ProcessTrace[], witnesses: readonly (ClientRecord | undefined)[]): void {
  const order = orderOfConfigurations(processes);
  dropUnwitnessed(processes, witnesses, order);
  for (const [i, witness] of witnesses.entries()) {
    if (witness === undefined) continue;
    const { events } = processes[i]!;
    const positions = new Map<MessageId, number>();
    const starts = new Map<string, number>();
    for (const [at, event] of events.entries()) {
      if (event.kind === 'configuration' && event.regular) starts.set(event.id, at);
      if (event.kind === 'deliver') positions.set(event.message, at);
    }
    const sends: { readonly at: number; readonly send: SendEvent }[] = [];
    let earliest = 0;
    const knownAt = eventsSeen(witness, positions);
    for (const sent of witness.sent) {
      const place = order.get(sent.message);
      if (place === undefined) continue;
      const at = Math.max(earliest, knownAt(sent.position), (starts.get(place.configuration) ?? -1) + 1);
      earliest = at;
      sends.push({
        at,
        send: {
          kind: 'send',
          atMs: sent.atMs,
          message: sent.message,
          service: sent.service,
          contentHash: sent.contentHash,
          ...place,
        },
      });
    }
    insertAll(events, sends);
  }
}

/**
 * A crashed daemon may have sent in a configuration that its witness never saw, so the place in the trace is unknown.
 * Such messages are left to the properties of groups, which are checked on the clients themselves.
 */
function dropUnwitnessed(
  processes: readonly ProcessTrace[],
  witnesses: readonly (ClientRecord | undefined)[],
  order: ReadonlyMap<MessageId, RingPlace>,
): void {
  const dropped = new Set<MessageId>();
  for (const [i, witness] of witnesses.entries()) {
    const { events, end } = processes[i]!;
    if (witness === undefined || end === 'running') continue;
    const seen = new Set(events.flatMap((event) => (event.kind === 'configuration' ? [event.id] : [])));
    for (const { message } of witness.sent) {
      const place = order.get(message);
      if (place !== undefined && !seen.has(place.configuration)) dropped.add(message);
    }
  }
  if (dropped.size === 0) return;
  for (const { events } of processes) {
    const kept = events.filter((event) => event.kind !== 'deliver' || !dropped.has(event.message));
    events.length = 0;
    for (const event of kept) events.push(event);
  }
}

/** Maps a number of the client's observations to the number of trace events up to the last delivery among them. */
function eventsSeen(witness: ClientRecord, positions: ReadonlyMap<MessageId, number>): (observed: number) => number {
  let at = 0;
  let events = 0;
  return (observed) => {
    for (; at < observed; at++) {
      const event = witness.observations[at]!;
      const position = event.kind === 'message' ? positions.get(event.message) : undefined;
      if (position !== undefined) events = Math.max(events, position + 1);
    }
    return events;
  };
}

function insertAll(events: ProcessEvent[], sends: readonly { readonly at: number; readonly send: SendEvent }[]): void {
  const merged: ProcessEvent[] = [];
  let next = 0;
  for (let at = 0; at <= events.length; at++) {
    for (; next < sends.length && sends[next]!.at === at; next++) merged.push(sends[next]!.send);
    if (at < events.length) merged.push(events[at]!);
  }
  events.length = 0;
  for (const event of merged) events.push(event);
}

function clientTrace(record: ClientRecord): ClientTrace {
  return {
    client: record.client,
    process: record.process.process,
    session: record.client,
    member: record.member,
    wantsViews: true,
    events: clientEvents(record),
    disconnected: record.disconnected,
  };
}

/** Its sends, at the positions where it made them. */
function clientEvents({ observations, sent }: ClientRecord): ClientEvent[] {
  const events: ClientEvent[] = [];
  let next = 0;
  for (let at = 0; at <= observations.length; at++) {
    for (; next < sent.length && sent[next]!.position <= at; next++)
      events.push({ kind: 'multicast-requested', multicast: sent[next]!.message, position: 0 });
    if (at < observations.length) events.push(clientEvent(observations[at]!));
  }
  return events;
}

function clientEvent(event: Observation): ClientEvent {
  // Positions relate clients to the inside of their daemon, which is not visible here.
  const position = 0;
  switch (event.kind) {
    case 'view': {
      const { viewId, cause, members, vsSets, ownVsSet } = event.view;
      const id = { leader: viewId.memberId, time: viewId.time, index: viewId.index };
      return { kind: 'view', group: event.group, id, cause, members, sets: vsSets, ownSet: ownVsSet, position };
    }
    case 'transition': {
      const id = { leader: event.id.memberId, time: event.id.time, index: event.id.index };
      return { kind: 'transition', group: event.group, id, position };
    }
    case 'message': {
      const { message, sender, groups, service } = event;
      return { kind: 'message', multicast: message, sender, groups, service, position };
    }
    default:
      return { kind: event.kind, group: event.group, position };
  }
}
