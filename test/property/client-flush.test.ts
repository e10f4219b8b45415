/**
 * Virtual synchrony, checked on the traces of flush clients in a world that joins, leaves, crashes, splits and merges
 * at random.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FlushMessage, FlushView } from '../../client/index.ts';
import { type Client, GROUP, World } from './client-flush-network.ts';

/** The events of one client in one view. */
interface Epoch {
  readonly view: FlushView;
  readonly delivered: FlushMessage[];
  readonly sent: string[];
  /** How it ended: the next view, or undefined. */
  next: FlushView | undefined;
  left: boolean;
}

function epochsOf(client: Client): Epoch[] {
  const epochs: Epoch[] = [];
  let current: Epoch | undefined;
  let asked = false;
  for (const entry of client.trace) {
    switch (entry.kind) {
      case 'view': {
        expect(entry.members).toContain(client.name);
        expect(entry.members[entry.ownIndex]).toBe(client.name);
        if (current !== undefined) current.next = entry;
        if (current === undefined) expect(asked).toBe(false);
        else expect(asked).toBe(true);
        asked = false;
        current = { view: entry, delivered: [], sent: [], next: undefined, left: false };
        epochs.push(current);
        break;
      }
      case 'message':
        if (current === undefined) throw new Error(`${client.name} got a message before its first view`);
        current.delivered.push(entry);
        break;
      case 'sent':
        current!.sent.push(entry.id);
        expect(entry.view).toBe(String(current!.view.viewId));
        break;
      case 'flushRequest':
        expect(current).toBeDefined();
        expect(asked).toBe(false);
        asked = true;
        break;
      case 'selfLeave':
        if (current !== undefined) current.left = true;
        current = undefined;
        asked = false;
        break;
      case 'transition':
        expect(current).toBeDefined();
    }
  }
  return epochs;
}

const textOf = (message: FlushMessage): string => message.data.toString();
const key = (view: FlushView): string => String(view.viewId);

/** Members of an epoch's view that came along to the next, as the client was told. */
function cameAlong(epoch: Epoch): readonly string[] {
  const { next, view } = epoch;
  if (next === undefined) return [];
  if (next.cause === 'network') return next.vsSet;
  return view.members.filter((member) => next.changed !== member || next.cause === 'join');
}

function checkTraces(world: World): void {
  const all = new Map(world.clients.map((client) => [client.name, epochsOf(client)]));
  const sentIn = new Map<string, { readonly sender: string; readonly view: string }>();
  for (const [sender, epochs] of all) {
    for (const epoch of epochs) for (const id of epoch.sent) sentIn.set(id, { sender, view: key(epoch.view) });
  }
  for (const [name, epochs] of all) {
    const everything = epochs.flatMap((epoch) => epoch.delivered.map(textOf));
    expect(new Set(everything).size).toBe(everything.length);
    for (const epoch of epochs) {
      for (const message of epoch.delivered) {
        // Delivered in the view it was sent in, and from a member of it.
        expect(sentIn.get(textOf(message))).toEqual({ sender: message.sender, view: key(epoch.view) });
        expect(epoch.view.members).toContain(message.sender);
      }
      // A client receives its own messages to the view, in that view.
      if (epoch.next !== undefined) {
        const own = epoch.delivered.map(textOf);
        for (const id of epoch.sent) if (!id.startsWith('sub')) expect(own).toContain(id);
      }
    }
    for (const epoch of epochs) {
      for (const other of cameAlong(epoch)) {
        if (other === name) continue;
        const theirs = all.get(other)?.find((candidate) => key(candidate.view) === key(epoch.view));
        expect(theirs).toBeDefined();
        // Clients that moved together received the same messages, in one order where the service promises one.
        if (theirs!.next === undefined || key(theirs!.next) !== key(epoch.next!)) continue;
        expect(cameAlong(theirs!)).toContain(name);
        const toAll = (e: Epoch): string[] => e.delivered.filter((message) => !message.subgroup).map(textOf);
        expect(toAll(theirs!).sort()).toEqual(toAll(epoch).sort());
        const agreed = (e: Epoch): string[] =>
          e.delivered.filter((message) => message.service === 'agreed' && !message.subgroup).map(textOf);
        expect(agreed(theirs!)).toEqual(agreed(epoch));
      }
    }
  }
}

/** Runs the world, except for one client, until it is idle: everything is taken and every request is answered. */
function settle(world: World, except?: Client): void {
  for (let round = 0; ; round++) {
    if (round > 10_000) throw new Error('the world does not become idle');
    let busy = false;
    for (const client of world.clients) {
      if (client === except) continue;
      while (!client.crashed && client.inbox.length > 0) {
        client.take(0);
        busy = true;
      }
      if (client.flushWanted && !client.crashed) {
        client.flush();
        busy = true;
      }
    }
    if (!busy) return;
  }
}

