/**
 * The daemon's side of the connection handshake (client-protocol.md, section 1), as a pure parser: bytes in, steps out. Input
 * may be split or pipelined at will. Questions to others (is the name free, is the password right) are steps that the caller answers.
 */

import { CONNECT_TAKES_NOTICES, CONNECT_WANTS_MEMBERSHIP } from './connect-flags.ts';
import {
  ACCEPT_CODE_OFFSET,
  ACCEPT_FIXED_LENGTH,
  ACCEPT_MAJOR_OFFSET,
  ACCEPT_MINOR_OFFSET,
  ACCEPT_NAME_LENGTH_OFFSET,
  ACCEPT_PATCH_OFFSET,
} from './layout/accept.ts';
import { AUTH_CHOICE_LENGTH, AUTH_CHOICE_METHOD_1_OFFSET } from './layout/auth-choice.ts';
import { AUTH_LIST_LENGTH_OFFSET, AUTH_LIST_METHODS_OFFSET } from './layout/auth-list.ts';
import {
  CONNECT_FIXED_LENGTH,
  CONNECT_FLAGS_OFFSET,
  CONNECT_MAJOR_OFFSET,
  CONNECT_MINOR_OFFSET,
  CONNECT_NAME_LENGTH_OFFSET,
  CONNECT_PATCH_OFFSET,
} from './layout/connect-request.ts';
import { PASSWORD_REQUEST_LENGTH, PASSWORD_SECRET_OFFSET, PASSWORD_USER_OFFSET } from './layout/password-request.ts';
import { SCRAM_REQUEST_LENGTH_OFFSET, SCRAM_REQUEST_MESSAGE_OFFSET } from './layout/scram-request.ts';
import {
  AUTH_NAME_FIELD_LENGTH,
  MAX_AUTH_METHODS,
  MAX_NAME_BYTE,
  MAX_PRIVATE_NAME_LENGTH,
  MIN_NAME_BYTE,
  PROTOCOL_VERSION,
} from './limits.ts';
import { RESULT_CODES } from './result-codes.ts';
import { type ScramChallenge, ScramDialog, type ScramQuestion } from './scram-dialog.ts';
import { MAX_SCRAM_MESSAGE_LENGTH } from './scram-limits.ts';
import { isProblem } from './scram-messages.ts';

/** In the order in which they are announced. */
export const AUTH_METHODS = ['NULL', 'IP', 'PWORD', 'SCRAM-SHA-256'] as const;
export type AuthMethodName = (typeof AUTH_METHODS)[number];

