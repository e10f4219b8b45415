/**
 * A small world for flush clients of one group: Spread reduced to what the flush layer needs. Within a component
 * all requests and messages are put into one order. A client takes them in that order, except that a FIFO message may
 * overtake everything but earlier messages of its sender (client-protocol.md, section 3.3) and a network change. When
 * the world splits, each side loses the tail of what the other side sent and nobody on it has seen yet, then is told
 * of a network change.
 */

import type { FlushEvent } from '../../client/flush/flush-events.ts';
import { FlushState } from '../../client/flush/flush-state.ts';
import type { SpreadSend } from '../../client/flush/flush-wire.ts';
import { type MembershipCause, type ReceivedEvent, SkeinError, ViewId } from '../../client/index.ts';
import { received } from '../unit/flush-bench.ts';

export const GROUP = 'g';

export type TraceEntry = { readonly kind: 'sent'; readonly id: string; readonly view: string } | FlushEvent;

interface Entry {
  readonly serial: number;
  /** The client that requested it; undefined for a change of the network. */
  readonly author: Client | undefined;
  readonly fifo: boolean;
  /** No FIFO message overtakes it. */
  readonly barrier: boolean;
  readonly eventFor: (client: Client) => ReceivedEvent | undefined;
  /** Members once it took effect; undefined when it changes nothing. */
  readonly membersAfter: readonly Client[] | undefined;
  /** The request behind it, to be made again when the entry is lost. */
  readonly request: 'join' | 'leave' | undefined;
}

export class Client {
  readonly name: string;
  readonly state: FlushState;
  readonly trace: TraceEntry[] = [];
  inbox: Entry[] = [];
  component: Component;
  crashed = false;
  /** Asked to join and not yet asked to leave. */
  wanted = false;
  flushWanted = false;
  #world: World;

  constructor(world: World, name: string, component: Component) {
    this.#world = world;
    this.name = name;
    this.component = component;
    this.state = new FlushState(name, {
      deliver: (event) => {
        this.trace.push(event);
        if (event.kind === 'flushRequest') this.flushWanted = true;
        if (event.kind === 'selfLeave') this.flushWanted = false;
      },
      send: (send) => world.multicast(this, send),
    });
  }

  get record() {
    return this.state.group(GROUP);
  }

  join(): void {
    if (this.crashed || this.record !== undefined) return;
    this.state.beginJoin(GROUP);
    this.wanted = true;
    this.#world.join(this);
  }

  leave(): void {
    if (this.crashed || this.record?.memberState !== 'joined') return;
    this.state.beginLeave(GROUP);
    this.flushWanted = false;
    this.wanted = false;
    this.#world.leave(this);
  }

  flush(): void {
    if (this.crashed || !this.flushWanted) return;
    this.flushWanted = false;
    this.state.flush(GROUP);
  }

  /** Sends if the flush layer lets it. */
  send(id: string, service: 'fifo' | 'agreed', receivers: readonly string[] | undefined): void {
    if (this.crashed) return;
    const view = String(this.record?.viewId);
    try {
      if (receivers === undefined) this.state.multicast(GROUP, [id], { service });
      else this.state.subgroupMulticast(GROUP, receivers, [id], { service });
      this.trace.push({ kind: 'sent', id, view });
    } catch (error) {
      if (!(error instanceof SkeinError)) throw error;
    }
  }

  /** Takes the next entry, or if it can one of the FIFO messages further back. */
  take(choice: number): void {
    if (this.crashed || this.inbox.length === 0) return;
    const candidates = [0];
    const held = new Set<Client | undefined>([this.inbox[0]!.author]);
    for (let i = 1; i < this.inbox.length && !this.inbox[i - 1]!.barrier; i++) {
      const entry = this.inbox[i]!;
      if (entry.fifo && !held.has(entry.author) && this.isMemberNow()) candidates.push(i);
      held.add(entry.author);
    }
    const index = candidates[choice % candidates.length]!;
    const [entry] = this.inbox.splice(index, 1);
    this.#world.seen(this, entry!);
    const event = entry!.eventFor(this);
    if (event !== undefined) this.state.onSpread(event);
  }

