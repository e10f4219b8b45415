/**
 * Loaded into a daemon (`--import`) that runs with `--cpu-prof`: lets its worker threads be profiled too. The daemon starts them with
 * options of their own, so that no tool that is preloaded into the process gets into their way; profiling is what is wanted here.
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
