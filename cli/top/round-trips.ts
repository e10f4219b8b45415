/**
 * Round-trip times of connections, as the kernel of this machine measures them. Node does not tell them, and iproute2 does: they are known
 * where the command runs on the host of the daemon.
 */
import { execFile } from 'node:child_process';

/** By the client's end, `127.0.0.1:51234`; milliseconds. Empty where nobody tells. Never rejects. */
export function roundTrips(): Promise<ReadonlyMap<string, number>> {
  return new Promise((resolve) => {
    const options = { timeout: 2000, maxBuffer: 64 * 1024 * 1024 };
    execFile('ss', ['-tinHO', 'state', 'established'], options, (error, stdout) => {
      resolve(error === null ? parseRoundTrips(stdout) : new Map());
    });
  });
}

/** Lines such as `0 0 127.0.0.1:4803 127.0.0.1:51234 cubic … rtt:0.05/0.02 …`. */
export function parseRoundTrips(text: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, peer, rtt] = /^\s*\d+\s+\d+\s+\S+\s+(\S+)\s.*\brtt:([\d.]+)\//.exec(line) ?? [];
    if (peer !== undefined && rtt !== undefined) found.set(plain(peer), Number(rtt));
  }
  return found;
}

/** `[::ffff:10.0.0.1]:5` -> `10.0.0.1:5`, `[::1]:5` -> `::1:5`: as a daemon names its clients, but for mapped addresses. */
export const plain = (peer: string): string => peer.replace(/[[\]]/g, '').replace(/^::ffff:(?=\d+\.)/, '');
