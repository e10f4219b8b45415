/** What people ask of traces, checked. */
import { groupNameProblem } from '../../engine/wire/names.ts';
import type { ProbeWish } from './trace-desk.ts';
import { SERVICE_BITS } from './trace-services.ts';
import type { ServiceName } from './trace-types.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 120_000;

/** The message names field, value and limit. */
export class WishProblem extends Error {}

/** @throws WishProblem */
export function readTracedGroup(value: unknown): string {
  const problem = typeof value === 'string' ? groupNameProblem(value) : 'group must be the name of a group';
  if (problem !== null) throw new WishProblem(problem);
  return value as string;
}

/** @throws WishProblem */
export function readProbeWish({
  group,
  service = 'safe',
  timeoutMs = DEFAULT_TIMEOUT_MS,
}: Readonly<Record<string, unknown>>): ProbeWish {
  if (typeof service !== 'string' || !Object.hasOwn(SERVICE_BITS, service))
    throw new WishProblem(`service must be one of ${Object.keys(SERVICE_BITS).join(', ')}`);
  if (typeof timeoutMs !== 'number' || !Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS)
    throw new WishProblem(`timeoutMs must be a whole number of 1 to ${MAX_TIMEOUT_MS}`);
  return { group: readTracedGroup(group), service: service as ServiceName, timeoutMs };
}
