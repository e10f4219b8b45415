/** GRP-1 and GRP-4: members of a group see the same while they move together. */
import { type ClientEvent, type ClientTrace, isOrdered } from '../trace/trace.ts';
import { forEachClientEvent, idText, type ViewEvent, viewKeys } from './group-replay.ts';
import { clientName } from './group-views.ts';
import { type Check, type Model, type Property, pushTo } from './model.ts';

/**
 * One view of one group at one client, with the ordered messages for that group up to the next. RELIABLE and weaker ones may
 * overtake a view, so they belong to none.
 */
interface ViewStay {
  readonly client: ClientTrace;
  readonly view: ViewEvent;
  readonly ordered: number[];
  next: ViewEvent | null;
  /** It ended with the client's own leave. */
  left: boolean;
  /** A transitional signal came in it: from there on others may get other messages. */
  signalled: boolean;
}

function viewStays(client: ClientTrace): ViewStay[] {
  const stays: ViewStay[] = [];
  const current = new Map<string, ViewStay>();
  for (const event of client.events) {
    if (event.kind === 'view') {
      const before = current.get(event.group);
      if (before !== undefined) before.next = event;
      const stay: ViewStay = { client, view: event, ordered: [], next: null, left: false, signalled: false };
      current.set(event.group, stay);
      stays.push(stay);
    } else if (event.kind === 'self-leave') {
      const stay = current.get(event.group);
      if (stay !== undefined) stay.left = true;
      current.delete(event.group);
    }
    if (event.kind === 'transition') {
      const stay = current.get(event.group);
      if (stay !== undefined) stay.signalled = true;
    }
    if (event.kind === 'message' && isOrdered(event.service))
      for (const group of event.groups) {
        const stay = current.get(group);
        stay?.ordered.push(event.multicast);
      }
  }
  return stays;
}

/** Per view, the stays of all clients in it. */
function staysByView(model: Model): Map<string, ViewStay[]> {
  const byView = new Map<string, ViewStay[]>();
  const keys = viewKeys(model);
  for (const client of model.trace.clients)
    if (client.wantsViews) for (const stay of viewStays(client)) pushTo(byView, keys.get(stay.view)!, stay);
  return byView;
}

/** Messages that a client does not get because it sent them with SELF_DISCARD. */
function discardedBy(model: Model): Map<number, Set<number>> {
  const discarded = new Map<number, Set<number>>();
  for (const fact of model.trace.multicasts) {
    if (!fact.selfDiscard) continue;
    const set = discarded.get(fact.client);
    if (set === undefined) discarded.set(fact.client, new Set([fact.multicast]));
    else set.add(fact.multicast);
  }
  return discarded;
}

/** The first difference between what two clients got in one view. */
function difference(a: ViewStay, b: ViewStay, discarded: Map<number, Set<number>>): string | null {
  const hidden = (multicast: number): boolean =>
    (discarded.get(a.client.client)?.has(multicast) ?? false) ||
    (discarded.get(b.client.client)?.has(multicast) ?? false);
  const left = a.ordered.filter((m) => !hidden(m));
  const right = b.ordered.filter((m) => !hidden(m));
  for (let i = 0; i < Math.max(left.length, right.length); i++)
    if (left[i] !== right[i])
      return `message ${i} is ${left[i] ?? 'none'} at one and ${right[i] ?? 'none'} at the other`;
  return null;
}

/** The view that ends the stay for all that stay in it: its own next one, unless the network separates its members. */
const commonNext = (stay: ViewStay): ViewEvent | null =>
  stay.next === null || stay.next.cause === 'network' ? null : stay.next;

/** The client goes on to the end of the run, so it has to get what the others get. */
const goesOn = (model: Model, { client, left }: ViewStay): boolean =>
  !left && !client.disconnected && model.trace.live.includes(client.process);

/**
 * Joins, leaves and disconnects end a view at one place of the order for all its members; who left himself got the same up to
 * that place. Views ended by the network are compared per VS set (GRP-4).
 */
const sameViewsAndMessages: Check = (model) => {
  const found: string[] = [];
  const discarded = discardedBy(model);
  const keys = viewKeys(model);
  for (const stays of staysByView(model).values()) {
    const first = stays.find((stay) => commonNext(stay) !== null);
    if (first === undefined) continue;
    const next = commonNext(first)!;
    for (const other of stays) {
      if (other === first) continue;
      const pair = `${clientName(first.client)} and ${clientName(other.client)} in ${idText(first.view)} of ${first.view.group}`;
      const otherNext = commonNext(other);
      const leaves =
        other.left && !other.signalled && next.cause === 'leave' && next.sets[0]?.[0] === other.client.member;
      const isSame = otherNext !== null && keys.get(otherNext) === keys.get(next);
      if (isSame || leaves) {
        const what = difference(first, other, discarded);
        if (what !== null) found.push(`${pair}: ${what}`);
      } else if (otherNext !== null || (other.next === null && goesOn(model, other)))
        found.push(
          `${pair}: the next view is ${idText(next)} at one and ${otherNext === null ? 'none' : idText(otherNext)} at the other`,
        );
    }
  }
  found.push(...clientOrder(model));
  return found;
};

