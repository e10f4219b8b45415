/**
 * A daemon for clinic's tools: `daemon.js <configuration file> <name>`. The command line ends its process; this one lets Node end by itself after
 * SIGTERM, because the heap profiler writes its results then.
 */
const entry = new URL('../index.js', import.meta.url).href;
const { startDaemon } = (await import(entry)) as typeof import('../../index.ts');
const [configFile, name] = process.argv.slice(2);
const daemon = await startDaemon({ configFile, name, unixSocketDir: null });
process.once('SIGTERM', () => void daemon.stop());
