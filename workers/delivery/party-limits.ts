/** Limits of one party: of the sessions of one user, or of one address, together. */
import type { Rates } from '../../engine/buffers/rate-table.ts';

/** 0: no limit. */
export interface PartyLimits extends Rates {
  /** Sessions at once. */
  readonly sessions: number;
}

export interface RateSettings {
  /** Of each user that has proven who it is. */
  readonly user: PartyLimits;
  /** Of each IP address. */
  readonly address: PartyLimits;
  /** Milliseconds without a break that a session may be held to its rate; 0: any time. */
  readonly timeoutMs: number;
}
