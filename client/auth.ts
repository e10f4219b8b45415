/** Authentication methods (client-protocol.md, sections 1.5 and 1.6). */
import {
  PASSWORD_REQUEST_LENGTH,
  PASSWORD_SECRET_OFFSET,
  PASSWORD_USER_OFFSET,
} from '../engine/wire/layout/password-request.ts';
import { AUTH_NAME_FIELD_LENGTH, MAX_AUTH_METHODS } from '../engine/wire/limits.ts';
import { checkString, illegal, readElements, readFields, reading, show } from './check.ts';
import { handshakeReject, SkeinError } from './errors.ts';

/** The two directions of the handshake, as an authentication method sees them. */
export interface AuthChannel {
  /** Resolves with exactly `lengthBytes` bytes; rejects with CONNECTION_CLOSED when the daemon closes first. */
  read(lengthBytes: number): Promise<Uint8Array>;
  /** Sends `bytes` in one piece; the original daemon does not put pieces together. */
  write(bytes: Uint8Array): void;
}

/** A way to authenticate. The daemon must announce a method of this name. */
export interface AuthMethod {
  /** 1 to 29 bytes without blanks. */
  readonly name: string;
  /** What is said between the choice of methods and the daemon's verdict; nothing when absent. */
  exchange?(channel: AuthChannel): Promise<void>;
}

/** What `connect` takes: a method without an exchange by name, a user with password, or methods of one's own. */
export type AuthOption =
  | 'NULL'
  | 'IP'
  | {
      /** 1 to 31 bytes of UTF-8. */
      readonly user: string;
      /** At most 8 bytes of UTF-8. */
      readonly password: string;
    }
  | AuthMethod
  | readonly AuthMethod[];

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
export function passwordAuth(credentials: { readonly user: string; readonly password: string }): AuthMethod {
  const given = readFields('auth', credentials, ['user', 'password']);
  const userText = checkString('auth.user', given.user);
  if (typeof given.password !== 'string')
    throw new SkeinError('ILLEGAL_PARAM', `auth.password of type ${typeof given.password}: must be a string`);
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

/** The methods an option stands for, checked and copied: 1 to 3, each with a name that fits its field. */
export function resolveAuth(auth: AuthOption): readonly AuthMethod[] {
  if (auth === 'NULL') return [nullAuth];
  if (auth === 'IP') return [ipAuth];
  if (typeof auth !== 'object' || auth === null)
    throw illegal('auth', auth, '"NULL", "IP", { user, password }, a method or a list of methods', 'REJECT_AUTH');
  return reading('auth', () => {
    if (Array.isArray(auth)) return listOf(auth);
    const { user, password } = auth as { readonly user?: string; readonly password?: string };
    if (user === undefined && password === undefined) return [methodOf('auth', auth)];
    return [passwordAuth({ user: user!, password: password! })];
  });
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
