/** What is kept of a password, for each method: one line of its file. */
import { createHash, createHmac, pbkdf2, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { MAX_SCRYPT_BYTES, MAX_USER_LENGTH, type PasswordEntry } from '../../engine/config/password-file.ts';
import {
  DEFAULT_SCRAM_COST,
  parseScramFile,
  SCRAM_SECRET_BYTES,
  type ScramEntry,
  scramLine,
  scramSecretLine,
  userOfLine,
} from '../../engine/config/scram-file.ts';
import { SCRAM_KEY_BYTES } from '../../engine/wire/scram-limits.ts';
import { normalPassword, normalUser, SCRAM_PASSWORD_LIMIT, SCRAM_USER_LIMIT } from '../../engine/wire/scram-text.ts';
import { CliError, ExitCode } from '../exit.ts';
import { counted } from '../text.ts';

/** KiB of memory, nearly. */
export const SCRYPT_COSTS = [16_384, 32_768, 65_536, 131_072, 262_144] as const;
/** The exchange of PWORD has so many bytes for it (client-protocol.md, section 1.6). */
const MAX_PWORD_BYTES = 8;
const BLOCK_SIZE = 8;
const SCRYPT_SALT_BYTES = 16;
const SCRYPT_KEY_BYTES = 32;

export interface PasswordKeeper {
  /** @returns the name as the file has it. @throws CliError */
  checkUser(user: string): string;
  /** @throws CliError, without the password */
  checkPassword(password: string): void;
  lineFor(user: string, password: string): Promise<string>;
  /** Null: the line is of no user. */
  userOf(line: string): string | null;
  /** With what every such file has. */
  complete(lines: readonly string[]): readonly string[];
}

export const scramKeeper = (iterations: number): PasswordKeeper => ({
  checkUser(user) {
    const name = normalUser(user);
    if (name === null) throw new CliError(`user ${JSON.stringify(user)}: must be ${SCRAM_USER_LIMIT}`, ExitCode.Usage);
    return name;
  },
  checkPassword(password) {
    if (normalPassword(password) === null)
      throw new CliError(`the password must be ${SCRAM_PASSWORD_LIMIT}`, ExitCode.Usage);
  },
  lineFor: async (user, password) => scramLine(await scramEntry(user, password, iterations)),
  userOf: userOfLine,
  complete(lines) {
    if (parseScramFile(lines.join('\n')).secret !== null) return lines;
    return [
      '# Made by "skein passwd". Give all daemons the same file.',
      scramSecretLine(randomBytes(SCRAM_SECRET_BYTES).toString('base64')),
      ...lines,
    ];
  },
});

/** @param cost scrypt's N */
export const pwordKeeper = (cost: number): PasswordKeeper => ({
  checkUser(user) {
    if (/^[!-9;-~]+$/.test(user) && user.length <= MAX_USER_LENGTH && !user.startsWith('#')) return user;
    throw new CliError(
      `user ${JSON.stringify(user)}: must be 1 to ${MAX_USER_LENGTH} printable ASCII characters without blanks or ":", not starting with "#"`,
      ExitCode.Usage,
    );
  },
  checkPassword(password) {
    const bytes = Buffer.byteLength(password);
    if (bytes < 1 || bytes > MAX_PWORD_BYTES)
      throw new CliError(
        `the password has ${counted(bytes, 'byte')}, must have 1 to ${MAX_PWORD_BYTES}: the protocol carries no more`,
        ExitCode.Usage,
      );
  },
  lineFor: async (user, password) => passwordLine(await passwordEntry(user, password, cost)),
  userOf(line) {
    const colon = line.trim().indexOf(':');
    return colon < 1 || line.trim().startsWith('#') ? null : line.trim().slice(0, colon);
  },
  complete: (lines) => lines,
});

/** @param user normalised */
export async function scramEntry(user: string, password: string, iterations: number): Promise<ScramEntry> {
  const salt = randomBytes(DEFAULT_SCRAM_COST.saltBytes);
  const salted = await promisify(pbkdf2)(normalPassword(password)!, salt, iterations, SCRAM_KEY_BYTES, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  return {
    user,
    iterations,
    salt: salt.toString('base64'),
    storedKey: createHash('sha256').update(clientKey).digest('base64'),
    serverKey: createHmac('sha256', salted).update('Server Key').digest('base64'),
  };
}

/** @param cost scrypt's N */
export async function passwordEntry(user: string, password: string, cost: number): Promise<PasswordEntry> {
  const salt = randomBytes(SCRYPT_SALT_BYTES);
  const key = await promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
    scrypt,
  )(
    password,
    salt,
    SCRYPT_KEY_BYTES,
    // The memory for N and r alone is the limit of the file; scrypt wants a little more.
    { N: cost, r: BLOCK_SIZE, p: 1, maxmem: MAX_SCRYPT_BYTES + 1024 * 1024 },
  );
  const parameters = { cost, blockSize: BLOCK_SIZE, parallelization: 1 };
  return { user, ...parameters, salt: salt.toString('base64'), hash: key.toString('base64') };
}

export const passwordLine = ({ user, cost, blockSize, parallelization, salt, hash }: PasswordEntry): string =>
  `${user}:scrypt$${cost}$${blockSize}$${parallelization}$${salt}$${hash}`;