/** One order of messages and views for all clients (EVS-16 on their traces). */
function clientOrder(model: Model): string[] {
  const chains = model.trace.clients.map((client) => client.events.filter(isInOrder).map(itemKey));
  const holders = new Map<string | number, Set<number>>();
  for (const [c, chain] of chains.entries())
    for (const item of chain) {
      const set = holders.get(item);
      if (set === undefined) holders.set(item, new Set([c]));
      else set.add(c);
    }
  const heads = chains.map(() => 0);
  const ready = new Map<string | number, number>();
  const work: (string | number)[] = [];
  const arrive = (c: number): void => {
    const item = chains[c]![heads[c]!];
    if (item === undefined) return;
    const count = (ready.get(item) ?? 0) + 1;
    ready.set(item, count);
    if (count === holders.get(item)!.size) work.push(item);
  };
  for (const c of chains.keys()) arrive(c);
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    for (const c of holders.get(item)!) heads[c]!++;
    for (const c of holders.get(item)!) arrive(c);
  }
  const blocked = [...chains.keys()].filter((c) => heads[c]! < chains[c]!.length);
  if (blocked.length === 0) return [];
  const text = blocked
    .slice(0, 3)
    .map((c) => `${clientName(model.trace.clients[c]!)} has ${chains[c]![heads[c]!]} next`);
  return [`no one order fits all clients: ${text.join('; ')}`];
}

const isInOrder = (event: ClientEvent): boolean => event.kind === 'message' && isOrdered(event.service);
const itemKey = (event: ClientEvent): string | number => (event.kind === 'message' ? event.multicast : 0);

/**
 * No message of a configuration, of whatever service, reaches a client before the network view with which that configuration
 * begins for the group: it would overtake the exchange of tables.
 */
function overtakenViews(model: Model): string[] {
  const found: string[] = [];
  /** Client and group -> configuration in whose regular part it last got a message. */
  const gotIn = new Map<string, string>();
  forEachClientEvent(model, (walk, client, event) => {
    const { regular, transitional } = walk;
    if (regular === null || transitional !== null) return;
    if (event.kind === 'message') {
      for (const group of event.groups) gotIn.set(`${client.client} ${group}`, regular.id);
    } else if (event.kind === 'view' && event.cause === 'network') {
      if (gotIn.get(`${client.client} ${event.group}`) === regular.id)
        found.push(
          `${clientName(client)} got messages for ${event.group} of ${regular.id} before its view ${idText(event)}`,
        );
    }
  });
  return found;
}

const vsSets: Check = (model) => {
  const found: string[] = [];
  const discarded = discardedBy(model);
  const byView = staysByView(model);
  const keys = viewKeys(model);
  const viewKey = (view: ViewEvent): string => keys.get(view)!;
  const before = new Map<string, ViewStay[]>();
  for (const stays of byView.values())
    for (const stay of stays)
      if (stay.next !== null && stay.next.cause === 'network') pushTo(before, viewKey(stay.next), stay);
  for (const stays of before.values()) {
    const view = stays[0]!.next!;
    if (!byView.has(viewKey(view))) continue;
    for (const set of view.sets) {
      const [first, ...others] = stays.filter((stay) => set.includes(stay.client.member));
      for (const other of others) {
        const pair = `${clientName(first!.client)} and ${clientName(other.client)} share a VS set of ${idText(view)} of ${view.group}`;
        if (viewKey(first!.view) !== viewKey(other.view))
          found.push(`${pair} and came from ${idText(first!.view)} and ${idText(other.view)}`);
        else {
          const what = difference(first!, other, discarded);
          if (what !== null) found.push(`${pair}: ${what}`);
        }
      }
    }
  }
  found.push(...overtakenViews(model));
  for (const client of model.trace.clients)
    for (const event of client.events)
      if (event.kind === 'view' && event.cause === 'network' && !event.sets[event.ownSet]?.includes(client.member))
        found.push(`${clientName(client)} is not in its own VS set of ${idText(event)} of ${event.group}`);
  return found;
};

export const groupSynchronyProperties: readonly Property[] = [
  { name: 'GRP-1', title: 'same views and messages while together', check: sameViewsAndMessages },
  { name: 'GRP-4', title: 'VS sets', check: vsSets },
];
