/** Runs a daemon under one of clinic's tools. */

import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Our name of a tool, and clinic's. */
export const CLINIC_TOOLS = {
  flame: 'flame',
  doctor: 'doctor',
  bubbleprof: 'bubbleprof',
  heap: 'heapprofiler',
} as const;
export type ClinicTool = keyof typeof CLINIC_TOOLS;

export const isClinicTool = (name: string): name is ClinicTool => Object.hasOwn(CLINIC_TOOLS, name);

/**
 * Command line that runs `program` (a Node command) under `tool`, with its results in `directory`. By way of `env`: without NO_INSIGHT clinic
 * asks for permission to report statistics, waits for ever for an answer that cannot come, and ends with code 0 without having run anything.
 */
export function clinicCommand(tool: ClinicTool, directory: string, program: readonly string[]): readonly string[] {
  const clinic = createRequire(import.meta.url).resolve('clinic/bin.js');
  return [
    ...['env', 'NO_INSIGHT=1', 'NO_UPDATE_NOTIFIER=1'],
    ...[process.execPath, clinic, CLINIC_TOOLS[tool], '--open=false', '--dest', directory],
    ...['--', ...program],
  ];
}

/** The page that clinic wrote. @throws (rejects) when there is none: the only sign that clinic has failed */
export async function clinicPage(directory: string): Promise<string> {
  const page = (await readdir(directory)).find((name) => name.endsWith('.html'));
  if (page === undefined) throw new Error(`clinic wrote no page to ${directory}`);
  return join(directory, page);
}
