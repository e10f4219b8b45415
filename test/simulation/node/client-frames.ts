/** Client frames as a client program reads them (client-protocol.md, sections 4.2 and 5). */
import {
  OFFSET_DATA_LENGTH,
  OFFSET_GROUPS,
  OFFSET_NUM_GROUPS,
  OFFSET_SENDER,
  OFFSET_TYPE,
  readName,
} from '../../../engine/wire/frame.ts';
import { HEADER_LENGTH, NAME_FIELD_LENGTH } from '../../../engine/wire/limits.ts';
import { decodeMembershipBody, decodeViewId, type ViewId } from '../../../engine/wire/membership-decode.ts';
import { RECORD_HEADER_LENGTH, RECORD_LENGTH } from '../../../engine/wire/record.ts';
import {
  CAUSED_BY_DISCONNECT,
  CAUSED_BY_JOIN,
  CAUSED_BY_LEAVE,
  CAUSED_BY_NETWORK,
  isRegularView,
  isSelfLeave,
  isTransition,
} from '../../../engine/wire/service.ts';
import type { ClientEvent, GroupId, MessageId, Service } from '../trace/trace.ts';
import { markOfFrame, serviceOf } from './records.ts';

export interface RunFrame {
  readonly message: MessageId;
  readonly sender: string;
  readonly groups: readonly string[];
  readonly service: Service;
}

const namesAt = (bytes: Uint8Array, offset: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => readName(bytes, offset + i * NAME_FIELD_LENGTH));

/** The frames of the whole run whose record header is at `record`. */
export function* framesOfRun(bytes: Uint8Array, record: number): Generator<RunFrame> {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const end = record + view.getUint32(record + RECORD_LENGTH, true);
  for (let at = record + RECORD_HEADER_LENGTH; at < end; ) {
    const groupCount = view.getInt32(at + OFFSET_NUM_GROUPS, true);
    yield {
      message: markOfFrame(bytes, at),
      sender: readName(bytes, at + OFFSET_SENDER),
      groups: namesAt(bytes, at + OFFSET_GROUPS, groupCount),
      service: serviceOf(view.getUint32(at + OFFSET_TYPE, true)),
    };
    at += HEADER_LENGTH + groupCount * NAME_FIELD_LENGTH + view.getInt32(at + OFFSET_DATA_LENGTH, true);
  }
}

const groupIdOf = (id: ViewId): GroupId => ({ leader: id.memberId, time: id.time, index: id.index });

const CAUSES = [
  [CAUSED_BY_JOIN, 'join'],
  [CAUSED_BY_LEAVE, 'leave'],
  [CAUSED_BY_DISCONNECT, 'disconnect'],
  [CAUSED_BY_NETWORK, 'network'],
] as const;

/** Reads a view, transitional signal or self-leave. Throws when it is none, or broken. */
export function decodeMembershipFrame(bytes: Uint8Array, lengthBytes: number, position: number): ClientEvent {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const type = view.getUint32(OFFSET_TYPE, true);
  const group = readName(bytes, OFFSET_SENDER);
  const groupCount = view.getInt32(OFFSET_NUM_GROUPS, true);
  const bodyAt = HEADER_LENGTH + groupCount * NAME_FIELD_LENGTH;
  const bodyBytes = view.getInt32(OFFSET_DATA_LENGTH, true);
  if (bodyAt + bodyBytes !== lengthBytes)
    throw new Error(`membership frame of ${lengthBytes} bytes says ${bodyAt + bodyBytes}`);
  if (isSelfLeave(type)) return { kind: 'self-leave', group, position };
  if (isTransition(type))
    return { kind: 'transition', group, id: groupIdOf(decodeViewId(view, bodyAt, bodyBytes, true)), position };
  if (!isRegularView(type)) throw new Error(`frame of type ${type.toString(16)} is not about membership`);
  const cause = CAUSES.find(([bit]) => (type & bit) !== 0)?.[1];
  if (cause === undefined) throw new Error(`view of ${group} without a cause`);
  const body = decodeMembershipBody(bytes, view, bodyAt, bodyBytes, true);
  return {
    kind: 'view',
    group,
    id: groupIdOf(body.viewId),
    cause,
    members: namesAt(bytes, OFFSET_GROUPS, groupCount),
    sets: body.vsSets,
    ownSet: body.ownVsSet,
    position,
  };
}
