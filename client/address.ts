import { isIPv6 } from 'node:net';
import { DEFAULT_PORT } from '../engine/wire/limits.ts';
import { addressHint } from './address-hint.ts';
import { illegal, readFields, show } from './check.ts';
import { SkeinError } from './errors.ts';

/** Where a daemon listens: TCP, or a Unix domain socket. */
export type DaemonAddress =
  | {
      /** Name or IP address. */
      readonly host: string;
      /** 1 to 65535. */
      readonly port: number;
    }
  | {
      /** Path of the Unix socket. */
      readonly path: string;
    };

const MAX_PORT = 65_535;
const DEFAULT_HOST = 'localhost';
/** Where daemons put their Unix sockets. */
export const DEFAULT_SOCKET_DIRECTORY = '/tmp';
/** The kernel takes no longer path of a socket on any system; most take less. */
const MAX_PATH_CHARS = 4096;
const MAX_HOST_CHARS = 253;

const FORMS =
  'must be PORT (the Unix socket of that port), PORT@HOST, HOST:PORT, HOST, [IPV6]:PORT, tcp://HOST:PORT, tls://HOST:PORT or the path of a Unix socket, ' +
  'for example "4803@localhost"';

const unparsable = (text: string, why: string): SkeinError =>
  new SkeinError('ILLEGAL_SPREAD', `address ${show(text)}: ${why}`);

/**
 * Parses an address: Spread's own forms (client-protocol.md, section 1.1), `''` for the default port and `4803` for any port over the Unix
 * socket `<socketDirectory>/<port>` (on Windows, which has none, TCP to localhost), `4803@host` for TCP; and the forms people write
 * otherwise. Anything else is ILLEGAL_SPREAD.
 */
function parseAddressString(text: string, socketDirectory: string): DaemonAddress {
  try {
    return parseForm(text, socketDirectory);
  } catch (error) {
    if (!(error instanceof SkeinError) || text.length > LONGEST_HINTED_CHARS) throw error;
    const hint = addressHint(text, (meant) => isReadable(meant, socketDirectory));
    throw hint === '' ? error : new SkeinError(error.code, `${error.message}${hint}`);
  }
}

const LONGEST_HINTED_CHARS = 300;

function isReadable(text: string, socketDirectory: string): boolean {
  try {
    parseForm(text, socketDirectory);
    return true;
  } catch {
    return false;
  }
}

function parseForm(text: string, socketDirectory: string): DaemonAddress {
  if (text === '' || /^\d+$/.test(text))
    return localAddress(text === '' ? DEFAULT_PORT : portOf(text, text), socketDirectory);
  const url = /^([a-z][a-z\d+.-]*):\/\/(.*)$/i.exec(text);
  if (url !== null) return parseUrl(text, url[1]!.toLowerCase(), url[2]!);
  if (/^unix:/i.test(text)) return pathAddress(text, text.slice('unix:'.length));
  const atHost = /^(\d+)@(.+)$/s.exec(text);
  if (atHost !== null) return { host: hostOf(text, atHost[2]!), port: portOf(text, atHost[1]!) };
  if (text.includes('/')) return pathAddress(text, text);
  return parseHostAndPort(text, text);
}

function parseUrl(text: string, scheme: string, rest: string): DaemonAddress {
  if (scheme === 'unix') return pathAddress(text, rest);
  if (scheme !== 'tcp' && scheme !== 'tls' && scheme !== 'spread' && scheme !== 'skein')
    throw unparsable(text, `the scheme "${scheme}" is none of tcp, tls, spread, skein and unix`);
  const authority = rest.replace(/\/$/, '');
  if (authority.includes('@')) throw unparsable(text, 'user and password do not belong into it; give them as auth');
  if (scheme === 'tls' && !/:\d+$/.test(authority))
    throw unparsable(text, 'needs a port, because there is no usual one for TLS: tls://HOST:PORT');
  return parseHostAndPort(text, authority);
}

/** Whether the text of an address asks for TLS. */
export const isTlsAddress = (address: unknown): boolean => typeof address === 'string' && /^tls:\/\//i.test(address);

/** `host:port`, `[::1]:port`, or either without a port. */
function parseHostAndPort(text: string, part: string): DaemonAddress {
  if (isIPv6(part)) return { host: part, port: DEFAULT_PORT };
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(part);
  if (match === null) throw unparsable(text, FORMS);
  return { host: hostOf(text, match[1]!), port: match[2] === undefined ? DEFAULT_PORT : portOf(text, match[2]) };
}

