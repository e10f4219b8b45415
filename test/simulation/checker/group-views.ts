/** GRP-2, GRP-3, GRP-5 to GRP-8: what each client gets, against the table replayed from the ring's order. */
import type { ClientEvent, ClientTrace, MulticastFact } from '../trace/trace.ts';
import {
  clientsOf,
  forEachClientEvent,
  idText,
  replayOwnRows,
  TableWalk,
  type ViewEvent,
  viewKeys,
} from './group-replay.ts';
import { type Check, type Model, memberKey, type Property } from './model.ts';

export const clientName = (client: ClientTrace): string => `client ${client.member} (session ${client.session})`;
const viewText = (view: ViewEvent): string =>
  `${view.group} ${idText(view)} (${view.cause}) {${view.members.join(',')}}`;

const viewMembers: Check = (model) => {
  const found: string[] = [];
  forEachClientEvent(model, (walk, client, event) => {
    if (event.kind !== 'view') return;
    const hidden = new Set([...walk.state.unknown].map((p) => `#n${model.trace.processes[p]!.node}`));
    const isKnown = (member: string): boolean => !hidden.has(member.slice(member.lastIndexOf('#')));
    const expected = walk.state.members(event.group, model).filter(isKnown);
    if (event.members.filter(isKnown).join() !== expected.join())
      found.push(`${clientName(client)} got view ${viewText(event)} where the order makes it {${expected.join(',')}}`);
    const inSets = event.sets.flat();
    if (event.cause === 'network' && [...inSets].sort().join() !== [...event.members].sort().join())
      found.push(`${clientName(client)} got view ${viewText(event)} with VS sets of {${inSets.join(',')}}`);
  });
  return found;
};

const groupIds: Check = (model) => {
  const found: string[] = [];
  const meaning = new Map<string, string>();
  const keys = viewKeys(model);
  for (const client of model.trace.clients)
    for (const event of client.events) {
      if (event.kind !== 'view') continue;
      const key = keys.get(event)!;
      const text = `${event.cause} {${event.members.join(',')}} sets ${event.sets.map((set) => set.join('+')).join(' ')}`;
      const known = meaning.get(key);
      if (known === undefined) meaning.set(key, text);
      else if (known !== text)
        found.push(`${clientName(client)}: id ${idText(event)} of ${event.group} is ${text}, elsewhere ${known}`);
    }
  return found;
};

const joinFirstLeaveLast: Check = (model) => {
  const found: string[] = [];
  for (const client of model.trace.clients) {
    if (!client.wantsViews) continue;
    const inside = new Set<string>();
    for (const event of client.events) {
      if (event.kind === 'view') {
        if (!inside.has(event.group)) {
          const ownJoin =
            event.members.includes(client.member) &&
            (event.cause === 'network' || (event.cause === 'join' && event.sets[0]?.[0] === client.member));
          if (!ownJoin) found.push(`${clientName(client)} got ${viewText(event)} before its own join`);
        }
        inside.add(event.group);
      } else if (event.kind === 'self-leave') {
        if (!inside.delete(event.group))
          found.push(`${clientName(client)} got a self-leave of ${event.group} without being in it`);
      } else if (event.kind === 'transition') {
        if (!inside.has(event.group))
          found.push(`${clientName(client)} got a signal for ${event.group} outside its membership`);
      } else if (event.kind === 'message' && !event.groups.some((group) => inside.has(group)))
        found.push(
          `${clientName(client)} got message ${event.multicast} for ${event.groups.join(',')} outside its memberships`,
        );
    }
  }
  return found;
};

/** Signals have to come with the transitional configuration, for each group that loses a daemon, and for no other. */
const transitionalSignals: Check = (model) => {
  const found: string[] = [];
  const own = replayOwnRows(model);
  for (const process of model.trace.processes) {
    const walk = new TableWalk(model, process, own);
    const clients = clientsOf(model, process.process).filter((client) => client.wantsViews);
    let exchanged = false;
    let previousTransitional = 0;
    for (const [at, event] of process.events.entries()) {
      if (event.kind === 'deliver' && event.group !== null) exchanged = true;
      if (event.kind !== 'configuration') continue;
      if (event.regular) {
        // Without newcomers there is no exchange, if the last one was completed: the tables are known to be equal at once.
        const noneIsNew = event.members.length === previousTransitional;
        exchanged = event.members.length === 1 || (noneIsNew && exchanged);
        continue;
      }
      previousTransitional = event.members.length;
      walk.advanceTo(at + 1);
      if (!exchanged || walk.state.unknown.size > 0) continue;
      found.push(...missingSignals(model, walk, clients, at));
    }
    found.push(...needlessSignals(model, process.process, own));
  }
  return found;
};

