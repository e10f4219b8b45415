/** Configurations of the daemon membership, as the ring delivers them to its host (ring-protocol.md, 3.7). */
import type { Incarnation, NodeIndex } from '../wire/ids.ts';

/** Identity of one installed configuration; equal ids mean equal kind and members (EVS-3). */
export interface ConfigurationId {
  readonly kind: 'regular' | 'transitional';
  /** Strictly rising at every daemon, over restarts too (EVS-4). Fits u32: whole seconds are its floor. */
  readonly ringSeq: number;
  readonly leader: NodeIndex;
  readonly leaderIncarnation: Incarnation;
}

export interface ConfigurationMember {
  readonly node: NodeIndex;
  readonly incarnation: Incarnation;
}

/** A regular or transitional configuration, as delivered in the order of messages. */
export interface Configuration {
  readonly id: ConfigurationId;
  /** In configuration-file order; includes this daemon (EVS-1). */
  readonly members: readonly ConfigurationMember[];
}
