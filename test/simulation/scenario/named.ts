/** The scenarios of ring-protocol.md 8.5 by name. Each seed varies sizes, times and places. */

import type { Violation } from '../checker/check.ts';
import type { RunResult } from '../simulation.ts';
import { groupScenarios } from './named-groups.ts';
import { loadScenarios } from './named-load.ts';
import { networkScenarios } from './named-network.ts';
import { nodeScenarios } from './named-nodes.ts';
import { operationScenarios } from './named-operation.ts';
import { recordScenarios } from './named-records.ts';
import { sealScenarios } from './named-seals.ts';
import { sessionScenarios } from './named-sessions.ts';
import { sizeScenarios } from './named-sizes.ts';
import { stopScenarios } from './named-stops.ts';
import { viewScenarios } from './named-views.ts';
import type { Scenario } from './scenario.ts';

export interface NamedScenario {
  /** Its number in the list of the specification. */
  readonly number: number;
  readonly name: string;
  make(seed: number): Scenario;
  /** The same in small, where it is too large for `npm test`. */
  makeQuick?(seed: number): Scenario;
  /** How many seeds are run when it is asked for by name and nobody says how many. */
  readonly seeds?: number;
  /** Checks only these when given. */
  readonly properties?: readonly string[];
  /** What has to hold beyond the properties. */
  extra?(scenario: Scenario, result: RunResult): Violation[];
  /** One line on what a run took. */
  figures?(scenario: Scenario, result: RunResult): string;
}

export const NAMED_SCENARIOS: readonly NamedScenario[] = [
  ...networkScenarios,
  ...nodeScenarios,
  ...loadScenarios,
  ...operationScenarios,
  ...groupScenarios,
  ...sizeScenarios,
  ...recordScenarios,
  ...sessionScenarios,
  ...sealScenarios,
  ...viewScenarios,
  ...stopScenarios,
].sort((a, b) => a.number - b.number);

const byName = new Map(NAMED_SCENARIOS.map((scenario) => [scenario.name, scenario]));

/** Throws for a name that does not exist; the message lists those that do. */
export function namedScenario(name: string): NamedScenario {
  const found = byName.get(name);
  if (found === undefined)
    throw new RangeError(
      `no scenario is named ${JSON.stringify(name)}; there are swarm, ${[...byName.keys()].join(', ')}`,
    );
  return found;
}
