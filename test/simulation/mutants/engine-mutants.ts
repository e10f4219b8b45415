/** The list of ring-protocol.md 8.5 ("Mutation check") and some more: bugs that the simulator has to find. */
import { DATAGRAM_MUTANTS } from './datagram-mutants.ts';
import { GROUP_MUTANTS } from './group-mutants.ts';
import { MEMBERSHIP_MUTANTS } from './membership-mutants.ts';
import type { Mutant } from './mutant.ts';
import { ORDER_MUTANTS } from './order-mutants.ts';
import { RECORD_MUTANTS } from './record-mutants.ts';
import { SEAL_MUTANTS } from './seal-mutants.ts';
import { SESSION_ORDER_MUTANTS } from './session-order-mutants.ts';
import { STOP_MUTANTS } from './stop-mutants.ts';

export const ENGINE_MUTANTS: readonly Mutant[] = [
  ...ORDER_MUTANTS,
  ...MEMBERSHIP_MUTANTS,
  ...GROUP_MUTANTS,
  ...DATAGRAM_MUTANTS,
  ...SESSION_ORDER_MUTANTS,
  ...STOP_MUTANTS,
  ...SEAL_MUTANTS,
  ...RECORD_MUTANTS,
];
