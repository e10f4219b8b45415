/** Which private names of this daemon are taken, and by which connection (client-protocol.md, 1.3: unique until the disconnect is ordered). */
import type { SessionHandle } from '../../engine/wire/ids.ts';
import { RESULT_CODES, type ResultCode } from '../../engine/wire/result-codes.ts';

export class SessionRegistry {
  readonly #byName = new Map<string, SessionHandle>();
  readonly #names = new Map<SessionHandle, string>();
  /** May be lowered below the number that there are: those stay. */
  maxSessions: number;
  readonly #reserved: string;

  /** @param reserved a private name that no session can have */
  constructor(maxSessions: number, reserved: string) {
    this.maxSessions = maxSessions;
    this.#reserved = reserved;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** @returns ACCEPT_SESSION when the name could be taken now, else why not */
  check(privateName: string): ResultCode {
    if (this.#byName.size >= this.maxSessions) return RESULT_CODES.REJECT_QUOTA;
    return privateName === this.#reserved || this.#byName.has(privateName)
      ? RESULT_CODES.REJECT_NOT_UNIQUE
      : RESULT_CODES.ACCEPT_SESSION;
  }

  /** @returns ACCEPT_SESSION when the name is the connection's now, else why not */
  register(session: SessionHandle, privateName: string): ResultCode {
    const code = this.check(privateName);
    if (code !== RESULT_CODES.ACCEPT_SESSION) return code;
    this.#byName.set(privateName, session);
    this.#names.set(session, privateName);
    return RESULT_CODES.ACCEPT_SESSION;
  }

  release(session: SessionHandle): void {
    const name = this.#names.get(session);
    if (name === undefined) return;
    this.#names.delete(session);
    this.#byName.delete(name);
  }
}
