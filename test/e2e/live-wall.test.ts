/** The live wall in a real Chromium, with a real web server. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { load } from '../../examples/event-feed/load.ts';
import { findNginx } from '../../examples/event-feed/nginx.ts';
import { isBrowserTested, openBrowser, openPage } from './support/browser.ts';

const RUN = fileURLToPath(new URL('../../examples/live-wall/run.mjs', import.meta.url));

const isTested = isBrowserTested && (findNginx() !== undefined || process.env['SKEIN_TEST_INSTALL'] === '1');

it.runIf(isTested)('shows each request to a web server in a page', { timeout: 90_000 }, async () => {
  const child = spawn(process.execPath, [RUN, '--port', '0', '--rate', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) if (lines.push(line) === 2) break;
  const [wall, web] = lines.map((line) => /http:\/\/127\.0\.0\.1:\d+\//.exec(line)![0]);
  const { page, complaints } = await openPage(await openBrowser(), wall!);
  const isText = (id: string, text: string): string => `document.getElementById('${id}').textContent === '${text}'`;
  await page.waitForFunction(isText('state', 'live'), { timeout: 30_000 });
  // Of eight paths one is missing, one moved and one broken.
  await load(Number(new URL(web!).port), 400);
  await page.waitForFunction(isText('events', '400'), { timeout: 30_000 });
  const kinds = await page.evaluate(
    "['k2', 'k3', 'k4', 'k5'].map((id) => Number(document.getElementById(id).textContent))",
  );
  expect(kinds).toEqual([250, 50, 50, 50]);
  expect(await page.evaluate("document.querySelectorAll('#last li').length")).toBe(40);
  expect(complaints).toEqual([]);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});
