import { describe, expect, it } from 'vitest';
import { hasReusePort, planThreads, type ResolvedThreadingMode } from '../../workers/threading.ts';

const NODE_20 = 'v20.20.2';

describe('planThreads', () => {
  it.each<[ResolvedThreadingMode, number, readonly (readonly (string | number)[])[]]>([
    ['dedicated', 2, [['network'], ['ring'], [0], [1]]],
    ['shared-network', 2, [['network', 'ring'], [0], [1]]],
    ['shared', 2, [['network', 'ring', 0, 1]]],
    ['inline', 1, [['network', 'ring', 0]]],
  ])('%s with %i delivery workers', (mode, workers, roles) => {
    const plan = planThreads(mode, workers, { cores: 8, nodeVersion: NODE_20 });
    expect(plan.threads.map((thread) => new Set(thread.roles))).toEqual(roles.map((thread) => new Set(thread)));
    expect(plan.deliveryWorkers).toBe(workers);
    // Only a thread that owns no socket may block.
    for (const thread of plan.threads)
      expect(thread.blocking).toBe(thread.roles.length === 1 && thread.roles[0] === 'ring');
  });

  it.each([
    [1, 'shared'],
    [3, 'shared'],
    [4, 'shared-network'],
    [64, 'shared-network'],
  ])('auto with %i cores: %s', (cores, mode) => {
    expect(planThreads('auto', 'auto', { cores, nodeVersion: NODE_20 })).toMatchObject({ mode, deliveryWorkers: 1 });
  });

  it('has more delivery workers by itself only where Node balances connections', () => {
    const machine = { cores: 8, nodeVersion: 'v24.1.0' };
    expect(planThreads('auto', 'auto', machine).deliveryWorkers).toBe(3);
    expect(planThreads('shared', 'auto', machine).deliveryWorkers).toBe(1);
    expect([NODE_20, 'v23.0.9', 'v23.1.0', '24.0.0'].map(hasReusePort)).toEqual([false, false, true, true]);
  });
});
