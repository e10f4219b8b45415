import { type Command, Option } from 'commander';
import { checkTarget } from '../client/check-names.ts';
import type {
  AccessLine,
  AccessRight,
  AccessRules,
  AccessSubject,
  AccessVerdict,
} from '../engine/access/access-rules.ts';
import { groupName } from './arguments.ts';
import { CliError, ExitCode, QuietExit } from './exit.ts';
import { counted } from './text.ts';

const HELP = `
FILE is an AccessFile. The options describe the client: without --user it has
logged in without one, without --address and --unix its address is unknown. A
private name may be written without its first #.

The exit code is 0 when the request is allowed, 1 when it is refused, and 2 for
wrong arguments or a file with a mistake.

Examples:
  skein access check access.rules --user alice --join web.404
  skein access check access.rules --user alice --address 10.1.2.3 --send news
  skein access check access.rules --unix --private bob#host1
  skein access check access.rules --certificate ops.example.org --admin`;

interface CheckFlags {
  readonly user?: string;
  readonly certificate?: string;
  readonly address?: string;
  readonly unix?: true;
  readonly join?: string;
  readonly send?: string;
  readonly private?: string;
  readonly admin?: string | true;
  readonly json?: true;
}

interface Question {
  readonly right: AccessRight;
  readonly target: string;
}

export function registerAccess(program: Command): void {
  const access = program.command('access').description('explain what an access file allows');
  access
    .command('check')
    .description('tell whether a client may do something, and by which line')
    .argument('<file>', 'access file')
    .option('--user <name>', 'user that it has logged in as')
    .option('--certificate <name>', 'common name of its certificate')
    .option('--address <ip>', 'IP address that it comes from')
    .addOption(new Option('--unix', 'it comes over the Unix socket').conflicts('address'))
    .addOption(new Option('--join <group>', 'may it join this group?').argParser(groupName))
    .addOption(new Option('--send <group>', 'may it send to this group?').argParser(groupName))
    .option('--private <name>', 'may it send to this private name, such as bob#host1?')
    .addOption(new Option('--admin [group]', 'may it administer the daemon, or this group?').argParser(groupName))
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(check);
}

async function check(file: string, flags: CheckFlags): Promise<void> {
  const { parseAddress } = await import('../engine/access/address-range.ts');
  const question = questionOf(flags);
  const { user = null, certificate = null, address = null } = flags;
  if (address !== null && parseAddress(address) === null)
    throw new CliError(`--address ${address}: must be an IP address, such as 10.1.2.3`, ExitCode.Usage);
  const subject: AccessSubject = { user, certificate, address, isUnix: flags.unix === true };
  const rules = await readRules(file);
  const { verdict, linesFor } = await import('../engine/access/access-rules.ts');
  const answer = verdict(rules, subject, question.right, question.target);
  const lines = linesFor(rules, subject);
  if (flags.json === true) {
    const { line, pattern, isAllowed } = answer;
    const decided = { line: line?.line ?? null, text: line?.text ?? null, pattern };
    process.stdout.write(
      `${JSON.stringify({ file, ...subject, ...question, allowed: isAllowed, ...decided, applies: lines.map((one) => one.line) }, null, 2)}\n`,
    );
  } else process.stdout.write(`${explained(file, rules.lines.length, lines, subject, question, answer)}\n`);
  if (!answer.isAllowed) throw new QuietExit(ExitCode.Failure);
}

async function readRules(file: string): Promise<AccessRules> {
  const { readTextFile } = await import('../daemon/text-file.ts');
  const { parseAccessFile } = await import('../engine/access/access-file.ts');
  const text = await readTextFile(file).catch((error: Error) => {
    throw new CliError(error.message, ExitCode.Usage, { cause: error });
  });
  return parseAccessFile(text, file).rules;
}

function questionOf(flags: CheckFlags): Question {
  const asked: Question[] = [];
  if (flags.join !== undefined) asked.push({ right: 'join', target: flags.join });
  if (flags.send !== undefined) asked.push({ right: 'send', target: flags.send });
  if (flags.private !== undefined) asked.push({ right: 'private', target: privateTarget(flags.private) });
  if (flags.admin !== undefined) asked.push({ right: 'admin', target: flags.admin === true ? '' : flags.admin });
  if (asked.length === 1) return asked[0]!;
  throw new CliError('one of --join, --send, --private and --admin is needed, and only one', ExitCode.Usage);
}

/** Adds the first `#` where it is missing. @throws SkeinError that names what is wrong with the name */
function privateTarget(text: string): string {
  const name = text.startsWith('#') ? text : `#${text}`;
  checkTarget(name);
  return name;
}

function explained(
  file: string,
  lineCount: number,
  lines: readonly AccessLine[],
  subject: AccessSubject,
  { right, target }: Question,
  { isAllowed, line, pattern }: AccessVerdict,
): string {
  const wanted = right === 'admin' && target === '' ? 'admin of the daemon' : `${right} ${target}`;
  const who = clientText(subject);
  if (isAllowed)
    return `allowed: ${wanted}, for ${who}\n${file}:${line!.line}: ${line!.text}\n  by ${right} ${pattern!}`;
  const why =
    lines.length === 0
      ? `none of the ${counted(lineCount, 'line')} is for this client`
      : `${counted(lines.length, 'line')} for this client, and none allows it:`;
  return [
    `refused: ${wanted}, for ${who}`,
    `${file}: ${why}`,
    ...lines.map((one) => `  ${one.line}: ${one.text}`),
  ].join('\n');
}

function clientText({ user, certificate, address, isUnix }: AccessSubject): string {
  const parts = [user === null ? 'a client without a user' : `user ${user}`];
  if (certificate !== null) parts.push(`with certificate ${certificate}`);
  if (address !== null) parts.push(`at ${address}`);
  if (isUnix) parts.push('on the Unix socket');
  return parts.join(' ');
}
