/**
 * EVS-24, GRP-9 and GRP-10: what one session sends (messages of every service, joins, leaves, the
 * disconnect) takes effect in the order sent, at every daemon, and so for every client.
 */
import { type ClientEvent, type ClientTrace, type MulticastFact, type ProcessTrace, senderOf } from '../trace/trace.ts';
import { messageText } from './delivery.ts';
import { clientName } from './group-views.ts';
import { type Check, type Model, type Property, processName, pushTo } from './model.ts';

/** Message numbers of one session rise in the order in which it sent, so they have to rise at every receiver. */
const oneOrderPerSession: Check = (model) => {
  const found: string[] = [];
  const last = new Map<string, number>();
  for (const process of model.trace.processes) {
    last.clear();
    for (const event of process.events) {
      if (event.kind !== 'deliver') continue;
      const session = `${senderOf(event.message)}/${event.session}`;
      const before = last.get(session) ?? 0;
      if (event.message < before)
        found.push(
          `${processName(process)} delivered ${messageText(model, event.message)} after ${messageText(model, before)} of the same session ${event.session}`,
        );
      else last.set(session, event.message);
    }
  }
  return found;
};

type Effect = string;
const joinOf = (group: string): Effect => `join of ${group}`;
const leaveOf = (group: string): Effect => `leave of ${group}`;
const messageOf = (multicast: number): Effect => `message ${multicast}`;
const DISCONNECT: Effect = 'disconnect';

const knownFacts = new WeakMap<Model, ReadonlyMap<number, MulticastFact>>();

function factsOf(model: Model): ReadonlyMap<number, MulticastFact> {
  let facts = knownFacts.get(model);
  if (facts === undefined) {
    facts = new Map(model.trace.multicasts.map((fact) => [fact.multicast, fact]));
    knownFacts.set(model, facts);
  }
  return facts;
}

/** What a client has to see of its own requests, by the order in which it made them. */
function expectedBack(client: ClientTrace, facts: ReadonlyMap<number, MulticastFact>): Effect[] {
  const expected: Effect[] = [];
  // The private group of the client is its own from beginning to end.
  const inside = new Set([client.member]);
  for (const event of client.events) {
    if (event.kind === 'join-requested') {
      if (!inside.has(event.group) && client.wantsViews) expected.push(joinOf(event.group));
      inside.add(event.group);
    } else if (event.kind === 'leave-requested') {
      if (inside.delete(event.group) && client.wantsViews) expected.push(leaveOf(event.group));
    } else if (event.kind === 'multicast-requested') {
      const fact = facts.get(event.multicast);
      if (fact !== undefined && !fact.selfDiscard && fact.groups.some((group) => inside.has(group)))
        expected.push(messageOf(event.multicast));
    }
  }
  return expected;
}

/** What a client did see of its own requests. */
function cameBack(client: ClientTrace, facts: ReadonlyMap<number, MulticastFact>): Effect[] {
  const seen: Effect[] = [];
  const inside = new Set<string>();
  for (const event of client.events) {
    if (event.kind === 'view' && client.wantsViews) {
      if (!inside.has(event.group)) seen.push(joinOf(event.group));
      inside.add(event.group);
    } else if (event.kind === 'self-leave' && client.wantsViews) {
      inside.delete(event.group);
      seen.push(leaveOf(event.group));
    } else if (event.kind === 'message' && facts.get(event.multicast)?.client === client.client)
      seen.push(messageOf(event.multicast));
  }
  return seen;
}

/** An exchange ended its clients' memberships, which none of them asked for. */
const wasLeftOut = ({ node, events }: ProcessTrace): boolean =>
  events.some((event) => event.kind === 'left-out' && event.node === node);

const ownRequests: Check = (model) => {
  const found: string[] = [];
  const facts = factsOf(model);
  for (const client of model.trace.clients) {
    if (wasLeftOut(model.trace.processes[client.process]!)) continue;
    const expected = expectedBack(client, facts);
    const seen = cameBack(client, facts);
    const at = seen.findIndex((effect, i) => effect !== expected[i]);
    if (at >= 0)
      found.push(
        `${clientName(client)} got its ${seen[at]} back where its ${expected[at] ?? 'nothing'} has its turn, behind ${expected[at - 1] ?? 'nothing'}`,
      );
    else if (seen.length < expected.length && !client.disconnected && model.trace.live.includes(client.process))
      found.push(`${clientName(client)} never got its ${expected[seen.length]} back`);
  }
  return found;
};

