/** The client's side of SCRAM-SHA-256 (client-protocol.md, section 1.6): the password stays here, and the daemon proves that it knows it. */
import { SCRAM_ANSWER_CODE_OFFSET, SCRAM_ANSWER_LENGTH_OFFSET } from '../engine/wire/layout/scram-answer.ts';
import { SCRAM_REQUEST_LENGTH_OFFSET, SCRAM_REQUEST_MESSAGE_OFFSET } from '../engine/wire/layout/scram-request.ts';
import { RESULT_CODES } from '../engine/wire/result-codes.ts';
import { SCRAM_KEY_BYTES, SCRAM_METHOD } from '../engine/wire/scram-limits.ts';
import {
  authMessage,
  clientFinalWithoutProof,
  clientFirst,
  clientFirstBare,
  isProblem,
  parseServerFinal,
  parseServerFirst,
  type ScramProblem,
  type ScramServerFirst,
} from '../engine/wire/scram-messages.ts';
import { normalPassword, normalUser, SCRAM_PASSWORD_LIMIT, SCRAM_USER_LIMIT } from '../engine/wire/scram-text.ts';
import type { AuthChannel, AuthMethod } from './auth-method.ts';
import { show } from './check.ts';
import { checkCredentials, type PasswordCredentials } from './credentials.ts';
import { handshakeReject, SkeinError } from './errors.ts';

const NONCE_BYTES = 18;
const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const;

/**
 * `SCRAM-SHA-256`: proves the password without sending it, and has the daemon prove that it knows it. The exchange ends with REJECT_AUTH
 * for a wrong password, and for a daemon that does not know it or asks for fewer than 4,096 or more than 1,000,000 iterations. Throws
 * REJECT_AUTH for a user of more than 31 bytes of UTF-8 or a password of more than 1,024, and for blanks in the user and control
 * characters in either. A page needs https: or localhost, because browsers give others no cryptography.
 */
export function scramAuth(credentials: PasswordCredentials): AuthMethod {
  const given = checkCredentials(credentials);
  const user = normalUser(given.user);
  if (user === null) throw new SkeinError('REJECT_AUTH', `auth.user ${show(given.user)}: must be ${SCRAM_USER_LIMIT}`);
  const password = normalPassword(given.password);
  if (password === null) throw new SkeinError('REJECT_AUTH', `auth.password: must be ${SCRAM_PASSWORD_LIMIT}`);
  return { name: SCRAM_METHOD, exchange: (channel) => logIn(channel, user, password) };
}

/** @param user normalised, as `password` */
async function logIn(channel: AuthChannel, user: string, password: string): Promise<void> {
  const subtle = cryptography();
  const own = base64Of(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
  say(channel, clientFirst(user, own));
  const answer = await hear(channel, user);
  const challenge = believed(parseServerFirst(answer, own));
  const final = clientFinalWithoutProof(challenge.nonce);
  const signed = encode(authMessage(clientFirstBare(user, own), answer, final));
  const { proof, signature } = await scramProof(subtle, password, challenge, signed);
  say(channel, `${final},p=${base64Of(proof)}`);
  const verdict = believed(parseServerFinal(await hear(channel, user)));
  if (!isSame(bytesOf(verdict.signature), signature))
    throw new SkeinError(
      'REJECT_AUTH',
      `the daemon does not know the password of user ${show(user)}: its signature is wrong`,
    );
}

/** What the client sends, and what it must get (RFC 5802, section 3). */
export async function scramProof(
  subtle: Cryptography,
  password: string,
  { salt, iterations }: Pick<ScramServerFirst, 'salt' | 'iterations'>,
  signed: Bytes,
): Promise<{ readonly proof: Bytes; readonly signature: Bytes }> {
  const text = await subtle.importKey('raw', encode(password), 'PBKDF2', false, ['deriveBits']);
  const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-256', salt: bytesOf(salt), iterations };
  const salted = new Uint8Array(await subtle.deriveBits(pbkdf2, text, SCRAM_KEY_BYTES * 8));
  const clientKey = await hmac(subtle, salted, encode('Client Key'));
  const storedKey = new Uint8Array(await subtle.digest('SHA-256', clientKey));
  const proof = await hmac(subtle, storedKey, signed);
  for (let i = 0; i < proof.length; i++) proof[i]! ^= clientKey[i]!;
  const serverKey = await hmac(subtle, salted, encode('Server Key'));
  return { proof, signature: await hmac(subtle, serverKey, signed) };
}

export type Cryptography = typeof crypto.subtle;
type Bytes = Uint8Array<ArrayBuffer>;

async function hmac(subtle: Cryptography, key: Bytes, bytes: Bytes): Promise<Bytes> {
  const imported = await subtle.importKey('raw', key, HMAC, false, ['sign']);
  return new Uint8Array(await subtle.sign(HMAC.name, imported, bytes));
}

/** Undefined in pages that came without encryption from another machine. */
function cryptography(): Cryptography {
  const subtle = globalThis.crypto?.subtle as Cryptography | undefined;
  if (subtle !== undefined) return subtle;
  throw new SkeinError('REJECT_AUTH', 'auth: SCRAM-SHA-256 needs a page of https: or of localhost');
}

function say(channel: AuthChannel, text: string): void {
  const message = encode(text);
  const bytes = new Uint8Array(SCRAM_REQUEST_MESSAGE_OFFSET + message.length);
  bytes[SCRAM_REQUEST_LENGTH_OFFSET] = message.length;
  bytes.set(message, SCRAM_REQUEST_MESSAGE_OFFSET);
  channel.write(bytes);
}

/** The daemon's next message. @param user for the error of a refusal in its place */
async function hear(channel: AuthChannel, user: string): Promise<string> {
  const code = ((await channel.read(1))[SCRAM_ANSWER_CODE_OFFSET]! << 24) >> 24;
  if (code === RESULT_CODES.REJECT_AUTH)
    throw new SkeinError('REJECT_AUTH', `the daemon refused user ${show(user)} or the password`);
  if (code !== RESULT_CODES.ACCEPT_SESSION) throw handshakeReject(code, 'its message of SCRAM-SHA-256', '');
  const length = (await channel.read(1))[SCRAM_ANSWER_LENGTH_OFFSET - 1]!;
  return new TextDecoder().decode(await channel.read(length));
}

function believed<T extends object>(read: T | ScramProblem): T {
  if (isProblem(read)) throw new SkeinError('REJECT_AUTH', `the daemon is not believed: ${read.problem}`);
  return read;
}

const encode = (text: string): Bytes => new TextEncoder().encode(text);
const base64Of = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const bytesOf = (base64: string): Bytes => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

/** Takes the same time wherever they differ. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < b.length; i++) difference |= (a[i] ?? 0) ^ b[i]!;
  return difference === 0;
}
