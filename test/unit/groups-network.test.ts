import { describe, expect, it } from 'vitest';
import { GroupsState } from '../../engine/groups/groups-state.ts';
import { type DecodedFrame, decodeFrame } from '../property/groups-frames.ts';
import { Daemons, disconnectRecord, groupsRecord, joinRecord, LOOPBACK, leaveRecord } from './groups-fixtures.ts';

const D1 = LOOPBACK;
/** Client-visible time of a transitional configuration with ring number `ringSeq`. */
const transitionalTime = (ringSeq: number): number => ringSeq - 0x8000_0000;
const [ALICE, ZED, BOB, CAROL, DAVE] = [1, 2, 3, 4, 5];

/** Three daemons in one configuration (ring number 10); all clients want membership messages. */
function threeDaemons(): Daemons {
  const daemons = new Daemons(3, [ALICE, ZED, BOB, CAROL, DAVE]);
  daemons.configure('regular', 10, [0, 1, 2]);
  daemons.exchange([0, 1, 2]);
  return daemons;
}

const ALL = [0, 1, 2];
const joinAlice = joinRecord(0, ALICE, 'room', '#alice#d1');
const joinZed = joinRecord(0, ZED, 'room', '#zed#d1');
const joinBob = joinRecord(1, BOB, 'room', '#bob#d2');
const joinCarol = joinRecord(2, CAROL, 'room', '#carol#d3');

function last(daemons: Daemons, node: number, session: number, count = 1): DecodedFrame[] {
  return daemons.outputs[node]!.frames(session).slice(-count).map(decodeFrame);
}

const hexName = (name: string): string => Buffer.from(name.padEnd(32, '\0'), 'latin1').toString('hex');
const hexInt = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  return bytes.toString('hex');
};

