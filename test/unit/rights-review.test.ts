/** Rights that a reload takes away from sessions that are open: what they send, the groups they are in, and the sessions themselves. */
import { describe, expect, it } from 'vitest';
import { parseAccessFile } from '../../engine/access/access-file.ts';
import { CAUSED_BY_LEAVE } from '../../engine/wire/service.ts';
import type { DeliverySettings } from '../../workers/delivery/delivery-settings.ts';
import { type MemoryClient, MemoryDaemon } from './memory-daemon.ts';

const rightsOf = (text: string) => parseAccessFile(text, 'rules').rules;

function reload(daemon: MemoryDaemon, part: Partial<DeliverySettings>): void {
  daemon.delivery.prepare({ delivery: { ...daemon.spec.delivery, ...part } })();
  daemon.settle();
}

/** Groups of which the client was told that somebody has left. */
const left = (client: MemoryClient): readonly string[] =>
  client
    .frames()
    .filter(({ type }) => (type & CAUSED_BY_LEAVE) !== 0)
    .map(({ sender }) => sender);

const CERTIFICATE = { certificate: 'alice' };

describe('a session', () => {
  it('leaves the groups, in the order, that it may not join any more, and stays in the others', async () => {
    const daemon = await MemoryDaemon.start();
    const [alice, bob] = [daemon.login('alice'), daemon.login('bob')];
    for (const group of ['web', 'news', 'ops']) for (const client of [alice, bob]) client.join(group);
    alice.frames();
    bob.frames();
    // Sent by the old rights, and still by the client's side of the order.
    alice.transport.send(alice.message('ops', 'before'));
    reload(daemon, { rights: rightsOf('unix join web send *') });
    expect(daemon.count('JoinsRevoked')).toBe(4);
    const frames = bob.frames().map(({ sender, data }) => `${sender} ${data.toString('latin1').slice(0, 6)}`);
    expect(frames[0]).toContain('before');
    bob.transport.send(bob.message('web', 'still'));
    daemon.settle();
    expect(alice.frames().some(({ data }) => data.toString('latin1') === 'still')).toBe(true);
    // What it may not join, it cannot join again.
    alice.join('ops');
    daemon.settle();
    expect(daemon.count('JoinsForbidden')).toBe(1);
    expect(daemon.lines.filter(({ message }) => message.startsWith('session left a group'))).toHaveLength(2);
  });

  it('learns of it as of a leave of its own, and so do the others', async () => {
    const daemon = await MemoryDaemon.start();
    const alice = daemon.login('alice');
    const bob = daemon.login('bob', undefined, { certificate: 'bob' });
    for (const client of [alice, bob]) client.join('ops');
    alice.frames();
    bob.frames();
    reload(daemon, { rights: rightsOf('unix send *\ncertificate bob join ops') });
    expect([left(alice), left(bob)]).toEqual([['ops'], ['ops']]);
  });

  it('is judged at once by the new rights for what it sends', async () => {
    const daemon = await MemoryDaemon.start();
    const alice = daemon.login('alice');
    reload(daemon, { rights: rightsOf('unix send a') });
    for (const group of ['a', 'b']) alice.transport.send(alice.message(group, 'x'));
    daemon.settle();
    expect(daemon.count('MessagesForbidden')).toBe(1);
  });

  it('ends when it has no right left, with the reason; one with a right that is not for groups stays', async () => {
    const daemon = await MemoryDaemon.start();
    const alice = daemon.login('alice', undefined, CERTIFICATE);
    const carol = daemon.login('carol', undefined, { certificate: 'carol' });
    const bob = daemon.login('bob');
    reload(daemon, { rights: rightsOf('certificate alice join x\ncertificate carol admin x') });
    expect([alice, carol, bob].map(({ transport }) => transport.isClosed)).toEqual([false, false, true]);
    expect(daemon.count('SessionsRevoked')).toBe(1);
    const reason = 'AccessFile has no right for it any more';
    expect(daemon.delivery.inspect().ended).toMatchObject([{ name: bob.privateName, cause: 'revoked', reason }]);
    expect(daemon.lines.find(({ message }) => message.startsWith('session ended: a reload'))).toMatchObject({
      level: 'warn',
      fields: { session: bob.privateName, reason },
    });
    reload(daemon, { rights: rightsOf('certificate nobody join x') });
    expect([alice, carol].map(({ transport }) => transport.isClosed)).toEqual([true, true]);
  });

  it('stays when there is no access file any more, or the same one', async () => {
    const daemon = await MemoryDaemon.start();
    const rights = rightsOf('certificate alice join x');
    reload(daemon, { rights });
    const bob = daemon.login('bob');
    reload(daemon, { rights, maxSessionGroups: 7 });
    reload(daemon, { rights: null });
    expect(bob.transport.isClosed).toBe(false);
  });

  it('of a certificate is no user of the password file', async () => {
    const daemon = await MemoryDaemon.start();
    const alice = daemon.login('alice', undefined, CERTIFICATE);
    const [bob] = [daemon.login('bob')];
    reload(daemon, { auth: { allowed: ['PWORD'], required: [] }, passwords: new Map() });
    expect([alice, bob].map(({ transport }) => transport.isClosed)).toEqual([false, false]);
  });
});

it('however many sessions there are, a part of them is looked at in a duty cycle', async () => {
  const daemon = await MemoryDaemon.start();
  const clients = Array.from({ length: 150 }, (_, i) => daemon.login(`c${i}`));
  daemon.delivery.prepare({ delivery: { ...daemon.spec.delivery, rights: rightsOf('certificate x join x') } })();
  daemon.delivery.doWork(0);
  expect(daemon.count('SessionsRevoked')).toBe(64);
  daemon.settle();
  expect(daemon.count('SessionsRevoked')).toBe(clients.length);
});
