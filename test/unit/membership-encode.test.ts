import { describe, expect, it } from 'vitest';
import { writeName } from '../../engine/wire/frame.ts';
import {
  changeFrameLength,
  type GroupView,
  MembershipFrame,
  networkFrameLength,
} from '../../engine/wire/membership-encode.ts';
import { CAUSED_BY_DISCONNECT, CAUSED_BY_JOIN, CAUSED_BY_LEAVE } from '../../engine/wire/service.ts';
import { decodeFrame } from '../property/groups-frames.ts';

function viewOf(members: readonly string[]): GroupView {
  const memberNames = new Uint8Array(32 * (members.length + 2)).fill(0xee);
  members.forEach((name, i) => {
    writeName(memberNames, 32 * i, name);
  });
  const id = { membershipProcId: -0x3f57_ffff, membershipTime: -7, index: 3 };
  return { name: 'room', memberCount: members.length, memberNames, ...id };
}

function nameField(name: string): Uint8Array {
  const bytes = new Uint8Array(32);
  writeName(bytes, 0, name);
  return bytes;
}

const hexOf = (frame: MembershipFrame): string =>
  Buffer.from(frame.bytes.subarray(0, frame.lengthBytes)).toString('hex');

describe('membership frames', () => {
  const members = ['#a#d1', '#b#d1', '#c#d2', '#d#d2', '#e#d3'];

  it('puts members into sets by rank, skipping unused ranks', () => {
    const frame = new MembershipFrame();
    frame.writeNetwork(viewOf(members), new Uint16Array([4, 1, 4, 1, 7]), 9);
    expect(frame.lengthBytes).toBe(networkFrameLength(5, 3));
    const sets = [['#b#d1', '#d#d2'], ['#a#d1', '#c#d2'], ['#e#d3']];
    const expected = { kind: 'network', group: 'room', members, groupId: `${-0x3f57_ffff}/-7/3`, sets };
    for (const [rank, ownSet] of [
      [1, 0],
      [4, 1],
      [7, 2],
    ] as const) {
      frame.pointToSet(5, rank);
      expect(decodeFrame(hexOf(frame))).toEqual({ ...expected, ownSet });
    }
  });

  it.each([
    [CAUSED_BY_JOIN, 'join'],
    [CAUSED_BY_LEAVE, 'leave'],
    [CAUSED_BY_DISCONNECT, 'disconnect'],
  ])('writes cause 0x%s as a %s of one member', (cause, kind) => {
    const frame = new MembershipFrame();
    frame.writeChange(cause, viewOf(members), nameField('#z#d9'));
    expect(frame.lengthBytes).toBe(changeFrameLength(5));
    expect(decodeFrame(hexOf(frame))).toMatchObject({ kind, members, sets: [['#z#d9']], ownSet: 0 });
  });

  it('leaves no bytes of a longer frame in a shorter one', () => {
    const frame = new MembershipFrame();
    const many = Array.from({ length: 300 }, (_unused, i) => `#u${i}#d1`).sort();
    frame.writeNetwork(viewOf(many), new Uint16Array(300), 1);
    expect(decodeFrame(hexOf(frame)).sets).toEqual([many]);
    frame.pointToSet(300, 0);
    frame.writeChange(CAUSED_BY_JOIN, viewOf(['#a#d1']), nameField('#a#d1'));
    const fresh = new MembershipFrame();
    fresh.writeChange(CAUSED_BY_JOIN, viewOf(['#a#d1']), nameField('#a#d1'));
    expect(hexOf(frame)).toBe(hexOf(fresh));
    frame.writeTransition('room', viewOf([]));
    expect([frame.lengthBytes, decodeFrame(hexOf(frame)).kind]).toEqual([60, 'transition']);
    frame.writeSelfLeave('room');
    expect([frame.lengthBytes, decodeFrame(hexOf(frame)).kind]).toEqual([48, 'self-leave']);
  });

  it('encodes the annotated join of the protocol’s description', () => {
    const frame = new MembershipFrame();
    const id = { membershipProcId: 0x7f00_0001, membershipTime: 0x6b04_1dc1, index: 2 };
    frame.writeChange(
      CAUSED_BY_JOIN,
      { ...viewOf(['#alice#localhost', '#bob#localhost']), ...id },
      nameField('#bob#localhost'),
    );
    const name = (text: string): string => Buffer.from(nameField(text)).toString('hex');
    expect(hexOf(frame)).toBe(
      `80110080${name('room')}020000008000008038000000${name('#alice#localhost')}${name('#bob#localhost')}` +
        `0100007fc11d046b020000000100000000000000` +
        `01000000${name('#bob#localhost')}`,
    );
  });
});
