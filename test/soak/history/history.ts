/**
 * The traces of all sessions over one epoch, put together. At both ends of an epoch the system is quiet: what was sent
 * in it is received in it, so an epoch can be checked by itself and forgotten.
 *
 * Events are numbers: message `i` of `messages` is `i`, view `i` of `views` is `messages.length + i`, and the self-leave by which a
 * session learns of such a view is `-1 - (messages.length + i)`. Both are the same point of the order.
 */
import { RELIABLE_MESS } from '../../../engine/wire/service.ts';
import type { SessionEnd, ViewCause } from '../records.ts';

export interface SentMessage {
  /** Index into `sessions`. */
  readonly sender: number;
  /** Counts the messages of a session from 0. */
  readonly sequence: number;
  readonly serviceBits: number;
  readonly selfDiscard: boolean;
  /** The sender was in none of the groups, nor had asked for it. */
  readonly open: boolean;
  /** Of the frame, as the sender made it. */
  readonly hash: number;
  readonly groups: readonly number[];
  /** Names of private targets. */
  readonly names: readonly number[];
  /** It must have reached the daemon: the sender lives, or closed in order, or somebody got this or a later one of it. */
  readonly certain: boolean;
  /** Its service has a place in the one order of all sessions. */
  readonly ordered: boolean;
}

export interface ViewId {
  readonly memberId: number;
  readonly time: number;
  readonly index: number;
}

/** A change of a group's membership. */
export interface View {
  readonly group: number;
  /** Null for a change of which nobody got more than a self-leave; then `members` is null as well. */
  readonly id: ViewId | null;
  readonly cause: ViewCause;
  /** The name that joined, left or disconnected. */
  readonly changed: number;
  readonly members: readonly number[] | null;
  /** Of id, cause, changed name and members, as its first receiver got them. */
  readonly hash: number;
  /** Every receiver got one vs set with the changed name (section 5.2), or the cause is the network. */
  readonly wellFormedSets: boolean;
}

export interface GroupRequest {
  readonly kind: 'join' | 'leave';
  readonly group: number;
}

export interface SessionHistory {
  readonly serial: number;
  readonly name: number;
  readonly membership: boolean;
  /** It was there before the epoch began. */
  readonly fromStart: boolean;
  readonly end: SessionEnd;
  /** Groups it was in when the epoch began, with their view then; null without the membership flag. */
  readonly joinedBefore: ReadonlyMap<number, View | null>;
  readonly requests: readonly GroupRequest[];
  /** What it received, in order; see above. */
  readonly events: Int32Array;
  /** With each event the hash of what this session got. */
  readonly hashes: Int32Array;
}

/** Something received that is no message, view or self-leave, or is a message nobody sent. */
export interface Stray {
  readonly session: number;
  readonly kind: 'unsent' | 'transition' | 'frame';
  readonly detail: string;
}

export interface History {
  readonly epoch: number;
  readonly sessions: readonly SessionHistory[];
  readonly messages: readonly SentMessage[];
  readonly views: readonly View[];
  readonly strays: readonly Stray[];
  /** Groups below this number never empty. */
  readonly witnessedGroups: number;
  readonly daemons: number;
}

export const isReliable = (message: SentMessage): boolean => message.serviceBits >= RELIABLE_MESS;
export const nodeOf = (event: number): number => (event < 0 ? -1 - event : event);
export const isSelfLeave = (event: number): boolean => event < 0;

/** A session's way through its groups, event by event. */
export interface Walker {
  /** `joined` has the groups this session is in, with their latest views. */
  message(message: SentMessage, node: number, joined: ReadonlyMap<number, View | null>): void;
  /** `before` is the session's latest view of the group, undefined when it is not in it. */
  view(view: View, node: number, before: View | null | undefined): void;
  /** `before` as above. */
  selfLeave(view: View, node: number, before: View | null | undefined): void;
}

/** Leads `walker` through what a session received. Returns the groups that the session is in at the end, with their views. */
export function walk(history: History, session: SessionHistory, walker: Walker): Map<number, View | null> {
  const { messages, views } = history;
  const joined = new Map(session.joinedBefore);
  for (const event of session.events) {
    const node = nodeOf(event);
    if (node < messages.length) {
      walker.message(messages[node], node, joined);
      continue;
    }
    const view = views[node - messages.length];
    const before = joined.get(view.group);
    if (isSelfLeave(event)) {
      walker.selfLeave(view, node, before);
      joined.delete(view.group);
    } else {
      walker.view(view, node, before);
      joined.set(view.group, view);
    }
  }
  return joined;
}

/** Groups a session was in for the whole epoch: who stayed must have got everything. */
export function stayedIn(history: History, session: SessionHistory): number[] {
  if (!session.fromStart || session.end !== 'alive') return [];
  const left = new Set<number>();
  const { messages, views } = history;
  for (const event of session.events) if (isSelfLeave(event)) left.add(views[nodeOf(event) - messages.length].group);
  for (const { kind, group } of session.requests) if (kind === 'leave') left.add(group);
  return [...session.joinedBefore.keys()].filter((group) => !left.has(group));
}
