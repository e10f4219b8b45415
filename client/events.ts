/** What a session receives. Every object here owns its data. */
import type { ViewId } from '../engine/wire/membership-decode.ts';
import type { Service } from './service-names.ts';

/** Byte order of a program, told by its messages. */
export type ByteOrder = 'little' | 'big';

/** A message sent by a client (client-protocol.md, section 4). */
export interface Message {
  /** Tells events apart. */
  readonly kind: 'message';
  /** The service it was sent with. */
  readonly service: Service;
  /** The sender's message type, an int16. */
  readonly type: number;
  /** Private name of the sender, `#user#daemon`. */
  readonly sender: string;
  /** All targets in the sender's order, whether or not this session is in them. */
  readonly groups: readonly string[];
  /** The sender's data. This event owns it. */
  readonly data: Buffer;
  /** The sender asked not to get its own copy. */
  readonly selfDiscard: boolean;
  /** Byte order of the sending program, which is that of binary numbers in `data` unless agreed otherwise. */
  readonly byteOrder: ByteOrder;
  /** All bits of the frame's `type` without the endian flag (section 3.1). */
  readonly serviceBits: number;
}

/** Why a view came: someone joined, left or disconnected, or the network of daemons changed. */
export type MembershipCause = 'join' | 'leave' | 'disconnect' | 'network';

/** A new view of a group this session is in (section 5). */
export interface Membership {
  /** Tells events apart. */
  readonly kind: 'membership';
  /** The group whose view it is. */
  readonly group: string;
  /** Names the view; the same at every receiver. */
  readonly viewId: ViewId;
  /** Why the view came. */
  readonly cause: MembershipCause;
  /** Private names of all members, in the same order at every receiver: that of the daemons in the configuration, then of the names. */
  readonly members: readonly string[];
  /** Position of this session in `members`, -1 when it is not among them. */
  readonly ownIndex: number;
  /** The member that joined, left or disconnected; undefined when the cause is the network. */
  readonly changed: string | undefined;
  /**
   * For the cause `network`: members that came together from the previous view, and so got the same messages in it.
   * For the other causes one set with the changed member.
   */
  readonly vsSets: readonly (readonly string[])[];
  /** Index into `vsSets` of the set this session belongs to (for `network`) or was told of (else). */
  readonly ownVsSet: number;
}

/** The transitional signal: from here to the next view, guarantees hold among the members that stay together (5.4). */
export interface Transition {
  /** Tells events apart. */
  readonly kind: 'transition';
  /** The group whose view ends. */
  readonly group: string;
  /** Of the view that ends. */
  readonly viewId: ViewId;
}

/** This session has left the group; nothing more of it will come (5.5). */
export interface SelfLeave {
  /** Tells events apart. */
  readonly kind: 'selfLeave';
  /** The group that was left. */
  readonly group: string;
}

/** The daemon refused a request of this session, by its access control or a limit (section 3.5). */
export interface Reject {
  /** Tells events apart. */
  readonly kind: 'reject';
  /** What was refused. */
  readonly request: 'join' | 'leave' | 'multicast';
  /** Service of a refused multicast. */
  readonly service: Service | undefined;
  /** Message type of the refused request, an int16. */
  readonly type: number;
  /** The targets of the refused request. */
  readonly groups: readonly string[];
  /** Data of the refused request. */
  readonly data: Buffer;
  /** Type bits of the refused request, without endian flag and with REJECT_MESS, as the C library gives them. */
  readonly serviceBits: number;
}

/** An event of a session; `kind` discriminates. */
export type ReceivedEvent = Message | Membership | Transition | SelfLeave | Reject;
