import { type Command, Option } from 'commander';
import { secretModeProblem } from '../daemon/secret-mode.ts';
import { parsePasswordFile } from '../engine/config/password-file.ts';
import { DEFAULT_SCRAM_COST, parseScramFile } from '../engine/config/scram-file.ts';
import { MAX_SCRAM_USER_LENGTH, SCRAM_ITERATIONS } from '../engine/wire/scram-limits.ts';
import { integer } from './arguments.ts';
import { CliError, ExitCode } from './exit.ts';
import { pwordKeeper, SCRYPT_COSTS, scramKeeper } from './passwords/password-keepers.ts';
import { readSecret } from './secret.ts';
import { changeSecretFile } from './secret-file.ts';

const HELP = `
A user without a line gets one, and the line of another is replaced. ScramFile
names the file, for the method SCRAM-SHA-256; with --method PWORD it is the one
that PasswordFile names. A new file is for its owner only; one that others can
read is refused. The password is asked for twice, or is the first line of
standard input. A daemon goes by the new file after a reload (SIGHUP).

Examples:
  skein passwd /etc/skein/scram alice
  skein passwd /etc/skein/scram alice --stdin < secret
  skein passwd /etc/skein/scram alice --delete
  skein passwd spread.access_pword bob --method PWORD`;

type Method = 'SCRAM-SHA-256' | 'PWORD';
const METHODS: readonly Method[] = ['SCRAM-SHA-256', 'PWORD'];

interface PasswdFlags {
  readonly method: Method;
  readonly stdin?: true;
  readonly delete?: true;
  readonly iterations?: number;
  readonly cost?: string;
}

export function registerPasswd(program: Command): void {
  program
    .command('passwd')
    .description('set the password of a user in a file of a daemon')
    .argument('<file>', 'made when it is missing')
    .argument('<user>', `1 to ${MAX_SCRAM_USER_LENGTH} bytes without blanks or ":"; for PWORD, of ASCII`)
    .addOption(new Option('--method <method>', 'that the file is for').choices(METHODS).default('SCRAM-SHA-256'))
    .option('--stdin', 'take the first line of standard input, also of a terminal, and do not ask')
    .option('--delete', 'remove the user')
    .addOption(
      new Option(
        '--iterations <n>',
        `of SCRAM-SHA-256: cost of a guess, and of a login at its client (default: ${DEFAULT_SCRAM_COST.iterations})`,
      ).argParser(integer(SCRAM_ITERATIONS.min, SCRAM_ITERATIONS.max)),
    )
    .addOption(
      new Option(
        '--cost <n>',
        `of PWORD: scrypt cost of a login or a guess: KiB of memory, and time (default: ${SCRYPT_COSTS[0]})`,
      ).choices(SCRYPT_COSTS.map(String)),
    )
    .addHelpText('after', HELP)
    .action(passwd);
}

async function passwd(file: string, user: string, flags: PasswdFlags): Promise<void> {
  checkFlags(flags);
  const keeper =
    flags.method === 'PWORD'
      ? pwordKeeper(Number(flags.cost ?? SCRYPT_COSTS[0]))
      : scramKeeper(flags.iterations ?? DEFAULT_SCRAM_COST.iterations);
  const name = keeper.checkUser(user);
  if (flags.delete === true) {
    await changeSecretFile(file, 'passwd', (text, mode) => {
      const lines = linesOf(file, text, mode, flags.method);
      const others = lines.filter((line) => keeper.userOf(line) !== name);
      if (others.length === lines.length) throw new CliError(`${file} has no user ${JSON.stringify(name)}`);
      return textOf(others);
    });
    process.stdout.write(`${file}: user ${JSON.stringify(name)} removed; send every daemon with this file SIGHUP\n`);
    return;
  }
  const password = await askPassword(name, flags.stdin === true);
  keeper.checkPassword(password);
  await changeSecretFile(file, 'passwd', async (text, mode) => {
    const before = linesOf(file, text, mode, flags.method);
    const at = before.findIndex((one) => keeper.userOf(one) === name);
    const lines = before.filter((one) => keeper.userOf(one) !== name);
    lines.splice(at === -1 ? lines.length : at, 0, await keeper.lineFor(name, password));
    return textOf(keeper.complete(lines));
  });
  process.stdout.write(
    `${file}: password of user ${JSON.stringify(name)} set; send every daemon with this file SIGHUP\n`,
  );
}

function checkFlags({ method, iterations, cost, stdin, delete: isDelete }: PasswdFlags): void {
  const misfit =
    method === 'PWORD' && iterations !== undefined
      ? '--iterations is of SCRAM-SHA-256: use --cost with --method PWORD'
      : method !== 'PWORD' && cost !== undefined
        ? '--cost is of --method PWORD: use --iterations'
        : isDelete === true && (stdin === true || iterations !== undefined || cost !== undefined)
          ? '--delete needs no password: leave --stdin, --iterations and --cost out'
          : null;
  if (misfit !== null) throw new CliError(misfit, ExitCode.Usage);
}

async function askPassword(user: string, isFromInput: boolean): Promise<string> {
  const password = await readSecret(`Password of ${user}: `, isFromInput);
  if (isFromInput || process.stdin.isTTY !== true) return password;
  if ((await readSecret('The same again: ')) !== password) throw new CliError('the two passwords differ');
  return password;
}

/** Of the file. What is wrong in it is told, and stays; a file of the other method is refused. */
function linesOf(file: string, text: string | null, mode: number, method: Method): readonly string[] {
  if (text === null) return [];
  const problem = secretModeProblem(mode, 'what is kept of passwords');
  if (problem !== null) throw new CliError(`${file}: ${problem}`);
  const lines = text.split('\n').filter((line, i, all) => line !== '' || i < all.length - 1);
  const other = lines.findIndex((line) => /^[^#:][^:]*:(?:scrypt|SCRAM-SHA-256)\$/.test(line) && isOf(line) !== method);
  if (other !== -1)
    throw new CliError(`${file}:${other + 1}: is a line of the method ${isOf(lines[other]!)}; give that with --method`);
  const { problems } = method === 'PWORD' ? parsePasswordFile(text) : parseScramFile(text);
  for (const { line, message } of problems) process.stderr.write(`warning: ${file}:${line}: ${message}\n`);
  return lines;
}

const isOf = (line: string): Method => (line.includes(':scrypt$') ? 'PWORD' : 'SCRAM-SHA-256');

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
