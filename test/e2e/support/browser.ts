/** A real Chromium for tests of pages; without one the tests are skipped with a message. */
import { existsSync } from 'node:fs';
import { type Browser, launch, type Page } from 'puppeteer-core';
import { onTestFinished } from 'vitest';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const given = process.env['SKEIN_CHROMIUM'];
const CHROMIUM = [...(given === undefined ? [] : [given]), ...PLACES].find((path) => existsSync(path));

/** With `--install` a missing browser is a failure. */
export const isBrowserTested = CHROMIUM !== undefined || process.env['SKEIN_TEST_INSTALL'] === '1';

if (!isBrowserTested) console.log('Chromium is not installed: pages are not tested (npm test -- --install)');

export interface OpenPage {
  readonly page: Page;
  /** Errors of the page's script, and what its content policy blocked. */
  readonly complaints: readonly string[];
}

/** Closed with the test. */
export async function openBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('Chromium could not be installed: apt-get install chromium');
  // A sandbox needs what containers do not have; the pages are our own.
  const browser = await launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  onTestFinished(() => browser.close());
  return browser;
}

export async function openPage(browser: Browser, url: string): Promise<OpenPage> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // The page itself shows a lost daemon and a missing token.
    if (message.type() === 'error' && !/Failed to load resource|ERR_/.test(message.text()))
      complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}
