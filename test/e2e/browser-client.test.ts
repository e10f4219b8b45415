/** `skein/browser` in a real Chromium: the same API as in Node, over a WebSocket. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { connect } from '../../client/index.ts';
import { isBrowserTested, openBrowser, openPage } from './support/browser.ts';
import { eventually, testDaemon } from './support/daemons.ts';

const LIBRARY = fileURLToPath(new URL('../../dist/browser.js', import.meta.url));

/** A page that imports only the library. */
async function servePage(): Promise<string> {
  const server = createServer((request, response) => {
    const isLibrary = request.url === '/browser.js';
    response.writeHead(200, { 'content-type': isLibrary ? 'text/javascript' : 'text/html' });
    response.end(
      isLibrary ? readFileSync(LIBRARY) : '<!doctype html><title>page</title><link rel="icon" href="data:,">',
    );
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`;
}

/** Runs in the page. */
const CHAT = (url: string) => `(async () => {
  const { connect, SkeinError } = await import('/browser.js');
  const session = await connect({ url: ${JSON.stringify(url)}, name: 'page' });
  await session.join('room');
  session.multicast('room', 'grüße aus der seite', { service: 'safe', type: 7 });
  session.multicast('room', new Uint8Array(100000).fill(9));
  const seen = [];
  for await (const event of session) {
    if (event.kind !== 'message') continue;
    seen.push([event.sender, event.type, event.data.length < 100 ? event.data.toString() : event.data.length]);
    if (seen.length === 3) break;
  }
  let refused = '';
  try { await session.multicast('', 'x'); } catch (error) { refused = error instanceof SkeinError ? error.code : String(error); }
  await session.close();
  return { seen, refused, closed: session.closed };
})()`;

it.runIf(isBrowserTested)('joins, sends and receives in a page', { timeout: 60_000 }, async () => {
  const daemon = await testDaemon({ webSocketListen: '127.0.0.1:0' });
  const node = await connect({ host: '127.0.0.1', port: daemon.port!, name: 'node' });
  onTestFinished(() => node.close());
  await node.join('room');
  let members = 0;
  const got: string[] = [];
  node.on('membership', (event) => {
    members = event.members.length;
  });
  node.on('message', (event) => got.push(`${event.type} ${event.data.length}`));
  const { page, complaints } = await openPage(await openBrowser(), await servePage());
  const result = page.evaluate(CHAT(daemon.webSocketUrls[0]!));
  await eventually(() => members === 2, 'the page joins');
  await eventually(() => got.length === 2, 'what the page sent');
  node.multicast('room', 'from Node');
  expect(await result).toEqual({
    seen: [
      ['#page#localhost', 7, 'grüße aus der seite'],
      ['#page#localhost', 0, 100_000],
      ['#node#localhost', 0, 'from Node'],
    ],
    refused: 'ILLEGAL_GROUP',
    closed: true,
  });
  expect(got).toEqual(['7 21', '0 100000', '0 9']);
  await eventually(() => members === 1, 'the page is gone');
  expect(complaints).toEqual([]);
});

it.runIf(isBrowserTested)('is refused when its origin may not connect', { timeout: 60_000 }, async () => {
  const daemon = await testDaemon({ webSocketListen: '127.0.0.1:0', webSocketOrigins: 'https://app.example' });
  const { page } = await openPage(await openBrowser(), await servePage());
  const url = JSON.stringify(daemon.webSocketUrls[0]);
  const code = await page.evaluate(
    `import('/browser.js').then(({ connect }) => connect({ url: ${url} })).catch(({ code }) => code)`,
  );
  expect(code).toBe('COULD_NOT_CONNECT');
});
