import { decodeMembershipBody, decodeViewId } from '../../engine/wire/membership-decode.ts';
import {
  CAUSED_BY_DISCONNECT,
  CAUSED_BY_JOIN,
  CAUSED_BY_LEAVE,
  CAUSED_BY_NETWORK,
  JOIN_MESS,
  LEAVE_MESS,
  MEMBERSHIP_MESS,
  REJECT_MESS,
} from '../../engine/wire/service.ts';
import { SkeinError } from '../errors.ts';
import type { ByteOrder, Membership, MembershipCause, Message, ReceivedEvent, Reject } from '../events.ts';
import { type Service, serviceOf } from '../service-names.ts';
import type { FrameKind } from './frame-kind.ts';

/** One frame's fields, wherever they come from. */
export interface FrameFields {
  readonly kind: FrameKind;
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Of the writer of the frame. */
  readonly littleEndian: boolean;
  readonly serviceBits: number;
  /** Type bits of the refused request; only of a reject. */
  readonly oldType: number;
  readonly service: Service | undefined;
  readonly type: number;
  readonly byteOrder: ByteOrder;
  readonly selfDiscard: boolean;
  readonly sender: string;
  readonly groupCount: number;
  readonly dataOffset: number;
  readonly dataLength: number;
  group(index: number): string;
  copy(): Buffer;
}

/**
 * The frame under the cursor as an object of its own. Throws MalformedFrameError or ILLEGAL_MESSAGE for a body that
 * contradicts itself.
 */
export function decodeEvent(frame: FrameFields, ownName: string): ReceivedEvent {
  switch (frame.kind) {
    case 'message':
      return decodeMessage(frame);
    case 'membership':
      return decodeMembership(frame, ownName);
    case 'transition':
      return {
        kind: 'transition',
        group: frame.sender,
        viewId: decodeViewId(frame.view, frame.dataOffset, frame.dataLength, frame.littleEndian),
      };
    case 'selfLeave':
      return { kind: 'selfLeave', group: frame.sender };
    case 'reject':
      return decodeReject(frame);
  }
}

function decodeMessage(frame: FrameFields): Message {
  return {
    kind: 'message',
    service: frame.service!,
    type: frame.type,
    sender: frame.sender,
    groups: groupsOf(frame, frame.groupCount),
    data: frame.copy(),
    selfDiscard: frame.selfDiscard,
    byteOrder: frame.byteOrder,
    serviceBits: frame.serviceBits,
  };
}

function groupsOf(frame: FrameFields, count: number): string[] {
  const groups: string[] = [];
  for (let i = 0; i < count; i++) groups.push(frame.group(i));
  return groups;
}

function causeOf(serviceBits: number): MembershipCause {
  switch (serviceBits & (CAUSED_BY_JOIN | CAUSED_BY_LEAVE | CAUSED_BY_DISCONNECT | CAUSED_BY_NETWORK)) {
    case CAUSED_BY_JOIN:
      return 'join';
    case CAUSED_BY_LEAVE:
      return 'leave';
    case CAUSED_BY_DISCONNECT:
      return 'disconnect';
    case CAUSED_BY_NETWORK:
      return 'network';
    default:
      throw new SkeinError(
        'ILLEGAL_MESSAGE',
        `the daemon sent a view with type bits 0x${(serviceBits & MEMBERSHIP_MESS).toString(16)}: must have exactly one cause`,
      );
  }
}

function decodeMembership(frame: FrameFields, ownName: string): Membership {
  const cause = causeOf(frame.serviceBits);
  const body = decodeMembershipBody(frame.bytes, frame.view, frame.dataOffset, frame.dataLength, frame.littleEndian);
  const members = groupsOf(frame, frame.groupCount);
  const changed = cause === 'network' ? undefined : body.vsSets[body.ownVsSet]![0];
  if (cause !== 'network' && changed === undefined)
    throw new SkeinError('ILLEGAL_MESSAGE', `the daemon sent a view caused by ${cause} that names nobody`);
  return {
    kind: 'membership',
    group: frame.sender,
    viewId: body.viewId,
    cause,
    members,
    ownIndex: members.indexOf(ownName),
    changed,
    vsSets: body.vsSets,
    ownVsSet: body.ownVsSet,
  };
}

/** The last group is the originator's private name, appended by the daemon (section 3.5). */
function decodeReject(frame: FrameFields): Reject {
  const oldType = frame.oldType;
  let request: Reject['request'] = 'multicast';
  if ((oldType & (JOIN_MESS | CAUSED_BY_JOIN)) !== 0) request = 'join';
  else if ((oldType & (LEAVE_MESS | CAUSED_BY_LEAVE)) !== 0) request = 'leave';
  return {
    kind: 'reject',
    request,
    service: serviceOf(oldType),
    type: frame.type,
    groups: groupsOf(frame, frame.groupCount - 1),
    data: frame.copy(),
    serviceBits: oldType | REJECT_MESS,
  };
}
