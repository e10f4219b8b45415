/** A member with a malformed table in a state exchange: the clients of all other members continue. */
import { describe, expect, it } from 'vitest';
import { GroupsLayer } from '../../engine/groups/groups-layer.ts';
import { GroupsState } from '../../engine/groups/groups-state.ts';
import { InvariantError } from '../../engine/invariant.ts';
import { nodeIndex } from '../../engine/wire/ids.ts';
import {
  configuration,
  Daemons,
  deliver,
  groupsRecord,
  joinRecord,
  LOOPBACK,
  RecordingOutput,
} from './groups-fixtures.ts';

const [ALICE, BOB, CAROL, DAVE] = [1, 2, 3, 4];
const ALL = [0, 1, 2, 3];
const NONSENSE: Readonly<Record<string, (body: Uint8Array) => Uint8Array>> = {
  'a table of other bytes': (body) => body.map((byte, i) => (i < 20 ? byte : byte ^ 0x55)),
  'a table that is cut': (body) => body.slice(0, -1),
  'no table': (body) => body.slice(0, 20),
  'a last part without a first': (body) => body.map((byte, i) => (i === 12 ? 1 : i === 16 ? 2 : byte)),
};

/** d1 and d2 are one part, d3 and d4 another; each has a client in `room`. */
function twoParts(): Daemons {
  const daemons = new Daemons(4, [ALICE, BOB, CAROL, DAVE]);
  for (const part of [
    [0, 1],
    [2, 3],
  ]) {
    daemons.configure('regular', 10 + part[0]!, part);
    daemons.exchange(part);
    for (const node of part) daemons.deliver(part, joinRecord(node, node + 1, 'room', `#c${node}#d${node + 1}`));
  }
  for (const part of [
    [0, 1],
    [2, 3],
  ])
    daemons.configure('transitional', 20, part);
  daemons.configure('regular', 20, ALL);
  return daemons;
}

/** Delivers everything sent; bodies of the daemons in `faulty` are replaced by nonsense. */
function exchange(daemons: Daemons, faulty: readonly number[], make: (body: Uint8Array) => Uint8Array): void {
  for (let round = 0; round < ALL.length; round++)
    for (const node of ALL)
      for (const body of daemons.outputs[node]!.bodies.splice(0))
        daemons.deliver(ALL, groupsRecord(node, faulty.includes(node) ? make(body) : body));
}

describe.each(Object.entries(NONSENSE))('%s', (_, make) => {
  it.each(ALL)('from daemon %i: another daemon sends the table of its part, and no client is lost', (faulty) => {
    const daemons = twoParts();
    exchange(daemons, [faulty], make);
    for (const layer of daemons.layers) {
      expect(layer.state).toBe(GroupsState.Operational);
      expect(layer.memberNames('room')).toEqual(['#c0#d1', '#c1#d2', '#c2#d3', '#c3#d4']);
    }
    expect(daemons.outputs.map(({ blocked }) => blocked)).toEqual(ALL.map(() => false));
    expect(new Set(daemons.layers.map((layer) => layer.stateHash())).size).toBe(1);
  });

  it('from a whole part: the other part continues without it', () => {
    const daemons = twoParts();
    exchange(daemons, [2, 3], make);
    expect(daemons.outputs.map(({ blocked }) => blocked)).toEqual(ALL.map(() => false));
    for (const node of [0, 1]) expect(daemons.layers[node]!.memberNames('room')).toEqual(['#c0#d1', '#c1#d2']);
    daemons.deliver(ALL, joinRecord(0, 9, 'other', '#x#d1', false));
    expect(daemons.layers.map((layer) => layer.memberCount('other'))).toEqual([1, 1, 1, 1]);
  });
});

it('in a record that was dropped before it reached the groups counts the same', () => {
  const daemons = twoParts();
  daemons.outputs[2]!.bodies.length = 0;
  for (const layer of daemons.layers) layer.groupsRefused(nodeIndex(2));
  exchange(daemons, [], (body) => body);
  for (const layer of daemons.layers) expect(layer.memberCount('room')).toBe(4);
  for (const layer of daemons.layers) layer.groupsRefused(nodeIndex(2));
  expect(daemons.outputs.some(({ blocked }) => blocked)).toBe(false);
});

it('ends the daemon whose own table is malformed, but not a daemon whose table another one forged', () => {
  const alone = (member: string): GroupsLayer => {
    const options = { self: nodeIndex(0), daemonAddress: [LOOPBACK, LOOPBACK + 1], daemonNames: ['d1', 'd2'] };
    const layer = new GroupsLayer(options, new RecordingOutput([ALICE]));
    layer.configurationChanged(configuration('regular', 10, [0]));
    deliver(layer, joinRecord(0, ALICE, 'room', member));
    layer.configurationChanged(configuration('transitional', 11, [0]));
    layer.configurationChanged(configuration('regular', 11, [0, 1]));
    return layer;
  };
  expect(() => alone('#alice#other').groupsRefused(nodeIndex(0))).toThrow(InvariantError);
  expect(() => alone('#alice#d1').groupsRefused(nodeIndex(0))).not.toThrow();
  expect(() => alone('#alice#other').groupsRefused(nodeIndex(1))).not.toThrow();
});
