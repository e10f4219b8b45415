/** Options about what an operator sees over HTTP. */
import { endpoints, type OptionEntry, path } from '../option-types.ts';

export const MONITORING_OPTIONS = {
  httpListen: {
    section: 'monitoring',
    type: endpoints,
    none: true,
    unset: 'none: no HTTP',
    change: 'restart',
    since: '0.1.0',
    text: 'Addresses where the daemon serves [health, metrics and a dashboard](monitoring.md) over HTTP, separated by blanks; port 0 takes any free one. `npm start` without a configuration serves them on loopback. An address beyond loopback needs `HttpTokenFile`, and should have TLS: `HttpTlsListen`.',
    spread: 'No option.',
  },
  httpTlsListen: {
    section: 'monitoring',
    type: endpoints,
    none: true,
    unset: 'none: no HTTPS',
    change: 'restart',
    since: '0.1.0',
    text: 'Addresses where the daemon serves the same over [HTTPS](monitoring.md#access), with the certificate of `TlsCertificateFile`. Where there is a `TlsAuthorityFile`, clients may show a certificate in place of a token. An address beyond loopback needs `HttpTokenFile`.',
    spread: 'No option.',
  },
  httpTokenFile: {
    section: 'monitoring',
    type: path,
    none: true,
    unset: 'none: anyone on this machine',
    change: 'content',
    since: '0.1.0',
    text: 'File with [the tokens](monitoring.md#access) that HTTP requests must carry, one a line, and the names of client certificates that stand for one. The daemon reads the file again when it has changed. Only its owner may write it, and nobody but owner and group may read it.',
    spread: 'No option.',
  },
} as const satisfies Readonly<Record<string, OptionEntry>>;
