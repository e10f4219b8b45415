/** Bits of the flags byte of CONNECT (client-protocol.md, 1.3). The byte is signed: with 0x80 set none of them counts. */
export const CONNECT_WANTS_MEMBERSHIP = 0x01;
/** The client understands notices (5.7). The original ignores the bit, and its libraries never set it. */
export const CONNECT_TAKES_NOTICES = 0x02;
/** Priority 0 or 1 is in the bits from here on. */
export const CONNECT_PRIORITY_SHIFT = 4;
