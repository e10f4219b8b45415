/** Opening a session (client-protocol.md, sections 1.2 to 1.9). */

import {
  CONNECT_PRIORITY_SHIFT,
  CONNECT_TAKES_NOTICES,
  CONNECT_WANTS_MEMBERSHIP,
} from '../engine/wire/connect-flags.ts';
import { type PrivateName, privateName } from '../engine/wire/ids.ts';
import { AUTH_CHOICE_LENGTH, AUTH_CHOICE_METHOD_1_OFFSET } from '../engine/wire/layout/auth-choice.ts';
import {
  CONNECT_FIXED_LENGTH,
  CONNECT_FLAGS_OFFSET,
  CONNECT_MAJOR_OFFSET,
  CONNECT_MINOR_OFFSET,
  CONNECT_NAME_LENGTH_OFFSET,
  CONNECT_PATCH_OFFSET,
} from '../engine/wire/layout/connect-request.ts';
import { AUTH_NAME_FIELD_LENGTH, PROTOCOL_VERSION } from '../engine/wire/limits.ts';
import { RESULT_CODES } from '../engine/wire/result-codes.ts';
import { type AuthPlan, chooseAuth } from './auth.ts';
import type { AuthChannel, AuthMethod } from './auth-method.ts';
import { handshakeReject, SkeinError } from './errors.ts';

/** Version of the protocol that a daemon gives at login: 4.4.0 for Spread 4.4 and for this one. */
export interface DaemonVersion {
  /** 0 to 255. */
  readonly major: number;
  /** 0 to 255. */
  readonly minor: number;
  /** 0 to 255. */
  readonly patch: number;
}

export interface HandshakeRequest {
  /** Empty: the daemon invents one. Checked before. */
  readonly name: string;
  readonly membership: boolean;
  readonly priority: 0 | 1;
  readonly auth: AuthPlan;
}

export interface AcceptedSession {
  readonly privateName: PrivateName;
  readonly daemonVersion: DaemonVersion;
}

/** The C library gives up above this, with CONNECTION_CLOSED. */
const MAX_AUTH_LIST_LENGTH = 90;

/** CONNECT (1.3). */
function encodeConnect(request: HandshakeRequest): Uint8Array {
  const flags =
    (request.priority << CONNECT_PRIORITY_SHIFT) |
    (request.membership ? CONNECT_WANTS_MEMBERSHIP : 0) |
    CONNECT_TAKES_NOTICES;
  const { major, minor, patch } = PROTOCOL_VERSION;
  const connect = Buffer.alloc(CONNECT_FIXED_LENGTH + request.name.length);
  connect[CONNECT_MAJOR_OFFSET] = major;
  connect[CONNECT_MINOR_OFFSET] = minor;
  connect[CONNECT_PATCH_OFFSET] = patch;
  connect[CONNECT_FLAGS_OFFSET] = flags;
  connect[CONNECT_NAME_LENGTH_OFFSET] = request.name.length;
  connect.write(request.name, CONNECT_FIXED_LENGTH, 'latin1');
  return connect;
}

/** AUTH-CHOICE (1.5): always 90 bytes. */
function encodeAuthChoice(methods: readonly AuthMethod[]): Uint8Array {
  const choice = new Uint8Array(AUTH_CHOICE_LENGTH);
  for (const [field, method] of methods.entries())
    choice.set(Buffer.from(method.name, 'latin1'), AUTH_CHOICE_METHOD_1_OFFSET + field * AUTH_NAME_FIELD_LENGTH);
  return choice;
}

const signedByte = (bytes: Uint8Array): number => (bytes[0]! << 24) >> 24;

const before = (version: DaemonVersion, major: number, minor: number): boolean =>
  version.major < major || (version.major === major && version.minor < minor);

/**
 * Speaks the client's part, one write for each of its pieces and none before the daemon's answer to the last. Rejects
 * with the code the daemon gave, REJECT_AUTH when it does not offer a wanted method, REJECT_VERSION when it is too
 * old, CONNECTION_CLOSED when it closes or sends what no daemon sends.
 */
export async function performHandshake(channel: AuthChannel, request: HandshakeRequest): Promise<AcceptedSession> {
  channel.write(encodeConnect(request));
  const listLength = signedByte(await channel.read(1));
  if (listLength < 0) throw handshakeReject(listLength, 'its authentication methods', request.name);
  if (listLength > MAX_AUTH_LIST_LENGTH)
    throw new SkeinError(
      'CONNECTION_CLOSED',
      `the daemon's list of authentication methods has ${listLength} bytes, limit ${MAX_AUTH_LIST_LENGTH}`,
    );
  const offered = Buffer.from(await channel.read(listLength))
    .toString('latin1')
    .split(' ')
    .filter(Boolean);
  const chosen = chooseAuth(request.auth, offered);
  channel.write(encodeAuthChoice(chosen));
  for (const method of chosen) await method.exchange?.(channel);
  return readAccept(channel, request);
}

/** ACCEPT (1.7), whose pieces may arrive one by one. */
async function readAccept(channel: AuthChannel, request: HandshakeRequest): Promise<AcceptedSession> {
  const verdict = signedByte(await channel.read(1));
  if (verdict !== RESULT_CODES.ACCEPT_SESSION) throw handshakeReject(verdict, 'accepting the session', request.name);
  const [major, minor, patch, nameLength] = await channel.read(4);
  const daemonVersion = { major: major!, minor: minor!, patch: patch! };
  if (before(daemonVersion, 3, 1) || (request.priority > 0 && before(daemonVersion, 3, 8)))
    throw new SkeinError(
      'REJECT_VERSION',
      `daemon version ${major}.${minor}.${patch}: must be at least ${request.priority > 0 ? '3.8 for priority 1' : '3.1'}`,
    );
  const name = Buffer.from(await channel.read(nameLength!)).toString('latin1');
  const parts = /^#([^#]+)#([^#]+)$/.exec(name);
  if (parts === null)
    throw new SkeinError(
      'CONNECTION_CLOSED',
      `the daemon gave the private name ${JSON.stringify(name)}, not #user#daemon`,
    );
  return { privateName: privateName(parts[1]!, parts[2]!), daemonVersion };
}
