/** Worker threads that run seeds, on the engine as it is or on a mutant. */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { bundleWorker } from './bundle.ts';
import type { Mutant } from './mutants/mutant.ts';
import type { RangeResult, SeedRange } from './run-seeds.ts';

export type SeedPool = Piscina<SeedRange, RangeResult>;

/** @param threads one for each core when left out */
export async function openPool(root: string, threads = availableParallelism(), mutant?: Mutant): Promise<SeedPool> {
  const filename = await bundleWorker(root, mutant);
  return new Piscina<SeedRange, RangeResult>({ filename, minThreads: threads, maxThreads: threads });
}
