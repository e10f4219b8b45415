/** A small HTTP client with keep-alive connections. */
import { Agent, get } from 'node:http';

const PATHS = [
  '/',
  '/static/logo.png',
  '/api/orders',
  '/static/style.css',
  '/api/users',
  '/missing',
  '/moved',
  '/api/broken',
];

export interface LoadResult {
  readonly requests: number;
  /** Longest and median time of a request. */
  readonly maxMs: number;
  readonly medianMs: number;
}

/** Sends `requests` requests over `connections` connections. Each connection waits for an answer before its next request. */
export async function load(port: number, requests: number, connections = 8): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const timesMs: number[] = [];
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < requests) {
      const path = PATHS[next++ % PATHS.length]!;
      const startedMs = performance.now();
      await request(agent, port, path);
      timesMs.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, run));
  agent.destroy();
  timesMs.sort((a, b) => a - b);
  return { requests, maxMs: timesMs.at(-1) ?? 0, medianMs: timesMs[timesMs.length >> 1] ?? 0 };
}

const request = (agent: Agent, port: number, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    get({ agent, port, path, host: '127.0.0.1' }, (response) => {
      response.resume();
      response.on('end', resolve);
    }).on('error', reject);
  });
