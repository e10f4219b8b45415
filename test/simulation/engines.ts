/** What can run inside the virtual nodes. */
import { RingNode } from '../../engine/node/ring-node.ts';
import { GroupService } from './node/group-service.ts';
import { CentralOrder } from './reference/central-order.ts';
import type { Engine } from './run/run-context.ts';
import type { Scenario } from './scenario/scenario.ts';
import { Simulation } from './simulation.ts';

export const ringEngine: Engine = {
  createNode: (options, host) => new RingNode(options, host),
  createGroups: (surroundings) => new GroupService(surroundings),
};

/** A simulation of the central-order reference on the same scenario. */
export function referenceSimulation(scenario: Scenario): Simulation {
  const holder: { simulation: Simulation | null } = { simulation: null };
  const order = new CentralOrder({
    isUp: (from, to) => holder.simulation!.network.isUp(from, to),
    isRunning: (node) => holder.simulation!.isRunning(node),
  });
  holder.simulation = new Simulation(scenario, { ...ringEngine, createNode: order.createNode });
  return holder.simulation;
}
