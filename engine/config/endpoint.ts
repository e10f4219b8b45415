/** Addresses with a port, as options have them: `127.0.0.1:4880`, `[::1]:4880`, `0.0.0.0:4880`. */
import { ipv4ToNumber, isLoopback, parseIpv4 } from './ipv4.ts';

export interface Endpoint {
  /** IPv4 in its canonical form, or IPv6 without brackets. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** What an option of the kind may be, for the text of an error. */
export const ENDPOINT_LIMIT = 'an address with a port, such as 127.0.0.1:4880 or [::1]:4880';

const PATTERN = /^(?:([0-9.]{7,15})|\[([0-9a-fA-F:.]{2,45})\]):(\d{1,5})$/;
const HIGHEST_PORT = 65_535;

/** Null when `text` is none. */
export function parseEndpoint(text: string): Endpoint | null {
  const match = PATTERN.exec(text);
  if (match === null) return null;
  const [, ipv4, ipv6, digits] = match;
  const port = Number(digits);
  if (port > HIGHEST_PORT) return null;
  if (ipv6 !== undefined) return isIpv6(ipv6) ? { host: ipv6.toLowerCase(), port } : null;
  const host = parseIpv4(ipv4!);
  return host === null ? null : { host, port };
}

/** As it is written in an option and in a URL. */
export const endpointText = ({ host, port }: Endpoint): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Whether only programs of this machine reach it. */
export function isLoopbackEndpoint({ host }: Endpoint): boolean {
  const ipv4 = parseIpv4(host);
  if (ipv4 !== null) return isLoopback(ipv4);
  return /^(?:0*:)+0*1$/.test(host);
}

/** Eight groups of up to four digits, one row of zeros left out at most; the last two groups may be an IPv4 address. */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  let count = groups.length;
  const last = groups.at(-1);
  if (last?.includes('.') === true) {
    if (ipv4ToNumber(last) === null) return false;
    groups.pop();
    count++;
  }
  return groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) && (halves.length === 2 ? count < 8 : count === 8);
}
