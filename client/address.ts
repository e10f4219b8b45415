import { DEFAULT_PORT } from '../engine/wire/limits.ts';
import { SkeinError } from './errors.ts';

/** Where a daemon listens: TCP, or a Unix domain socket. */
export type DaemonAddress = { readonly host: string; readonly port: number } | { readonly path: string };

const MAX_PORT = 65_535;

const illegal = (value: string, expected: string): SkeinError =>
  new SkeinError('ILLEGAL_SPREAD', `address ${value}: ${expected}`);

/**
 * Parses Spread's address string (client-protocol.md, section 1.1): `''` is the default port and `4803` any port over
 * the Unix socket `<socketDirectory>/<port>` (on Windows, which has none, TCP to localhost); `4803@host` is TCP.
 * Anything else is ILLEGAL_SPREAD.
 */
function parseAddressString(text: string, socketDirectory: string): DaemonAddress {
  const match = /^(\d+)(?:@(.+))?$/.exec(text === '' ? String(DEFAULT_PORT) : text);
  if (match === null)
    throw illegal(JSON.stringify(text), 'must be "port" or "port@host", for example "4803@localhost"');
  const port = checkPort(Number(match[1]), JSON.stringify(text));
  const host = match[2];
  if (host !== undefined) return { host, port };
  if (process.platform === 'win32') return { host: 'localhost', port };
  return { path: `${socketDirectory.replace(/\/+$/, '')}/${port}` };
}

function checkPort(port: number, address: string): number {
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT)
    throw illegal(address, `port ${port} must be an integer from 1 to ${MAX_PORT}`);
  return port;
}

/** Checks an address given in any of its forms. */
export function resolveAddress(address: string | DaemonAddress, socketDirectory: string): DaemonAddress {
  if (typeof address === 'string') return parseAddressString(address, socketDirectory);
  if ('path' in address) {
    if (address.path === '') throw illegal('{ path: "" }', 'path must not be empty');
    return { path: address.path };
  }
  const shown = JSON.stringify(address);
  if (address.host === '') throw illegal(shown, 'host must not be empty');
  return { host: address.host, port: checkPort(address.port, shown) };
}

/** `4803@localhost`, or the path of a Unix socket. */
export const describeAddress = (address: DaemonAddress): string =>
  'path' in address ? address.path : `${address.port}@${address.host}`;