describe('group layer through membership changes', () => {
  it('merges: one view for each side, a set for each former component, no signal (bytes)', () => {
    const daemons = threeDaemons();
    daemons.configure('transitional', 11, [0, 1]);
    daemons.configure('transitional', 12, [2]);
    daemons.configure('regular', 11, [0, 1]);
    daemons.configure('regular', 12, [2]);
    for (const record of [joinAlice, joinZed, joinBob]) daemons.deliver([0, 1], record);
    daemons.deliver([2], joinCarol);
    const before = daemons.outputs[0]!.frames(ALICE).length;
    daemons.merge(13, [[0, 1], [2]]);

    const names = ['#alice#d1', '#zed#d1', '#bob#d2', '#carol#d3'];
    const head = `80180080${hexName('room')}${hexInt(4)}80000080${hexInt(20 + 8 + 4 * 32)}`;
    const groupId = hexInt(D1) + hexInt(13) + hexInt(1);
    const sets = hexInt(3) + names.slice(0, 3).map(hexName).join('') + hexInt(1) + hexName('#carol#d3');
    const frame = (ownOffset: number): string =>
      head + names.map(hexName).join('') + groupId + hexInt(2) + hexInt(ownOffset) + sets;
    expect(daemons.outputs[0]!.frames(ALICE).slice(before)).toEqual([frame(0)]);
    expect(daemons.outputs[1]!.frames(BOB).at(-1)).toBe(frame(0));
    expect(daemons.outputs[2]!.frames(CAROL).slice(1)).toEqual([frame(0x64)]);
    expect(new Set(daemons.layers.map((layer) => layer.stateHash())).size).toBe(1);
  });

  it('signals with the old id, then gives one view without the lost daemon', () => {
    const daemons = threeDaemons();
    for (const record of [joinAlice, joinBob, joinCarol]) daemons.deliver(ALL, record);
    daemons.configure('transitional', 11, [0, 1]);
    expect(daemons.layers[0]!.state).toBe(GroupsState.Transitional);
    expect(last(daemons, 0, ALICE)[0]).toMatchObject({ kind: 'transition', groupId: `${D1}/10/3`, members: [] });
    daemons.configure('regular', 11, [0, 1]);
    expect(last(daemons, 1, BOB)[0]).toMatchObject({
      kind: 'network',
      groupId: `${D1}/11/1`,
      members: ['#alice#d1', '#bob#d2'],
      sets: [['#alice#d1', '#bob#d2']],
    });
    expect(daemons.outputs[0]!.bodies).toEqual([]);
    expect(daemons.outputs[0]!.blocked).toBe(false);
  });

  it('leaves groups without members at the affected daemons alone', () => {
    const daemons = threeDaemons();
    daemons.deliver(ALL, joinAlice);
    daemons.deliver(ALL, joinBob);
    const seen = daemons.outputs[0]!.frames(ALICE).length;
    daemons.configure('transitional', 11, [0, 1]);
    daemons.configure('regular', 11, [0, 1]);
    daemons.configure('transitional', 12, [2]);
    daemons.configure('regular', 12, [2]);
    expect(daemons.layers[2]!.groupCount).toBe(0);
    daemons.merge(13, [[0, 1], [2]]);
    expect(daemons.outputs[0]!.frames(ALICE)).toHaveLength(seen);
    expect(daemons.layers[2]!.memberNames('room')).toEqual(['#alice#d1', '#bob#d2']);
  });

  it('counts a view after such a change on, under the name of the membership it is made in', () => {
    const daemons = threeDaemons();
    daemons.deliver(ALL, joinAlice);
    daemons.configure('transitional', 11, [0, 1]);
    daemons.configure('regular', 11, [0, 1]);
    daemons.deliver([0, 1], joinBob);
    expect(last(daemons, 0, ALICE)[0]!.groupId).toBe(`${D1}/11/2`);
  });

  it('announces a join inside the transitional period as a network view and another signal', () => {
    const daemons = threeDaemons();
    for (const record of [joinAlice, joinBob, joinCarol]) daemons.deliver(ALL, record);
    daemons.configure('transitional', 11, [0, 1]);
    daemons.deliver([0, 1], joinZed);
    const groupId = `${D1}/${transitionalTime(11)}/2`;
    const view = {
      kind: 'network',
      groupId,
      members: ['#alice#d1', '#zed#d1', '#bob#d2', '#carol#d3'],
      sets: [['#alice#d1', '#bob#d2'], ['#carol#d3'], ['#zed#d1']],
    };
    const signal = { kind: 'transition', groupId };
    expect(last(daemons, 0, ALICE, 2)).toMatchObject([{ ...view, ownSet: 0 }, signal]);
    expect(last(daemons, 0, ZED, 2)).toMatchObject([{ ...view, ownSet: 2 }, signal]);
    expect(last(daemons, 1, BOB, 2)).toMatchObject([{ ...view, ownSet: 0 }, signal]);
    daemons.configure('regular', 11, [0, 1]);
    expect(last(daemons, 0, ZED)[0]).toMatchObject({
      groupId: `${D1}/11/1`,
      sets: [['#alice#d1', '#zed#d1', '#bob#d2']],
      ownSet: 0,
    });
  });

  it('announces leaves and disconnects there in the same way, and self-leaves as always', () => {
    const daemons = threeDaemons();
    for (const record of [joinAlice, joinZed, joinBob, joinCarol]) daemons.deliver(ALL, record);
    daemons.configure('transitional', 11, [0, 1]);
    daemons.deliver([0, 1], leaveRecord(0, ZED, 'room', '#zed#d1'));
    expect(last(daemons, 0, ZED)[0]!.kind).toBe('self-leave');
    expect(last(daemons, 0, ALICE, 2)).toMatchObject([
      { kind: 'network', sets: [['#alice#d1', '#bob#d2'], ['#carol#d3']] },
      { kind: 'transition' },
    ]);
    daemons.deliver([0, 1], disconnectRecord(2, CAROL, '#carol#d3'));
    expect(last(daemons, 0, ALICE, 2)).toMatchObject([
      { kind: 'network', groupId: `${D1}/${transitionalTime(11)}/3`, sets: [['#alice#d1', '#bob#d2']] },
      { kind: 'transition', groupId: `${D1}/${transitionalTime(11)}/3` },
    ]);
  });

  it('announces a join from a lost daemon as a loss, also in a group without other members there', () => {
    const daemons = threeDaemons();
    daemons.deliver(ALL, joinAlice);
    daemons.configure('transitional', 11, [0, 1]);
    const seen = daemons.outputs[0]!.frames(ALICE).length;
    daemons.deliver([0, 1], joinCarol);
    daemons.configure('regular', 11, [0, 1]);
    const frames = daemons.outputs[0]!.frames(ALICE).slice(seen).map(decodeFrame);
    expect(frames).toMatchObject([
      { kind: 'network', groupId: `${D1}/${transitionalTime(11)}/2`, sets: [['#alice#d1'], ['#carol#d3']] },
      { kind: 'transition', groupId: `${D1}/${transitionalTime(11)}/2` },
      { kind: 'network', groupId: `${D1}/11/1`, sets: [['#alice#d1']] },
    ]);
  });

  it('announces changes in unaffected groups as usual inside the transitional period', () => {
    const daemons = threeDaemons();
    daemons.configure('transitional', 11, [0, 1]);
    daemons.deliver([0, 1], joinAlice);
    daemons.deliver([0, 1], joinBob);
    expect(last(daemons, 0, ALICE, 2)).toMatchObject([
      { kind: 'join', groupId: `${D1}/${transitionalTime(11)}/1` },
      { kind: 'join', groupId: `${D1}/${transitionalTime(11)}/2` },
    ]);
    const seen = daemons.outputs[0]!.frames(ALICE).length;
    daemons.configure('regular', 11, [0, 1]);
    expect(daemons.outputs[0]!.frames(ALICE)).toHaveLength(seen);
  });

  it('orders vs sets by the signed address of the membership they come from', () => {
    const daemons = new Daemons(2, [ALICE, BOB], [0x0a00_0001, 0xc0a8_0001]);
    for (const [node, record] of [joinAlice, joinBob].entries()) {
      daemons.configure('regular', 10 + node, [node]);
      daemons.deliver([node], record);
    }
    daemons.merge(20, [[0], [1]]);
    expect(last(daemons, 0, ALICE)[0]).toMatchObject({ sets: [['#bob#d2'], ['#alice#d1']], ownSet: 1 });
    expect(last(daemons, 1, BOB)[0]!.ownSet).toBe(0);
  });

  it('keeps clients blocked from the merging configuration to the end of the exchange', () => {
    const daemons = threeDaemons();
    daemons.configure('transitional', 11, [0, 1]);
    daemons.configure('transitional', 11, [2]);
    const output = daemons.outputs[0]!;
    expect(output.blocked).toBe(false);
    daemons.configure('regular', 12, ALL);
    expect([output.blocked, daemons.layers[0]!.gathering]).toEqual([true, true]);
    daemons.deliver(ALL, joinAlice);
    expect([daemons.layers[0]!.misplacedRecordCount, daemons.layers[0]!.groupCount]).toEqual([1, 0]);
    daemons.exchange(ALL);
    expect([output.blocked, daemons.layers[0]!.gathering]).toEqual([false, false]);
  });

  it('sends one table for each synced set, from its first daemon', () => {
    const daemons = threeDaemons();
    daemons.configure('transitional', 11, [0]);
    daemons.configure('transitional', 11, [1, 2]);
    daemons.configure('regular', 11, ALL);
    expect(daemons.outputs.map((output) => output.bodies.length)).toEqual([1, 1, 0]);
  });

  it('finishes an exchange that completes as its configuration ends, then signals at once', () => {
    const daemons = threeDaemons();
    daemons.configure('transitional', 11, [0, 1]);
    daemons.configure('transitional', 11, [2]);
    daemons.configure('regular', 11, [0, 1]);
    daemons.configure('regular', 12, [2]);
    daemons.deliver([0, 1], joinAlice);
    daemons.deliver([2], joinCarol);
    daemons.configure('transitional', 13, [0, 1]);
    daemons.configure('transitional', 13, [2]);
    daemons.configure('regular', 13, ALL);
    const bodies = daemons.outputs.map((output) => output.bodies.splice(0));
    daemons.configure('transitional', 14, [0, 1]);
    expect(daemons.layers[0]!.state).toBe(GroupsState.GatheringTransitional);
    const seen = daemons.outputs[0]!.frames(ALICE).length;
    bodies.forEach((list, node) => {
      for (const body of list) daemons.deliver([0, 1], groupsRecord(node, body));
    });
    expect(daemons.layers[0]!.state).toBe(GroupsState.Transitional);
    daemons.configure('regular', 14, [0, 1]);
    expect(daemons.outputs[0]!.frames(ALICE).slice(seen).map(decodeFrame)).toMatchObject([
      { kind: 'network', groupId: `${D1}/13/1`, members: ['#alice#d1', '#carol#d3'] },
      { kind: 'transition', groupId: `${D1}/13/1` },
      { kind: 'network', groupId: `${D1}/14/1`, members: ['#alice#d1'] },
    ]);
    expect(daemons.outputs[0]!.blocked).toBe(false);
  });

  it('keeps tables that arrived before a cut, so that none is sent twice', () => {
    const daemons = threeDaemons();
    for (const node of ALL) daemons.configure('transitional', 11, [node]);
    for (const node of ALL) daemons.configure('regular', 11 + node, [node]);
    for (const node of ALL) daemons.configure('transitional', 14, [node]);
    daemons.configure('regular', 14, ALL);
    const bodies = daemons.outputs.map((output) => output.bodies.splice(0));
    for (const node of [0, 1]) for (const body of bodies[node]!) daemons.deliver(ALL, groupsRecord(node, body));
    daemons.configure('transitional', 15, ALL);
    daemons.configure('regular', 15, ALL);
    expect(daemons.outputs.map((output) => output.bodies.length)).toEqual([1, 0, 1]);
    daemons.exchange(ALL);
    expect(daemons.layers.map((layer) => layer.state)).toEqual([1, 1, 1]);
  });

  it('ignores the exchange of another configuration', () => {
    const daemons = threeDaemons();
    for (const node of ALL) daemons.configure('transitional', 11, [node]);
    daemons.configure('regular', 11, ALL);
    const stale = daemons.outputs.map((output) => output.bodies.splice(0));
    daemons.configure('transitional', 12, ALL);
    daemons.configure('regular', 12, ALL);
    stale.forEach((list, node) => {
      for (const body of list) daemons.deliver(ALL, groupsRecord(node, body));
    });
    expect(daemons.layers.map((layer) => layer.gathering)).toEqual([true, true, true]);
    daemons.exchange(ALL);
    expect(daemons.layers.map((layer) => layer.gathering)).toEqual([false, false, false]);
    expect(daemons.layers[0]!.malformedRecordCount).toBe(0);
  });

  it('drops the clients of a daemon that was replaced by a new incarnation', () => {
    const daemons = threeDaemons();
    for (const record of [joinAlice, joinBob]) daemons.deliver(ALL, record);
    const fresh = new Daemons(3, [DAVE]);
    daemons.layers[1] = fresh.layers[1]!;
    daemons.outputs[1] = fresh.outputs[1]!;
    daemons.configure('transitional', 11, [0, 2]);
    daemons.configure('regular', 11, ALL);
    daemons.exchange(ALL);
    daemons.deliver(ALL, joinRecord(1, DAVE, 'room', '#dave#d2'));
    expect(daemons.layers.map((layer) => layer.memberNames('room').join())).toEqual(
      Array(3).fill('#alice#d1,#dave#d2'),
    );
    expect(last(daemons, 0, ALICE, 3).map(({ kind }) => kind)).toEqual(['transition', 'network', 'join']);
  });
});
