import { randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { type Command, Option } from 'commander';
import { MAX_SCRYPT_BYTES, MAX_USER_LENGTH, type PasswordEntry } from '../engine/config/password-file.ts';
import { CliError, ExitCode } from './exit.ts';
import { readSecret } from './secret.ts';
import { counted } from './text.ts';

/** Limit of the password exchange (client-protocol.md, section 1.6). */
const MAX_PASSWORD_BYTES = 8;
const BLOCK_SIZE = 8;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const DEFAULT_COST = 16_384;
const COSTS = [DEFAULT_COST, 32_768, 65_536, 131_072, 262_144] as const;

const HELP = `
Append the line to the file that PasswordFile names (default:
spread.access_pword). A daemon reads it at its start when AllowedAuthMethods or
RequiredAuthMethods name PWORD. The password is asked for twice, or is the first
line of standard input.

Example:
  skein passwd alice >> spread.access_pword`;

export function registerPasswd(program: Command): void {
  program
    .command('passwd')
    .description('make a line for a password file')
    .argument('<user>', `1 to ${MAX_USER_LENGTH} printable ASCII characters without blanks or ":"`)
    .addOption(
      new Option('--cost <n>', 'scrypt cost of a login or a guess: KiB of memory, and time')
        .choices(COSTS.map(String))
        .default(String(DEFAULT_COST)),
    )
    .addHelpText('after', HELP)
    .action(passwd);
}

async function passwd(user: string, flags: { readonly cost: string }): Promise<void> {
  checkUser(user);
  const password = await readSecret(`Password of ${user}: `);
  checkPassword(password);
  if (process.stdin.isTTY === true && (await readSecret('The same again: ')) !== password)
    throw new CliError('the two passwords differ');
  process.stdout.write(`${passwordLine(await passwordEntry(user, password, Number(flags.cost)))}\n`);
}

function checkUser(user: string): void {
  if (!/^[!-9;-~]+$/.test(user) || user.length > MAX_USER_LENGTH || user.startsWith('#'))
    throw new CliError(
      `user ${JSON.stringify(user)}: must be 1 to ${MAX_USER_LENGTH} printable ASCII characters without blanks or ":", not starting with "#"`,
      ExitCode.Usage,
    );
}

function checkPassword(password: string): void {
  const bytes = Buffer.byteLength(password);
  if (bytes < 1 || bytes > MAX_PASSWORD_BYTES)
    throw new CliError(
      `the password has ${counted(bytes, 'byte')}, must have 1 to ${MAX_PASSWORD_BYTES}: the protocol carries no more`,
      ExitCode.Usage,
    );
}

/** @param cost scrypt's N */
export async function passwordEntry(user: string, password: string, cost: number): Promise<PasswordEntry> {
  const salt = randomBytes(SALT_BYTES);
  const key = await promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
    scrypt,
  )(
    password,
    salt,
    KEY_BYTES,
    // The file's limit covers the memory for N and r; scrypt needs a little more.
    { N: cost, r: BLOCK_SIZE, p: 1, maxmem: MAX_SCRYPT_BYTES + 1024 * 1024 },
  );
  const parameters = { cost, blockSize: BLOCK_SIZE, parallelization: 1 };
  return { user, ...parameters, salt: salt.toString('base64'), hash: key.toString('base64') };
}

export const passwordLine = ({ user, cost, blockSize, parallelization, salt, hash }: PasswordEntry): string =>
  `${user}:scrypt$${cost}$${blockSize}$${parallelization}$${salt}$${hash}`;
