/** Options about clients that come over WebSockets. */
import { endpoints, type OptionEntry, origins } from '../option-types.ts';

export const WEBSOCKET_OPTIONS = {
  webSocketListen: {
    section: 'clients',
    type: endpoints,
    none: true,
    unset: 'none: no WebSockets',
    change: 'restart',
    since: '0.1.0',
    text: 'Addresses where clients connect with [WebSockets](browser.md), such as web pages, beside the plain port, separated by blanks; port 0 takes any free one. Not encrypted: beyond this machine use `WebSocketTlsListen`.',
    spread: 'No option.',
  },
  webSocketTlsListen: {
    section: 'clients',
    type: endpoints,
    none: true,
    unset: 'none: no `wss:`',
    change: 'restart',
    since: '0.1.0',
    text: 'Addresses where clients connect with WebSockets over [TLS](security.md#tls) (`wss:`), separated by blanks; port 0 takes any free one. Certificate, key and the rules for certificates of clients are those of `TlsListen`. Needs `TlsCertificateFile` and `TlsKeyFile`.',
    spread: 'No option.',
  },
  webSocketOrigins: {
    section: 'clients',
    type: origins,
    none: true,
    unset: 'none: pages of the same host',
    change: 'reload',
    since: '0.1.0',
    text: 'Origins of the pages that may connect over WebSockets, separated by blanks; `*` allows every page. Without it a page may connect when it comes from the host that it connects to, on any port ([which pages](browser.md#which-pages-may-connect)). Clients that send no `Origin`, which are programs, may always connect. Pages that are connected stay. No effect without `WebSocketListen` or `WebSocketTlsListen`.',
    spread: 'No option.',
  },
} as const satisfies Readonly<Record<string, OptionEntry>>;
