/**
 * Names of connections, daemons and groups: which bytes they may have and how long they may be
 * (client-protocol.md, sections 1.3, 3.4 and 6). The `…Field` functions look at a 32-byte name field of a frame without
 * building a string; the `…Problem` functions say in words what is wrong with a string.
 */
import {
  MAX_DAEMON_NAME_LENGTH,
  MAX_GROUP_NAME_LENGTH,
  MAX_NAME_BYTE,
  MAX_PRIVATE_NAME_LENGTH,
  MIN_NAME_BYTE,
  NAME_FIELD_LENGTH,
  PRIVATE_NAME_MARK,
} from './limits.ts';

/** The two parts of a private group name `#user#daemon`. */
export interface PrivateNameParts {
  readonly user: string;
  readonly daemon: string;
}

const isNameByte = (byte: number): boolean => byte >= MIN_NAME_BYTE && byte <= MAX_NAME_BYTE;

/** All of `bytes[offset, offset + lengthBytes)` may stand in a name. */
function areNameBytes(bytes: Uint8Array, offset: number, lengthBytes: number): boolean {
  for (let i = offset; i < offset + lengthBytes; i++) if (!isNameByte(bytes[i]!)) return false;
  return true;
}

/** Length of the name in the 32-byte field at `offset`: 0 to 31, or 32 when the field has no NUL. */
export function nameFieldLength(bytes: Uint8Array, offset: number): number {
  let length = 0;
  while (length < NAME_FIELD_LENGTH && bytes[offset + length] !== 0) length++;
  return length;
}

/** A user's connection name as sent in CONNECT: 1 to 10 bytes. */
export const isConnectionName = (bytes: Uint8Array, offset: number, lengthBytes: number): boolean =>
  lengthBytes >= 1 && lengthBytes <= MAX_PRIVATE_NAME_LENGTH && areNameBytes(bytes, offset, lengthBytes);

/** The field at `offset` names a group one can join: 1 to 31 bytes, terminated, no `#`. */
export function isGroupNameField(bytes: Uint8Array, offset: number): boolean {
  const length = nameFieldLength(bytes, offset);
  return length >= 1 && length <= MAX_GROUP_NAME_LENGTH && areNameBytes(bytes, offset, length);
}

/**
 * Length of the user part of the private name in the field at `offset`, which then starts at `offset + 1` and is followed by
 * `#` and the daemon's name; 0 when the field is not a well-formed private name.
 */
export function privateUserLength(bytes: Uint8Array, offset: number): number {
  if (bytes[offset] !== PRIVATE_NAME_MARK) return 0;
  const length = nameFieldLength(bytes, offset);
  let user = 0;
  while (1 + user < length && bytes[offset + 1 + user] !== PRIVATE_NAME_MARK) user++;
  const daemonOffset = offset + user + 2;
  const daemon = length - user - 2;
  if (daemon < 1 || daemon > MAX_DAEMON_NAME_LENGTH || !areNameBytes(bytes, daemonOffset, daemon)) return 0;
  return isConnectionName(bytes, offset + 1, user) ? user : 0;
}

/** Splits `#user#daemon`; null when `name` is not a well-formed private name. */
export function parsePrivateName(name: string): PrivateNameParts | null {
  const second = name.indexOf('#', 1);
  if (name.charCodeAt(0) !== PRIVATE_NAME_MARK || second < 0) return null;
  const user = name.slice(1, second);
  const daemon = name.slice(second + 1);
  return connectionNameProblem(user) === null && daemonNameProblem(daemon) === null ? { user, daemon } : null;
}

/** What a name may be, for the text of an error. */
export const nameLimit = (maxLengthBytes: number): string => `1 to ${maxLengthBytes} bytes from 0x24 "$" to 0x7e "~"`;

/** Which character of a name is illegal, counted from 1, or how long it is; null when nothing is wrong with it. */
export function nameFault(name: string, maxLengthBytes: number): string | null {
  if (name.length === 0) return 'it is empty';
  let position = 0;
  for (const character of name) {
    position++;
    const code = character.codePointAt(0)!;
    if (isNameByte(code)) continue;
    const hex = code.toString(16).padStart(code < 0x80 ? 2 : 4, '0');
    return `character ${position} is ${JSON.stringify(character)} (${code < 0x80 ? '0x' : 'U+'}${hex})`;
  }
  return name.length > maxLengthBytes ? `it has ${name.length}` : null;
}

const LONGEST_SHOWN_CHARS = 60;

function nameProblem(field: string, name: string, maxLengthBytes: number): string | null {
  const fault = nameFault(name, maxLengthBytes);
  if (fault === null) return null;
  const shown = name.length > LONGEST_SHOWN_CHARS ? `${name.slice(0, LONGEST_SHOWN_CHARS)}…` : name;
  return `${field} ${JSON.stringify(shown)}: must be ${nameLimit(maxLengthBytes)}; ${fault}`;
}

/** What is wrong with a user's connection name, or null. */
export const connectionNameProblem = (name: string): string | null =>
  nameProblem('private name', name, MAX_PRIVATE_NAME_LENGTH);

/** What is wrong with a group's name for a join or leave, or null. */
export const groupNameProblem = (name: string): string | null => nameProblem('group name', name, MAX_GROUP_NAME_LENGTH);

/** What is wrong with a daemon's name, or null. */
export const daemonNameProblem = (name: string): string | null =>
  nameProblem('daemon name', name, MAX_DAEMON_NAME_LENGTH);
