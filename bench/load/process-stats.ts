/** Process figures from /proc: CPU time, resident memory, and who listens on a port. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { monotonicMs } from './clock.ts';

/** USER_HZ is always 100 in the kernel's interface to user space. */
const TICK_MS = 10;

export interface ProcessSample {
  readonly atMs: number;
  readonly cpuMs: number;
  readonly residentBytes: number;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

/** Sum over `pids`; processes that have ended count as 0. */
export function sampleProcesses(pids: readonly number[]): ProcessSample {
  let cpuMs = 0;
  let residentBytes = 0;
  for (const pid of pids) {
    const stat = readText(`/proc/${pid}/stat`);
    if (stat !== null) {
      // Behind the parenthesised name, state is the first field, utime and stime are the 12th and 13th.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      cpuMs += (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    }
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/status`) ?? '');
    if (resident !== null) residentBytes += Number(resident[1]) * 1024;
  }
  return { atMs: monotonicMs(), cpuMs, residentBytes };
}

function listeningInodes(port: number): Set<string> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (readText(table) ?? '').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const listening = fields[3] === '0A';
      if (listening && fields[1]?.endsWith(`:${wanted}`)) inodes.add(`socket:[${fields[9]}]`);
    }
  }
  return inodes;
}

/** Processes that listen on TCP `port`, as far as this user may see them. */
export function listenersOnPort(port: number): number[] {
  const inodes = listeningInodes(port);
  const pids: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const descriptors = readdirSync(`/proc/${name}/fd`);
      if (descriptors.some((fd) => inodes.has(readlinkSync(`/proc/${name}/fd/${fd}`)))) pids.push(Number(name));
    } catch {
      // Another user's process, or one that has ended.
    }
  }
  return pids;
}
