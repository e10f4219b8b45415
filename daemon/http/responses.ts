/** How answers are sent: with the headers that every one of them has. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Refusal } from './request-check.ts';

/** Nothing of a daemon is kept by caches, shown in frames, read by other sites, or taken for another type than it is. */
const SAFE_HEADERS: OutgoingHttpHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

const isHead = ({ req }: ServerResponse): boolean => req.method === 'HEAD';

/** @param headers besides those that all answers have, or instead of them */
export function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
  headers: OutgoingHttpHeaders = {},
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, {
    ...SAFE_HEADERS,
    'Content-Type': type,
    'Content-Length': bytes.length,
    ...headers,
  });
  response.end(isHead(response) ? undefined : bytes);
}

export const sendJson = (response: ServerResponse, status: number, value: object): void =>
  send(response, status, 'application/json; charset=utf-8', `${JSON.stringify(value)}\n`);

/** Closes the connection after it: a client with an invalid request gets nothing more. */
export function sendRefusal(response: ServerResponse, { status, reason, allow }: Refusal): void {
  const headers: OutgoingHttpHeaders = { Connection: 'close' };
  if (allow !== undefined) headers['Allow'] = allow;
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer realm="skein"';
  send(response, status, 'application/json; charset=utf-8', `${JSON.stringify({ error: reason })}\n`, headers);
}

/** The head of a stream of events; `response.write` continues. */
export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { ...SAFE_HEADERS, 'Content-Type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
}
