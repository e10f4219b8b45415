/** The canonical text of ids, so that the checker and the timeline compare and print them alike. */
import type { ConfigurationId } from '../../../engine/host/configuration.ts';

/** `R7@2.15`: regular, ring sequence 7, led by node 2 in its incarnation 15. */
export const configurationName = (id: ConfigurationId): string =>
  `${id.kind === 'regular' ? 'R' : 'T'}${id.ringSeq}@${id.leader}.${id.leaderIncarnation}`;