/** What the daemon allows and insists on (section 1.6). */
export interface AuthPolicy {
  readonly allowed: readonly AuthMethodName[];
  readonly required: readonly AuthMethodName[];
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

export type HandshakeStep =
  /** Give more bytes. */
  | { readonly kind: 'need-bytes' }
  /** Ask whether `name` is free (empty: invent one when it is registered), then call `nameFree` or `nameRefused`. */
  | { readonly kind: 'check-name'; readonly name: string; readonly wantsMembership: boolean }
  /** Check this method for the client, then call `authenticated`. */
  | { readonly kind: 'authenticate'; readonly method: 'IP' | 'PWORD'; readonly credentials: Credentials | null }
  /** Ask what the user is challenged with, then call `challenged`; or whether a proof is right, then call `proven`. */
  | ScramQuestion
  /** The client is authenticated: take the name for it, then call `nameAccepted` or `nameRefused`. */
  | { readonly kind: 'register' }
  /** Send `bytes`, then continue with `next`. */
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** Send `bytes`; message frames follow from here on. */
  | { readonly kind: 'accept'; readonly bytes: Uint8Array }
  /** Send `bytes` (may be empty) and close. `reason` is for the log and names field, value and limit. */
  | { readonly kind: 'refuse'; readonly bytes: Uint8Array; readonly reason: string };

/** Longest part a client sends before it must wait for the daemon. */
const LONGEST_PART = SCRAM_REQUEST_MESSAGE_OFFSET + MAX_SCRAM_MESSAGE_LENGTH;
/** Libraries from this version on send a patch byte. */
const FIRST_WITH_PATCH = 31_400;
const FIRST_SUPPORTED = 30_100;
const FIRST_WITH_AUTH = 31_600;

/**
 * `connect`, `auth-choice`, `password`, `scram`: the client's turn. `naming`, `registering`: the ring agent's. `verifying`: its
 * password is being checked. `checking`: between two methods, never left so by a call.
 */
type State =
  | 'connect'
  | 'naming'
  | 'auth-choice'
  | 'checking'
  | 'password'
  | 'scram'
  | 'verifying'
  | 'registering'
  | 'done';

/** The client says something in them. */
const INTERACTIVE: ReadonlySet<AuthMethodName> = new Set(['PWORD', 'SCRAM-SHA-256']);

/** The verdict byte of PWORD for a password that is right. */
const PASSWORD_RIGHT = 1;

const NEED_BYTES: HandshakeStep = { kind: 'need-bytes' };

export class ServerHandshake {
  /** Known once CONNECT was read. */
  wantsMembership = false;
  /** Likewise: whether the client may be sent notices. */
  takesNotices = false;
  readonly #policy: AuthPolicy;
  readonly #part = new Uint8Array(LONGEST_PART);
  #partLength = 0;
  #state: State = 'connect';
  /** major x 10000 + minor x 100 + patch */
  #version = 0;
  /** Methods still to be checked. */
  #pending: AuthMethodName[] = [];
  /** Of the exchange under way. */
  #scram: ScramDialog | null = null;
  /** As whom the client has authenticated. */
  #user: string | null = null;

  constructor(policy: AuthPolicy) {
    this.#policy = policy;
  }

  /** Whether the next move is the client's. If not, it waits for this daemon. */
  get waitsForClient(): boolean {
    const state = this.#state;
    return state === 'connect' || state === 'auth-choice' || state === 'password' || state === 'scram';
  }

  /** How the next step reads `bytes[start, end)`; `consumed` says how far it got. */
  consumed = 0;

  read(bytes: Uint8Array, start: number, end: number): HandshakeStep {
    this.consumed = start;
    switch (this.#state) {
      case 'connect':
        return this.#readConnect(bytes, end);
      case 'auth-choice':
        return this.#take(bytes, end, AUTH_CHOICE_LENGTH) ? this.#readAuthChoice() : NEED_BYTES;
      case 'password':
        return this.#take(bytes, end, PASSWORD_REQUEST_LENGTH) ? this.#readPassword() : NEED_BYTES;
      case 'scram':
        return this.#readScram(bytes, end);
      default:
        return NEED_BYTES;
    }
  }

  /** Nobody has the name. It is not taken yet: that is for clients that have authenticated. */
  nameFree(): HandshakeStep {
    const { allowed, required } = this.#policy;
    if (this.#version < FIRST_WITH_AUTH) {
      const method = required.find((one) => INTERACTIVE.has(one));
      if (method !== undefined) {
        const reason = `library ${this.#versionText()}: cannot use ${method}, which is required`;
        return refuse(RESULT_CODES.REJECT_AUTH, reason);
      }
      if (allowed.includes('IP')) return this.#begin(['IP']);
      if (allowed.includes('NULL')) return this.#begin(required);
      return refuse(
        RESULT_CODES.REJECT_AUTH,
        `library ${this.#versionText()} can only use NULL or IP authentication; neither is allowed`,
      );
    }
    const list = AUTH_METHODS.filter((method) => allowed.includes(method))
      .map((method) => `${method} `)
      .join('');
    if (list.length === 0) {
      const bytes = Uint8Array.of(0, RESULT_CODES.REJECT_AUTH & 0xff);
      return { kind: 'refuse', bytes, reason: 'AllowedAuthMethods: no method is enabled' };
    }
    this.#state = 'auth-choice';
    const bytes = new Uint8Array(AUTH_LIST_METHODS_OFFSET + list.length);
    bytes[AUTH_LIST_LENGTH_OFFSET] = list.length;
    for (let i = 0; i < list.length; i++) bytes[AUTH_LIST_METHODS_OFFSET + i] = list.charCodeAt(i);
    return { kind: 'send', bytes };
  }

