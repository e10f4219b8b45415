/** Connections without a session: how they are counted by address, and which one is ended. */
import { describe, expect, it } from 'vitest';
import { createSession } from '../../bench/micro/sessions.ts';
import { shareKey } from '../../workers/delivery/client-address.ts';
import type { ClientSession } from '../../workers/delivery/client-session.ts';
import { LiveValue } from '../../workers/delivery/live.ts';
import { WaitingRoom } from '../../workers/delivery/waiting-room.ts';

let serial = 0;

const roomFor = (maxHandshakes: number): WaitingRoom => new WaitingRoom(new LiveValue({ maxHandshakes }));

/** A connection in the handshake. @param waitsForClient whether the daemon waits for it */
function stranger(share: string, waitsForClient = true): ClientSession {
  const made = createSession(serial++);
  const handshake = { waitsForClient } as ClientSession['handshake'];
  return Object.assign(Object.create(made) as ClientSession, { share, handshake, state: 'handshake' as const });
}

describe('the address a connection is counted with', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    [undefined, 'unix'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
  ])('%s: %s', (address, key) => {
    expect(shareKey(address)).toBe(key);
  });
});

describe('the room', () => {
  it('ends the oldest of the address with most connections', () => {
    const room = roomFor(5);
    const few = stranger('few');
    const many = [stranger('many'), stranger('many'), stranger('many')];
    room.enter(few, 10);
    for (const [i, one] of many.entries()) room.enter(one, 11 + i);
    expect([room.size, room.isFull]).toEqual([4, false]);
    room.enter(stranger('other'), 20);
    expect(room.isFull).toBe(true);
    expect(room.victim()).toBe(many[0]);
    room.leave(many[0]!);
    expect(room.victim()).toBe(many[1]);
    room.leave(many[1]!);
    expect([room.size, room.victim()]).toEqual([3, few]);
  });

  it('spares connections that wait for the daemon, but no refused one', () => {
    const room = roomFor(3);
    const checked = [stranger('a', false), stranger('a', false)];
    const silent = stranger('b');
    for (const one of [...checked, silent]) room.enter(one, 10);
    expect(room.victim()).toBe(silent);
    room.leave(silent);
    expect(room.victim()).toBe(undefined);
    checked[1]!.state = 'closed';
    room.linger(checked[1]!, 5);
    expect(room.victim()).toBe(checked[1]);
  });

  it('expires handshakes and refused connections, each in order', () => {
    const room = roomFor(9);
    expect([room.nextDeadlineMs(), room.expired(1e9)]).toEqual([Number.POSITIVE_INFINITY, undefined]);
    const [first, second, refused] = [stranger('a'), stranger('a'), stranger('a')];
    room.enter(first!, 100);
    room.enter(second!, 110);
    room.enter(refused!, 120);
    room.linger(refused!, 50);
    expect([room.size, room.nextDeadlineMs()]).toEqual([3, 50]);
    expect(room.expired(49)).toBe(undefined);
    expect(room.expired(50)).toBe(refused);
    room.leave(refused!);
    expect([room.expired(99), room.expired(105)]).toEqual([undefined, first]);
    expect([...room]).toEqual([first, second]);
    room.leave(first!);
    room.leave(second!);
    expect([room.size, room.victim()]).toEqual([0, undefined]);
  });
});
