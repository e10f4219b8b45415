/** The flush layer's use of Spread messages (client-protocol.md, sections 8.2 and 8.3). */

import { readName, writeName } from '../../engine/wire/frame.ts';
import { VIEW_ID_LENGTH } from '../../engine/wire/layout/view-id.ts';
import {
  VULNERABLE_SUFFIX_LENGTH,
  VULNERABLE_TYPE_OFFSET,
  VULNERABLE_VIEW_ID_OFFSET,
} from '../../engine/wire/layout/vulnerable-suffix.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { decodeViewId, encodeViewId, type ViewId } from '../../engine/wire/membership-decode.ts';
import { SUBGROUP_CAST } from '../../engine/wire/service.ts';
import type { Message } from '../events.ts';
import { viewOf } from '../receive/receive-buffer.ts';
import type { Data } from '../send/data.ts';
import type { Service } from '../service-names.ts';
import type { FlushMessage } from './flush-events.ts';

/** Message types the layer keeps for itself; applications use the rest of int16. */
export const FLUSH_OK = -32_768;
export const FLUSH_RECV = -32_767;
export const VULNERABLE = -32_766;
export const MIN_USER_TYPE = -32_765;

/** A multicast that the state machine requests. */
export interface SpreadSend {
  readonly groups: readonly string[];
  readonly service: Service;
  readonly type: number;
  readonly selfDiscard: boolean;
  readonly subgroupCast: boolean;
  readonly data: readonly Data[];
}

/** A regular message as the flush layer understands it. */
export type FlushInput =
  | { readonly kind: 'flushOk' | 'flushRecv'; readonly group: string; readonly sender: string; readonly viewId: ViewId }
  | {
      readonly kind: 'user';
      readonly message: FlushMessage;
      /** View the sender had installed; only of a message sent in vulnerable form. */
      readonly sentIn: ViewId | undefined;
    };

/** FLUSH_OK or FLUSH_RECV for `viewId`. */
export function controlSend(type: typeof FLUSH_OK | typeof FLUSH_RECV, group: string, viewId: ViewId): SpreadSend {
  const data = new Uint8Array(VIEW_ID_LENGTH);
  encodeViewId(viewOf(data), 0, viewId);
  return { groups: [group], service: 'fifo', type, selfDiscard: false, subgroupCast: false, data: [data] };
}

/** What goes behind the data of a message that could overtake a view change. */
export function vulnerableSuffix(type: number, installed: ViewId): Uint8Array {
  const suffix = new Uint8Array(VULNERABLE_SUFFIX_LENGTH);
  const view = viewOf(suffix);
  view.setInt16(VULNERABLE_TYPE_OFFSET, type, true);
  encodeViewId(view, VULNERABLE_VIEW_ID_OFFSET, installed);
  return suffix;
}

/** What goes last in a message to some members only. */
export function referenceName(group: string): Uint8Array {
  const name = new Uint8Array(NAME_FIELD_LENGTH);
  writeName(name, 0, group);
  return name;
}

/** Understands a message; undefined when its data is too short for what its type says it holds, or it has no target. */
export function parseFlushMessage(message: Message): FlushInput | undefined {
  const littleEndian = message.byteOrder === 'little';
  const subgroup = (message.serviceBits & SUBGROUP_CAST) !== 0;
  let { data, type } = message;
  let group = message.groups[0];
  if (subgroup) {
    if (data.length < NAME_FIELD_LENGTH) return undefined;
    group = readName(data, data.length - NAME_FIELD_LENGTH);
    data = data.subarray(0, -NAME_FIELD_LENGTH);
  }
  if (group === undefined) return undefined;
  if (type === FLUSH_OK || type === FLUSH_RECV) {
    if (data.length !== VIEW_ID_LENGTH) return undefined;
    const viewId = decodeViewId(viewOf(data), 0, VIEW_ID_LENGTH, littleEndian);
    return { kind: type === FLUSH_OK ? 'flushOk' : 'flushRecv', group, sender: message.sender, viewId };
  }
  let sentIn: ViewId | undefined;
  if (type === VULNERABLE) {
    const userLength = data.length - VULNERABLE_SUFFIX_LENGTH;
    if (userLength < 0) return undefined;
    const view = viewOf(data);
    type = view.getInt16(userLength + VULNERABLE_TYPE_OFFSET, littleEndian);
    sentIn = decodeViewId(view, userLength + VULNERABLE_VIEW_ID_OFFSET, VIEW_ID_LENGTH, littleEndian);
    data = data.subarray(0, userLength);
  }
  const { service, sender, groups, selfDiscard, byteOrder } = message;
  return {
    kind: 'user',
    sentIn,
    message: { kind: 'message', group, service, type, sender, groups, subgroup, data, selfDiscard, byteOrder },
  };
}
