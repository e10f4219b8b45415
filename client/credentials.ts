import { checkString, readFields } from './check.ts';
import { SkeinError } from './errors.ts';

/** Who logs in. */
export interface PasswordCredentials {
  /** 1 to 31 bytes of UTF-8. */
  readonly user: string;
  /** Any text of Unicode without control characters; see docs/security.md for its normalisation. */
  readonly password: string;
}

/** A copy of both, which are strings. The error has nothing of the password. */
export function checkCredentials(value: unknown): PasswordCredentials {
  const { user, password } = readFields('auth', value, ['user', 'password']);
  const text = checkString('auth.user', user);
  if (typeof password !== 'string')
    throw new SkeinError('ILLEGAL_PARAM', `auth.password of type ${typeof password}: must be a string`);
  return { user: text, password };
}
