/** The options that say where a daemon serves over TLS: all of them use its one certificate. */
import type { OptionValues } from './configuration-options.ts';

export const TLS_LISTEN_KEYS = ['tlsListen', 'webSocketTlsListen', 'httpTlsListen'] as const;
export type TlsListenKey = (typeof TLS_LISTEN_KEYS)[number];

/** The first of them that names an address; null: nothing is served over TLS. */
export const firstTlsListener = (values: Pick<OptionValues, TlsListenKey>): TlsListenKey | null =>
  TLS_LISTEN_KEYS.find((key) => (values[key] ?? []).length > 0) ?? null;

export const servesTls = (values: Pick<OptionValues, TlsListenKey>): boolean => firstTlsListener(values) !== null;
