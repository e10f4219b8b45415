/** Which groups and private names an `AccessFile` lets a client send to. */
import { describe, expect, it } from 'vitest';
import { AGREED, encodeFrame } from '../e2e/support/wire-frames.ts';
import { aliceAndBob, MAY_SEND_OPEN, messages, received, setRights } from './support/rights-daemon.ts';

describe('a message to several groups', () => {
  const openGroups = (count: number): string[] => Array.from({ length: count }, (_, i) => `open.${i}`);

  it.each([
    [2, 0],
    [2, 1],
    [3, 1],
    [44, 43],
    [99, 98],
    [100, 0],
    [100, 50],
    [100, 98],
    [100, 99],
  ])('of %i is not sent to any when it may not be sent to the one at %i', async (count, at) => {
    const groups = openGroups(count);
    const { daemon, alice, bob, send } = await aliceAndBob(MAY_SEND_OPEN, groups[0]!);
    send({ type: AGREED, groups, data: 'all' });
    groups[at] = 'closed';
    send({ type: AGREED, groups, data: 'none' });
    expect(messages(received(daemon, bob))).toEqual(['all']);
    const [reject, ...more] = received(daemon, alice).rejects;
    expect(more).toEqual([]);
    // With 100 groups the originator's name replaces the last one.
    expect(reject!.groups).toEqual(['closed', ...groups.filter((group) => group !== 'closed')].slice(0, 99));
    expect([reject!.originator, reject!.data]).toEqual([alice.privateName, 'none']);
    expect(daemon.count('MessagesForbidden')).toBe(1);
  });

  it('is refused with the first forbidden group or private name', async () => {
    const { daemon, alice, bob, send } = await aliceAndBob();
    send({ type: AGREED, groups: ['open', '#carol#d', 'closed'], data: 'x' });
    send({ type: AGREED, groups: ['#bob#d', 'closed', '#carol#d'], data: 'y' });
    send({ type: AGREED, groups: ['#bob#d', 'open'], data: 'z' });
    expect(messages(received(daemon, bob))).toEqual(['z']);
    expect(received(daemon, alice).rejects.map(({ groups }) => groups)).toEqual([
      ['#carol#d', 'open', 'closed'],
      ['closed', '#bob#d', '#carol#d'],
    ]);
    expect([daemon.count('MessagesForbidden'), daemon.count('PrivatesForbidden')]).toEqual([1, 1]);
  });

  it('is checked for each frame, although the lists differ', async () => {
    const { daemon, alice, bob } = await aliceAndBob();
    const frame = (groups: readonly string[], data: string): Buffer =>
      encodeFrame({ type: AGREED, sender: alice.privateName, groups, data });
    const lists = [
      ['open', 'open.1'],
      ['open', 'closed'],
      ['open', 'open.1'],
      ['closed', 'open'],
      ['open.1', 'open'],
    ];
    alice.transport.send(Buffer.concat(lists.map((groups, i) => frame(groups, String(i)))));
    expect(messages(received(daemon, bob))).toEqual(['0', '2', '4']);
    expect(received(daemon, alice).rejects.map(({ data }) => data)).toEqual(['1', '3']);
  });
});

