import { writeHeader, writeName } from '../../engine/wire/frame.ts';
import { FRAME_GROUPS_OFFSET, FRAME_HEADER_LENGTH } from '../../engine/wire/layout/frame-header.ts';
import { MAX_CLIENT_BODY_LENGTH, MAX_GROUPS_PER_MESSAGE, NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { SELF_DISCARD, SUBGROUP_CAST } from '../../engine/wire/service.ts';
import { checkBoolean, illegal } from '../check.ts';
import { checkTarget } from '../check-names.ts';
import { SkeinError } from '../errors.ts';
import { viewOf } from '../receive/receive-buffer.ts';
import { type Service, serviceBit } from '../service-names.ts';

/** How a message is sent. */
export interface SendOptions {
  /** Default `agreed`. */
  readonly service?: Service;
  /** Message type for the receivers, an int16; default 0. */
  readonly type?: number;
  /** The sender does not get its own copy; default false. */
  readonly selfDiscard?: boolean;
  /** Sets the flush layer's SUBGROUP_CAST bit (client-protocol.md, section 8.3); daemons pass it on. Default false. */
  readonly subgroupCast?: boolean;
}

export const SEND_OPTION_NAMES = ['service', 'type', 'selfDiscard', 'subgroupCast'] as const;

/** Header and group list of a frame, ready but for `data_len`. */
export interface FrameTemplate {
  readonly bytes: Uint8Array;
  /** Longest data with these groups, such that no Spread 4 daemon is harmed (section 7.3). */
  readonly maxDataLength: number;
}

const MIN_MESSAGE_TYPE = -32_768;
const MAX_MESSAGE_TYPE = 32_767;

/** Writes the frame of a request or message with `data_len` 0. Names are written as given; `groups` must be checked. */
export function encodeTemplate(
  typeBits: number,
  sender: string,
  groups: readonly string[],
  messageType: number,
): FrameTemplate {
  const namesLength = groups.length * NAME_FIELD_LENGTH;
  const bytes = new Uint8Array(FRAME_HEADER_LENGTH + namesLength);
  writeHeader(bytes, viewOf(bytes), 0, typeBits, sender, groups.length, messageType, 0);
  for (const [i, group] of groups.entries()) writeName(bytes, FRAME_GROUPS_OFFSET + i * NAME_FIELD_LENGTH, group);
  return { bytes, maxDataLength: MAX_CLIENT_BODY_LENGTH - namesLength };
}

/**
 * The template of a multicast. Throws ILLEGAL_SERVICE, ILLEGAL_MESSAGE_TYPE or ILLEGAL_GROUP for what no frame may
 * hold.
 */
export function messageTemplate(sender: string, groups: readonly string[], options: SendOptions): FrameTemplate {
  const { service = 'agreed', type = 0, selfDiscard = false, subgroupCast = false } = options;
  if (typeof type !== 'number' || !Number.isInteger(type) || type < MIN_MESSAGE_TYPE || type > MAX_MESSAGE_TYPE)
    throw illegal('type', type, `an integer from ${MIN_MESSAGE_TYPE} to ${MAX_MESSAGE_TYPE}`, 'ILLEGAL_MESSAGE_TYPE');
  checkBoolean('selfDiscard', selfDiscard);
  checkBoolean('subgroupCast', subgroupCast);
  if (groups.length > MAX_GROUPS_PER_MESSAGE)
    throw new SkeinError('ILLEGAL_GROUP', `groups: ${groups.length} targets, at most ${MAX_GROUPS_PER_MESSAGE}`);
  for (const group of groups) checkTarget(group);
  const bits = serviceBit(service) | (selfDiscard ? SELF_DISCARD : 0) | (subgroupCast ? SUBGROUP_CAST : 0);
  return encodeTemplate(bits, sender, groups, type);
}
