/** What the parts of one run share. */
import type { RingNodeFactory } from '../../../engine/node/ring-node-contract.ts';
import type { EventQueue } from '../core/event-queue.ts';
import type { Random } from '../core/random.ts';
import type { GroupService, GroupSurroundings } from '../node/group-service.ts';
import type { Sealing } from '../node/sealing.ts';
import type { DeliveryPlan, Scenario } from '../scenario/scenario.ts';
import type { Ledger } from '../trace/ledger.ts';

/** What runs inside the virtual nodes. */
export interface Engine {
  readonly createNode: RingNodeFactory;
  /** Null runs the ring without process groups. */
  readonly createGroups: ((surroundings: GroupSurroundings) => GroupService) | null;
}

export interface RunContext {
  readonly scenario: Scenario;
  readonly engine: Engine;
  readonly events: EventQueue;
  readonly ledger: Ledger;
  /** The run's own source of random numbers. Machines and clients have others, so one more draw here changes none of theirs. */
  readonly random: Random;
  readonly delivery: DeliveryPlan;
  /** Null: traffic is not sealed. */
  readonly sealing: Sealing | null;
  /** Repairs of faults in force. Each runs at its time or when faults end, and removes itself first. */
  readonly repairs: Set<() => void>;
}
