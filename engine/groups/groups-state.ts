/** States and their numbers in the status report (client-protocol.md, 10.2). */
export const GroupsState = {
  /** GOP: tables equal in the whole configuration. */
  Operational: 1,
  /** GTRANS: a transitional configuration was delivered; the regular one that follows has not been. */
  Transitional: 2,
  /** GGATHER: exchanging tables. Also the state before the first configuration. */
  Gathering: 3,
  /** GGT: exchanging tables, and the configuration is ending already. */
  GatheringTransitional: 4,
} as const;
export type GroupsState = (typeof GroupsState)[keyof typeof GroupsState];
