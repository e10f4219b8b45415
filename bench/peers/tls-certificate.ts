/** A self-signed certificate for one run, which clients trust as authority. Made by the machine's openssl. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RunCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** For clients to trust, as PEM. */
  readonly ca: string;
}

/** @throws when openssl is not installed */
export function makeCertificate(directory: string, address: string): RunCertificate {
  const [certFile, keyFile] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=skein-bench', '-addext', `subjectAltName=IP:${address}`, '-days', '60'];
  const files = ['-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, ...files], { stdio: 'pipe' });
  return { certFile, keyFile, ca: readFileSync(certFile, 'utf8') };
}
