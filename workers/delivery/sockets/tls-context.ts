/** Options of node:tls for the daemon's certificate: the same for every listener of clients that encrypts. */
import type { TlsOptions } from 'node:tls';
import type { TlsSettings } from '../tls-settings.ts';

/** Of certificate and key. May change while a server listens (`setSecureContext`). */
export function secureContextOptions({ certificate, key, authority, clientCertificate }: TlsSettings) {
  const asks = clientCertificate !== 'none' && authority !== null;
  return { cert: certificate, key, ...(asks ? { ca: authority } : {}), minVersion: 'TLSv1.2' } satisfies TlsOptions;
}

/**
 * Of clients' certificates. One that may be left out is judged after the handshake. A server keeps them under the same names, and looks
 * at them at each connection.
 */
export const clientCertificateOptions = ({ clientCertificate }: TlsSettings) =>
  ({
    requestCert: clientCertificate !== 'none',
    rejectUnauthorized: clientCertificate === 'required',
  }) satisfies TlsOptions;

/** A subject may have several names; the last is the most specific. */
export const commonNameOf = (name: string | readonly string[] | undefined): string | null =>
  (typeof name === 'string' ? name : name?.at(-1)) ?? null;
