import { describe, expect, it } from 'vitest';
import { GroupsLayer } from '../../engine/groups/groups-layer.ts';
import { GroupsState } from '../../engine/groups/groups-state.ts';
import { nodeIndex } from '../../engine/wire/ids.ts';
import { RecordKind } from '../../engine/wire/record.ts';
import { decodeFrame } from '../property/groups-frames.ts';
import {
  configuration,
  deliver,
  disconnectRecord,
  joinRecord,
  LOOPBACK,
  leaveRecord,
  RecordingOutput,
} from './groups-fixtures.ts';

const TIME = 1_000;

function daemon(watchers: number[], maxFrameBytes?: number): { layer: GroupsLayer; output: RecordingOutput } {
  const output = new RecordingOutput(watchers);
  const options = { self: nodeIndex(0), daemonAddress: [LOOPBACK, LOOPBACK + 1] };
  const layer = new GroupsLayer(maxFrameBytes === undefined ? options : { ...options, maxFrameBytes }, output);
  layer.configurationChanged(configuration('regular', TIME, [0]));
  return { layer, output };
}

const kindsOf = (frames: readonly string[]): string[] => frames.map((frame) => decodeFrame(frame).kind);
const idsOf = (frames: readonly string[]): string[] => frames.map((frame) => decodeFrame(frame).groupId);

