/**
 * Loaded (`--import`) into a daemon that runs with `--cpu-prof`, so that its worker threads are profiled too. The daemon starts them with their
 * own options, which keeps preloaded tools out of them; here profiling is intended.
 */
import { syncBuiltinESMExports } from 'node:module';
import workerThreads from 'node:worker_threads';

const inherited = process.execArgv.filter((option) => option.startsWith('--cpu-prof'));

workerThreads.Worker = class extends workerThreads.Worker {
  constructor(file: string | URL, options: workerThreads.WorkerOptions) {
    super(file, { ...options, execArgv: inherited });
  }
};
syncBuiltinESMExports();