/** What the client itself did; the rest it got. */
const isRequest = ({ kind }: ClientEvent): boolean =>
  kind === 'join-requested' || kind === 'leave-requested' || kind === 'multicast-requested';

function missingSignals(model: Model, walk: TableWalk, clients: readonly ClientTrace[], at: number): string[] {
  const found: string[] = [];
  const staying = new Set(walk.transitional!.members.map((m) => memberKey(m.node, m.incarnation)));
  for (const group of walk.state.groups()) {
    const loses = walk.state.holders(group).some((p) => {
      const q = model.trace.processes[p]!;
      return !staying.has(memberKey(q.node, q.incarnation));
    });
    for (const client of clients) {
      if (!walk.state.isMember(client.process, client.session, group)) continue;
      const given = client.events.some(
        (event) => event.kind === 'transition' && event.group === group && event.position === at + 1,
      );
      // A connection that is gone gets nothing more.
      const gone = client.disconnected && client.events.every((event) => isRequest(event) || event.position <= at);
      if (given !== loses && !(gone && loses))
        found.push(
          `${clientName(client)} got ${given ? 'a' : 'no'} signal for ${group} at ${walk.transitional!.id}, which ${loses ? 'takes' : 'leaves'} all its daemons`,
        );
    }
  }
  return found;
}

/** A later signal can only follow a change inside the transitional period, or an exchange that completed in it. */
function needlessSignals(model: Model, process: number, own: ReturnType<typeof replayOwnRows>): string[] {
  const found: string[] = [];
  const walk = new TableWalk(model, model.trace.processes[process]!, own);
  const entries = clientsOf(model, process).flatMap((client) => client.events.map((event) => ({ client, event })));
  entries.sort((a, b) => a.event.position - b.event.position);
  for (const { client, event } of entries) {
    if (event.kind !== 'transition') continue;
    walk.advanceTo(event.position);
    const lost = (walk.regular?.members.length ?? 0) > (walk.transitional?.members.length ?? 0);
    if (walk.transitional === null || !lost)
      found.push(`${clientName(client)} got a signal for ${event.group} though no daemon was lost`);
  }
  return found;
}

const onceEach: Check = (model) => {
  const found: string[] = [];
  for (const client of model.trace.clients) {
    const seen = new Set<number>();
    for (const event of client.events) {
      if (event.kind !== 'message') continue;
      if (seen.has(event.multicast)) found.push(`${clientName(client)} got message ${event.multicast} twice`);
      seen.add(event.multicast);
    }
  }
  return found;
};

/** Whoever sends: a message goes to exactly the members, at its place in the order, of the groups it names. */
const openGroups: Check = (model) => {
  const found: string[] = [];
  const facts = new Map<number, MulticastFact>();
  for (const fact of model.trace.multicasts) facts.set(fact.multicast, fact);
  const own = replayOwnRows(model);
  for (const process of model.trace.processes) {
    const walk = new TableWalk(model, process, own);
    const clients = clientsOf(model, process.process);
    const got = new Map<number, Map<number, number>>();
    for (const client of clients)
      for (const event of client.events)
        if (event.kind === 'message') {
          const positions = got.get(event.multicast);
          if (positions === undefined) got.set(event.multicast, new Map([[client.client, event.position]]));
          else positions.set(client.client, event.position);
        }
    for (const [at, event] of process.events.entries()) {
      if (event.kind !== 'deliver') continue;
      const fact = facts.get(event.message);
      if (fact === undefined) continue;
      walk.advanceTo(at + 1);
      for (const client of clients) {
        const member = fact.groups.some((group) => walk.state.isMember(process.process, client.session, group));
        const due = member && !(fact.selfDiscard && fact.client === client.client);
        const given = got.get(event.message)?.get(client.client);
        if (due && given === undefined && !client.disconnected)
          found.push(
            `${clientName(client)} never got message ${event.message}, sent to ${fact.groups.join(',')} by client ${fact.client}`,
          );
        else if (!due && given !== undefined)
          found.push(
            `${clientName(client)} got message ${event.message}, sent to ${fact.groups.join(',')}, without being a member`,
          );
      }
    }
  }
  return found;
};

export const groupViewProperties: readonly Property[] = [
  { name: 'GRP-2', title: 'views list the joined clients', check: viewMembers },
  { name: 'GRP-3', title: 'group ids name views', check: groupIds },
  { name: 'GRP-5', title: 'own join first, self-leave last', check: joinFirstLeaveLast },
  { name: 'GRP-6', title: 'transitional signals', check: transitionalSignals },
  { name: 'GRP-7', title: 'several groups, one copy', check: onceEach },
  { name: 'GRP-8', title: 'open groups', check: openGroups },
];
