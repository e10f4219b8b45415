/** Checks of names before they are sent (client-protocol.md, sections 1.3, 3.4 and 6). */
import {
  MAX_DAEMON_NAME_LENGTH,
  MAX_GROUP_NAME_LENGTH,
  MAX_NAME_BYTE,
  MAX_PRIVATE_NAME_LENGTH,
  MIN_NAME_BYTE,
} from '../engine/wire/limits.ts';
import { show } from './check.ts';
import { SkeinError } from './errors.ts';

/** Whether every character of `name` from `start` on is a legal name byte. */
function isLegal(name: string, start = 0): boolean {
  for (let i = start; i < name.length; i++) {
    const byte = name.charCodeAt(i);
    if (byte < MIN_NAME_BYTE || byte > MAX_NAME_BYTE) return false;
  }
  return true;
}

const LEGAL = 'bytes from 0x24 "$" to 0x7e "~"';

/** The user part of a private name: 1 to 10 legal bytes, else REJECT_ILLEGAL_NAME. */
export function checkUserName(name: string): void {
  if (typeof name !== 'string' || name.length < 1 || name.length > MAX_PRIVATE_NAME_LENGTH || !isLegal(name))
    throw new SkeinError('REJECT_ILLEGAL_NAME', `name ${show(name)}: must be 1 to ${MAX_PRIVATE_NAME_LENGTH} ${LEGAL}`);
}

/** A group one can join: 1 to 31 legal bytes (so no `#`), else ILLEGAL_GROUP. */
export function checkGroupName(group: string): void {
  if (typeof group !== 'string' || group.length < 1 || group.length > MAX_GROUP_NAME_LENGTH || !isLegal(group))
    throw new SkeinError('ILLEGAL_GROUP', `group ${show(group)}: must be 1 to ${MAX_GROUP_NAME_LENGTH} ${LEGAL}`);
}

/** Whether `name` is of the class of private names, whatever its form (section 6). */
export const isPrivateName = (name: string): boolean => name.startsWith('#');

/** A target of a multicast: a group, or the private name `#user#daemon`; else ILLEGAL_GROUP. */
export function checkTarget(target: string): void {
  if (typeof target !== 'string' || !isPrivateName(target)) {
    checkGroupName(target);
    return;
  }
  const second = target.indexOf('#', 1);
  const userLength = second - 1;
  const daemonLength = target.length - second - 1;
  const wellFormed =
    userLength >= 1 &&
    userLength <= MAX_PRIVATE_NAME_LENGTH &&
    daemonLength >= 1 &&
    daemonLength <= MAX_DAEMON_NAME_LENGTH &&
    isLegal(target.slice(1, second)) &&
    isLegal(target, second + 1);
  if (!wellFormed)
    throw new SkeinError(
      'ILLEGAL_GROUP',
      `target ${show(target)}: a private name must be #user#daemon, user 1 to ${MAX_PRIVATE_NAME_LENGTH} and ` +
        `daemon 1 to ${MAX_DAEMON_NAME_LENGTH} ${LEGAL}`,
    );
}
