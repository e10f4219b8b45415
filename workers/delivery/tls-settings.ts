/**
 * What TLS listeners go by: part of `DeliverySettings`, so that certificate and key can be replaced while the daemon runs. Plain data, PEM
 * texts, checked before (daemon/tls-files.ts). Every listener that encrypts uses the same.
 */
import type { ClientCertificateMode } from '../../engine/config/configuration-options.ts';

export interface TlsSettings {
  /** The daemon's certificate, then those between it and its authority. */
  readonly certificate: string;
  readonly key: string;
  /** Authorities of clients' certificates; null: none are asked for. */
  readonly authority: string | null;
  readonly clientCertificate: ClientCertificateMode;
}