  /** Its daemon gives it messages of the group only once its own join took effect. */
  isMemberNow(): boolean {
    return this.record !== undefined && this.#world.hasJoined(this);
  }
}

export class Component {
  clients: Client[] = [];
  members: Client[] = [];
  time: number;
  index = 0;
  /** Entries before this are of configurations that have ended, and cannot be lost any more. */
  firstSerial = 0;

  constructor(time: number) {
    this.time = time;
  }
}

export class World {
  readonly clients: readonly Client[];
  components: Component[];
  #serial = 0;
  #time = 1;
  readonly #seenBy = new WeakMap<Entry, Set<Client>>();
  readonly #joined = new WeakSet<Client>();

  constructor(size: number) {
    const component = new Component(this.#time);
    this.components = [component];
    this.clients = Array.from({ length: size }, (_, i) => new Client(this, `#u${i}#d`, component));
    component.clients = [...this.clients];
  }

  hasJoined(client: Client): boolean {
    return this.#joined.has(client);
  }

  seen(client: Client, entry: Entry): void {
    this.#seenBy.get(entry)?.add(client);
  }

  multicast(sender: Client, send: SpreadSend): void {
    const message = received(sender.name, send);
    const { members } = sender.component;
    const toGroup = send.groups[0] === GROUP;
    const receivers = new Set(toGroup ? members : members.filter((client) => send.groups.includes(client.name)));
    this.#append(sender.component, {
      author: sender,
      fifo: send.service === 'fifo',
      barrier: false,
      eventFor: (client) => (receivers.has(client) ? message : undefined),
      membersAfter: undefined,
      request: undefined,
    });
  }

  join(client: Client): void {
    const { component } = client;
    const members = sorted([...component.members, client]);
    this.#view(component, members, 'join', client, 'join');
  }

  leave(client: Client): void {
    const { component } = client;
    const members = component.members.filter((member) => member !== client);
    this.#view(component, members, 'leave', client, 'leave');
  }

  crash(client: Client): void {
    if (client.crashed) return;
    client.crashed = true;
    client.inbox = [];
    const { component } = client;
    component.clients = component.clients.filter((other) => other !== client);
    if (!component.members.includes(client)) return;
    const members = component.members.filter((member) => member !== client);
    this.#view(component, members, 'disconnect', client, undefined);
  }

  /** Splits a component. `lost` says how much of what the other side sent and no one here has seen is lost, 0 to 1. */
  split(component: Component, left: (client: Client) => boolean, lost: number): void {
    const sides = [component.clients.filter(left), component.clients.filter((client) => !left(client))];
    if (sides.some((side) => side.length === 0)) return;
    const before = component.members;
    const parts = sides.map((side) => this.#cutOff(component, side, lost));
    this.components = [...this.components.filter((other) => other !== component), ...parts.map(({ part }) => part)];
    for (const { part, repeat } of parts) {
      const gone = before.some((member) => !part.members.includes(member));
      if (part.members.length > 0) {
        if (gone) this.#transition(part);
        this.#networkView(part, [part.members]);
      }
      part.firstSerial = this.#serial;
      for (const { client, request } of repeat) {
        if (client.crashed) continue;
        if (request === 'join') this.join(client);
        else this.leave(client);
      }
    }
  }

  /** Joins two components; nothing sent before is lost. */
  merge(a: Component, b: Component): void {
    if (a === b) return;
    const merged = new Component(++this.#time);
    merged.clients = [...a.clients, ...b.clients];
    merged.members = sorted([...a.members, ...b.members]);
    for (const client of merged.clients) client.component = merged;
    this.components = [...this.components.filter((other) => other !== a && other !== b), merged];
    const sets = [a.members, b.members].filter((set) => set.length > 0);
    if (sets.length === 2) this.#networkView(merged, sets);
    merged.firstSerial = this.#serial;
  }

  #cutOff(component: Component, side: readonly Client[], lost: number) {
    const part = new Component(++this.#time);
    part.clients = [...side];
    const waiting = new Map<number, Entry>();
    for (const client of side) for (const entry of client.inbox) waiting.set(entry.serial, entry);
    const seenHere = (entry: Entry): boolean => side.some((client) => this.#seenBy.get(entry)?.has(client));
    const unseen = [...waiting.values()]
      .filter((entry) => entry.serial >= component.firstSerial && !seenHere(entry))
      .sort((x, y) => x.serial - y.serial);
    const firstLost = unseen[Math.floor(unseen.length * (1 - lost))]?.serial ?? Number.POSITIVE_INFINITY;
    const isLost = (entry: Entry): boolean => {
      if (entry.serial < firstLost || seenHere(entry)) return false;
      const ownMessage = entry.membersAfter === undefined && entry.author !== undefined && side.includes(entry.author);
      return !ownMessage;
    };
    // Who is a member here follows from the changes that are kept.
    const lostEntries = unseen.filter(isLost);
    const changes = lostEntries.filter((entry) => entry.membersAfter !== undefined);
    const first = changes[0];
    const kept = first === undefined ? component.members : this.#membersBefore(first);
    part.members = kept.filter((client) => side.includes(client) && !client.crashed);
    for (const client of side) {
      client.component = part;
      client.inbox = client.inbox.filter((entry) => !isLost(entry));
    }
    const repeat = changes.flatMap((entry) =>
      entry.request !== undefined && entry.author !== undefined && side.includes(entry.author)
        ? [{ client: entry.author, request: entry.request }]
        : [],
    );
    return { part, repeat };
  }

  readonly #before = new WeakMap<Entry, readonly Client[]>();
  #membersBefore(entry: Entry): readonly Client[] {
    return this.#before.get(entry) ?? [];
  }

  #view(
    component: Component,
    members: readonly Client[],
    cause: MembershipCause,
    changed: Client,
    request: Entry['request'],
  ): void {
    const viewId = new ViewId(1, component.time, ++component.index);
    const names = members.map((member) => member.name);
    const entry = {
      author: changed,
      fifo: false,
      barrier: false,
      eventFor: (client: Client): ReceivedEvent | undefined => {
        if (client === changed && cause === 'leave') {
          this.#joined.delete(client);
          return { kind: 'selfLeave', group: GROUP };
        }
        if (!members.includes(client)) return undefined;
        if (client === changed) this.#joined.add(client);
        return membership(viewId, names, client, cause, changed.name, [[changed.name]], 0);
      },
      membersAfter: members,
      request,
    };
    this.#append(component, entry);
    component.members = [...members];
  }

  #networkView(component: Component, sets: readonly (readonly Client[])[]): void {
    component.time = ++this.#time;
    component.index = 1;
    const viewId = new ViewId(1, component.time, 1);
    const members = component.members;
    const names = members.map((member) => member.name);
    const vsSets = sets.map((set) => set.map((client) => client.name));
    this.#append(component, {
      author: undefined,
      fifo: false,
      barrier: true,
      eventFor: (client) =>
        members.includes(client)
          ? membership(
              viewId,
              names,
              client,
              'network',
              undefined,
              vsSets,
              sets.findIndex((set) => set.includes(client)),
            )
          : undefined,
      membersAfter: members,
      request: undefined,
    });
  }

  #transition(component: Component): void {
    const viewId = new ViewId(1, component.time, component.index);
    const members = component.members;
    this.#append(component, {
      author: undefined,
      fifo: false,
      barrier: true,
      eventFor: (client) => (members.includes(client) ? { kind: 'transition', group: GROUP, viewId } : undefined),
      membersAfter: undefined,
      request: undefined,
    });
  }

  #append(component: Component, entry: Omit<Entry, 'serial'>): void {
    const numbered = { ...entry, serial: this.#serial++ };
    this.#seenBy.set(numbered, new Set());
    this.#before.set(numbered, component.members);
    for (const client of component.clients) client.inbox.push(numbered);
  }
}

const sorted = (clients: readonly Client[]): Client[] => [...clients].sort((a, b) => (a.name < b.name ? -1 : 1));

function membership(
  viewId: ViewId,
  members: readonly string[],
  client: Client,
  cause: MembershipCause,
  changed: string | undefined,
  vsSets: readonly (readonly string[])[],
  ownVsSet: number,
): ReceivedEvent {
  const ownIndex = members.indexOf(client.name);
  return { kind: 'membership', group: GROUP, viewId, cause, members, ownIndex, changed, vsSets, ownVsSet };
}
