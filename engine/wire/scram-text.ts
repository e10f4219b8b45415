/**
 * Users and passwords of SCRAM-SHA-256 in one form, so that the same text typed in two ways is the same: Unicode's NFKC. In place of the
 * rest of SASLprep (RFC 4013), which few implement alike, characters that it maps or forbids are refused.
 */
import { MAX_SCRAM_PASSWORD_LENGTH, MAX_SCRAM_USER_LENGTH } from './scram-limits.ts';

/** Control and format characters, halves of surrogates, what stands for bytes that were no text, and code points that mean nothing. */
const NO_TEXT = /[\p{C}\u{fffd}]/u;
/** The file of credentials uses them, or it could not be told where a name ends. */
const NO_USER = /[\s:*]/u;

export const SCRAM_USER_LIMIT = `1 to ${MAX_SCRAM_USER_LENGTH} bytes of UTF-8 without blanks, control characters, ":" or "*", not starting with "#"`;
export const SCRAM_PASSWORD_LIMIT = `1 to ${MAX_SCRAM_PASSWORD_LENGTH} bytes of UTF-8 without control characters`;

const byteLength = (text: string): number => new TextEncoder().encode(text).length;

/** Null: no user has this name. */
export function normalUser(text: string): string | null {
  const user = text.normalize('NFKC');
  const isUser = user !== '' && !NO_TEXT.test(user) && !NO_USER.test(user) && !user.startsWith('#');
  return isUser && byteLength(user) <= MAX_SCRAM_USER_LENGTH ? user : null;
}

/** Null: it is no password. Ends of the text count: a blank there is part of it. */
export function normalPassword(text: string): string | null {
  const password = text.normalize('NFKC');
  const isPassword = password !== '' && !NO_TEXT.test(password);
  return isPassword && byteLength(password) <= MAX_SCRAM_PASSWORD_LENGTH ? password : null;
}
