import type { History } from '../history/history.ts';
import type { Findings } from './findings.ts';
import { checkGroupSequences } from './group-sequence.ts';

/** GRP-1: members of a group see the same sequence of its views and messages while they are members together. */
export const checkGrp1 = (history: History): Findings => checkGroupSequences(history, () => true);