describe('group layer between membership changes', () => {
  it('makes a joiner a member before its view, and a leaver none between its notice and the others’ view', () => {
    const { layer, output } = daemon([1, 2]);
    deliver(layer, joinRecord(0, 1, 'room', '#ann#d1'));
    deliver(layer, joinRecord(0, 2, 'room', '#bob#d1'));
    deliver(layer, leaveRecord(0, 2, 'room', '#bob#d1'));
    expect(output.log).toEqual([
      'added room 1',
      'group frame room',
      'added room 2',
      'group frame room',
      'sessions frame 2',
      'removed room 2',
      'group frame room',
    ]);
    expect(kindsOf(output.frames(2))).toEqual(['join', 'self-leave']);
    expect(kindsOf(output.frames(1))).toEqual(['join', 'join', 'leave']);
  });

  it('ignores joins and leaves that change nothing', () => {
    const { layer, output } = daemon([1]);
    deliver(layer, joinRecord(0, 1, 'room', '#ann#d1'));
    const before = output.log.length;
    deliver(layer, joinRecord(0, 1, 'room', '#ann#d1'));
    deliver(layer, leaveRecord(0, 1, 'other', '#ann#d1'));
    deliver(layer, leaveRecord(0, 9, 'room', '#zoe#d1'));
    expect(output.log).toHaveLength(before);
    expect(decodeFrame(output.frames(1)[0]!).groupId).toBe(`${LOOPBACK}/${TIME}/1`);
  });

  it('sends no views to members without the membership flag, but lists them', () => {
    const { layer, output } = daemon([2]);
    deliver(layer, joinRecord(0, 1, 'room', '#ann#d1', false));
    expect(output.log).toEqual(['added room 1']);
    deliver(layer, joinRecord(0, 2, 'room', '#bob#d1'));
    deliver(layer, leaveRecord(0, 1, 'room', '#ann#d1'));
    expect(output.frames(1)).toEqual([]);
    expect(output.frames(2).map((frame) => decodeFrame(frame).members)).toEqual([['#ann#d1', '#bob#d1'], ['#bob#d1']]);
  });

  it('takes a disconnected client out of its groups in name order, then frees its name', () => {
    const { layer, output } = daemon([2]);
    for (const group of ['c', 'a', 'b']) deliver(layer, joinRecord(0, 1, group, '#ann#d1', false));
    for (const group of ['b', 'c']) deliver(layer, joinRecord(0, 2, group, '#bob#d1'));
    output.log.length = 0;
    deliver(layer, disconnectRecord(0, 1, '#ann#d1'));
    expect(output.log).toEqual([
      'removed a 1',
      'removed b 1',
      'group frame b',
      'removed c 1',
      'group frame c',
      'ended 1',
    ]);
    expect(layer.groupCount).toBe(2);
    expect(kindsOf(output.frames(2)).slice(-2)).toEqual(['disconnect', 'disconnect']);
  });

  it('ends a session that never joined, and reports no session of other daemons', () => {
    const { layer, output } = daemon([]);
    deliver(layer, disconnectRecord(0, 7, '#ann#d1'));
    deliver(layer, disconnectRecord(1, 8, '#ann#d2'));
    expect(output.log).toEqual(['ended 7']);
  });

  it('does not let the disconnect of an old session remove a new one of the same name', () => {
    const { layer, output } = daemon([2]);
    deliver(layer, joinRecord(0, 2, 'room', '#ann#d1'));
    deliver(layer, disconnectRecord(0, 1, '#ann#d1'));
    deliver(layer, leaveRecord(0, 1, 'room', '#ann#d1'));
    expect(layer.memberNames('room')).toEqual(['#ann#d1']);
    expect(output.log.slice(2)).toEqual(['ended 1']);
  });

  it('restarts an emptied group at index 1', () => {
    const { layer, output } = daemon([1]);
    for (const _round of [1, 2]) {
      deliver(layer, joinRecord(0, 1, 'room', '#ann#d1'));
      deliver(layer, leaveRecord(0, 1, 'room', '#ann#d1'));
    }
    expect(layer.groupCount).toBe(0);
    expect(idsOf(output.frames(1))).toEqual([`${LOOPBACK}/${TIME}/1`, '', `${LOOPBACK}/${TIME}/1`, '']);
  });

  it('orders members by daemon, then by bytes', () => {
    const { layer } = daemon([]);
    layer.configurationChanged(configuration('transitional', TIME + 1, [0]));
    layer.configurationChanged(configuration('regular', TIME + 2, [0]));
    const names = ['#b#d1', '#B#d1', '#b~#d1', '#a#d1', '#~#d1'];
    names.forEach((name, session) => {
      deliver(layer, joinRecord(0, session, 'room', name, false));
    });
    deliver(layer, joinRecord(1, 0, 'room', '#a#d2'));
    expect(layer.memberNames('room')).toEqual(['#B#d1', '#a#d1', '#b#d1', '#b~#d1', '#~#d1', '#a#d2']);
  });

  it('reports a view that is longer than the log takes instead of sending it', () => {
    const { layer, output } = daemon([1], 48 + 2 * 32 + 56);
    for (const session of [1, 2, 3]) deliver(layer, joinRecord(0, session, 'room', `#u${session}#d1`));
    expect(output.log.slice(-2)).toEqual(['added room 3', `too long room ${48 + 3 * 32 + 56}`]);
    expect(output.frames(1)).toHaveLength(2);
  });

  it('counts and ignores records that are too short or exceed their space', () => {
    const { layer, output } = daemon([1]);
    const join = joinRecord(0, 1, 'room', '#ann#d1');
    const [at, length] = [nodeIndex(0), join.bytes.length];
    layer.record(at, RecordKind.Join, join.bytes, 0, 20);
    layer.record(at, RecordKind.Join, join.bytes, 0, length - 1);
    layer.record(at, RecordKind.Join, disconnectRecord(0, 1, '#ann#d1').bytes, 0, 56);
    expect(layer.malformedRecordCount).toBe(3);
    expect(output.log).toEqual([]);
  });

  it('accepts records at any offset, with padding, and ignores kinds of other layers', () => {
    const { layer, output } = daemon([1]);
    const { bytes } = joinRecord(0, 1, 'room', '#ann#d1');
    const log = new Uint8Array(64 + bytes.length + 7);
    log.set(bytes, 64);
    layer.record(nodeIndex(0), RecordKind.Run, log, 64, bytes.length + 7);
    expect(output.log).toEqual([]);
    layer.record(nodeIndex(0), RecordKind.Join, log, 64, bytes.length + 7);
    expect(layer.memberNames('room')).toEqual(['#ann#d1']);
  });

  it('waits, gathering, for its first configuration', () => {
    const layer = new GroupsLayer({ self: nodeIndex(0), daemonAddress: [LOOPBACK] }, new RecordingOutput([]));
    expect([layer.gathering, layer.state]).toEqual([true, GroupsState.Gathering]);
    deliver(layer, joinRecord(0, 1, 'room', '#ann#d1'));
    expect([layer.misplacedRecordCount, layer.groupCount]).toEqual([1, 0]);
    expect(() => layer.configurationChanged(configuration('transitional', TIME, [0]))).toThrow(/before the first/);
    layer.configurationChanged(configuration('regular', TIME, [0]));
    expect([layer.gathering, layer.state]).toEqual([false, GroupsState.Operational]);
    expect(() => layer.configurationChanged(configuration('regular', TIME + 1, [0]))).toThrow(/in a row/);
  });

  it('refuses a body length without room for a table', () => {
    const options = { self: nodeIndex(0), daemonAddress: [LOOPBACK], groupsBodyBytes: 20 };
    expect(() => new GroupsLayer(options, new RecordingOutput([]))).toThrow('groupsBodyBytes is 20');
  });
});
