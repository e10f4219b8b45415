/**
 * Which pages may connect. A browser opens a WebSocket to any host for any page, with the network position of its user, and names the
 * page in the header `Origin`. Programs send none.
 */
import { isIP } from 'node:net';
import { parseOrigin } from '../../../engine/config/web-origin.ts';

export interface OriginRequest {
  /** The headers, as they came. */
  readonly origin: string | undefined;
  readonly host: string | undefined;
  /** The end of the connection at this daemon. */
  readonly localAddress: string | undefined;
}

/** Of an Origin, in the log. */
const MAX_TOLD_CHARS = 200;

/**
 * @param allowed of the option `WebSocketOrigins`; empty: pages of the host that is connected to
 * @returns why the page may not connect, or null when it may
 */
export function originProblem(
  { origin, host, localAddress }: OriginRequest,
  allowed: readonly string[],
): string | null {
  if (origin === undefined || allowed.includes('*')) return null;
  const told = origin.slice(0, MAX_TOLD_CHARS);
  const page = parseOrigin(origin);
  if (allowed.length > 0) {
    if (page !== null && allowed.includes(page.text)) return null;
    return `Origin ${told} is none of WebSocketOrigins`;
  }
  const own = hostNameOf(host ?? '');
  if (page === null || page.hostName !== own)
    return `Origin ${told} is not of this host (${own.slice(0, MAX_TOLD_CHARS)}); WebSocketOrigins would allow it`;
  // A stranger's name may be made to point at this machine; its pages would then be "of the same host".
  if (isLoopbackAddress(localAddress) && !isLoopbackName(own))
    return `Origin ${told} came over loopback under the name ${own.slice(0, MAX_TOLD_CHARS)}; WebSocketOrigins would allow it`;
  return null;
}

/** `example.com:4884` and `[::1]:4884` without the port. */
function hostNameOf(host: string): string {
  const text = host.toLowerCase();
  return text.startsWith('[') ? text.slice(0, text.indexOf(']') + 1) : text.replace(/:\d*$/, '');
}

const isLoopbackAddress = (address = ''): boolean => /^(?:::ffff:)?127\./.test(address) || address === '::1';

function isLoopbackName(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost') || name === '[::1]') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}
