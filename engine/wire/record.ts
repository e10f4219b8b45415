/**
 * A record is the unit the pipeline moves: in submit queues, in packets between daemons, and handed to the
 * process-group layer (layout/record-header.ts). All fields little-endian; a record starts at a multiple of 8 and is padded to one.
 *
 * Body of a run: client frames, back to back, already in the form receivers get (little-endian header,
 * flag set, checked sender). All frames of a run have one session, one service, one SELF_DISCARD setting and one
 * list of targets, so its readers look at the first frame only.
 *
 * `after` says how many packets before this one the session's last record is, 0 when every member has delivered that long ago. What
 * one session sends takes effect in the order sent, so a run delivered ahead of the ring's order must not overtake it
 * (engine/ring/sent-by-session.ts; ring-protocol.md, 2.7).
 */
import { RECORD_POSITION_OFFSET } from './layout/record-header.ts';
/** In whole runs of RELIABLE and UNRELIABLE messages, in the place of the position: see above. */
export const RECORD_AFTER_OFFSET = RECORD_POSITION_OFFSET;

/** First part of its body is in this record. A record that is not cut has both marks. */
export const RECORD_FIRST = 1;
/** Last part of its body is in this record. */
export const RECORD_LAST = 2;
/** The frames carry SELF_DISCARD: not to be given back to `session`. */
export const RECORD_SELF_DISCARD = 4;

export const RecordKind = {
  /** Fills the end of a queue; never leaves it. */
  Padding: 0,
  /** Regular messages of one client. */
  Run: 1,
  /** Body: group (32), member's private name (32), flags u8 (bit 0: wants membership messages). */
  Join: 2,
  /** Body: group (32), member's private name (32). */
  Leave: 3,
  /** A connection ended. Body: private name (32). */
  Disconnect: 4,
  /** State exchange of the process-group layer after a membership change; body is its own. */
  Groups: 5,
  /** A daemon stops, and how far it has come (engine/ring/drain-barrier.ts). Body: stage u8. */
  Drain: 6,
  /**
   * Local only, never ordered: a connection asks for its name. Body: private name (32), u8: 1 takes the name, 0 only asks whether it
   * could.
   */
  Register: 16,
  /** Local only: a connection that was registered but never became a session went away. */
  Unregister: 17,
  /** Local only, between ring and network agent: one datagram. `session` is the other daemon's index, TO_ALL_DAEMONS or TO_MEMBERS. */
  Datagram: 18,
  /** Local only, from network to ring agent: flow control set by an operator. Body: window, personal, accelerated window, u32 each. */
  Windows: 19,
  /** Local only, from ring to network agent: whom TO_MEMBERS means from here on. Body: a daemon's index, u32 each. */
  Members: 20,
} as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

/** How far a daemon that stops has come, in a Drain record. Each stage to `Empty` includes those before. */
export const DrainStage = {
  /** It does not stop; never in a record. */
  Serving: 0,
  /** It takes what its clients have sent. */
  Draining: 1,
  /** What its clients had sent when it was stopped is in the order before this. */
  Taken: 2,
  /** Its clients are gone: nothing of them comes any more. */
  Empty: 3,
  /**
   * It asks its clients to move to other daemons, and will stop then. No step of stopping together, so it has a number apart: nobody waits
   * for it.
   */
  Moving: 16,
} as const;
export type DrainStage = (typeof DrainStage)[keyof typeof DrainStage];

/** Of one node index in a Members record. */
export const MEMBER_LENGTH = 4;

/** In the `session` field of a datagram record: to every configured daemon but this one. */
export const TO_ALL_DAEMONS = 0xffff_ffff;
/** Likewise: to the daemons of the last `Members` record. */
export const TO_MEMBERS = 0xffff_fffe;

/** `lengthBytes` rounded up to the next record boundary. */
export const alignRecord = (lengthBytes: number): number => (lengthBytes + 7) & ~7;
