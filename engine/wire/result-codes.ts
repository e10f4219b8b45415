/** Result codes of the Spread API; those above -10 also travel as one signed byte in the handshake (sections 1.9, 7.1). */

/** Result codes by the names that the Spread API gives them. Codes that this library never uses are here for other people's programs. */
export const RESULT_CODES = {
  /** The daemon has accepted the session; no error. */
  ACCEPT_SESSION: 1,
  /** The address of the daemon is wrong, or its host is unknown. */
  ILLEGAL_SPREAD: -1,
  /** Nobody listens at the address, or the time for connecting is over. */
  COULD_NOT_CONNECT: -2,
  /** The daemon is full or busy: a limit of sessions or logins is reached. */
  REJECT_QUOTA: -3,
  /** The daemon wants a private name. */
  REJECT_NO_NAME: -4,
  /** The private name is illegal. */
  REJECT_ILLEGAL_NAME: -5,
  /** The private name is in use at this daemon. */
  REJECT_NOT_UNIQUE: -6,
  /** Daemon or library is too old for the other. */
  REJECT_VERSION: -7,
  /** The daemon or the network ended the connection. */
  CONNECTION_CLOSED: -8,
  /** Authentication failed, or access control refused a request. */
  REJECT_AUTH: -9,
  /** The session is closed, or a method was called without its session. */
  ILLEGAL_SESSION: -11,
  /** The service is none of the six. */
  ILLEGAL_SERVICE: -12,
  /** The daemon sent what the protocol does not allow. */
  ILLEGAL_MESSAGE: -13,
  /** A group or private name is illegal, or there are none or too many. */
  ILLEGAL_GROUP: -14,
  /** Of the C library; never used here. */
  BUFFER_TOO_SHORT: -15,
  /** Of the C library; never used here. */
  GROUPS_TOO_SHORT: -16,
  /** Data and groups do not fit into one message. */
  MESSAGE_TOO_LONG: -17,
  /** Of the C library; never used here. */
  NET_ERROR_ON_SESSION: -18,
  /** An option or argument is unknown, of the wrong type or out of its range. */
  ILLEGAL_PARAM: -24,
  /** Of the C library; never used here. */
  WOULD_BLOCK: -25,
  /** The message type is no int16, or one that the flush layer keeps for itself. */
  ILLEGAL_MESSAGE_TYPE: -26,
  /** The call is not possible now, such as a second way of receiving. */
  ILLEGAL_STATE: -27,
  /** A receiver is not in the view (flush sessions). */
  ILLEGAL_RECEIVERS: -28,
} as const;

/** Name of a result code. */
export type ResultCodeName = keyof typeof RESULT_CODES;
/** A result code as a number. */
export type ResultCode = (typeof RESULT_CODES)[ResultCodeName];
