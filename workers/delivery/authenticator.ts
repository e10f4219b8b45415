/** Checks clients: by address against the access file, by password against scrypt hashes (client-protocol.md, section 1.6). */
import { type AccessList, isAddressAllowed } from '../../engine/config/access-ip.ts';
import type { PasswordChecker } from './password-checker.ts';

export class Authenticator {
  readonly passwords: PasswordChecker;
  readonly #access: AccessList;

  constructor(access: AccessList, passwords: PasswordChecker) {
    this.#access = access;
    this.passwords = passwords;
  }

  /** @param remoteAddress as Node gives it; undefined for a client of the Unix socket */
  isAddressAllowed(remoteAddress: string | undefined): boolean {
    return isAddressAllowed(this.#access, remoteAddress ?? null);
  }
}
