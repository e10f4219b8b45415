/**
 * What a soak run is made of: which clients and groups there are, what they are called, and which groups never empty. Names go through
 * traces as numbers: group `g7` is 7, and client 12 under the third of its four names, `c12`, is 12 * 4 + 2.
 */
export const NAMES_PER_CLIENT = 4;
const NAME_LETTERS = 'abcd';
const LETTER_A = 0x61;
const LETTER_G = 0x67;
const DIGIT_ZERO = 0x30;

/** Part of all groups that have a witness in each driver thread, so never empty. */
const WITNESSED_PART = 0.75;
const MAX_HOMES = 50;
const HOT_WITNESSED = 15;
const HOT_FREE = 5;

export interface SoakShape {
  readonly clients: number;
  readonly groups: number;
  /**
   * Groups below this number are witnessed: a session that never leaves is in them, so their view ids never repeat
   * (client-protocol.md, section 5.4) and one trace shows all their events. The others, the free ones, empty and come back.
   */
  readonly witnessedGroups: number;
  /** Groups below this number are homes: each client joins one first and stays in it, which shows its disconnect to the witnesses. */
  readonly homes: number;
  /** Groups with many members; the rest have few. */
  readonly hotGroups: readonly number[];
}

export function soakShape(clients: number, groups: number): SoakShape {
  const witnessedGroups = Math.max(1, Math.floor(groups * WITNESSED_PART));
  const homes = Math.max(1, Math.min(MAX_HOMES, Math.floor(groups / 8)));
  const hotGroups: number[] = [];
  for (let i = 0; i < HOT_WITNESSED && homes + i < witnessedGroups; i++) hotGroups.push(homes + i);
  for (let i = 1; i <= HOT_FREE && groups - i >= witnessedGroups; i++) hotGroups.push(groups - i);
  return { clients, groups, witnessedGroups, homes, hotGroups };
}

export const homeOf = (shape: SoakShape, name: number): number => clientOf(name) % shape.homes;
export const clientOf = (name: number): number => Math.floor(name / NAMES_PER_CLIENT);
export const groupName = (group: number): string => `g${group}`;
export const userName = (name: number): string => `${NAME_LETTERS[name % NAMES_PER_CLIENT]}${clientOf(name)}`;

/** Digits at `offset` up to a byte `end`; -1 for anything else. */
function readDigits(bytes: Uint8Array, offset: number, end: number): number {
  let value = 0;
  let at = offset;
  for (; bytes[at] !== end; at++) {
    const digit = bytes[at] - DIGIT_ZERO;
    if (!(digit >= 0 && digit <= 9) || at - offset > 6) return -1;
    value = value * 10 + digit;
  }
  return at === offset ? -1 : value;
}

/** The number of the group in the name field at `offset`, -1 when it is none of ours. */
export const readGroup = (bytes: Uint8Array, offset: number): number =>
  bytes[offset] === LETTER_G ? readDigits(bytes, offset + 1, 0) : -1;

/** The number of the client name in the private name (`#user#daemon`) at `offset`, -1 when it is none of ours. */
export function readPrivateName(bytes: Uint8Array, offset: number): number {
  const letter = bytes[offset + 1] - LETTER_A;
  const client = readDigits(bytes, offset + 2, bytes[offset]);
  return client < 0 || letter < 0 || letter >= NAMES_PER_CLIENT ? -1 : client * NAMES_PER_CLIENT + letter;
}
