/**
 * Bytes that code allocates on the JavaScript heap. If the young generation (`--min-semi-space-size`) is larger than the allocations, nothing is
 * collected, and the growth of the heap is exactly what was allocated.
 */
import { getHeapStatistics } from 'node:v8';

export const ALLOCATION_NODE_OPTIONS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128'];

const ROUNDS = 7;

const usedBytes = (): number => getHeapStatistics().used_heap_size;

function growth(run: () => void): number {
  globalThis.gc?.();
  const before = usedBytes();
  run();
  return usedBytes() - before;
}

/**
 * Bytes allocated by `run`, which should be warm: the minimum of several rounds, because the compiler sometimes allocates as well.
 * @throws when `--expose-gc` is missing
 */
export function allocatedBytes(run: () => void): number {
  if (globalThis.gc === undefined) throw new Error('start Node with --expose-gc');
  let empty = Number.POSITIVE_INFINITY;
  let used = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    empty = Math.min(
      empty,
      growth(() => {}),
    );
    const bytes = growth(run);
    // After a collection the growth says nothing.
    if (bytes >= 0) used = Math.min(used, bytes);
  }
  return Math.max(0, used - empty);
}
