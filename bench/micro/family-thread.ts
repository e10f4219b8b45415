/**
 * Entry of the thread that measures one family. Each family has its own thread, and so its own isolate, because the compiler optimises shared
 * code by what earlier rows did. The second opinion gets a fresh thread for the same reason.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { families } from './families.ts';
import { type HarnessTimes, measureRow, secondOpinion } from './harness.ts';
import type { MicroResult } from './micro-row.ts';

export interface FamilyInput {
  readonly family: string;
  readonly harness: 'tinybench' | 'benchmark';
  readonly times: HarnessTimes;
}

export type FamilyMessage =
  | { readonly kind: 'row'; readonly result: MicroResult }
  | { readonly kind: 'second-opinion'; readonly title: string; readonly nanoseconds: number };

const { family: id, harness, times } = workerData as FamilyInput;
const tell = (message: FamilyMessage): void => parentPort?.postMessage(message);

const family = families.find((one) => one.id === id);
if (family === undefined) throw new Error(`no family "${id}"`);
const { rows, close } = await family.prepare();
for (const row of rows) {
  if (harness === 'tinybench') tell({ kind: 'row', result: await measureRow(id, row, times) });
  else if (row.kind === 'loop' && row.decides) {
    tell({ kind: 'second-opinion', title: row.title, nanoseconds: secondOpinion(row, times) });
  }
}
await close?.();
