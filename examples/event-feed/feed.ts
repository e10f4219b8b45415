/**
 * The whole feed: a web server, a daemon, a publisher and three consumers. It makes traffic and trouble, and counts at the end. Exit code 0
 * when nothing was lost.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDaemon } from '../../index.ts';
import { COUNTED, groupsOf, type WebEvent } from './events.ts';
import { type LoadResult, load } from './load.ts';
import { findNginx, installNginx, Nginx } from './nginx.ts';
import { Program } from './program.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '8000' },
    install: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const requests = Number(values.requests);
if (!Number.isInteger(requests) || requests < 4 || requests > 1_000_000)
  fail(`--requests ${values.requests}: must be an integer from 4 to 1000000`);
if (values.install && findNginx() === undefined) installNginx();
const binary =
  findNginx() ?? fail('nginx is not installed: run "sudo apt-get install nginx-light", or give --install as root');

const folder = await mkdtemp(join(tmpdir(), 'skein-event-feed-'));
const archiveFile = join(folder, 'archive.ndjson');
const programs: Program[] = [];
const start = (name: string, ...args: string[]): Program => {
  const program = new Program(name, ...args);
  programs.push(program);
  return program;
};
const nginx = await Nginx.start(binary, folder);
const daemon = await startDaemon({ port: 0, unixSocketDir: null, logLevel: 'warn' });
const address = `${daemon.port}@127.0.0.1`;
say(`nginx serves on port ${nginx.port}, the daemon on ${daemon.port}, files are in ${folder}`);

let isComplete = false;
try {
  const archive = start('archive', archiveFile, address);
  const counter = start('counter', address);
  const publisher = start('publisher', nginx.logFile, address);
  for (const program of programs) await program.hears('ready');

  const quarter = Math.ceil(requests / 4);
  tellTimes('all consumers reading', await load(nginx.port, quarter));

  const lateJoiner = start('late-joiner', address);
  tellTimes('a late joiner comes', await load(nginx.port, quarter));
  const { missed } = await lateJoiner.hears<{ missed: number }>('ready');

  counter.kill('SIGSTOP');
  const stopped = load(nginx.port, quarter);
  await nginx.rotateLog();
  tellTimes('the counter stopped, the log rotated', await stopped);
  counter.kill('SIGCONT');

  tellTimes('the counter reading again', await load(nginx.port, requests - 3 * quarter));
  await nginx.stop();
  publisher.kill('SIGTERM');

  const { published } = await publisher.hears<{ published: number }>('result');
  await archive.hears('result');
  const counted = await counter.hears<{ events: number; perGroup: object }>('result');
  const late = await lateJoiner.hears<{ events: number }>('result');

  const logged = [...(await linesOf(nginx.rotatedLogFile)), ...(await linesOf(nginx.logFile))];
  const archived = await linesOf(archiveFile);
  const toCount = logged.filter((line) => isCounted(JSON.parse(line) as WebEvent)).length;
  say('');
  isComplete = [
    compare('requests, and lines in the access log', requests, logged.length),
    compare('lines in the log, and lines published', logged.length, published),
    compare('lines in the log, and events in the archive', logged.length, archived.length),
    compare('of them the same, each once', logged.length, sameLines(logged, archived)),
    compare('errors and API calls, and what the counter saw', toCount, counted.events),
    compare('archived after the late joiner came, and what it saw', archived.length - missed, late.events),
  ].every(Boolean);
  say(`  counter by group: ${JSON.stringify(counted.perGroup)}; the late joiner knows that it missed ${missed} events`);
  say(isComplete ? 'nothing was lost' : 'SOMETHING WAS LOST');
} finally {
  for (const program of programs) program.kill('SIGKILL');
  await daemon.stop();
  await nginx.stop();
  if (!values.keep && isComplete) await rm(folder, { recursive: true });
}
process.exitCode = isComplete ? 0 : 1;

function tellTimes(what: string, { requests: count, medianMs, maxMs }: LoadResult): void {
  const times = `median ${medianMs.toFixed(2)} ms, longest ${maxMs.toFixed(1)} ms`;
  say(`  ${what.padEnd(38)} ${String(count).padStart(7)} requests: ${times}`);
}

function compare(what: string, expected: number, found: number): boolean {
  const isSame = expected === found;
  say(isSame ? `  ok   ${what}: ${expected} = ${found}` : `  BAD  ${what}: ${expected}, but ${found}`);
  return isSame;
}

function isCounted(event: WebEvent): boolean {
  const groups = groupsOf(event);
  return COUNTED.some((group) => groups.includes(group));
}

/** How many lines of `expected` are in `found`. Each line of `found` counts once. */
function sameLines(expected: readonly string[], found: readonly string[]): number {
  const left = new Set(found);
  return expected.filter((line) => left.delete(line)).length;
}

async function linesOf(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8');
  return text.split('\n').filter((line) => line !== '');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