function checkRest(world: World): void {
  const members = world.components.flatMap((component) => component.members);
  expect(world.components).toHaveLength(1);
  const expected = members.map((client) => client.name);
  for (const client of world.clients) {
    if (client.crashed || !client.wanted) continue;
    expect(expected).toContain(client.name);
    expect([client.record?.memberState, client.record?.viewState]).toEqual(['joined', 'steady']);
    expect(client.record?.members).toEqual(expected);
  }
}

type Action =
  | { readonly kind: 'take'; readonly who: number; readonly choice: number; readonly times: number }
  | { readonly kind: 'send'; readonly who: number; readonly fifo: boolean; readonly subgroup: boolean }
  | { readonly kind: 'join' | 'leave' | 'flush' | 'crash' | 'lag'; readonly who: number }
  | { readonly kind: 'sendAll'; readonly fifo: boolean }
  | { readonly kind: 'split'; readonly which: number; readonly mask: number; readonly lost: number }
  | { readonly kind: 'merge'; readonly which: number };

const SIZE = 5;
const who = fc.nat(SIZE - 1);
const actions: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({ kind: fc.constant('take'), who, choice: fc.nat(5), times: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constant('send'),
      who,
      fifo: fc.boolean(),
      subgroup: fc.nat(4).map((n) => n === 0),
    }),
  },
  { weight: 14, arbitrary: fc.record({ kind: fc.constant('flush'), who }) },
  // One falls behind while the others get as far as they can without it, and go on sending.
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('lag'), who }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('sendAll'), fifo: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('join'), who }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('leave'), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash'), who }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('split'),
      which: fc.nat(3),
      mask: fc.nat(2 ** SIZE),
      lost: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('merge'), which: fc.nat(3) }) },
) as fc.Arbitrary<Action>;

function act(world: World, action: Action, serial: number): void {
  switch (action.kind) {
    case 'take':
      for (let i = 0; i < action.times; i++) world.clients[action.who]!.take(action.choice);
      return;
    case 'send': {
      const client = world.clients[action.who]!;
      const members = client.record?.members ?? [];
      const receivers = action.subgroup ? members.filter((_, i) => i % 2 === 0) : undefined;
      client.send(`${action.subgroup ? 'sub' : 'm'}${serial}`, action.fifo ? 'fifo' : 'agreed', receivers);
      return;
    }
    case 'join':
    case 'leave':
    case 'flush':
      world.clients[action.who]![action.kind]();
      return;
    case 'lag':
      settle(world, world.clients[action.who]!);
      return;
    case 'sendAll':
      for (const client of world.clients)
        client.send(`m${serial}-${client.name}`, action.fifo ? 'fifo' : 'agreed', undefined);
      return;
    case 'crash':
      world.crash(world.clients[action.who]!);
      return;
    case 'split': {
      const component = world.components[action.which % world.components.length]!;
      world.split(component, (client) => ((action.mask >> world.clients.indexOf(client)) & 1) === 1, action.lost);
      return;
    }
    case 'merge': {
      const [first, ...rest] = world.components;
      const other = rest[action.which % Math.max(1, rest.length)];
      if (first !== undefined && other !== undefined) world.merge(first, other);
    }
  }
}

function run(script: readonly Action[]): World {
  const world = new World(SIZE);
  for (let i = 0; i < SIZE - 1; i++) world.clients[i]!.join();
  for (const [serial, action] of script.entries()) act(world, action, serial);
  while (world.components.length > 1) world.merge(world.components[0]!, world.components[1]!);
  settle(world);
  return world;
}

describe('flush clients', () => {
  it('keep virtual synchrony through joins, leaves, crashes, splits and merges, and end in one view', () => {
    fc.assert(
      fc.property(fc.array(actions, { minLength: 20, maxLength: 160 }), (script) => {
        const world = run(script);
        checkTraces(world);
        checkRest(world);
      }),
      { numRuns: 400 },
    );
  });

  it('meet every checked situation in the random worlds', () => {
    let network = 0;
    let vulnerable = 0;
    let transitions = 0;
    for (const script of fc.sample(fc.array(actions, { minLength: 100, maxLength: 160 }), { numRuns: 60, seed: 1 })) {
      for (const client of run(script).clients) {
        for (const entry of client.trace) {
          if (entry.kind === 'view' && entry.cause === 'network') network++;
          if (entry.kind === 'transition') transitions++;
          if (entry.kind === 'message' && entry.service === 'fifo' && entry.group === GROUP) vulnerable++;
        }
      }
    }
    for (const count of [network, vulnerable, transitions]) expect(count).toBeGreaterThan(20);
  });
});
