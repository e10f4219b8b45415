/** HTTP over TLS: the same pages, access by token or by a client's certificate, and a new certificate at a reload. */
import { cpSync, writeFileSync } from 'node:fs';
import { get as getOverTls } from 'node:https';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { StartDaemonOptions } from '../../daemon/start-daemon.ts';
import { skein } from './cli-process.ts';
import { isBrowserTested, openBrowser } from './support/browser.ts';
import { Authority, type Issued } from './support/certificates.ts';
import { eventually, testDaemon } from './support/daemons.ts';

const authority = new Authority();
const stranger = new Authority('Stranger');
const own = authority.issue('daemon');
const [reader, operator, nobody] = ['prometheus', 'ops-anna', 'app'].map((name) => authority.issue(name)) as [
  Issued,
  Issued,
  Issued,
];
const mallory = stranger.issue('ops-anna');
afterAll(() => {
  authority.remove();
  stranger.remove();
});

const TOKEN = 't'.repeat(32);
const tokenFile = join(authority.folder, 'tokens');
writeFileSync(tokenFile, `${TOKEN}\ncertificate prometheus\ncertificate ops-* admin\n`, { mode: 0o600 });
const HTTPS: StartDaemonOptions = {
  httpTlsListen: '127.0.0.1:0',
  tlsCertificateFile: own.certFile,
  tlsKeyFile: own.keyFile,
};
const ASKING: StartDaemonOptions = { ...HTTPS, httpTokenFile: tokenFile, tlsAuthorityFile: authority.caFile };

function statusOf(url: string, options: object = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    getOverTls(url, { ca: authority.ca, agent: false, ...options }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on('error', reject);
  });
}

const pair = ({ cert, key }: Issued) => ({ cert, key });
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe('a daemon with HttpTlsListen', () => {
  it('serves its pages over TLS only, to whom trusts it', async () => {
    const [url = ''] = (await testDaemon(HTTPS)).httpUrls;
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/);
    for (const path of ['', 'healthz', 'metrics', 'status.json']) expect(await statusOf(`${url}${path}`)).toBe(200);
    await expect(statusOf(url, { ca: stranger.ca })).rejects.toThrow();
    await expect(fetch(url.replace('https:', 'http:'))).rejects.toThrow();
    expect(await statusOf(url)).toBe(200);
  });

  it.each([
    ['nothing', {}, 401],
    ['a token', bearer(TOKEN), 200],
    ['a wrong token', bearer('x'.repeat(32)), 401],
    ['a certificate of the file', pair(reader), 200],
    ['a certificate that fits a pattern of the file', pair(operator), 200],
    ['a certificate that is not in the file', pair(nobody), 401],
    ['a certificate of another authority', pair(mallory), 401],
    ['a certificate that is not in the file, and a token', { ...pair(nobody), ...bearer(TOKEN) }, 200],
  ])('lets in who shows %s: %d', async (_, options, status) => {
    const [url = ''] = (await testDaemon(ASKING)).httpUrls;
    expect(await statusOf(`${url}metrics`, options)).toBe(status);
    expect(await statusOf(`${url}healthz`, options)).toBe(200);
  });

  it.each([
    ['that only reads', reader, 1],
    ['with the right admin', operator, 0],
  ])('takes commands of a certificate %s', async (_, { certFile, keyFile }, code) => {
    const [url = ''] = (await testDaemon(ASKING)).httpUrls;
    const tls = ['--ca', authority.caFile, '--cert', certFile, '--key', keyFile];
    expect((await skein(['reload', '--http', url, ...tls])).code).toBe(code);
    expect((await skein(['top', '--once', '--http', url, ...tls])).code).toBe(0);
  });

  it('gets a new certificate at a reload, and open connections go on', async () => {
    const [first, second] = [authority.issue('first'), authority.issue('second')];
    const files = { cert: join(authority.folder, 'live.crt'), key: join(authority.folder, 'live.key') };
    const use = ({ certFile, keyFile }: Issued): void => {
      cpSync(certFile, files.cert);
      cpSync(keyFile, files.key);
    };
    use(first);
    const daemon = await testDaemon({ ...HTTPS, tlsCertificateFile: files.cert, tlsKeyFile: files.key });
    const [url = ''] = daemon.httpUrls;
    const open = (): Promise<TLSSocket> =>
      new Promise((resolve, reject) => {
        const socket = connectTls({ host: '127.0.0.1', port: Number(new URL(url).port), ca: authority.ca }, () =>
          resolve(socket),
        );
        socket.on('error', reject);
        onTestFinished(() => void socket.destroy());
      });
    const kept = await open();
    expect(kept.getPeerCertificate().subject.CN).toBe('first');
    use(second);
    expect((await daemon.reload()).changed.map(({ option }) => option)).toEqual(['TlsCertificateFile', 'TlsKeyFile']);
    await eventually(async () => (await open()).getPeerCertificate().subject.CN === 'second', 'the new certificate');
    kept.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    const answer = await new Promise<string>((resolve) => kept.once('data', (data) => resolve(data.toString())));
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.runIf(isBrowserTested)('shows the dashboard in a browser', { timeout: 60_000 }, async () => {
    const [url = ''] = (await testDaemon(HTTPS)).httpUrls;
    const context = await (await openBrowser()).createBrowserContext();
    const page = await context.newPage();
    const client = await page.createCDPSession();
    await client.send('Security.setIgnoreCertificateErrors', { ignore: true });
    expect((await page.goto(url))?.status()).toBe(200);
    await eventually(
      async () => String(await page.evaluate('document.body.innerText')).includes('localhost'),
      'the ring',
    );
  });
});
