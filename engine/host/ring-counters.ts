/**
 * What a ring node counts about itself, one slot of a Float64Array each. The status report (client-protocol.md, 10.2)
 * and the metrics are read from here.
 */
export const RingCounter = {
  /** `RingState` of the membership. */
  State: 0,
  /** New data packets this daemon originated. */
  PacketsSent: 1,
  /** Data packets received from others, duplicates included. */
  PacketsReceived: 2,
  /** Packets delivered upward, own ones included. */
  PacketsDelivered: 3,
  RetransmissionsToOne: 4,
  RetransmissionsToAll: 6,
  /** Highest sequence number known to be held by all members. */
  Aru: 7,
  /** Highest sequence number up to which this daemon holds everything. */
  MyAru: 8,
  HighSeq: 9,
  /** Tokens sent again, and HURRY packets sent. */
  Hurries: 10,
  /** Tokens handled. */
  TokenRounds: 11,
  /** Regular configurations installed. */
  MembershipChanges: 12,
  Members: 13,
  /** Segments with a member in the ring. */
  Segments: 14,
  /** Node index of the ring's leader. */
  Leader: 15,
  RingSeq: 16,
  Delivered: 17,
  Discarded: 18,
  /** Packets held: what EVS-22 bounds. */
  PacketsHeld: 19,
  /** Smoothed time of one rotation of the token, in microseconds. */
  RotationMicros: 20,
  TokensHeld: 21,
  RequestsSent: 22,
  Duplicates: 23,
  /** Datagrams dropped: trailer wrong, or malformed. */
  Malformed: 24,
  /** Of another cluster or another configuration file. */
  ForeignCluster: 25,
  /** Of a ring that is neither mine nor to be mine. */
  ForeignRing: 26,
  /** Of an earlier incarnation, hop, attempt or ring. */
  Stale: 27,
  /** Sequence number outside every window, or a request for what all have. */
  OutOfWindow: 28,
  /** Changes begun: because the token was lost, and for any reason. */
  TokenLosses: 29,
  Gathers: 30,
  /** Recoveries that failed and were tried again. */
  FailedRecoveries: 31,
  /** Members this daemon had excluded because they stopped receiving. */
  Exclusions: 32,
  /** Times the loop was away for so long that timers were not judged at once. */
  Pauses: 33,
  /** Messages thrown away half built, or behind a hole, in membership changes. */
  DroppedAtChange: 34,
  /** Times two incarnations of one daemon were heard in turn: two machines have one id. */
  IdentityConflicts: 35,
  /** Largest datagram this daemon sends to the ring now; longer ones are used once they are known to pass. */
  DatagramBytes: 36,
  /**
   * Times another daemon was told that its incarnation is ignored, because a later one is remembered
   * (membership/incarnation-refusals.ts).
   */
  IncarnationsRefused: 37,
  /**
   * Which daemon that was the last time, and for how many milliseconds more; all ones of 32 bits: while the later incarnation is a member.
   */
  RefusedNode: 38,
  RefusedWaitMs: 39,
  /** Times this daemon was told so. */
  OwnIncarnationRefused: 40,
  /** By which daemon the last time, which later incarnation it remembers, and for how many milliseconds more. */
  OwnIncarnationRefusedBy: 41,
  OwnIncarnationRefusedFor: 42,
  OwnIncarnationWaitMs: 43,
  /** Rings and JOINs not taken over because their number is too near the end (ring-seq-limits.ts); and of which daemon last. */
  NumbersRefused: 44,
  NumbersRefusedFrom: 45,
} as const;
export type RingCounter = (typeof RingCounter)[keyof typeof RingCounter];

export const RING_COUNTER_COUNT = 46;

/** State of the daemon membership (ring-protocol.md, 3.4). */
export const RingState = { Operational: 0, Gather: 1, Commit: 2, Recover: 3, Stopped: 4 } as const;
export type RingState = (typeof RingState)[keyof typeof RingState];
