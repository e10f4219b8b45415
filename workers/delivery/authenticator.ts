/** Checks clients: by address against the access file, by password against what is kept of it (client-protocol.md, section 1.6). */
import { isAddressAllowed } from '../../engine/config/access-ip.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Live } from './live.ts';
import type { PasswordChecker } from './password-checker.ts';
import type { ScramCredentials } from './scram-credentials.ts';

export class Authenticator {
  readonly passwords: PasswordChecker;
  readonly scram: ScramCredentials;
  readonly #settings: Live<Pick<DeliverySettings, 'access'>>;

  constructor(settings: Live<Pick<DeliverySettings, 'access'>>, passwords: PasswordChecker, scram: ScramCredentials) {
    this.#settings = settings;
    this.passwords = passwords;
    this.scram = scram;
  }

  /** @param remoteAddress as Node gives it; undefined for a client of the Unix socket */
  isAddressAllowed(remoteAddress: string | undefined): boolean {
    return isAddressAllowed(this.#settings.current.access, remoteAddress ?? null);
  }
}