function localAddress(port: number, socketDirectory: string): DaemonAddress {
  if (process.platform === 'win32') return { host: DEFAULT_HOST, port };
  return { path: `${socketDirectory.replace(/\/+$/, '')}/${port}` };
}

function pathAddress(text: string, path: string): DaemonAddress {
  const problem = pathProblem(path);
  if (problem !== null) throw unparsable(text, `path ${problem}`);
  return { path };
}

const pathProblem = (path: string): string | null =>
  path === '' || path.length > MAX_PATH_CHARS || path.includes('\0')
    ? `must have 1 to ${MAX_PATH_CHARS} characters, without NUL`
    : null;

/** A name, an IPv4 address, or an IPv6 address with or without brackets and zone. */
function hostOf(text: string, written: string): string {
  const bracketed = /^\[(.*)\]$/s.exec(written);
  const host = bracketed?.[1] ?? written;
  if (bracketed !== null && !isIPv6(host)) throw unparsable(text, `${show(host)} in brackets must be an IPv6 address`);
  const problem = hostProblem(host);
  if (problem !== null) throw unparsable(text, host === text ? FORMS : `host ${show(host)} ${problem}; it ${FORMS}`);
  return host;
}

function hostProblem(host: string): string | null {
  if (isIPv6(host)) return null;
  // Digits alone would be taken for an address by the system: they are a port in the wrong place.
  const legal =
    /^[^\s\0@:/\\?#[\]-][^\s\0@:/\\?#[\]]*$/.test(host) && !/^\d+$/.test(host) && host.length <= MAX_HOST_CHARS;
  return legal ? null : `must be a host name of 1 to ${MAX_HOST_CHARS} characters or an IP address`;
}

function portOf(text: string, digits: string): number {
  const port = Number(digits);
  if (port >= 1 && port <= MAX_PORT) return port;
  throw unparsable(text, `port ${digits.slice(0, 20)} must be an integer from 1 to ${MAX_PORT}`);
}

/** Checks an address given in any of its forms. */
export function resolveAddress(address: unknown, socketDirectory: string): DaemonAddress {
  if (typeof address === 'string') return parseAddressString(address, socketDirectory);
  if (address === undefined)
    throw illegal('address', address, 'a string, { host, port } or { path }', 'ILLEGAL_SPREAD');
  const { host, port, path } = readFields('address', address, ['host', 'port', 'path']);
  if (path !== undefined) {
    if (host !== undefined || port !== undefined)
      throw new SkeinError('ILLEGAL_SPREAD', 'address: path excludes host and port; give one of them');
    if (typeof path !== 'string' || pathProblem(path) !== null)
      throw illegal('path', path, `a string of 1 to ${MAX_PATH_CHARS} characters, without NUL`, 'ILLEGAL_SPREAD');
    return { path };
  }
  if (host === undefined && port === undefined)
    throw illegal('address', address, '{ host, port } or { path }', 'ILLEGAL_SPREAD');
  return { host: checkHost(host), port: checkPort(port) };
}

function checkHost(host: unknown): string {
  if (host === undefined) return DEFAULT_HOST;
  if (typeof host === 'string') {
    const bare = /^\[.*\]$/s.test(host) ? host.slice(1, -1) : host;
    if (hostProblem(bare) === null) return bare;
  }
  throw illegal('host', host, `a host name of 1 to ${MAX_HOST_CHARS} characters or an IP address`, 'ILLEGAL_SPREAD');
}

function checkPort(port: unknown): number {
  if (port === undefined) return DEFAULT_PORT;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > MAX_PORT)
    throw illegal('port', port, `an integer from 1 to ${MAX_PORT}`, 'ILLEGAL_SPREAD');
  return port;
}

/** Where a daemon is looked for when nothing says where it is: at the Unix socket of the default port, then over TCP. */
export function defaultAddresses(socketDirectory: string): readonly DaemonAddress[] {
  const local = localAddress(DEFAULT_PORT, socketDirectory);
  return 'path' in local ? [local, { host: DEFAULT_HOST, port: DEFAULT_PORT }] : [local];
}

/** `4803@localhost`, or the path of a Unix socket. */
export function describeAddress(address: DaemonAddress): string {
  if ('path' in address) return address.path;
  return `${address.port}@${isIPv6(address.host) ? `[${address.host}]` : address.host}`;
}
