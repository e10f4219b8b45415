/** Options of the commands that watch a daemon, over HTTP or the client port. */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { fileReason } from '../../daemon/file-reason.ts';
import { duration } from '../arguments.ts';
import { authOption, type ConnectionFlags, openSession } from '../connection.ts';
import { CliError, ExitCode } from '../exit.ts';
import { type Context, contextNamed } from '../http/contexts.ts';
import { HttpDaemon } from './http-daemon.ts';
import { PortDaemon } from './port-daemon.ts';
import { NoAnswer, type WatchedDaemon } from './watched-daemon.ts';

export interface WatchFlags extends Omit<ConnectionFlags, 'connectTimeout' | 'name'> {
  readonly http?: string;
  readonly tokenFile?: string;
  readonly timeout: number;
}

const DEFAULT_URL = 'http://127.0.0.1:4880/';
/** Environment variable with the token itself. */
const TOKEN_VARIABLE = 'SKEIN_HTTP_TOKEN';

/** Of commands over HTTP alone. */
export type HttpFlags = Pick<WatchFlags, 'http' | 'tokenFile' | 'ca' | 'cert' | 'key' | 'context' | 'timeout'>;

export function addHttpOptions(command: Command): Command {
  return command
    .addOption(httpOption())
    .option('--token-file <file>', `file with the token; ${TOKEN_VARIABLE} has the token itself`)
    .option('--context <name>', 'a named connection, see "skein context"')
    .option('--ca <file>', 'authorities that an HTTPS certificate is checked against, in PEM')
    .option('--cert <file>', 'certificate of this client, in place of a token (PEM)')
    .option('--key <file>', 'its key (PEM)')
    .addOption(new Option('--timeout <time>', 'time to wait for an answer').argParser(duration).default(5000, '5s'));
}

const httpOption = (): Option =>
  new Option('--http <url>', `where the daemon serves HTTP, also HOST:PORT (default: ${DEFAULT_URL})`)
    .argParser(httpUrl)
    .env('SKEIN_HTTP');

export function addWatchOptions(command: Command): Command {
  return command
    .addOption(httpOption())
    .option('--token-file <file>', `file with the token; ${TOKEN_VARIABLE} has the token itself`)
    .addOption(
      new Option('-s, --spread <address>', 'in place of HTTP: where the daemon takes clients').env('SKEIN_ADDRESS'),
    )
    .option('--context <name>', 'a named connection, see "skein context"')
    .addOption(authOption())
    .option('--login <user>', 'authenticate by password, from SKEIN_PASSWORD or a prompt')
    .option('--tls', 'encrypt with TLS; the same as tls://HOST:PORT')
    .option('--ca <file>', 'authorities of TLS and HTTPS (PEM) in place of those of the system')
    .option('--cert <file>', 'certificate of this client (PEM)')
    .option('--key <file>', 'its key (PEM)')
    .addOption(new Option('--timeout <time>', 'time to wait for an answer').argParser(duration).default(5000, '5s'));
}

const DEFAULT_HTTP_PORT = 4880;

/** A URL, `HOST:PORT`, `HOST` or `PORT`. */
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

/**
 * The daemon that the flags name. @throws (rejects) CliError when a file cannot be read, or the flags contradict each other
 * @param command tells which flags are from the command line
 */
export async function watchedDaemon(flags: WatchFlags, command: Command): Promise<WatchedDaemon> {
  const isGiven = (name: string): boolean => command.getOptionValueSourceWithGlobals(name) === 'cli';
  if (isGiven('http') && isGiven('spread')) throw new CliError('give --http or --spread, not both', ExitCode.Usage);
  const named = contextNamed(flags.context);
  const hasLogin = flags.tls === true || flags.login !== undefined || flags.cert !== undefined;
  if (isGiven('http')) return httpDaemon(flags, named);
  if (isGiven('spread') || hasLogin) return portDaemon(flags, named);
  if (flags.http !== undefined) return httpDaemon(flags, named);
  if (flags.spread !== undefined) return portDaemon(flags, named);
  if (named.http !== undefined) return httpDaemon(flags, named);
  if (named.spread !== undefined) return portDaemon(flags, named);
  return whicheverAnswers(httpDaemon(flags, named), portDaemon(flags, named));
}

/** The same for commands that change a daemon: over HTTP, with a token that may. @throws CliError when a file cannot be read */
export const administeredDaemon = (flags: HttpFlags): HttpDaemon =>
  httpDaemon(flags, contextNamed(flags.context), 'admin');

/** Without an address: the daemon of this machine, over HTTP if it serves that. */
async function whicheverAnswers(http: HttpDaemon, port: PortDaemon): Promise<WatchedDaemon> {
  try {
    await http.status();
    return http;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
  }
  try {
    await port.status();
    return port;
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    await port.close();
    return http;
  }
}

function httpDaemon(
  { http, tokenFile, ca, cert, key, timeout }: WatchFlags,
  named: Context,
  right: 'read' | 'admin' = 'read',
): HttpDaemon {
  const tokenPath = tokenFile ?? (http === undefined ? named.tokenFile : undefined);
  const caPath = ca ?? named.ca;
  const token = tokenPath === undefined ? process.env[TOKEN_VARIABLE] : tokenIn(tokenPath, right);
  return new HttpDaemon({
    url: http ?? named.http ?? DEFAULT_URL,
    token: token === undefined || token === '' ? null : token,
    ca: caPath === undefined ? null : readText(caPath),
    cert: cert === undefined ? null : readText(cert),
    key: key === undefined ? null : readText(key),
    timeoutMs: timeout,
  });
}

function portDaemon(flags: WatchFlags, named: Context): PortDaemon {
  const spread = flags.spread ?? named.spread;
  return new PortDaemon({
    label: spread ?? 'the daemon of this machine',
    timeoutMs: flags.timeout,
    open: () =>
      openSession(
        { ...flags, ...(spread === undefined ? {} : { spread }), connectTimeout: flags.timeout },
        { membership: false },
      ),
  });
}

/** The file may be the daemon's own, with comments and rights. The first line is taken, for `admin` the first that has that right. */
function tokenIn(path: string, right: 'read' | 'admin'): string {
  const lines = readText(path)
    .split('\n')
    .map((line) => line.trim().split(/[ \t]+/))
    .filter(([token = '']) => token !== '' && !token.startsWith('#'));
  const line = lines.find(([, granted]) => right === 'read' || granted === right) ?? lines[0];
  if (line === undefined) throw new CliError(`${path} has no token`, ExitCode.Usage);
  return line[0]!;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError(`${path} cannot be read: ${fileReason(error)}`, ExitCode.Usage, { cause: error });
  }
}
