/** What a flush session receives (client-protocol.md, section 8.6). Every object owns its data. */
import type { ViewId } from '../../engine/wire/membership-decode.ts';
import type { ByteOrder, MembershipCause } from '../events.ts';
import type { Service } from '../service-names.ts';

/** The group's view is about to change: answer with `flush(group)` once what must be sent in the old view is sent. */
export interface FlushRequest {
  /** Tells events apart. */
  readonly kind: 'flushRequest';
  /** The group whose view is about to change. */
  readonly group: string;
}

/** A view all of whose members have agreed to it. */
export interface FlushView {
  /** Tells events apart. */
  readonly kind: 'view';
  /** The group whose view it is. */
  readonly group: string;
  /** Names the view; the same at every receiver. */
  readonly viewId: ViewId;
  /** `network` also when several changes were collapsed into one. */
  readonly cause: MembershipCause;
  /** The members the view was agreed with, in the order of the group. */
  readonly members: readonly string[];
  /** Position of this session in `members`. */
  readonly ownIndex: number;
  /** The member that joined, left or disconnected; undefined for `network`. */
  readonly changed: string | undefined;
  /**
   * Members of the previous view that come along, this session among them: they got the same messages in it. In its
   * order.
   */
  readonly vsSet: readonly string[];
}

/** From here to the next view, guarantees hold only among the members that come along. */
export interface FlushTransition {
  /** Tells events apart. */
  readonly kind: 'transition';
  /** The group whose view ends. */
  readonly group: string;
}

/** This session has left the group. */
export interface FlushSelfLeave {
  /** Tells events apart. */
  readonly kind: 'selfLeave';
  /** The group that was left. */
  readonly group: string;
}

/** A message, delivered in the view it was sent in. */
export interface FlushMessage {
  /** Tells events apart. */
  readonly kind: 'message';
  /** The group in whose view it was sent; this session's private name for one sent to that. */
  readonly group: string;
  /** The service it was sent with. */
  readonly service: Service;
  /** The sender's message type, -32765 to 32767. */
  readonly type: number;
  /** Private name of the sender, `#user#daemon`. */
  readonly sender: string;
  /** Targets as sent: the group, or the receivers of a subgroup multicast or unicast. */
  readonly groups: readonly string[];
  /** Whether it went to some members only. */
  readonly subgroup: boolean;
  /** The sender's data. This event owns it. */
  readonly data: Buffer;
  /** The sender asked not to get its own copy. */
  readonly selfDiscard: boolean;
  /** Byte order of the sending program, for binary numbers in `data`. */
  readonly byteOrder: ByteOrder;
}

/** An event of a flush session; `kind` discriminates. */
export type FlushEvent = FlushRequest | FlushView | FlushTransition | FlushSelfLeave | FlushMessage;
