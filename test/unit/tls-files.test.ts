/** Every TLS file with every possible mistake: refused at the start and by a check, with its name and the cause. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkOperatorFiles } from '../../daemon/operator-files.ts';
import { loadOptions } from '../../daemon/options-load.ts';
import { readCertificateFile, readTlsFiles } from '../../daemon/tls-files.ts';
import { Authority } from '../e2e/support/certificates.ts';

const authority = new Authority();
const good = authority.issue('daemon');
const other = authority.issue('other');
const soon = authority.issue('soon', 29);
const later = authority.issue('later', 31);
afterAll(() => authority.remove());

const DAY_MS = 86_400_000;
let made = 0;

function file(text: string, mode = 0o600): string {
  const path = join(authority.folder, `file-${made++}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

function encryptedKey(): string {
  const path = file('');
  execFileSync('openssl', ['pkcs8', '-topk8', '-in', good.keyFile, '-passout', 'pass:secret', '-out', path]);
  return path;
}

function withMode(mode: number): string {
  const path = file('');
  copyFileSync(good.keyFile, path);
  chmodSync(path, mode);
  return path;
}

const NO_FILE = join(authority.folder, 'none');
const DAMAGED = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const DAMAGED_KEY = '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n';

type Field = 'TlsCertificateFile' | 'TlsKeyFile' | 'TlsAuthorityFile';

/** The end of the error, after the name of the file. */
const CASES: readonly (readonly [Field, string, () => string, RegExp])[] = [
  ['TlsCertificateFile', 'is missing', () => NO_FILE, /cannot be read: .*ENOENT/],
  ['TlsCertificateFile', 'is empty', () => file(''), /is empty; a certificate as PEM is expected/],
  ['TlsCertificateFile', 'is blank', () => file(' \n\n'), /is empty; a certificate as PEM is expected/],
  ['TlsCertificateFile', 'is some text', () => file('hello\n'), /holds no certificate as PEM/],
  ['TlsCertificateFile', 'is a key', () => good.keyFile, /holds no certificate as PEM/],
  ['TlsCertificateFile', 'is damaged', () => file(DAMAGED), /certificate 1 is damaged/],
  ['TlsCertificateFile', 'is damaged behind the first', () => file(good.cert + DAMAGED), /certificate 2 is damaged/],
  ['TlsKeyFile', 'is missing', () => NO_FILE, /cannot be read: .*ENOENT/],
  ['TlsKeyFile', 'is empty', () => file(''), /is empty; a private key as PEM is expected/],
  ['TlsKeyFile', 'is a certificate', () => file(good.cert), /holds no private key as PEM/],
  ['TlsKeyFile', 'is damaged', () => file(DAMAGED_KEY), /the private key is damaged/],
  ['TlsKeyFile', 'has a passphrase', encryptedKey, /the key has a passphrase/],
  ['TlsKeyFile', 'is of another certificate', () => other.keyFile, /is not the key of the certificate in /],
  ['TlsKeyFile', 'may be read by all', () => withMode(0o644), /mode 0644 lets others read or change the key/],
  ['TlsKeyFile', 'may be written by the group', () => withMode(0o660), /mode 0660 lets others read or change the key/],
  ['TlsAuthorityFile', 'is missing', () => NO_FILE, /cannot be read: .*ENOENT/],
  ['TlsAuthorityFile', 'is empty', () => file(''), /is empty; a certificate as PEM is expected/],
  ['TlsAuthorityFile', 'is damaged', () => file(DAMAGED), /certificate 1 is damaged/],
];

const optionsWith = async (field: Field, path: string) => {
  const files: Record<Field, string> = {
    TlsCertificateFile: good.certFile,
    TlsKeyFile: good.keyFile,
    TlsAuthorityFile: authority.caFile,
  };
  files[field] = path;
  const resolved = await loadOptions({
    port: 0,
    tlsListen: '127.0.0.1:0',
    tlsCertificateFile: files.TlsCertificateFile,
    tlsKeyFile: files.TlsKeyFile,
    tlsAuthorityFile: files.TlsAuthorityFile,
    tlsClientCertificate: 'required',
  });
  return resolved.configuration.options;
};

describe('a file that cannot be used', () => {
  it.each(CASES)('%s %s', async (field, _, make, cause) => {
    const path = make();
    const options = await optionsWith(field, path);
    const failure = await readTlsFiles(options, []).then(
      () => null,
      (error: Error) => error.message,
    );
    expect(failure).toMatch(cause);
    expect(failure!.startsWith(path)).toBe(true);
    expect(failure).not.toContain('PRIVATE KEY-----\n');
    const { problems } = await checkOperatorFiles(options);
    expect(problems.map(({ field: named, message }) => [named, message])).toEqual([[field, `${field}: ${failure}`]]);
  });
});

it('good ones give no warning, also with a key that the group may read', async () => {
  const options = await optionsWith('TlsKeyFile', withMode(0o640));
  expect(await readTlsFiles(options, [])).toEqual({
    ...{ certificate: good.cert, key: good.key, authority: authority.ca, clientCertificate: 'required' },
  });
  expect(await checkOperatorFiles(options)).toEqual({ problems: [], warnings: [] });
});

describe('the dates of a certificate', () => {
  it.each([
    ['is not valid yet', -2, /the certificate CN=daemon is not valid before \d{4}-/],
    ['has expired', 366, /the certificate CN=daemon expired on \d{4}-\d\d-\d\dT/],
  ])('that %s', async (_, days, cause) => {
    await expect(readCertificateFile(good.certFile, [], Date.now() + days * DAY_MS)).rejects.toThrow(cause);
  });

  it('of certificates after the first count too', async () => {
    const chain = file(later.cert + soon.cert);
    await expect(readCertificateFile(chain, [], Date.now() + 30 * DAY_MS)).rejects.toThrow(/CN=soon expired/);
  });

  it('give a warning in the last 30 days', async () => {
    const warnings: string[] = [];
    await readCertificateFile(soon.certFile, warnings);
    expect(warnings).toEqual([expect.stringMatching(/CN=soon expires on .*, in 28 days: renew it$/)]);
    await readCertificateFile(later.certFile, warnings);
    expect(warnings).toHaveLength(1);
  });
});
