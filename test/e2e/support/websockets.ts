/** Clients over WebSockets: single ones, and a bridge from TCP over which every client of the tests can connect. */
import { createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

/** PEM: the client's trusted authority, and its own certificate and key. */
export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export interface WebClient {
  readonly socket: WebSocket;
  readonly closed: Promise<Closed>;
  /** Every byte received. */
  readonly bytes: () => Buffer;
}

/** Opens with these headers. Rejects with the status when the daemon refuses. */
export async function openWebSocket(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  tls: TlsFiles = {},
): Promise<WebClient> {
  const socket = new WebSocket(url, { headers, ...tls });
  onTestFinished(() => socket.terminate());
  const chunks: Buffer[] = [];
  socket.on('message', (data) => chunks.push(data as Buffer));
  const closed = new Promise<Closed>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('unexpected-response', (_, response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => reject(new Error(`${response.statusCode} ${text}`)));
    });
    socket.once('error', reject);
  });
  socket.on('error', () => {});
  return { socket, closed, bytes: () => Buffer.concat(chunks) };
}

/** @param frameBytes the client's bytes are sent in messages of this size, whatever they cut @returns a TCP port on loopback */
export async function webSocketBridge(url: string, frameBytes: number, tls: TlsFiles = {}): Promise<number> {
  const server = createServer({ allowHalfOpen: false }, (tcp) => {
    const web = new WebSocket(url, tls);
    tcp.pause();
    tcp.on('error', () => web.terminate());
    web.on('error', () => tcp.destroy());
    web.on('open', () => tcp.resume());
    tcp.on('data', (chunk) => {
      for (let from = 0; from < chunk.length; from += frameBytes) web.send(chunk.subarray(from, from + frameBytes));
    });
    tcp.on('close', () => web.close());
    web.on('message', (data) => {
      if (tcp.write(data as Buffer)) return;
      web.pause();
      tcp.once('drain', () => web.resume());
    });
    web.on('close', () => tcp.end());
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
