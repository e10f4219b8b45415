import {
  type DaemonAddress,
  DEFAULT_SOCKET_DIRECTORY,
  defaultAddresses,
  isTlsAddress,
  resolveAddress,
} from './address.ts';
import { checkInteger, checkString, checkWrapped, illegal, readFields } from './check.ts';
import { SkeinError } from './errors.ts';
import {
  optional,
  resolveSessionOptions,
  SESSION_OPTION_NAMES,
  type SessionOptions,
  type SessionSettings,
} from './session-options.ts';
import { checkTlsAddress, type ResolvedTls, resolveTls, type TlsOptions } from './tls-options.ts';

/** How to reach a daemon and what session to ask it for. Everything has a default. */
export interface ConnectOptions extends SessionOptions {
  /**
   * Where the daemon is: `4803` (Unix socket `/tmp/4803`), `4803@host`, `host:4803`, `[::1]:4803`, `tcp://host:4803`,
   * `tls://host:4804`, the path of a Unix socket, `{ host, port }` or `{ path }`. `''` is the Unix socket `/tmp/4803`. Default, where no
   * option says where the daemon is: the Unix socket `/tmp/4803`, and when no daemon listens there TCP to `localhost:4803`.
   */
  readonly address?:
    | string
    | DaemonAddress
    | {
        /** Name or IP address; default `localhost`. */
        readonly host?: string;
        /** 1 to 65535; default 4803. */
        readonly port?: number;
      };
  /** In place of `address`: TCP to this host; default `localhost` when there is a `port`. */
  readonly host?: string;
  /** In place of `address`: TCP to this port; default 4803 when there is a `host`. */
  readonly port?: number;
  /** In place of `address`: the path of a Unix socket. */
  readonly path?: string;
  /**
   * TLS: `true`, or with which certificates. `tls://` in the address is as good as `true`; the daemon's port for TLS must be given. Default:
   * not encrypted.
   */
  readonly tls?: boolean | TlsOptions;
  /**
   * Milliseconds. The session ends with CONNECTION_CLOSED, `reason: 'daemon-vanished'`, when the daemon's machine has not answered for so
   * long: neither keep-alive while nothing is sent, nor (on Linux) what is sent. A daemon that is only busy answers. Over TCP; 1,000 to
   * 7,200,000, default 60,000; 0 leaves it to the system, which takes hours. The system's keep-alive takes 11 s at least.
   */
  readonly daemonTimeoutMs?: number;
  /** Where daemons put their Unix sockets; default `/tmp`. */
  readonly socketDirectory?: string;
}

/** Options checked and filled in. */
export interface ResolvedOptions extends SessionSettings {
  /** Tried in this order until a daemon listens; at least one. */
  readonly addresses: readonly DaemonAddress[];
  /** Null: not encrypted. */
  readonly tls: ResolvedTls | null;
  readonly daemonTimeoutMs: number;
}

/** Every option there is; the compiler sees to it that none is forgotten. */
const NAMES: Readonly<Record<keyof ConnectOptions, true>> = {
  address: true,
  host: true,
  port: true,
  path: true,
  tls: true,
  ...SESSION_OPTION_NAMES,
  daemonTimeoutMs: true,
  socketDirectory: true,
};
export const CONNECT_OPTION_NAMES = Object.keys(NAMES) as readonly (keyof ConnectOptions)[];

/** Keep-alive counts in seconds, and Linux takes no more than 32,767 of them. */
const checkDaemonTimeout = (value: unknown): number =>
  value === 0 ? 0 : checkInteger('daemonTimeoutMs', value, 1000, 7_200_000);

/** Fills in defaults. Throws SkeinError naming the first option that is unknown, of the wrong type or out of its range. */
export function resolveConnectOptions(options: ConnectOptions): ResolvedOptions {
  checkWrapped('options of connect', 'connect', options, { string: 'address', number: 'port' });
  const given = readFields('options of connect', options, CONNECT_OPTION_NAMES);
  return {
    ...resolveWay(given),
    ...resolveSessionOptions(given),
    daemonTimeoutMs: optional(given.daemonTimeoutMs, 60_000, checkDaemonTimeout),
  };
}

/** Where the daemon is, and whether what goes there is encrypted. */
function resolveWay(
  given: Readonly<Partial<Record<keyof ConnectOptions, unknown>>>,
): Pick<ResolvedOptions, 'addresses' | 'tls'> {
  const addresses = resolvePlaces(given);
  if (given.tls === false && isTlsAddress(given.address))
    throw new SkeinError('ILLEGAL_PARAM', 'tls is false and the address begins with tls://: give one of them');
  const tls = resolveTls(given.tls) ?? (isTlsAddress(given.address) ? {} : null);
  if (tls === null) return { addresses, tls };
  if (given.address === undefined && given.port === undefined && given.path === undefined)
    throw new SkeinError('ILLEGAL_PARAM', "tls: give the daemon's address; there is no usual port for TLS");
  for (const address of addresses) checkTlsAddress(address);
  return { addresses, tls };
}

/** Where the daemon is: said by `address`, or by the fields people write in its place; else where daemons usually are. */
function resolvePlaces(given: Readonly<Partial<Record<keyof ConnectOptions, unknown>>>): readonly DaemonAddress[] {
  const { address, host, port, path, socketDirectory } = given;
  const directory = optional(socketDirectory, DEFAULT_SOCKET_DIRECTORY, checkDirectory);
  if (host === undefined && port === undefined && path === undefined) {
    if (address !== undefined) return [resolveAddress(address, directory)];
    // A directory says where the daemon is, so another daemon must not answer in its place.
    return socketDirectory === undefined ? defaultAddresses(directory) : [resolveAddress('', directory)];
  }
  if (address !== undefined)
    throw new SkeinError('ILLEGAL_PARAM', 'address and host, port or path exclude each other: give one of them');
  return [resolveAddress({ host, port, path }, directory)];
}

function checkDirectory(value: unknown): string {
  const directory = checkString('socketDirectory', value);
  if (directory === '' || directory.includes('\0'))
    throw illegal('socketDirectory', directory, 'a path of at least one character, without NUL');
  return directory;
}
