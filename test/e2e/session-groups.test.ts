/** `MaxSessionGroups`: a join beyond the limit is refused and counted, and affects nobody else. */
import { expect, it, onTestFinished } from 'vitest';
import { connect } from '../../client/index.ts';
import { deliveryCount, testDaemon } from './support/daemons.ts';

it('refuses the join beyond the limit with a reject message, until a group is left', async () => {
  const daemon = await testDaemon({ maxSessionGroups: 2 });
  const address = { host: '127.0.0.1', port: daemon.port! };
  const greedy = await connect({ address, name: 'greedy' });
  const other = await connect({ address, name: 'other' });
  onTestFinished(() => {
    greedy.destroy();
    other.destroy();
  });
  await greedy.join('a');
  await greedy.join('b');
  await expect(greedy.join('c')).rejects.toMatchObject({ code: 'REJECT_AUTH' });
  expect([deliveryCount(daemon, 'JoinsRefused'), deliveryCount(daemon, 'RequestsRejected')]).toEqual([1, 1]);
  await other.join('c');
  await greedy.leave('a');
  await greedy.join('c');
  expect(deliveryCount(daemon, 'JoinsRefused')).toBe(1);
});

it('counts joins that a session sends in one write', async () => {
  const daemon = await testDaemon({ maxSessionGroups: 2 });
  const session = await connect({ address: { host: '127.0.0.1', port: daemon.port! } });
  onTestFinished(() => session.destroy());
  const joins = await Promise.allSettled(['a', 'b', 'c', 'd'].map((group) => session.join(group)));
  expect(joins.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
  await Promise.all([session.leave('a'), session.join('c'), session.leave('b'), session.join('d')]);
  expect([...session.groups].sort()).toEqual(['c', 'd']);
  expect(deliveryCount(daemon, 'JoinsRefused')).toBe(2);
});
