/** The ring as this daemon sees it. */
import {
  type CountersMemory,
  OrderingCounter,
  RING_NODE_COUNTERS,
  ringCounters,
} from '../../engine/buffers/counters.ts';
import { GroupsState } from '../../engine/groups/groups-state.ts';
import { RingCounter, RingState } from '../../engine/host/ring-counters.ts';
import type { RingStatus } from './status-types.ts';

/** A daemon of the configuration. */
export interface ConfiguredDaemon {
  readonly name: string;
  readonly address: string;
}

const STATES: Readonly<Record<number, string>> = {
  [RingState.Operational]: 'operational',
  [RingState.Gather]: 'gather',
  [RingState.Commit]: 'commit',
  [RingState.Recover]: 'recover',
  [RingState.Stopped]: 'stopped',
};

const GROUPS_STATES: Readonly<Record<number, string>> = {
  [GroupsState.Operational]: 'operational',
  [GroupsState.Transitional]: 'transitional',
  [GroupsState.Gathering]: 'gathering',
  [GroupsState.GatheringTransitional]: 'gathering-transitional',
};

/** @param daemons in configuration order @param self index of this daemon */
export function ringStatus(counters: CountersMemory, daemons: readonly ConfiguredDaemon[], self: number): RingStatus {
  const ring = ringCounters(counters);
  const leader = ring[RING_NODE_COUNTERS + RingCounter.Leader]!;
  return {
    state: STATES[ring[RING_NODE_COUNTERS + RingCounter.State]!] ?? 'unknown',
    groupsState: GROUPS_STATES[ring[OrderingCounter.GroupsState]!] ?? 'unknown',
    ringSeq: ring[RING_NODE_COUNTERS + RingCounter.RingSeq]!,
    members: daemons.map(({ name, address }, node) => {
      const isPresent = hasBit(ring, OrderingCounter.MemberBits, node);
      const isDraining = isPresent && hasBit(ring, OrderingCounter.DrainingBits, node);
      return { name, address, isPresent, isSelf: node === self, isLeader: isPresent && node === leader, isDraining };
    }),
  };
}

/** @param first slot of 32 bits each */
const hasBit = (ring: Float64Array, first: number, node: number): boolean =>
  ((ring[first + (node >>> 5)]! >>> (node & 31)) & 1) === 1;
