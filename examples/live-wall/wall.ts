/** A web server, a daemon, a publisher of its access log, and a page that shows every event live. Runs until SIGINT or SIGTERM. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDaemon } from '../../index.ts';
import { load } from '../event-feed/load.ts';
import { findNginx, installNginx, Nginx } from '../event-feed/nginx.ts';
import { Program } from '../event-feed/program.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    rate: { type: 'string', default: '20' },
    install: { type: 'boolean', default: false },
  },
});
const port = integer('port', values.port, 0, 65_535);
const requestsPerSecond = integer('rate', values.rate, 0, 10_000);
if (values.install && findNginx() === undefined) installNginx();
const binary =
  findNginx() ?? fail('nginx is not installed: run "sudo apt-get install nginx-light", or give --install as root');

const [page, library] = await Promise.all(
  ['SKEIN_WALL_PAGE', 'SKEIN_WALL_LIBRARY'].map((name) => readFile(process.env[name] ?? '', 'utf8')),
);
const folder = await mkdtemp(join(tmpdir(), 'skein-live-wall-'));
const nginx = await Nginx.start(binary, folder);
const daemon = await startDaemon({
  port: 0,
  unixSocketDir: null,
  logLevel: 'warn',
  webSocketListen: '127.0.0.1:0',
});
const publisher = new Program('publisher', nginx.logFile, `${daemon.port}@127.0.0.1`);
await publisher.hears('ready');

const files: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  '/': { type: 'text/html; charset=utf-8', text: page!.replace('SKEIN_URL', daemon.webSocketUrls[0]!) },
  '/browser.js': { type: 'text/javascript; charset=utf-8', text: library! },
};
const server = createServer((request, response) => {
  const file = files[request.url ?? ''];
  response.writeHead(file === undefined ? 404 : 200, { 'content-type': file?.type ?? 'text/plain' });
  response.end(file?.text ?? 'not found\n');
});
await new Promise<void>((resolve, reject) => {
  server.once('error', reject);
  server.listen(port, '127.0.0.1', resolve);
});
const address = server.address();
const pagePort = typeof address === 'object' && address !== null ? address.port : port;
process.stdout.write(`the wall is at http://127.0.0.1:${pagePort}/\n`);
process.stdout.write(
  `requests to http://127.0.0.1:${nginx.port}/ appear there; ${requestsPerSecond} a second are made\n`,
);

const traffic = setInterval(() => {
  void load(nginx.port, requestsPerSecond).catch(() => undefined);
}, 1000);
let isStopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());

async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  clearInterval(traffic);
  server.close();
  server.closeAllConnections();
  publisher.kill('SIGKILL');
  await nginx.stop();
  await daemon.stop();
  await rm(folder, { recursive: true });
}

function integer(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    fail(`--${name} ${text}: must be an integer from ${min} to ${max}`);
  return value;
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
