import type { History } from '../history/history.ts';
import type { Findings } from './findings.ts';
import { checkGroupSequences } from './group-sequence.ts';

/**
 * GRP-8, open groups: messages of senders that are in none of the groups obey the order of the group's members. As GRP-1, with
 * views and such messages alone.
 */
export const checkGrp8 = (history: History): Findings => checkGroupSequences(history, (message) => message.open);
