/** The dashboard: one page with everything in it, made by scripts/build.mjs of dashboard/. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { send } from './responses.ts';

/** The page, put here by the build. */
declare const SKEIN_DASHBOARD: string | undefined;

interface Page {
  readonly bytes: Buffer;
  readonly zipped: Buffer;
  readonly tag: string;
  readonly policy: string;
}

let made: Page | null = null;

/** Only the scripts and styles that are in the page run, and it talks to this daemon only. */
export function sendDashboard(request: IncomingMessage, response: ServerResponse): void {
  made ??= makePage(readPage());
  const headers = {
    'Content-Security-Policy': made.policy,
    'Cache-Control': 'no-cache',
    ETag: made.tag,
    Vary: 'Accept-Encoding',
  };
  if (request.headers['if-none-match'] === made.tag) {
    response.writeHead(304, headers).end();
    return;
  }
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const type = 'text/html; charset=utf-8';
  if (takesGzip) send(response, 200, type, made.zipped, { ...headers, 'Content-Encoding': 'gzip' });
  else send(response, 200, type, made.bytes, headers);
}

function makePage(html: string): Page {
  const policy = [
    "default-src 'none'",
    `script-src ${hashesOf(html, 'script')}`,
    `style-src ${hashesOf(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  const bytes = Buffer.from(html);
  const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { bytes, zipped: gzipSync(bytes, { level: 9 }), tag, policy };
}

function hashesOf(html: string, element: 'script' | 'style'): string {
  const contents = html.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, 'gs'));
  const hashes = [...contents].map(([, content]) => createHash('sha256').update(content!).digest('base64'));
  return hashes.map((hash) => `'sha256-${hash}'`).join(' ');
}

/** In a build it is part of the program; from source it is the file that the last build wrote. */
function readPage(): string {
  if (typeof SKEIN_DASHBOARD === 'string') return SKEIN_DASHBOARD;
  const file = new URL('../../dist/dashboard.html', import.meta.url);
  if (existsSync(file)) return readFileSync(file, 'utf8');
  return '<!doctype html><title>skein</title><p>The dashboard is not built: node scripts/build.mjs</p>';
}
