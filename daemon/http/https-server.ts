/** HTTPS: the same server with the certificate of the daemon. Clients may show a certificate; who need not is judged by his token. */
import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { commonNameOf } from '../../workers/delivery/sockets/tls-context.ts';
import type { TlsSettings } from '../../workers/delivery/tls-settings.ts';
import { HEADERS_TIMEOUT_MS } from './http-limits.ts';

const contextOf = ({ certificate, key, authority }: TlsSettings) =>
  ({ cert: certificate, key, ...(authority === null ? {} : { ca: authority }), minVersion: 'TLSv1.2' }) as const;

export function createHttpsServer(settings: ServerOptions, listener: RequestListener, tls: TlsSettings): Server {
  return createServer(
    {
      ...settings,
      ...contextOf(tls),
      requestCert: tls.authority !== null,
      rejectUnauthorized: false,
      handshakeTimeout: HEADERS_TIMEOUT_MS,
    },
    listener,
  );
}

/** For connections that come from now on. @param server of `createHttpsServer` */
export function changeCertificate(server: Server, tls: TlsSettings): void {
  (server as unknown as ReturnType<typeof createServer>).setSecureContext(contextOf(tls));
  Object.assign(server, { requestCert: tls.authority !== null });
}

/** @throws when it cannot be used */
export const checkCertificate = (tls: TlsSettings): void => void createSecureContext(contextOf(tls));

/** Common name of the certificate that the client has proven to hold, signed by the authority; null: none. */
export function certificateOf(socket: Socket): string | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  return commonNameOf(socket.getPeerCertificate().subject?.CN);
}
