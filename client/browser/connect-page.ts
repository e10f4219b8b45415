import { checkString, checkWrapped, illegal, readFields } from '../check.ts';
import { connectToOne } from '../connect-to-one.ts';
import type { Session } from '../session.ts';
import { resolveSessionOptions, SESSION_OPTION_NAMES, type SessionOptions } from '../session-options.ts';
import { PageTransport } from './page-transport.ts';

/** Where the daemon is and what session to ask it for. */
export interface BrowserConnectOptions extends SessionOptions {
  /** An address of `WebSocketListen`, or what leads there: `ws://host:4884/`, `wss://host/skein`. */
  readonly url: string | URL;
}

const NAMES: readonly (keyof BrowserConnectOptions)[] = [
  'url',
  ...(Object.keys(SESSION_OPTION_NAMES) as (keyof SessionOptions)[]),
];
const MAX_URL_CHARS = 4096;
const NEXT_STEP = 'A daemon must run there with WebSocketListen, and WebSocketOrigins must allow this page';

/**
 * Opens a session with a daemon over a WebSocket.
 *
 *     const session = await connect({ url: 'ws://localhost:4884/', name: 'page' });
 *
 * Rejects as `connect` of `skein/client` does. COULD_NOT_CONNECT is also what a page gets that `WebSocketOrigins` does not allow:
 * browsers do not tell pages why.
 */
export async function connect(options: BrowserConnectOptions): Promise<Session> {
  checkWrapped('options of connect', 'connect', options, { string: 'url' });
  const given = readFields('options of connect', options, NAMES);
  const url = checkUrl(given.url);
  return connectToOne(resolveSessionOptions(given), [() => new PageTransport(url)], () => NEXT_STEP);
}

function checkUrl(value: unknown): string {
  const text = value instanceof URL ? value.href : checkString('url', value);
  if (text.length > MAX_URL_CHARS || !/^wss?:\/\/[^/]/i.test(text))
    throw illegal(
      'url',
      text,
      `a URL of ws: or wss: of up to ${MAX_URL_CHARS} characters, such as ws://localhost:4884/`,
    );
  return text;
}
