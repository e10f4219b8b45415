/** Authentication methods (client-protocol.md, sections 1.5 and 1.6). */
import {
  PASSWORD_REQUEST_LENGTH,
  PASSWORD_SECRET_OFFSET,
  PASSWORD_USER_OFFSET,
} from '../engine/wire/layout/password-request.ts';
import { AUTH_NAME_FIELD_LENGTH, MAX_AUTH_METHODS } from '../engine/wire/limits.ts';
import type { AuthMethod } from './auth-method.ts';
import { illegal, readElements, readFields, reading, show } from './check.ts';
import { checkCredentials, type PasswordCredentials } from './credentials.ts';
import { handshakeReject, SkeinError } from './errors.ts';
import { scramAuth } from './scram.ts';

/** What `connect` takes: a method without an exchange by name, a user with password, or methods of one's own. */
export type AuthOption =
  | 'NULL'
  | 'IP'
  | (PasswordCredentials & {
      /**
       * How the password may be proven; the first that the daemon offers is used. Default: `SCRAM-SHA-256` alone, for with `PWORD` the
       * password crosses the network readable, and somebody on the way could make any daemon seem to offer nothing else.
       */
      readonly methods?: readonly PasswordMethodName[];
    })
  | AuthMethod
  | readonly AuthMethod[];

/** `SCRAM-SHA-256` takes passwords of up to 1,024 bytes of UTF-8, `PWORD` of up to 8. */
export type PasswordMethodName = 'SCRAM-SHA-256' | 'PWORD';

/** Lists of methods, the first of which the daemon offers wholly is used. Never empty. */
export type AuthPlan = readonly (readonly AuthMethod[])[];

/** Always succeeds, where the daemon allows it. */
export const nullAuth: AuthMethod = Object.freeze({ name: 'NULL' });
/** The daemon checks the client's address. */
export const ipAuth: AuthMethod = Object.freeze({ name: 'IP' });

const USER_FIELD_LENGTH = PASSWORD_SECRET_OFFSET - PASSWORD_USER_OFFSET;
const PASSWORD_FIELD_LENGTH = PASSWORD_REQUEST_LENGTH - PASSWORD_SECRET_OFFSET;
const PASSWORD_ACCEPTED = 1;

/**
 * `PWORD`: sends the user in 32 bytes and the password, readable, in 8. Use it where the path to the daemon is
 * trusted. Throws REJECT_AUTH for a user of more than 31 or a password of more than 8 bytes of UTF-8, or with a NUL.
 */
export function passwordAuth(credentials: PasswordCredentials): AuthMethod {
  const given = checkCredentials(credentials);
  const userText = given.user;
  if (userText.includes('\0') || given.password.includes('\0'))
    throw new SkeinError('REJECT_AUTH', 'auth: user and password must not hold NUL, which ends them on the wire');
  const user = Buffer.from(userText, 'utf8');
  const password = Buffer.from(given.password, 'utf8');
  if (user.length < 1 || user.length >= USER_FIELD_LENGTH)
    throw new SkeinError(
      'REJECT_AUTH',
      `auth.user ${show(userText)}: ${user.length} bytes, must be 1 to ${USER_FIELD_LENGTH - 1}`,
    );
  if (password.length > PASSWORD_FIELD_LENGTH)
    throw new SkeinError(
      'REJECT_AUTH',
      `auth.password: ${password.length} bytes, the exchange carries at most ${PASSWORD_FIELD_LENGTH}`,
    );
  return {
    name: 'PWORD',
    async exchange(channel) {
      const fields = new Uint8Array(PASSWORD_REQUEST_LENGTH);
      fields.set(user, PASSWORD_USER_OFFSET);
      fields.set(password, PASSWORD_SECRET_OFFSET);
      channel.write(fields);
      const verdict = ((await channel.read(1))[0]! << 24) >> 24;
      if (verdict < 0) throw handshakeReject(verdict, 'its verdict on the password', '');
      if (verdict !== PASSWORD_ACCEPTED)
        throw new SkeinError('REJECT_AUTH', `the daemon refused the password of user ${show(userText)}`);
    },
  };
}

