/** What is wrong with a request, before anything is done for it. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 421 | 503;
  /** A sentence for people. */
  readonly reason: string;
  /** Methods that are served, with 405. */
  readonly allow?: string;
}

export const wrongMethod = (served: 'GET' | 'POST'): Refusal => {
  const allow = served === 'GET' ? 'GET, HEAD' : served;
  return {
    status: 405,
    reason: `only ${allow.replace(', ', ' and ')} ${served === 'GET' ? 'are' : 'is'} served`,
    allow,
  };
};

/** A valid request. */
export interface HttpQuestion {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly path: string;
  readonly query: URLSearchParams;
}

/** @returns the request, or why it is refused */
export function readQuestion({ method, url, headers }: IncomingMessage): HttpQuestion | Refusal {
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') return wrongMethod('GET');
  const length = headers['content-length'];
  if (headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0))
    return { status: 413, reason: 'a request has no body here' };
  const text = url ?? '';
  if (!text.startsWith('/')) return { status: 400, reason: 'the target of a request is a path' };
  const mark = text.indexOf('?');
  if (mark < 0) return { method, path: text, query: new URLSearchParams() };
  return { method, path: text.slice(0, mark), query: new URLSearchParams(text.slice(mark + 1)) };
}

/**
 * A page of a stranger can have a browser send requests to this machine, under a name of the stranger's that resolves to it (DNS
 * rebinding), and would read the answers. Such a request has that name in `Host`; who asks without tokens must use an address,
 * or localhost.
 */
export function isOwnHost(host: string | undefined): boolean {
  if (host === undefined) return false;
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/i.exec(host);
  if (match === null) return false;
  const [, ipv6, other] = match;
  if (ipv6 !== undefined) return isIP(ipv6) === 6;
  const name = other!.toLowerCase().replace(/\.$/, '');
  return isIP(name) === 4 || name === 'localhost' || name.endsWith('.localhost');
}

/** Another site's page asks, be it only to keep this daemon busy. A link to the dashboard is allowed. */
export function isCrossSite({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== 'cross-site' && site !== 'same-site') return false;
  return headers['sec-fetch-mode'] !== 'navigate' || headers['sec-fetch-dest'] !== 'document';
}