describe('a message to a private name', () => {
  it.each<readonly [string, string, readonly string[], readonly string[]]>([
    ['one user at every daemon', 'private bob', ['#bob#d', '#bob#far'], ['#bobby#d', '#alice#d', '#b#d', '#bob']],
    ['one user at one daemon', 'private bob#far', ['#bob#far'], ['#bob#d', '#bob#fa', '#bob#farr']],
    ['all users of one daemon', 'private *#far', ['#bob#far', '#x#far'], ['#bob#d']],
    ['users by their beginning', 'private b*', ['#bob#d', '#b#far'], ['#alice#d']],
    ['everybody', 'private', ['#bob#d', '#alice#far', '#weird', '#', '##'], []],
    ['nobody', 'send *', [], ['#bob#d', '#alice#d', '#bob#far', '#weird', '#']],
  ])('is allowed to %s', async (_, rights, allowed, refused) => {
    const { daemon, alice, bob, send } = await aliceAndBob(`anyone join * ${rights}`);
    for (const group of allowed) send({ type: AGREED, groups: [group], data: `to ${group}` });
    const before = received(daemon, alice);
    expect(before.rejects).toEqual([]);
    expect(messages(received(daemon, bob))).toEqual(
      allowed.filter((name) => name === '#bob#d').map((name) => `to ${name}`),
    );
    for (const group of refused) send({ type: AGREED, groups: [group], data: `to ${group}` });
    expect(received(daemon, alice).rejects.map(({ groups }) => groups[0])).toEqual(refused);
    expect(received(daemon, bob).frames).toEqual([]);
    expect([daemon.count('PrivatesForbidden'), daemon.count('MessagesForbidden')]).toEqual([refused.length, 0]);
  });

  it('of the sender itself needs the right too', async () => {
    const { daemon, alice, send } = await aliceAndBob('anyone send *');
    send({ type: AGREED, groups: ['#alice#d'], data: 'me' });
    expect(received(daemon, alice).rejects).toHaveLength(1);
    setRights(daemon, 'anyone private alice#d');
    send({ type: AGREED, groups: ['#alice#d'], data: 'me' });
    expect(messages(received(daemon, alice))).toEqual(['me']);
  });
});

describe('names at the limit', () => {
  const full = 'g'.repeat(31);

  it.each<readonly [string, readonly string[], readonly string[]]>([
    [full, [full], [full.slice(1), `${full.slice(1)}h`, `h${full.slice(1)}`]],
    [`${full}*`, [full], [full.slice(1)]],
    [`${full.slice(1)}*`, [full, full.slice(1), `${full.slice(1)}h`], [full.slice(2)]],
    [`*${full}`, [full], [full.slice(1)]],
    ['*', [full, 'x', ''], []],
    ['x', ['x'], ['xx', '', 'X', 'y']],
  ])('%s', async (pattern, allowed, refused) => {
    const { daemon, alice, bob, send } = await aliceAndBob(`anyone join * send ${pattern}`, full, full.slice(1));
    for (const group of [...allowed, ...refused]) send({ type: AGREED, groups: [group], data: group });
    expect(messages(received(daemon, bob))).toEqual(allowed.filter((group) => [full, full.slice(1)].includes(group)));
    expect(received(daemon, alice).rejects.map(({ data }) => data)).toEqual(refused);
  });

  it('without a NUL are cut at the length used for delivery', async () => {
    const { daemon, alice, bob } = await aliceAndBob(`anyone join * send ${full}`, full);
    const frame = alice.message(full, 'yes');
    frame[48 + 31] = 0x67; // 32 bytes, no NUL
    const other = Buffer.from(alice.message(`${full.slice(1)}h`, 'no'));
    other[48 + 31] = 0x67;
    alice.transport.send(Buffer.concat([frame, other, frame]));
    expect(messages(received(daemon, bob))).toEqual(['yes', 'yes']);
    expect(received(daemon, alice).rejects.map(({ data }) => data)).toEqual(['no']);
  });

  it('are compared up to the NUL, whatever bytes follow it', async () => {
    const { daemon, alice, bob } = await aliceAndBob();
    const dirty = (group: string, byte: number): Buffer => {
      const frame = Buffer.from(alice.message(group, `${group}${byte}`));
      frame.fill(byte, 48 + group.length + 1, 48 + 32);
      return frame;
    };
    const sent = [1, 2, 255, 1].flatMap((byte) => [dirty('open', byte), dirty('closed', byte)]);
    alice.transport.send(Buffer.concat(sent));
    expect(messages(received(daemon, bob))).toEqual(['open1', 'open2', 'open255', 'open1']);
    expect(received(daemon, alice).rejects.map(({ data }) => data)).toEqual([
      'closed1',
      'closed2',
      'closed255',
      'closed1',
    ]);
  });
});
