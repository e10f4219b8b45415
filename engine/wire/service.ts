/** Bits of a frame's `type` field (client-protocol.md, section 3.1) and the questions one asks of them. */

export const UNRELIABLE_MESS = 0x0000_0001;
export const RELIABLE_MESS = 0x0000_0002;
export const FIFO_MESS = 0x0000_0004;
export const CAUSAL_MESS = 0x0000_0008;
export const AGREED_MESS = 0x0000_0010;
export const SAFE_MESS = 0x0000_0020;
/** Any of the six services. */
export const REGULAR_MESS = 0x0000_003f;
export const SELF_DISCARD = 0x0000_0040;

export const CAUSED_BY_JOIN = 0x0000_0100;
export const CAUSED_BY_LEAVE = 0x0000_0200;
export const CAUSED_BY_DISCONNECT = 0x0000_0400;
export const CAUSED_BY_NETWORK = 0x0000_0800;
export const REG_MEMB_MESS = 0x0000_1000;
export const TRANSITION_MESS = 0x0000_2000;
/** Any membership bit. */
export const MEMBERSHIP_MESS = 0x0000_3f00;

export const JOIN_MESS = 0x0001_0000;
export const LEAVE_MESS = 0x0002_0000;
export const KILL_MESS = 0x0004_0000;
export const REJECT_MESS = 0x0040_0000;
/** The daemon tells a client something about itself, if the client asked for it in CONNECT (section 5.7). No bit of the original. */
export const NOTICE_MESS = 0x0200_0000;
/** Flush layer: sent to some members of a view, with the group's name behind the data. */
export const SUBGROUP_CAST = 0x4000_0000;

/** Set by a little-endian writer, clear for a big-endian one; the same in both byte orders (section 2.2). */
export const ENDIAN_FLAG = 0x8000_0080 | 0;

/** Exactly one of these bits makes a client frame legal (section 3.2). */
export const REQUEST_BITS = REGULAR_MESS | JOIN_MESS | LEAVE_MESS | KILL_MESS;
/** Bits that would let a client forge what only a daemon may say; a frame with one ends the connection (section 3.2). */
export const FORBIDDEN_CLIENT_BITS = 0x0038_3f00 | REJECT_MESS | NOTICE_MESS;

/** Exactly one bit of `bits` is set. */
export const isSingleBit = (bits: number): boolean => bits !== 0 && (bits & (bits - 1)) === 0;

export const isRegularView = (type: number): boolean => (type & REG_MEMB_MESS) !== 0 && (type & REJECT_MESS) === 0;
export const isTransition = (type: number): boolean => (type & TRANSITION_MESS) !== 0 && (type & REJECT_MESS) === 0;
/** Nothing but the notice bit and the endian flag. */
export const isNotice = (type: number): boolean => (type & ~ENDIAN_FLAG) === NOTICE_MESS;
export const isSelfLeave = (type: number): boolean =>
  (type & CAUSED_BY_LEAVE) !== 0 && (type & (REG_MEMB_MESS | TRANSITION_MESS | REJECT_MESS)) === 0;