  /** In place of the list of methods, or of ACCEPT when somebody else took the name meanwhile. */
  nameRefused(code: number): HandshakeStep {
    return refuse(
      code,
      code === RESULT_CODES.REJECT_NOT_UNIQUE ? 'private name: already in use at this daemon' : `result code ${code}`,
    );
  }

  /** The name is the client's now. @param privateName `#user#daemon` */
  nameAccepted(privateName: string): HandshakeStep {
    return this.#accept(privateName);
  }

  /** Answer to an `authenticate` step. */
  authenticated(method: AuthMethodName, success: boolean): HandshakeStep {
    const reply = method === 'PWORD' ? [success ? PASSWORD_RIGHT : 0] : [];
    if (!success) {
      const bytes = Uint8Array.of(...reply, RESULT_CODES.REJECT_AUTH & 0xff);
      return { kind: 'refuse', bytes, reason: `authentication ${method}: refused` };
    }
    if (reply.length > 0) {
      this.#state = 'checking';
      return { kind: 'send', bytes: Uint8Array.from(reply) };
    }
    return this.next();
  }

  /** The step after one that was only `send`. */
  next(): HandshakeStep {
    if (this.#state !== 'checking') return NEED_BYTES;
    const method = this.#pending.shift();
    if (method === undefined) {
      this.#state = 'registering';
      return { kind: 'register' };
    }
    if (method === 'NULL') return this.next();
    if (method === 'IP') return { kind: 'authenticate', method, credentials: null };
    this.#state = method === 'PWORD' ? 'password' : 'scram';
    return NEED_BYTES;
  }

  /** Answer to a `scram-begin` step. */
  challenged(challenge: ScramChallenge): HandshakeStep {
    this.#state = 'scram';
    return { kind: 'send', bytes: this.#scram!.challenge(challenge) };
  }

  /** Answer to a `scram-prove` step. @param signature of the daemon, in base64; null: the proof is wrong, or there is no such user */
  proven(signature: string | null): HandshakeStep {
    const dialog = this.#scram!;
    if (signature === null) return refuse(RESULT_CODES.REJECT_AUTH, 'authentication SCRAM-SHA-256: refused');
    this.#scram = null;
    this.#user = dialog.user;
    this.#state = 'checking';
    return { kind: 'send', bytes: dialog.answer(`v=${signature}`) };
  }

  /** What to say when time is up (section 1.3: no byte before AUTH, -9 in it); when it was this daemon's turn, that it is busy. */
  timedOut(timeoutMs: number): HandshakeStep {
    const reason = `handshake: not finished after ${timeoutMs} ms`;
    if (!this.waitsForClient) return this.busy(reason);
    if (this.#state === 'connect') return { kind: 'refuse', bytes: new Uint8Array(0), reason };
    return refuse(RESULT_CODES.REJECT_AUTH, reason);
  }

  /**
   * What to say to a client that there is no room or time for: -3, which libraries give to their program as REJECT_QUOTA. Where
   * they expect the verdict on a password first they get that byte too, because any other value of it means a wrong password to them.
   */
  busy(reason: string): HandshakeStep {
    const isPassword = this.#state === 'password' || (this.#state === 'verifying' && this.#scram === null);
    const verdict = isPassword ? [PASSWORD_RIGHT] : [];
    return { kind: 'refuse', bytes: Uint8Array.of(...verdict, RESULT_CODES.REJECT_QUOTA & 0xff), reason };
  }

  /** Moves bytes into the part being read until it is `length` long. */
  #take(bytes: Uint8Array, end: number, length: number): boolean {
    const take = Math.min(length - this.#partLength, end - this.consumed);
    if (take > 0) {
      this.#part.set(bytes.subarray(this.consumed, this.consumed + take), this.#partLength);
      this.#partLength += take;
      this.consumed += take;
    }
    return this.#partLength >= length;
  }

  #readConnect(bytes: Uint8Array, end: number): HandshakeStep {
    if (!this.#take(bytes, end, CONNECT_PATCH_OFFSET)) return NEED_BYTES;
    const part = this.#part;
    const base = signed(part[CONNECT_MAJOR_OFFSET]!) * 10_000 + signed(part[CONNECT_MINOR_OFFSET]!) * 100;
    this.#version = base;
    if (base < FIRST_SUPPORTED)
      return refuse(RESULT_CODES.REJECT_VERSION, `library version ${this.#versionText()}: must be 3.1.0 or later`);
    const hasPatch = base > FIRST_WITH_PATCH;
    // Without the patch all that follows is one byte further to the front.
    const missing = hasPatch ? 0 : 1;
    const fixed = CONNECT_FIXED_LENGTH - missing;
    if (!this.#take(bytes, end, fixed)) return NEED_BYTES;
    if (hasPatch) this.#version = base + signed(part[CONNECT_PATCH_OFFSET]!);
    const flags = signed(part[CONNECT_FLAGS_OFFSET - missing]!);
    const nameLength = signed(part[CONNECT_NAME_LENGTH_OFFSET - missing]!);
    if (nameLength < 0 || nameLength > MAX_PRIVATE_NAME_LENGTH) {
      return refuse(
        RESULT_CODES.REJECT_ILLEGAL_NAME,
        `private name length ${nameLength}: must be 0 to ${MAX_PRIVATE_NAME_LENGTH} bytes`,
      );
    }
    if (!this.#take(bytes, end, fixed + nameLength)) return NEED_BYTES;
    let name = '';
    for (let i = fixed; i < fixed + nameLength; i++) {
      const byte = part[i]!;
      if (byte < MIN_NAME_BYTE || byte > MAX_NAME_BYTE) {
        return refuse(
          RESULT_CODES.REJECT_ILLEGAL_NAME,
          `private name byte ${byte}: must be ${MIN_NAME_BYTE} to ${MAX_NAME_BYTE}`,
        );
      }
      name += String.fromCharCode(byte);
    }
    this.wantsMembership = flags > 0 && (flags & CONNECT_WANTS_MEMBERSHIP) !== 0;
    this.takesNotices = flags > 0 && (flags & CONNECT_TAKES_NOTICES) !== 0;
    this.#partLength = 0;
    this.#state = 'naming';
    return { kind: 'check-name', name, wantsMembership: this.wantsMembership };
  }

  #readAuthChoice(): HandshakeStep {
    this.#partLength = 0;
    const chosen: AuthMethodName[] = [];
    for (let field = 0; field < MAX_AUTH_METHODS; field++) {
      const name = text(
        this.#part,
        AUTH_CHOICE_METHOD_1_OFFSET + field * AUTH_NAME_FIELD_LENGTH,
        AUTH_NAME_FIELD_LENGTH,
      );
      if (name === '') break;
      const method = this.#policy.allowed.find((allowed) => allowed === name);
      if (method === undefined)
        return refuse(
          RESULT_CODES.REJECT_AUTH,
          `authentication method "${name}": is not one of ${this.#policy.allowed.join(', ')}`,
        );
      if (!chosen.includes(method)) chosen.push(method);
    }
    if (chosen.length === 0) return refuse(RESULT_CODES.REJECT_AUTH, 'authentication method: none was chosen');
    // A client that did not choose it says nothing, and would be waited for.
    if (this.#policy.required.includes('SCRAM-SHA-256') && !chosen.includes('SCRAM-SHA-256'))
      return refuse(RESULT_CODES.REJECT_AUTH, 'authentication method SCRAM-SHA-256: is required, and was not chosen');
    return this.#begin(chosen);
  }

  /**
   * Checks the chosen methods and the required ones, those with passwords last: a client refused by its address costs no hash, and does
   * not learn whether a password is right. Among those the client's order holds, in which it speaks.
   */
  #begin(chosen: readonly AuthMethodName[]): HandshakeStep {
    const all = [...chosen, ...this.#policy.required.filter((method) => !chosen.includes(method))];
    this.#pending = [...all.filter((one) => !INTERACTIVE.has(one)), ...all.filter((one) => INTERACTIVE.has(one))];
    this.#state = 'checking';
    return this.next();
  }

  #readPassword(): HandshakeStep {
    this.#partLength = 0;
    this.#state = 'verifying';
    const credentials = {
      user: text(this.#part, PASSWORD_USER_OFFSET, PASSWORD_SECRET_OFFSET - PASSWORD_USER_OFFSET),
      password: text(this.#part, PASSWORD_SECRET_OFFSET, PASSWORD_REQUEST_LENGTH - PASSWORD_SECRET_OFFSET),
    };
    this.#part.fill(0);
    if (this.#user !== null && this.#user !== credentials.user) {
      const bytes = Uint8Array.of(0, RESULT_CODES.REJECT_AUTH & 0xff);
      return { kind: 'refuse', bytes, reason: 'authentication PWORD: another user than that of SCRAM-SHA-256' };
    }
    this.#user = credentials.user;
    return { kind: 'authenticate', method: 'PWORD', credentials };
  }

  #readScram(bytes: Uint8Array, end: number): HandshakeStep {
    if (!this.#take(bytes, end, SCRAM_REQUEST_MESSAGE_OFFSET)) return NEED_BYTES;
    const length = this.#part[SCRAM_REQUEST_LENGTH_OFFSET]!;
    if (!this.#take(bytes, end, SCRAM_REQUEST_MESSAGE_OFFSET + length)) return NEED_BYTES;
    this.#partLength = 0;
    this.#state = 'verifying';
    this.#scram ??= new ScramDialog();
    const message = this.#part.subarray(SCRAM_REQUEST_MESSAGE_OFFSET, SCRAM_REQUEST_MESSAGE_OFFSET + length);
    const question = this.#scram.read(message);
    if (isProblem(question)) return refuse(RESULT_CODES.REJECT_AUTH, question.problem);
    if (this.#user !== null && this.#user !== this.#scram.user)
      return refuse(RESULT_CODES.REJECT_AUTH, 'authentication SCRAM-SHA-256: another user than that of PWORD');
    return question;
  }

  #accept(name: string): HandshakeStep {
    this.#state = 'done';
    const hasPatch = this.#version - (this.#version % 100) > FIRST_WITH_PATCH;
    const missing = hasPatch ? 0 : 1;
    const nameAt = ACCEPT_FIXED_LENGTH - missing;
    const bytes = new Uint8Array(nameAt + name.length);
    bytes[ACCEPT_CODE_OFFSET] = RESULT_CODES.ACCEPT_SESSION;
    bytes[ACCEPT_MAJOR_OFFSET] = PROTOCOL_VERSION.major;
    bytes[ACCEPT_MINOR_OFFSET] = PROTOCOL_VERSION.minor;
    if (hasPatch) bytes[ACCEPT_PATCH_OFFSET] = PROTOCOL_VERSION.patch;
    bytes[ACCEPT_NAME_LENGTH_OFFSET - missing] = name.length;
    for (let i = 0; i < name.length; i++) bytes[nameAt + i] = name.charCodeAt(i);
    return { kind: 'accept', bytes };
  }

  #versionText(): string {
    return `${Math.trunc(this.#version / 10_000)}.${Math.trunc(this.#version / 100) % 100}.${this.#version % 100}`;
  }
}

/** One signed byte, then the connection is closed. */
function refuse(code: number, reason: string): HandshakeStep {
  return { kind: 'refuse', bytes: Uint8Array.of(code & 0xff), reason };
}

const signed = (byte: number): number => (byte << 24) >> 24;

/** NUL-padded text field. */
function text(bytes: Uint8Array, start: number, length: number): string {
  let out = '';
  for (let i = start; i < start + length && bytes[i] !== 0; i++) out += String.fromCharCode(bytes[i]!);
  return out;
}
