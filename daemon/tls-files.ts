/** Reads certificate, key and authorities of TLS, and looks at what would only fail at the first client: each error names file and cause. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { ConfigurationOptions } from '../engine/config/configuration-options.ts';
import { plural } from '../engine/plural.ts';
import type { TlsSettings } from '../workers/delivery/tls-settings.ts';
import { secretModeProblem } from './secret-mode.ts';
import { readTextFile } from './text-file.ts';

type TlsOptions = Pick<
  ConfigurationOptions,
  'tlsCertificateFile' | 'tlsKeyFile' | 'tlsAuthorityFile' | 'tlsClientCertificate' | 'httpTlsListen'
>;

const DAY_MS = 86_400_000;
const WARN_BEFORE_MS = 30 * DAY_MS;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Of a daemon that serves over TLS, whose rules between options are kept.
 * @throws (rejects) with file and cause when one cannot be used
 */
export async function readTlsFiles(options: TlsOptions, warnings: string[]): Promise<TlsSettings> {
  const { tlsAuthorityFile, tlsClientCertificate, httpTlsListen } = options;
  const { certificate, key } = await readCertificateAndKey(options, warnings);
  const authority =
    tlsAuthorityFile === null || (tlsClientCertificate === 'none' && httpTlsListen.length === 0)
      ? null
      : (await readCertificateFile(tlsAuthorityFile, warnings)).text;
  return { certificate, key, authority, clientCertificate: tlsClientCertificate };
}

/** Both, and that they belong together. */
export async function readCertificateAndKey(
  { tlsCertificateFile, tlsKeyFile }: TlsOptions,
  warnings: string[],
): Promise<{ readonly certificate: string; readonly key: string }> {
  const certificate = await readCertificateFile(tlsCertificateFile!, warnings);
  const key = await readPrivateKeyFile(tlsKeyFile!);
  if (!certificate.first.checkPrivateKey(key.key))
    throw new Error(`${tlsKeyFile}: is not the key of the certificate in ${tlsCertificateFile}`);
  try {
    createSecureContext({ cert: certificate.text, key: key.text, minVersion: 'TLSv1.2' });
  } catch (error) {
    throw new Error(`${tlsCertificateFile} with ${tlsKeyFile}: cannot be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return { certificate: certificate.text, key: key.text };
}

/** Certificates of a file, each in force now. @param warnings gets one for each that soon is not */
export async function readCertificateFile(
  path: string,
  warnings: string[],
  nowMs = Date.now(),
): Promise<{ readonly text: string; readonly first: X509Certificate }> {
  const text = await readTextFile(path);
  if (text.trim() === '') throw new Error(`${path}: is empty; a certificate as PEM is expected`);
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new Error(`${path}: holds no certificate as PEM (-----BEGIN CERTIFICATE-----)`);
  const certificates = blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new Error(`${path}: certificate ${i + 1} is damaged: ${(error as Error).message}`, { cause: error });
    }
  });
  for (const certificate of certificates) checkDates(path, certificate, nowMs, warnings);
  return { text, first: certificates[0]! };
}

function checkDates(path: string, certificate: X509Certificate, nowMs: number, warnings: string[]): void {
  const { subject, validFrom, validTo } = certificate;
  const name = subject === undefined || subject === '' ? 'without a subject' : subject.replaceAll('\n', ', ');
  const from = Date.parse(validFrom);
  const to = Date.parse(validTo);
  if (nowMs > to) throw new Error(`${path}: the certificate ${name} expired on ${day(to)}`);
  if (nowMs < from) throw new Error(`${path}: the certificate ${name} is not valid before ${day(from)}`);
  if (to - nowMs < WARN_BEFORE_MS)
    warnings.push(`${path}: the certificate ${name} expires on ${day(to)}, ${untilText(to - nowMs)}: renew it`);
}

function untilText(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  return `in ${days} ${plural(days, 'day')}`;
}

const day = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

export async function readPrivateKeyFile(path: string): Promise<{ readonly text: string; readonly key: KeyObject }> {
  const text = await readTextFile(path);
  if (text.trim() === '') throw new Error(`${path}: is empty; a private key as PEM is expected`);
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text))
    throw new Error(`${path}: the key has a passphrase, which nobody can type at the start; store it without one`);
  if (!/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(text))
    throw new Error(`${path}: holds no private key as PEM (-----BEGIN PRIVATE KEY-----)`);
  const problem = secretModeProblem((await stat(path)).mode, 'the key');
  if (problem !== null) throw new Error(`${path}: ${problem}`);
  try {
    return { text, key: createPrivateKey(text) };
  } catch (error) {
    throw new Error(`${path}: the private key is damaged: ${(error as Error).message}`, { cause: error });
  }
}
