/**
 * A daemon for clinic's tools: `daemon.js <configuration file> <name>`. Unlike the command line, which ends the process, it runs out of work after
 * SIGTERM: that is when the heap profiler writes its results.
 */
const entry = new URL('../index.js', import.meta.url).href;
const { startDaemon } = (await import(entry)) as typeof import('../../index.ts');
const [configFile, name] = process.argv.slice(2);
const daemon = await startDaemon({ configFile, name, unixSocketDir: null });
process.once('SIGTERM', () => void daemon.stop());
