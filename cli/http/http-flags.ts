/** Options that every command over HTTP has, and the daemon they lead to. */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { fileReason } from '../../daemon/file-reason.ts';
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
      new Option('--http <url>', `where the daemon serves HTTP, also HOST:PORT (default: ${DEFAULT_URL})`)
        .argParser(httpUrl)
        .env('SKEIN_HTTP'),
    )
    .option('--token-file <file>', `file with the token; ${TOKEN_VARIABLE} has the token itself`)
    .option('--ca <file>', 'authorities that an HTTPS certificate is checked against, in PEM')
    .option('--context <name>', 'a named connection, see "skein context"')
    .addOption(new Option('--timeout <time>', 'time to wait for an answer').argParser(duration).default(5000, '5s'));
}

const DEFAULT_HTTP_PORT = 4880;

/** A URL, or as HttpListen has it: `HOST:PORT`, `[::1]:4880`; also `HOST` and `PORT` alone. */
export function httpUrl(text: string): string {
  const written = text.includes('://') ? text : `http://${withHostAndPort(text)}`;
  const url = URL.canParse(written) ? new URL(written) : null;
  if (url === null || !isDaemonUrl(url))
    throw new InvalidArgumentError('It must be a URL such as http://127.0.0.1:4880, HOST:PORT, HOST or PORT.');
  return url.href;
}

const isDaemonUrl = ({ protocol, username, password, search, hash }: URL): boolean =>
  (protocol === 'http:' || protocol === 'https:') && `${username}${password}${search}${hash}` === '';

function withHostAndPort(text: string): string {
  const port = /^:?(\d{1,5})$/.exec(text)?.[1];
  if (port !== undefined) return `127.0.0.1:${port}`;
  const bare = /^[0-9a-f:]*:[0-9a-f]*:[0-9a-f:.]*$/i.test(text) ? `[${text}]` : text;
  return /:\d+(\/|$)/.test(bare.replace(/^\[.*?\]/, '')) ? bare : bare.replace(/^[^/]*/, `$&:${DEFAULT_HTTP_PORT}`);
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
    throw new CliError(`${path} cannot be read: ${fileReason(error)}`, ExitCode.Usage, { cause: error });
  }
}
