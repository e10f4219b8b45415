import { doorbellFamily } from './families/doorbell.ts';
import { dutyCycleFamily } from './families/duty-cycle.ts';
import { groupLookupFamily } from './families/group-lookup.ts';
import { logFamily } from './families/ordered-log.ts';
import { packerFamily } from './families/packer.ts';
import { ringQueueFamily } from './families/ring-queue.ts';
import { scannerFamily } from './families/scanner.ts';
import { tokenFamily } from './families/token.ts';
import type { MicroFamily } from './micro-row.ts';

export const families: readonly MicroFamily[] = [
  ringQueueFamily,
  logFamily,
  doorbellFamily,
  scannerFamily,
  packerFamily,
  groupLookupFamily,
  tokenFamily,
  dutyCycleFamily,
];
