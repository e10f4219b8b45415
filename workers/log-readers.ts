/**
 * Which agents read the ordered log, and the number of each one's position. The supervisor makes the log with as many positions; where
 * threads are set up, each reader gets its own, and the ring agent is given the doorbells of all.
 *
 * A position that does not move stops the ring once the log is full, so a role is listed here only if its agent always runs.
 */
import type { AgentRole, ThreadingPlan } from './threading.ts';

/** Today: delivery workers. */
export type LogReaderRole = Exclude<AgentRole, 'network' | 'ring'>;

const isLogReader = (role: AgentRole): role is LogReaderRole => role !== 'network' && role !== 'ring';

/** Delivery workers first, by their numbers. A reader's place in the list is the number of its position. */
export function logReaders({ threads }: Pick<ThreadingPlan, 'threads'>): readonly LogReaderRole[] {
  const roles = threads.flatMap((thread) => thread.roles.filter(isLogReader));
  const isDelivery = (role: LogReaderRole): boolean => typeof role === 'number';
  const delivery = roles.filter(isDelivery).sort((a, b) => Number(a) - Number(b));
  return [...delivery, ...roles.filter((role) => !isDelivery(role))];
}
