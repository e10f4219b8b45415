/**
 * Round-trip times of connections, as the kernel of this machine measures them. Node does not report them, but iproute2 does. So they are
 * known only on the daemon's host.
 */
import { execFile } from 'node:child_process';

/** Milliseconds by client address, such as `127.0.0.1:51234`; empty without iproute2. Never rejects. */
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

/** `[::ffff:10.0.0.1]:5` -> `10.0.0.1:5`, `[::1]:5` -> `::1:5`: the daemon's form, without IPv4-mapped addresses. */
export const plain = (peer: string): string => peer.replace(/[[\]]/g, '').replace(/^::ffff:(?=\d+\.)/, '');
