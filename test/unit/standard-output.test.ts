import { expect, it, vi } from 'vitest';
import { printError } from '../../cli/standard-output.ts';

it('adds one error listener to standard error, however often it prints', () => {
  const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const before = process.stderr.listenerCount('error');
  for (let i = 0; i < 20; i++) printError('text');
  expect([write.mock.calls.length, process.stderr.listenerCount('error') - before]).toEqual([20, 1]);
  write.mockRestore();
});