/** The requests of all sessions that a daemon had under one private name, one session after the other. */
interface NameHistory {
  /** Place of each message. */
  readonly messages: Map<number, number>;
  /** Places of each join, leave and disconnect, rising. */
  readonly changes: Map<Effect, number[]>;
  length: number;
}

/** By private name, by process. */
function histories(model: Model): Map<string, Map<number, NameHistory>> {
  const byName = new Map<string, Map<number, NameHistory>>();
  for (const client of model.trace.clients) {
    const processes = byName.get(client.member) ?? new Map<number, NameHistory>();
    byName.set(client.member, processes);
    const history = processes.get(client.process) ?? { messages: new Map(), changes: new Map(), length: 0 };
    processes.set(client.process, history);
    for (const event of client.events) addRequest(history, event);
    pushTo(history.changes, DISCONNECT, history.length++);
  }
  return byName;
}

function addRequest(history: NameHistory, event: ClientEvent): void {
  if (event.kind === 'multicast-requested') history.messages.set(event.multicast, history.length++);
  else if (event.kind === 'join-requested') pushTo(history.changes, joinOf(event.group), history.length++);
  else if (event.kind === 'leave-requested') pushTo(history.changes, leaveOf(event.group), history.length++);
}

const changeOf = (event: Extract<ClientEvent, { kind: 'view' }>): Effect =>
  event.cause === 'disconnect' ? DISCONNECT : event.cause === 'join' ? joinOf(event.group) : leaveOf(event.group);

/**
 * Messages say which request they are; views say only whose and what kind, so each is taken for the first such request that is
 * left: a later one would leave less room for what follows. Views caused by the network are no single request and say nothing.
 */
const requestsOfOthers: Check = (model) => {
  const found: string[] = [];
  const facts = factsOf(model);
  const byName = histories(model);
  for (const client of model.trace.clients) {
    /** By history: place of the last request that took effect. */
    const reached = new Map<NameHistory, number>();
    const reachedOf = (history: NameHistory): number => reached.get(history) ?? -1;
    for (const event of client.events) {
      if (event.kind === 'message') {
        const sender = model.trace.clients[facts.get(event.multicast)?.client ?? -1];
        const history = sender && byName.get(sender.member)?.get(sender.process);
        const place = history?.messages.get(event.multicast);
        if (history === undefined || place === undefined) continue;
        if (place <= reachedOf(history))
          found.push(
            `${clientName(client)} got message ${event.multicast} of ${sender!.member} behind what that sent after it`,
          );
        else reached.set(history, place);
      } else if (event.kind === 'view' && event.cause !== 'network') {
        const member = event.sets[0]?.[0];
        const processes = member === undefined ? undefined : byName.get(member);
        if (processes === undefined) continue;
        const effect = changeOf(event);
        const open: { readonly history: NameHistory; readonly place: number }[] = [];
        for (const history of processes.values()) {
          const reachedAt = reachedOf(history);
          // A disconnect is one request, and a view in each group.
          const place = history.changes
            .get(effect)
            ?.find((at) => at > reachedAt || (at === reachedAt && effect === DISCONNECT));
          if (place !== undefined) open.push({ history, place });
        }
        if (open.length === 0)
          found.push(`${clientName(client)} got the ${effect} of ${member} behind what that sent after it`);
        // The name of a daemon that was started again is several histories: which one this is of cannot be told.
        else if (open.length === 1) reached.set(open[0]!.history, open[0]!.place);
      }
    }
  }
  return found;
};

export const sessionOrderOfProcesses: Property = {
  name: 'EVS-24',
  title: 'what one session sends is delivered in the order sent',
  check: oneOrderPerSession,
};

export const sessionOrderProperties: readonly Property[] = [
  { name: 'GRP-9', title: 'a client gets back its own requests in their order', check: ownRequests },
  { name: 'GRP-10', title: 'a client gets the requests of any other session in their order', check: requestsOfOthers },
];
