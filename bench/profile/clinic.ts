/** Runs a daemon under a tool of clinic. */

import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Our names of the tools, and clinic's. */
export const CLINIC_TOOLS = {
  flame: 'flame',
  doctor: 'doctor',
  bubbleprof: 'bubbleprof',
  heap: 'heapprofiler',
} as const;
export type ClinicTool = keyof typeof CLINIC_TOOLS;

export const isClinicTool = (name: string): name is ClinicTool => Object.hasOwn(CLINIC_TOOLS, name);

/**
 * Command line that runs `program` (a Node command) under `tool`, with its results in `directory`. It sets NO_INSIGHT through `env`. Otherwise
 * clinic asks for permission to report statistics, gets no answer, and ends with code 0 without running anything.
 */
export function clinicCommand(tool: ClinicTool, directory: string, program: readonly string[]): readonly string[] {
  const clinic = createRequire(import.meta.url).resolve('clinic/bin.js');
  return [
    ...['env', 'NO_INSIGHT=1', 'NO_UPDATE_NOTIFIER=1'],
    ...[process.execPath, clinic, CLINIC_TOOLS[tool], '--open=false', '--dest', directory],
    ...['--', ...program],
  ];
}

/** The page that clinic wrote. @throws (rejects) without one, which is the only sign of a failure of clinic */
export async function clinicPage(directory: string): Promise<string> {
  const page = (await readdir(directory)).find((name) => name.endsWith('.html'));
  if (page === undefined) throw new Error(`clinic wrote no page to ${directory}`);
  return join(directory, page);
}
