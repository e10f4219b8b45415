/** Identities of daemon memberships, as the process-group layer compares them and as clients see them. */
import type { ConfigurationId } from '../host/configuration.ts';

/**
 * The configuration a daemon's part of the group table was last in step with. Daemons with equal stamps delivered the same
 * messages so far, so their clients share a vs set; `null` stands for a daemon that is partitioned away.
 */
export interface Stamp {
  readonly configuration: ConfigurationId;
  readonly procId: number;
  readonly time: number;
}

/**
 * The client-visible form: address of the leader and ring number as the time stamp (client-protocol.md, 5.4). A transitional
 * configuration has the ring number of the regular one that follows it and often the same leader, yet needs an id of its
 * own: it gets the time stamp with the top bit turned over, which no regular one has within a life of the group.
 */
export function stampOf(configuration: ConfigurationId, daemonAddress: readonly number[]): Stamp {
  const time = configuration.kind === 'regular' ? configuration.ringSeq : configuration.ringSeq ^ 0x8000_0000;
  return { configuration, procId: daemonAddress[configuration.leader]! | 0, time: time | 0 };
}

/** Order of vs sets: by client-visible id as signed numbers; the rest only keeps different stamps apart. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return (
    a.procId - b.procId ||
    a.time - b.time ||
    a.configuration.leader - b.configuration.leader ||
    a.configuration.leaderIncarnation - b.configuration.leaderIncarnation ||
    a.configuration.ringSeq - b.configuration.ringSeq ||
    (a.configuration.kind === b.configuration.kind ? 0 : a.configuration.kind === 'regular' ? -1 : 1)
  );
}
