/** Whether the process may open as many files as its clients need: a connection beyond the limit is closed without a word. */
import { readFileSync } from 'node:fs';
import type { ConfigurationOptions } from '../engine/config/configuration-options.ts';

/** Sockets between daemons, files and what Node has open for itself. */
const OWN_FILES = 64;

/** The limit of this process, as Linux reports it; Node has raised it to the hard limit. Null: unknown. */
export function openFilesLimit(): number | null {
  try {
    const match = /^Max open files +(\d+) /m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return match === null ? null : Number(match[1]);
  } catch {
    return null;
  }
}

/** Each worth a line in the log. */
export function openFilesWarnings(
  { maxSessions, maxHandshakes }: Pick<ConfigurationOptions, 'maxSessions' | 'maxHandshakes'>,
  limit: number | null = openFilesLimit(),
): readonly string[] {
  const needed = maxSessions + maxHandshakes + OWN_FILES;
  if (limit === null || limit >= needed) return [];
  return [
    `this process may open ${limit} files, and MaxSessions ${maxSessions} with MaxHandshakes ${maxHandshakes} needs ${needed}: clients beyond that are turned away; raise the limit (ulimit -n, LimitNOFILE) or lower MaxSessions`,
  ];
}
