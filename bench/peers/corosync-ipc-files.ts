import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const SHARED_MEMORY = '/dev/shm';

/** Removes the shared memory of a killed corosync. libqb puts the server's process id into the names. */
export function removeIpcFiles(pid: number): void {
  for (const name of readdirSync(SHARED_MEMORY)) {
    if (!name.startsWith(`qb-${pid}-`) && !name.startsWith(`qb-corosync-${pid}-`)) continue;
    rmSync(join(SHARED_MEMORY, name), { recursive: true, force: true });
  }
}
