/** Task of a worker thread: a range of seeds. */
export { runSeeds as default } from './run-seeds.ts';
