/** Compiles corosync-bridge.c. */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { outputOf } from './child.ts';

/** The same path from here and from the bundle in dist/bench. */
const source = fileURLToPath(new URL('../../bench/peers/corosync-bridge.c', import.meta.url));
const HEADERS = ['/usr/include/corosync/cpg.h', '/usr/include/stdlib.h'];

/** Why the bridge cannot be compiled, or null. */
export async function bridgeUnavailable(): Promise<string | null> {
  try {
    await Promise.all(HEADERS.map((path) => access(path)));
    if ((await outputOf('cc', ['--version'])) !== null) return null;
  } catch {
    // A header is missing.
  }
  return 'its bridge is compiled with gcc, libc6-dev and libcpg-dev, which are not all there (Debian; or --install-peers)';
}

/**
 * Compiles it anew for each run. That takes a fraction of a second, and leaves no program that a later run would have to trust as root.
 *
 * @returns the path of the executable, in `directory`
 */
export async function buildBridge(directory: string): Promise<string> {
  const program = join(directory, 'corosync-bridge');
  await promisify(execFile)('cc', ['-O2', '-Wall', '-D_GNU_SOURCE', '-o', program, source, '-lcpg']);
  return program;
}
