/** How much memory this process may have, and what of it is for clients that read slowly. */
import { totalmem } from 'node:os';

/** A daemon is seldom alone on its machine, and has other memory than this. */
const QUEUED_SHARE = 1 / 4;
const LEAST_QUEUED_BYTES = 64 * 1024 * 1024;

/** The machine's memory, or less where a control group (a container, a service unit) allows less. */
function memoryBytes(): number {
  const total = totalmem();
  // 0 and undefined: not known. Without a limit some versions say a number beyond all memory.
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 && constrained < total ? constrained : total;
}

/** Default of `MaxQueuedBytes`. */
export const defaultMaxQueuedBytes = (ofBytes: number = memoryBytes()): number =>
  Math.max(LEAST_QUEUED_BYTES, Math.floor(ofBytes * QUEUED_SHARE));
