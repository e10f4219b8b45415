/**
 * Reports on the sessions and groups of a daemon: requested over the channel to the threads on demand, at most
 * once a second, and never kept up to date otherwise. Plain data. Times are lengths, because clocks differ between threads.
 */
import type { EndedSession } from './daemon-event.ts';

/** Sessions and groups that each thread reports at most: those with most waiting, and with most members. */
export const MAX_REPORTED = 1000;

export interface SessionReport {
  /** Private name, `#user#daemon`. */
  readonly name: string;
  /** Where its client is: `127.0.0.1:51234`, or `unix`. */
  readonly peer: string;
  /** Whether its bytes are encrypted on the way. */
  readonly isEncrypted: boolean;
  /** Who it is: user of its login, or common name of its certificate; null: it did not say. */
  readonly user: string | null;
  /** Number of the delivery worker that serves it. */
  readonly worker: number;
  readonly openMs: number;
  /** Since anything came from the client or went to it. */
  readonly idleMs: number;
  readonly groups: number;
  /** What its socket has not taken. */
  readonly waitingBytes: number;
  readonly waitingMessages: number;
  /** For how long something has been waiting without a break; 0: nothing waits. */
  readonly behindMs: number;
  /** UNRELIABLE messages that it was not given. */
  readonly droppedMessages: number;
  /** Whether it is not read now because of the rate of its user or address, and how often that was so. */
  readonly isHeld: boolean;
  readonly timesHeld: number;
  /** From the client. */
  readonly messagesIn: number;
  readonly bytesIn: number;
  /** To the client. */
  readonly messagesOut: number;
  readonly bytesOut: number;
}

export interface GroupReport {
  readonly name: string;
  /** At all daemons. */
  readonly members: number;
  readonly localMembers: number;
  /** Daemons with a member. */
  readonly daemons: number;
}

/** What one thread answers; an agent that it does not host has nothing there. */
export interface ThreadInspection {
  readonly sessions: readonly SessionReport[];
  /** Open sessions, those not told among them. */
  readonly sessionCount: number;
  /** The last that ended, oldest first. */
  readonly ended: readonly EndedSession[];
  readonly groups: readonly GroupReport[];
  readonly groupCount: number;
}

export const NOTHING_TO_REPORT: ThreadInspection = {
  sessions: [],
  sessionCount: 0,
  ended: [],
  groups: [],
  groupCount: 0,
};

/** All threads together. */
export interface Inspection extends ThreadInspection {
  /** How long each thread took to answer, milliseconds; null: it did not in time, and its last answer stands in. */
  readonly answers: readonly { readonly thread: string; readonly tookMs: number | null }[];
}
