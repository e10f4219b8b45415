/** What `connect` takes about TLS, checked and filled in. */
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { DaemonAddress } from './address.ts';
import { illegal, readFields } from './check.ts';
import { SkeinError } from './errors.ts';

/** Certificates and keys are PEM: their text or bytes, not the name of a file. */
export interface TlsOptions {
  /** Authorities to trust in place of those of the system: one text with any number of certificates, or a list. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Certificate of this client, for a daemon that asks for one; needs `key`. */
  readonly cert?: string | Uint8Array;
  /** Key of the certificate; needs `cert`. */
  readonly key?: string | Uint8Array;
  /** Name that the daemon's certificate must have; default: the host of the address. */
  readonly servername?: string;
  /** False: take any certificate, so that anybody in between can read and change everything. Default true. */
  readonly rejectUnauthorized?: boolean;
}

/** Plain data for node:tls. */
export type ResolvedTls = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized'>;

const FIELDS = ['ca', 'cert', 'key', 'servername', 'rejectUnauthorized'] as const;
const MAX_NAME_CHARS = 253;

/** @returns null: no TLS. `true` and `{}` are TLS with the authorities of the system. */
export function resolveTls(tls: unknown): ResolvedTls | null {
  if (tls === undefined || tls === false) return null;
  if (tls === true) return {};
  const given = readFields('tls', tls, FIELDS);
  const { servername, rejectUnauthorized } = given;
  const cert = pem('tls.cert', given.cert);
  const key = pem('tls.key', given.key);
  if ((cert === undefined) !== (key === undefined)) {
    const [present, absent] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw new SkeinError('ILLEGAL_PARAM', `tls.${present} is given without tls.${absent}: give both or none`);
  }
  const ca = Array.isArray(given.ca)
    ? given.ca.map((one, i) => pem(`tls.ca[${i}]`, one) ?? failPem(`tls.ca[${i}]`, one))
    : pem('tls.ca', given.ca);
  if (servername !== undefined && !isServerName(servername))
    throw illegal('tls.servername', servername, `a host name of 1 to ${MAX_NAME_CHARS} characters, and no IP address`);
  if (rejectUnauthorized !== undefined && typeof rejectUnauthorized !== 'boolean')
    throw illegal('tls.rejectUnauthorized', rejectUnauthorized, 'true or false');
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert, key: key! }),
    ...(servername === undefined ? {} : { servername: servername as string }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}

/** The same settings for every address, unless there is one that TLS cannot reach. */
export function checkTlsAddress(address: DaemonAddress): void {
  if ('path' in address)
    throw new SkeinError(
      'ILLEGAL_PARAM',
      `tls: goes over TCP, and ${address.path} is a Unix socket; give host and port`,
    );
}

const isServerName = (name: unknown): boolean =>
  typeof name === 'string' &&
  name.length > 0 &&
  name.length <= MAX_NAME_CHARS &&
  !/[\s\0]/.test(name) &&
  isIP(name) === 0;

function pem(field: string, value: unknown): string | Buffer | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.includes('-----BEGIN ')) return value;
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value);
    if (bytes.includes('-----BEGIN ')) return bytes;
  }
  return failPem(field, value);
}

/** The value may be a secret, so the error does not show it. */
function failPem(field: string, value: unknown): never {
  throw new SkeinError(
    'ILLEGAL_PARAM',
    `${field} of type ${value instanceof Uint8Array ? 'bytes' : typeof value}: must be the text or bytes of a PEM file, not its name`,
  );
}
