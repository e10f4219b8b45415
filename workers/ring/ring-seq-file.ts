/**
 * The highest ring sequence number a daemon has used, kept over its runs (ring-protocol.md, EVS-4 and 3.11). Clients know a daemon
 * membership by its leader's address and this number, so a daemon that is started again must not use one a second time: not
 * within the second of its last membership either, nor when the numbers have run ahead of the clock.
 */
import { renameSync, writeFileSync } from 'node:fs';

/**
 * Returns when the file holds the number, so that no client can see it before. The write blocks the ring, for the time of two system
 * calls at each change of the membership. It is not forced to the disk: a machine takes longer to start again than numbers run ahead.
 *
 * @throws the error of the file system
 */
export function storeRingSeq(path: string, ringSeq: number): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, `${ringSeq}\n`);
  renameSync(temporary, path);
}
