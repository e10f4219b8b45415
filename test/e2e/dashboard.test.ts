/** The dashboard in a real browser: a ring of three, a killed daemon, a client that does not read, names that contain markup. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Cli } from './cli-process.ts';
import { isBrowserTested, openBrowser, openPage } from './support/browser.ts';
import { eventually, freePort, testClient, testDaemon } from './support/daemons.ts';
import { clientOf as drainClient, drainCluster } from './support/drain-cluster.ts';
import { WireClient } from './support/wire-client.ts';
import { AGREED } from './support/wire-frames.ts';

const NAMES = ['berlin', 'paris', 'tokyo'];

interface RingDaemon {
  readonly cli: Cli;
  readonly port: number;
  readonly url: string;
}

/** Three daemons in processes of their own, on addresses of loopback. */
async function ringOfThree(): Promise<readonly RingDaemon[]> {
  const folder = mkdtempSync(join(tmpdir(), 'skein-dashboard-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const port = await freePort();
  const hosts = NAMES.map((name, i) => `  ${name} 127.0.2.${i + 1}`).join('\n');
  const config = join(folder, 'spread.conf');
  writeFileSync(config, `Spread_Segment 127.0.2.255:${port} {\n${hosts}\n}\nRingProfile = fast\nVolatile = yes\n`);
  const daemons = NAMES.map((name) => {
    const own = ['-n', name, '-c', config, '--no-unix-socket', '--log-level', 'warn', '--threading-mode', 'shared'];
    const cli = new Cli([
      'start',
      '--json',
      ...own,
      '-o',
      'httpListen=127.0.0.1:0',
      '-o',
      'maxSessionMessages=1000000',
    ]);
    onTestFinished(() => cli.kill('SIGKILL'));
    return cli;
  });
  return Promise.all(
    daemons.map(async (cli) => {
      await cli.until((lines) => lines.length > 0);
      const { port: own, httpUrls } = JSON.parse(cli.lines[0]!) as { port: number; httpUrls: readonly string[] };
      return { cli, port: own, url: httpUrls[0]! };
    }),
  );
}

const text = (page: Page, selector: string): Promise<string> =>
  page.$eval(selector, (found) => (found as unknown as { readonly innerText: string }).innerText);

const texts = (page: Page, selector: string): Promise<readonly string[]> =>
  page.$$eval(selector, (found) => found.map((one) => (one as unknown as { readonly innerText: string }).innerText));

const stateOf = (page: Page, member: string): Promise<string | null> =>
  page.$eval(`#members [data-member="${member}"]`, (item) => item.getAttribute('data-state'));

/** The environment variable SKEIN_SCREENSHOTS names a folder for screenshots. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['SKEIN_SCREENSHOTS'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) as `${string}.png`, fullPage: true });
}

describe.runIf(isBrowserTested)('the dashboard', () => {
  it('shows a daemon that drains', { timeout: 120_000 }, async () => {
    const [drained, other] = await drainCluster(2, { DrainTime: 60_000 }, () => ({ httpListen: '127.0.0.1:0' }));
    const browser = await openBrowser();
    const { page, complaints } = await openPage(browser, other!.daemon.httpUrls[0]!);
    await eventually(async () => (await texts(page, '#members [data-state=present]')).length === 2, 'a ring of two');
    // Somebody who could move, and does not.
    await drainClient(drained!.daemon, { name: 'stays' });
    void drained!.daemon.drain();
    await eventually(async () => (await stateOf(page, 'd1')) === 'draining', 'd1 drains');
    expect(await text(page, '#alerts')).toContain('Draining, will end: d1');
    expect(await page.$eval('#ring svg', (svg) => svg.getAttribute('aria-label'))).toBe(
      'A ring of 2 daemons; draining: d1',
    );
    await picture(page, 'desktop-draining');
    await drained!.daemon.stop();
    await eventually(async () => (await stateOf(page, 'd1')) === 'absent', 'd1 is gone');
    expect(complaints).toEqual([]);
  });

  it('shows a ring of three, a slow client, and a daemon that is killed', { timeout: 150_000 }, async () => {
    const [berlin, , tokyo] = await ringOfThree();
    const browser = await openBrowser();
    const { page, complaints } = await openPage(browser, berlin!.url);
    await page.setViewport({ width: 1280, height: 900 });

    await eventually(async () => (await texts(page, '#members [data-state=present]')).length === 3, 'a ring of three');
    expect(await text(page, 'h1')).toBe('berlin');
    await eventually(async () => (await text(page, '#state')) === 'ready', 'ready');
    expect(await page.$$eval('#ring .node', (nodes) => nodes.length)).toBe(3);
    expect(await text(page, '#ring')).toContain('3 of 3');
    expect(await page.$eval('#ring svg', (svg) => svg.getAttribute('aria-label'))).toBe('A ring of 3 daemons');

    const stuck = await clientOf(berlin!, 'stuck');
    const healthy = await clientOf(berlin!, 'healthy');
    const writer = await clientOf(berlin!, 'writer');
    await stuck.join('prices');
    await healthy.join('prices');
    stuck.socket.pause();
    const body = Buffer.alloc(10_000, 65);
    let isWriting = true;
    const writing = (async () => {
      for (let i = 0; i < 3000 && isWriting; i++) {
        await writer.sendAll(writer.encode('prices', body, AGREED));
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    await eventually(async () => (await text(page, '#alerts')).includes('#stuck#berlin'), 'the slow client is named');
    expect(await text(page, 'tr[data-key="#stuck#berlin"]')).toMatch(/slow/);
    expect(await text(page, 'tr[data-key="#healthy#berlin"]')).not.toMatch(/slow/);
    expect(await text(page, '#groups tr[data-key=prices]')).toMatch(/prices\s+2\s+2\s+1/);
    await eventually(
      async () => (await texts(page, '#events [data-kind=slow]')).some((line) => line.includes('#stuck#berlin')),
      'the event',
    );
    await picture(page, 'desktop-slow');

    tokyo!.cli.kill('SIGKILL');
    await eventually(async () => (await stateOf(page, 'tokyo')) === 'absent', 'tokyo is absent');
    expect(await stateOf(page, 'paris')).toBe('present');
    expect(await text(page, '#ring')).toContain('2 of 3');
    expect(await text(page, '#alerts')).toContain('Not in the ring: tokyo');
    await eventually(
      async () => (await texts(page, '#events [data-kind=membership]')).some((line) => line.includes('left: tokyo')),
      'the event',
    );
    await picture(page, 'desktop-killed');
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    await picture(page, 'dark');
    await page.setViewport({ width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await picture(page, 'phone');
    // On a phone no element is wider than the screen.
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    isWriting = false;
    await writing;

    berlin!.cli.kill('SIGKILL');
    await eventually(async () => (await text(page, '#state')) === 'not reachable', 'berlin is gone');
    expect(complaints).toEqual([]);
  });

  it('shows names of clients and groups as text, never as markup', async () => {
    const daemon = await testDaemon({ httpListen: '127.0.0.1:0' });
    const client = await testClient(daemon, '<b>x</b>');
    const evil = ['<img/src=x/onerror=alert(1)>', '</td><script>evil()</script>', '{{x}}', "';alert(1)//"];
    for (const group of evil) client.join(group);
    const { page, complaints } = await openPage(await openBrowser(), daemon.httpUrls[0]!);
    await eventually(async () => (await texts(page, '#groups tbody tr')).length === evil.length, 'groups');
    const shown = (await texts(page, '#groups tbody td.name')).join('\n');
    expect(shown).toContain('<img/src=x/onerror=alert(1)>');
    expect(await page.$$eval('#groups img, #groups script, #sessions b', (found) => found.length)).toBe(0);
    // The content policy would stop markup anyway.
    const stopped = await page.evaluate(`(() => {
      try { document.body.innerHTML = '<i></i>'; return 'written'; } catch (error) { return error.name; }
    })()`);
    expect(stopped).toBe('TypeError');
    const reached = await page.evaluate(`fetch('https://example.com/').then(() => 'reached', () => 'stopped')`);
    expect(reached).toBe('stopped');
    expect(complaints.filter((line) => !/Content Security Policy|TrustedHTML/.test(line))).toEqual([]);
  });

  it('can sort and search tables with the keyboard', async () => {
    const daemon = await testDaemon({ httpListen: '127.0.0.1:0' });
    for (const name of ['anna', 'bert', 'cleo']) await (await testClient(daemon, name)).join(`room-${name}`);
    const { page } = await openPage(await openBrowser(), daemon.httpUrls[0]!);
    await eventually(async () => (await texts(page, '#sessions tbody tr')).length === 3, 'clients');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('skip');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.type')).toBe('search');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const names = (): Promise<readonly string[]> => texts(page, '#sessions td.name');
    expect(await page.$eval('#sessions th[aria-sort]', (th) => th.getAttribute('aria-sort'))).toBe('ascending');
    expect(await names()).toEqual(['#anna#localhost', '#bert#localhost', '#cleo#localhost']);
    await page.keyboard.press('Enter');
    expect(await names()).toEqual(['#cleo#localhost', '#bert#localhost', '#anna#localhost']);
    await page.keyboard.down('Shift');
    await page.keyboard.press('Tab');
    await page.keyboard.up('Shift');
    await page.keyboard.type('BERT');
    expect(await names()).toEqual(['#bert#localhost']);
  });

  it('asks for the token and refuses a wrong one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skein-token-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'tokens');
    writeFileSync(path, 'the-right-token-of-all\n', { mode: 0o600 });
    const daemon = await testDaemon({ httpListen: '127.0.0.1:0', httpTokenFile: path });
    const { page } = await openPage(await openBrowser(), daemon.httpUrls[0]!);
    await page.waitForSelector('#token-form:not([hidden])');
    await page.type('#token', 'a-wrong-token-of-all');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#token-form:not([hidden])');
    expect(await text(page, '#state')).toBe('token needed');
    await page.type('#token', 'the-right-token-of-all');
    await page.keyboard.press('Enter');
    await eventually(async () => (await text(page, '#state')) === 'ready', 'ready');
    expect(await page.$eval('#token-form', (form) => form.hasAttribute('hidden'))).toBe(true);
  });
});

/** At the first daemon. */
async function clientOf({ port }: RingDaemon, name: string): Promise<WireClient> {
  const client = await WireClient.connect({ port, host: '127.0.2.1' }, { name });
  onTestFinished(() => client.close());
  return client;
}
