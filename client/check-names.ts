/** Checks of names before they are sent (client-protocol.md, sections 1.3, 3.4 and 6). */
import { MAX_DAEMON_NAME_LENGTH, MAX_GROUP_NAME_LENGTH, MAX_PRIVATE_NAME_LENGTH } from '../engine/wire/limits.ts';
import { nameFault, nameLimit } from '../engine/wire/names.ts';
import type { ResultCodeName } from '../engine/wire/result-codes.ts';
import { show } from './check.ts';
import { SkeinError } from './errors.ts';

function checkName(field: string, name: unknown, maxLengthBytes: number, code: ResultCodeName): void {
  const fault = typeof name === 'string' ? nameFault(name, maxLengthBytes) : 'it is not a string';
  if (fault !== null)
    throw new SkeinError(code, `${field} ${show(name)}: must be ${nameLimit(maxLengthBytes)}; ${fault}`);
}

/** The user part of a private name: 1 to 10 legal bytes, else REJECT_ILLEGAL_NAME. */
export const checkUserName = (name: string): void =>
  checkName('name', name, MAX_PRIVATE_NAME_LENGTH, 'REJECT_ILLEGAL_NAME');

/** A group one can join: 1 to 31 legal bytes (so no `#`), else ILLEGAL_GROUP. */
export const checkGroupName = (group: string): void =>
  checkName('group', group, MAX_GROUP_NAME_LENGTH, 'ILLEGAL_GROUP');

/** Whether `name` is of the class of private names, whatever its form (section 6). */
export const isPrivateName = (name: string): boolean => name.startsWith('#');

/** A target of a multicast: a group, or the private name `#user#daemon`; else ILLEGAL_GROUP. */
export function checkTarget(target: string): void {
  if (typeof target !== 'string' || !isPrivateName(target)) {
    checkGroupName(target);
    return;
  }
  const fault = privateNameFault(target);
  if (fault === null) return;
  const limit = `#user#daemon, user 1 to ${MAX_PRIVATE_NAME_LENGTH} and daemon ${nameLimit(MAX_DAEMON_NAME_LENGTH)}`;
  throw new SkeinError('ILLEGAL_GROUP', `target ${show(target)}: a private name must be ${limit}; ${fault}`);
}

function privateNameFault(name: string): string | null {
  const second = name.indexOf('#', 1);
  if (second === -1) return 'the second # is missing';
  const user = nameFault(name.slice(1, second), MAX_PRIVATE_NAME_LENGTH);
  if (user !== null) return `of the user, ${user}`;
  const daemon = nameFault(name.slice(second + 1), MAX_DAEMON_NAME_LENGTH);
  return daemon === null ? null : `of the daemon, ${daemon}`;
}
