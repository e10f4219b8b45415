/** Whether a daemon lives and whether it serves. Looked at once a second, by what its agents count anyway. */
import {
  AgentCounter,
  type CountersMemory,
  OrderingCounter,
  RING_NODE_COUNTERS,
  ringCounters,
} from '../../engine/buffers/counters.ts';
import { blocksOf } from '../../engine/buffers/read-counters.ts';
import { GroupsState } from '../../engine/groups/groups-state.ts';
import { RingCounter, RingState } from '../../engine/host/ring-counters.ts';
import { agentName } from './counter-metrics.ts';
import type { HealthStatus } from './status-types.ts';

/** An agent sleeps a tenth of a second at most. Looks are counted, not time: while the whole process stands still, none are made. */
const LOOKS_WITHOUT_A_CYCLE = 5;

export class Health {
  readonly #counters: CountersMemory;
  readonly #agents: readonly { readonly page: Float64Array; cycles: number; stillLooks: number }[];
  #isRunning = false;
  #isDraining = false;

  constructor(counters: CountersMemory) {
    this.#counters = counters;
    this.#agents = blocksOf(counters, 'agent').map((page) => ({ page, cycles: 0, stillLooks: 0 }));
  }

  /** All threads serve. */
  running(): void {
    this.#isRunning = true;
  }

  draining(): void {
    this.#isDraining = true;
  }

  /** Once a second. */
  look(): void {
    if (!this.#isRunning) return;
    for (const agent of this.#agents) {
      const cycles = agent.page[AgentCounter.DutyCycles]!;
      agent.stillLooks = cycles === agent.cycles ? agent.stillLooks + 1 : 0;
      agent.cycles = cycles;
    }
  }

  status(): HealthStatus {
    const stuck = this.#agents.findIndex(({ stillLooks }) => stillLooks >= LOOKS_WITHOUT_A_CYCLE);
    if (stuck >= 0) return { alive: false, ready: false, reason: `agent ${agentName(stuck)} does not run` };
    const reason = this.#whyNotReady();
    return { alive: true, ready: reason === null, reason };
  }

  #whyNotReady(): string | null {
    if (!this.#isRunning) return 'starting';
    if (this.#isDraining) return 'draining';
    const ring = ringCounters(this.#counters);
    if (
      ring[RING_NODE_COUNTERS + RingCounter.State] !== RingState.Operational ||
      ring[RING_NODE_COUNTERS + RingCounter.Members] === 0
    )
      return 'the membership of daemons is changing';
    if (ring[OrderingCounter.GroupsState] !== GroupsState.Operational) return 'daemons exchange their groups';
    return null;
  }
}
