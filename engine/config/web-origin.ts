/** Origins of web pages, as the header `Origin` and options have them: `https://app.example.com`, `http://localhost:3000`. */

export interface WebOrigin {
  /** In lower case, without the port that the scheme implies. */
  readonly text: string;
  /** IPv6 with its brackets. */
  readonly hostName: string;
}

/** What a value of the option may be, for the text of an error. */
export const ORIGIN_LIMIT = 'an origin such as https://app.example.com or http://localhost:3000, or *';

const PATTERN = /^([a-z][a-z0-9+.-]{0,31}):\/\/([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(\d{1,5}))?$/;
const HIGHEST_PORT = 65_535;
const IMPLIED_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** Null when `text` is none; `null`, the origin of pages without one, is none. */
export function parseOrigin(text: string): WebOrigin | null {
  const match = PATTERN.exec(text.toLowerCase());
  if (match === null) return null;
  const [, scheme, hostName, digits] = match;
  if (digits !== undefined && Number(digits) > HIGHEST_PORT) return null;
  const isImplied = digits === undefined || IMPLIED_PORTS[scheme!] === Number(digits);
  return { text: `${scheme}://${hostName}${isImplied ? '' : `:${Number(digits)}`}`, hostName: hostName! };
}
