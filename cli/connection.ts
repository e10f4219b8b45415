/** Connection options of the commands that open a session. */
import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import {
  type AuthOption,
  connect,
  type PasswordMethodName,
  type Session,
  SkeinError,
  type TlsOptions,
} from '../client/index.ts';
import { fileReason } from '../daemon/file-reason.ts';
import { integer } from './arguments.ts';
import { CliError, ExitCode } from './exit.ts';
import { contextNamed } from './http/contexts.ts';
import { readSecret } from './secret.ts';

export interface ConnectionFlags {
  /** Spread's address string; absent: the default Unix socket, then the default TCP port. */
  readonly spread?: string;
  /** Private name; absent: the daemon invents one. */
  readonly name?: string;
  /** Absent: SCRAM-SHA-256 with a user, else NULL. */
  readonly auth?: 'NULL' | 'IP' | PasswordMethodName;
  /** User who logs in by a password. */
  readonly login?: string;
  readonly connectTimeout: number;
  /** Named connection; absent: the current one, if there is one. */
  readonly context?: string;
  readonly tls?: true;
  /** Paths of PEM files. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const PASSWORD_VARIABLE = 'SKEIN_PASSWORD';
const PASSWORD_METHODS: readonly PasswordMethodName[] = ['SCRAM-SHA-256', 'PWORD'];

/** Of every command with a session. */
export const authOption = (): Option =>
  new Option(
    '--auth <method>',
    'authentication method (default: NULL, with --login SCRAM-SHA-256; PWORD sends the password readable)',
  ).choices(['NULL', 'IP', ...PASSWORD_METHODS]);

export function addConnectionOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '-s, --spread <address>',
        'the daemon: PORT (Unix socket /tmp/PORT), PORT@HOST, HOST:PORT, tls://HOST:PORT or the path of a socket',
      ).env('SKEIN_ADDRESS'),
    )
    .option('--context <name>', 'a named connection, see "skein context"')
    .option('-u, --name <name>', 'private name of this session (default: the daemon chooses one)')
    .addOption(authOption())
    .option('--login <user>', `authenticate by password, from ${PASSWORD_VARIABLE} or a prompt`)
    .option('--tls', 'encrypt with TLS; the same as tls://HOST:PORT')
    .option('--ca <file>', 'trust these authorities (PEM) in place of those of the system')
    .option('--cert <file>', 'certificate of this client (PEM)')
    .option('--key <file>', 'its key (PEM)')
    .addOption(
      new Option('--connect-timeout <ms>', 'time for connecting').argParser(integer(1, 2 ** 31 - 1)).default(5000),
    );
}

export interface SessionNeeds {
  readonly membership: boolean;
  readonly signal?: AbortSignal;
}

/** Opens a session. @throws (rejects) CliError when nobody listens, else as `connect` */
export async function openSession(flags: ConnectionFlags, needs: SessionNeeds): Promise<Session> {
  const auth = await authOf(flags);
  const address = flags.spread ?? contextNamed(flags.context).spread;
  const tls = await tlsOf(flags);
  try {
    return await connect({
      auth,
      ...(tls === undefined ? {} : { tls }),
      membership: needs.membership,
      connectTimeoutMs: flags.connectTimeout,
      ...(address === undefined ? {} : { address }),
      ...(flags.name === undefined ? {} : { name: flags.name }),
      ...(needs.signal === undefined ? {} : { signal: needs.signal }),
    });
  } catch (error) {
    if (!(error instanceof SkeinError) || error.reason !== 'nobody-listens') throw error;
    throw new CliError(`${error.message}, with --spread`, ExitCode.Failure, { cause: error });
  }
}

/** Any of these flags switches TLS on. */
async function tlsOf({ tls, ca, cert, key }: ConnectionFlags): Promise<true | TlsOptions | undefined> {
  if (ca === undefined && cert === undefined && key === undefined) return tls;
  const files = {
    ca: await pemFile('--ca', ca),
    cert: await pemFile('--cert', cert),
    key: await pemFile('--key', key),
  };
  return Object.fromEntries(Object.entries(files).filter(([, text]) => text !== undefined));
}

async function pemFile(flag: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    throw new CliError(`${flag} ${path}: cannot be read: ${fileReason(error)}`);
  }
}

async function authOf({ auth, login }: Pick<ConnectionFlags, 'auth' | 'login'>): Promise<AuthOption> {
  const method = PASSWORD_METHODS.find((one) => one === (auth ?? 'SCRAM-SHA-256'));
  if (login === undefined) {
    if (auth === 'NULL' || auth === 'IP' || auth === undefined) return auth ?? 'NULL';
    throw new CliError(`--auth ${auth} needs the user: --login USER`, ExitCode.Usage);
  }
  if (method === undefined)
    throw new CliError(`--auth ${auth} takes no user: leave --login out, or use --auth SCRAM-SHA-256`, ExitCode.Usage);
  const password = process.env[PASSWORD_VARIABLE] ?? (await readSecret(`Password of ${login}: `));
  return { user: login, password, methods: [method] };
}

/** Rejects when the connection is lost; never resolves. Only for sessions without another listener for `error`. */
export function lost(session: Session): Promise<never> {
  const failure = new Promise<never>((_, reject) => {
    session.once('error', reject);
  });
  failure.catch(() => undefined);
  return failure;
}
