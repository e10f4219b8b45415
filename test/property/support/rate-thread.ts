/** One of several threads that take from one bucket and count sessions at once. */
import { parentPort, workerData } from 'node:worker_threads';
import { RateTable } from '../../../engine/buffers/rate-table.ts';

export interface RateThreadInput {
  readonly memory: SharedArrayBuffer;
  readonly entry: number;
  readonly rounds: number;
}

const { memory, entry, rounds } = workerData as RateThreadInput;
const table = new RateTable(memory);
const rates = { messages: 1, bytes: 1024 };
for (let i = 0; i < rounds; i++) {
  table.takeMessages(entry, 1);
  table.acquire(7, 1, 0, rates, 0);
  table.release(table.acquire(7, 7, 0, rates, 0), 0);
}
parentPort!.postMessage('done');
