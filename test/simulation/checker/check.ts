/** Runs every property over a trace. */
import type { Trace } from '../trace/trace.ts';
import { configurationProperties } from './configurations.ts';
import { deliveryProperties } from './delivery.ts';
import { groupSynchronyProperties } from './group-synchrony.ts';
import { groupViewProperties } from './group-views.ts';
import { livenessProperties } from './liveness.ts';
import { buildModel, type Property } from './model.ts';
import { orderProperties } from './order.ts';
import { sessionOrderOfProcesses, sessionOrderProperties } from './session-order.ts';

const numberOf = (property: Property): number => Number(property.name.slice(4));

export const EVS_PROPERTIES: readonly Property[] = [
  ...configurationProperties,
  ...deliveryProperties,
  ...orderProperties,
  ...livenessProperties,
  sessionOrderOfProcesses,
].sort((a, b) => numberOf(a) - numberOf(b));

export const GROUP_PROPERTIES: readonly Property[] = [
  ...groupSynchronyProperties,
  ...groupViewProperties,
  ...sessionOrderProperties,
].sort((a, b) => numberOf(a) - numberOf(b));

export const PROPERTIES: readonly Property[] = [...EVS_PROPERTIES, ...GROUP_PROPERTIES];

export interface Violation {
  readonly property: string;
  readonly title: string;
  /** One line each; the rest is only counted. */
  readonly examples: readonly string[];
  readonly count: number;
}

const EXAMPLES = 4;

/** Everything that is wrong with a trace; empty when all properties hold. */
export function check(trace: Trace, properties: readonly Property[] = PROPERTIES): Violation[] {
  const model = buildModel(trace);
  const violations: Violation[] = [];
  for (const property of properties) {
    const found = property.check(model);
    if (found.length > 0)
      violations.push({
        property: property.name,
        title: property.title,
        examples: found.slice(0, EXAMPLES),
        count: found.length,
      });
  }
  return violations;
}