/** The methods an option stands for, checked and copied: 1 to 3 at once, each with a name that fits its field. */
export function resolveAuth(auth: AuthOption): AuthPlan {
  if (auth === 'NULL') return [[nullAuth]];
  if (auth === 'IP') return [[ipAuth]];
  if (typeof auth !== 'object' || auth === null)
    throw illegal('auth', auth, '"NULL", "IP", { user, password }, a method or a list of methods', 'REJECT_AUTH');
  return reading('auth', () => {
    if (Array.isArray(auth)) return [listOf(auth)];
    const { user, password, methods } = auth as Readonly<Partial<Record<'user' | 'password' | 'methods', unknown>>>;
    if (user === undefined && password === undefined && methods === undefined) return [[methodOf('auth', auth)]];
    return passwordPlan(auth);
  });
}

const BY_NAME: Readonly<Record<PasswordMethodName, (credentials: PasswordCredentials) => AuthMethod>> = {
  'SCRAM-SHA-256': scramAuth,
  PWORD: passwordAuth,
};

function passwordPlan(auth: unknown): AuthPlan {
  const { methods = ['SCRAM-SHA-256'], ...given } = readFields('auth', auth, ['user', 'password', 'methods']);
  const credentials = checkCredentials(given);
  const limit = 'a list of "SCRAM-SHA-256" and "PWORD", each once, or of one of them';
  if (!Array.isArray(methods)) throw illegal('auth.methods', methods, limit);
  const names = readElements('auth.methods', methods, MAX_LISTED);
  if (names.length === 0 || new Set(names).size < names.length) throw illegal('auth.methods', methods, limit);
  return names.map((name, i) => {
    if (name !== 'SCRAM-SHA-256' && name !== 'PWORD')
      throw illegal(`auth.methods[${i}]`, name, '"SCRAM-SHA-256" or "PWORD"');
    return [BY_NAME[name](credentials)];
  });
}

/**
 * What is used of a plan.
 * @param offered by the daemon
 * @throws SkeinError REJECT_AUTH when it offers none
 */
export function chooseAuth(plan: AuthPlan, offered: readonly string[]): readonly AuthMethod[] {
  const chosen = plan.find((methods) => methods.every(({ name }) => offered.includes(name)));
  if (chosen !== undefined) return chosen;
  const missing = plan.map((methods) => methods.find(({ name }) => !offered.includes(name))!.name);
  const names = missing.map((name) => `"${name}"`).join(' or ');
  const isScramOnly = missing.length === 1 && missing[0] === 'SCRAM-SHA-256' && offered.includes('PWORD');
  const hint = isScramOnly
    ? '; PWORD would send the password readable, so it is used only where auth.methods (--auth PWORD) allows it'
    : '';
  throw new SkeinError(
    'REJECT_AUTH',
    `auth method ${names}: the daemon offers only ${offered.join(', ') || 'none'}${hint}`,
  );
}

/** More than are legal, so that the message can give their number. */
const MAX_LISTED = 1000;

function listOf(auth: readonly unknown[]): readonly AuthMethod[] {
  const methods = readElements('auth', auth, MAX_LISTED);
  if (methods.length < 1 || methods.length > MAX_AUTH_METHODS)
    throw new SkeinError('REJECT_AUTH', `auth: ${methods.length} methods, must be 1 to ${MAX_AUTH_METHODS}`);
  return methods.map((method, i) => methodOf(`auth[${i}]`, method));
}

/** A method may be an object of any class, with more in it than its two fields. */
function methodOf(field: string, method: unknown): AuthMethod {
  if (typeof method !== 'object' || method === null) throw illegal(field, method, 'a method: { name, exchange? }');
  const { name, exchange } = method as { readonly name?: unknown; readonly exchange?: unknown };
  if (typeof name !== 'string' || !/^[\x21-\x7e]+$/.test(name) || name.length >= AUTH_NAME_FIELD_LENGTH)
    throw new SkeinError(
      'REJECT_AUTH',
      `${field}.name ${show(name)}: must be 1 to ${AUTH_NAME_FIELD_LENGTH - 1} printable bytes without blanks`,
    );
  if (exchange === undefined) return { name };
  if (typeof exchange !== 'function') throw illegal(`${field}.exchange`, exchange, 'a function');
  return { name, exchange: (channel) => exchange.call(method, channel) as Promise<void> };
}
