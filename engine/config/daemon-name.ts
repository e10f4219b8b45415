/** Which names a daemon may have (sections 0 and 9.3): they are part of every private group, `#user#daemon`. */
import { MAX_DAEMON_NAME_LENGTH, MAX_NAME_BYTE, MIN_NAME_BYTE } from '../wire/limits.ts';

export const DAEMON_NAME_LIMIT = `1 to ${MAX_DAEMON_NAME_LENGTH} printable ASCII characters without blanks and "#"`;

/** Printable ASCII without `#`, which separates the parts of a private group. */
const USABLE_NAME = /^[!"$-~]+$/;

export const isUsableDaemonName = (name: string): boolean =>
  name.length <= MAX_DAEMON_NAME_LENGTH && USABLE_NAME.test(name);

/** Made of the bytes that clients expect in a group name; others work but are unwise. */
export const isPortableDaemonName = (name: string): boolean =>
  [...name].every((char) => {
    const byte = char.charCodeAt(0);
    return byte >= MIN_NAME_BYTE && byte <= MAX_NAME_BYTE;
  });
