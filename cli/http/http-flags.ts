/** Options that every command over HTTP has, and the daemon they lead to. */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { duration } from '../arguments.ts';
import { CliError, ExitCode } from '../exit.ts';
import { contextNamed } from './contexts.ts';
import { HttpDaemon } from './http-daemon.ts';

export interface HttpFlags {
  readonly http?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly context?: string;
  readonly timeout: number;
}

const DEFAULT_URL = 'http://127.0.0.1:4880/';
/** The token itself, for those who have it in their environment. */
const TOKEN_VARIABLE = 'SKEIN_HTTP_TOKEN';

export function addHttpOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--http <url>', `where the daemon serves HTTP (default: ${DEFAULT_URL})`)
        .argParser(httpUrl)
        .env('SKEIN_HTTP'),
    )
    .option('--token-file <file>', `file with the token; ${TOKEN_VARIABLE} has the token itself`)
    .option('--ca <file>', 'authorities that an HTTPS certificate is checked against, in PEM')
    .option('--context <name>', 'a named connection, see "skein context"')
    .addOption(new Option('--timeout <time>', 'time to wait for an answer').argParser(duration).default(5000, '5s'));
}

export function httpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.search !== '')
    throw new InvalidArgumentError('It must be a URL such as http://127.0.0.1:4880.');
  return url.href;
}

/** @throws CliError when a file cannot be read */
export function httpDaemon({ http, tokenFile, ca, context, timeout }: HttpFlags): HttpDaemon {
  const named = contextNamed(context);
  const tokenPath = tokenFile ?? (http === undefined ? named.tokenFile : undefined);
  const caPath = ca ?? named.ca;
  const token = tokenPath === undefined ? process.env[TOKEN_VARIABLE] : firstToken(tokenPath);
  return new HttpDaemon({
    url: http ?? named.http ?? DEFAULT_URL,
    token: token === undefined || token === '' ? null : token,
    ca: caPath === undefined ? null : readText(caPath),
    timeoutMs: timeout,
  });
}

/** The first line that is no comment: the file may be the daemon's own. */
function firstToken(path: string): string {
  const lines = readText(path).split('\n');
  const token = lines.map((line) => line.trim()).find((line) => line !== '' && !line.startsWith('#'));
  if (token === undefined) throw new CliError(`${path} has no token`, ExitCode.Usage);
  return token;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError(`${path} cannot be read: ${(error as Error).message}`, ExitCode.Usage, { cause: error });
  }
}
