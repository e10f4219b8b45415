import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_SOCKET_DIRECTORY, resolveAddress } from '../client/address.ts';
import { CliError, ExitCode } from './exit.ts';
import {
  CONTEXT_NAME_LIMIT,
  type Context,
  contextsFile,
  isContextName,
  readContexts,
  writeContexts,
} from './http/contexts.ts';
import { table } from './text.ts';
import { httpUrl } from './watch/watch-flags.ts';

const HELP = `
A context is a named connection: where a daemon serves HTTP, with which token,
and where clients connect. "top", "events", "check", and all commands with a
session use the current one, or the one that --context names; options and
environment variables override it. They are kept in
$XDG_CONFIG_HOME/skein/contexts.json (~/.config without that), mode 0600.

Examples:
  skein context add berlin --http http://10.0.0.1:4880 --token-file ~/.token
  skein context use berlin
  skein top --context paris`;

interface AddFlags {
  readonly http?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly spread?: string;
  readonly use?: true;
}

export function registerContext(program: Command): void {
  const context = program.command('context').description('name connections, and choose one').addHelpText('after', HELP);
  context
    .command('add')
    .description('add a context, or replace the one of that name')
    .argument('<name>', 'letters, digits, dots, dashes and underscores', contextName)
    .option('--http <url>', 'where the daemon serves HTTP (HttpListen), also HOST:PORT', httpUrl)
    .option('--token-file <file>', 'file with the token for it')
    .option('--ca <file>', 'authorities for HTTPS, in PEM')
    .option('-s, --spread <address>', 'where clients connect')
    .option('--use', 'make it the current one, as the first one always is')
    .action(add);
  context.command('use').description('make a context the current one').argument('<name>', '', contextName).action(use);
  context.command('list').description('list all contexts').option('--json', 'print JSON').action(list);
  context.command('remove').description('forget a context').argument('<name>', '', contextName).action(remove);
}

function contextName(name: string): string {
  if (!isContextName(name)) throw new InvalidArgumentError(CONTEXT_NAME_LIMIT);
  return name;
}

function add(name: string, { http, tokenFile, ca, spread, use: becomesCurrent }: AddFlags): void {
  if (http === undefined && spread === undefined)
    throw new CliError('give --http or --spread, or both: a context says where to connect', ExitCode.Usage);
  if (spread !== undefined) resolveAddress(spread, DEFAULT_SOCKET_DIRECTORY);
  // Commands run in any folder, so paths are absolute.
  const added: Context = {
    ...(http === undefined ? {} : { http }),
    ...(tokenFile === undefined ? {} : { tokenFile: resolve(tokenFile) }),
    ...(ca === undefined ? {} : { ca: resolve(ca) }),
    ...(spread === undefined ? {} : { spread }),
  };
  const { current, contexts } = readContexts();
  const isCurrent = becomesCurrent === true || current === null;
  writeContexts({ current: isCurrent ? name : current, contexts: { ...contexts, [name]: added } });
  process.stdout.write(`${name}: ${isCurrent ? 'the current context' : 'added'}\n`);
}

function use(name: string): void {
  const { contexts } = readContexts();
  known(name, contexts);
  writeContexts({ current: name, contexts });
  process.stdout.write(`${name}: the current context\n`);
}

function remove(name: string): void {
  const { current, contexts } = readContexts();
  known(name, contexts);
  const { [name]: _, ...rest } = contexts;
  writeContexts({ current: current === name ? null : current, contexts: rest });
  process.stdout.write(`${name}: removed\n`);
}

function list({ json }: { readonly json?: true }): void {
  const { current, contexts } = readContexts();
  const entries = Object.entries(contexts);
  if (json === true) {
    const rows = entries.map(([name, context]) => ({ name, isCurrent: name === current, ...context }));
    process.stdout.write(`${JSON.stringify(rows)}\n`);
  } else if (entries.length === 0) process.stdout.write(`${contextsFile()} has no context\n`);
  else {
    const rows = entries.map(([name, { http, tokenFile, spread }]) => [
      name === current ? '*' : '',
      name,
      http ?? '-',
      tokenFile ?? '-',
      spread ?? '-',
    ]);
    process.stdout.write(`${table([['', 'context', 'http', 'token file', 'spread'], ...rows], [0, 1, 2, 3, 4])}\n`);
  }
}

function known(name: string, contexts: Readonly<Record<string, Context>>): void {
  if (Object.hasOwn(contexts, name)) return;
  throw new CliError(
    `there is no context "${name}"; there are: ${Object.keys(contexts).join(', ') || 'none'}`,
    ExitCode.Usage,
  );
}
