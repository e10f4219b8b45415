import { checkEvs9, checkNotLost } from './evs9.ts';
import { checkEvs14 } from './evs14.ts';
import { checkEvs16 } from './evs16.ts';
import type { Check } from './findings.ts';
import { checkGrp1 } from './grp1.ts';
import { checkGrp2 } from './grp2.ts';
import { checkGrp3 } from './grp3.ts';
import { checkGrp4 } from './grp4.ts';
import { checkGrp5 } from './grp5.ts';
import { checkGrp6 } from './grp6.ts';
import { checkGrp7 } from './grp7.ts';
import { checkGrp8 } from './grp8.ts';

/** The properties of ring-protocol.md, section 1.5, that can be told from what clients see. */
export const ALL_CHECKS: readonly { readonly property: string; readonly title: string; readonly check: Check }[] = [
  { property: 'GRP-1', title: 'one sequence per group', check: checkGrp1 },
  { property: 'GRP-2', title: 'views list who is in', check: checkGrp2 },
  { property: 'GRP-3', title: 'ids equal as views are', check: checkGrp3 },
  { property: 'GRP-4', title: 'vs sets', check: checkGrp4 },
  { property: 'GRP-5', title: 'own join first, self-leave last', check: checkGrp5 },
  { property: 'GRP-6', title: 'no transitional signal', check: checkGrp6 },
  { property: 'GRP-7', title: 'several groups, one copy', check: checkGrp7 },
  { property: 'GRP-8', title: 'open groups obey the order', check: checkGrp8 },
  { property: 'EVS-9', title: 'sent, equal, once', check: checkEvs9 },
  { property: 'EVS-9+', title: 'nothing lost', check: checkNotLost },
  { property: 'EVS-14', title: 'FIFO', check: checkEvs14 },
  { property: 'EVS-16', title: 'one total order', check: checkEvs16 },
];
