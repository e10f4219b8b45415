/** Daemons for tests: on any free port, without a socket file or log, stopped with the test that started them. */
import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { type Daemon, type StartDaemonOptions, startDaemon } from '../../../daemon/start-daemon.ts';
import { DeliveryCounter, deliveryCounters, OrderingCounter, ringCounters } from '../../../engine/buffers/counters.ts';
import { type ClientOptions, WireClient } from './wire-client.ts';

export async function testDaemon(options: StartDaemonOptions = {}): Promise<Daemon> {
  const daemon = await startDaemon({ port: 0, logLevel: 'silent', unixSocketDir: null, ...options });
  onTestFinished(() => daemon.stop({ drainTimeoutMs: 200 }));
  return daemon;
}

/** A client that is closed with the test. */
export async function testClient(daemon: Daemon, options: ClientOptions | string): Promise<WireClient> {
  const full = typeof options === 'string' ? { name: options } : options;
  const client = await WireClient.connect({ port: daemon.port! }, full);
  onTestFinished(() => client.close());
  return client;
}

export const testClients = (daemon: Daemon, ...names: readonly string[]): Promise<readonly WireClient[]> =>
  Promise.all(names.map((name) => testClient(daemon, name)));

/** A free port: a Unix socket is named after the port, so a test must know it beforehand. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** The sum of one counter over the delivery workers. */
export function deliveryCount(daemon: Daemon, counter: keyof typeof DeliveryCounter): number {
  let sum = 0;
  for (let worker = 0; worker < daemon.counters.deliveryWorkers; worker++) {
    sum += deliveryCounters(daemon.counters, worker)[DeliveryCounter[counter]]!;
  }
  return sum;
}

export const orderingCount = (daemon: Daemon, counter: keyof typeof OrderingCounter): number =>
  ringCounters(daemon.counters)[OrderingCounter[counter]]!;

/** Long enough for a busy machine: what has not happened by then never will. */
const GIVE_UP_MS = 30_000;
const LOOK_EVERY_MS = 5;

export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
): Promise<void> {
  const deadline = Date.now() + GIVE_UP_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${GIVE_UP_MS} ms: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
