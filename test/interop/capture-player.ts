/** Plays the clients of a recorded scenario against a daemon: the same bytes, at the same places between the daemon's answers. */
import { connect, type Socket } from 'node:net';
import type { CaptureLine } from './capture-file.ts';

/** The scenario's clients do not wait between their own actions; this gives the daemon time to handle each one. */
const SETTLE_MS = 15;
const GIVE_UP_MS = 20_000;

/** TCP port, or path of a Unix socket. */
export type Target = { readonly port: number } | { readonly path: string };

export interface PlayOptions {
  /** Daemons to connect to: one for all clients, or one for each. */
  readonly target: Target | ((connection: number) => Target);
  /** Called before the end of a connection, by either side, is played. */
  readonly closing?: (connection: number) => Promise<void>;
  /** May change what a client is about to send, given what it has received. */
  readonly rewrite?: (bytes: Buffer, received: Buffer) => Buffer;
  /** How many bytes to wait for when the recording has `expected`; for answers that differ in length by rule. */
  readonly expectedLength?: (recorded: number, connection: number) => number;
}

class Client {
  received = Buffer.alloc(0);
  ended = false;
  readonly #socket: Socket;
  #changed: () => void = () => {};

  constructor(target: Target) {
    this.#socket = connect({ ...target, host: '127.0.0.1' });
    this.#socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#changed();
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.ended = true;
      this.#changed();
    });
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + GIVE_UP_MS;
    while (!condition()) {
      const left = deadline - Date.now();
      if (left <= 0)
        throw new Error(
          `waited ${GIVE_UP_MS} ms for ${what}; received ${this.received.length} bytes: ${this.received.toString('hex')}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** What one client received. */
export interface Reply {
  readonly bytes: Buffer;
  /** The daemon closed the connection before the client did; where the recording has the client close, by the recording's order. */
  readonly closedByDaemon: boolean;
}

export async function play(lines: readonly CaptureLine[], options: PlayOptions): Promise<readonly Reply[]> {
  const clients: Client[] = [];
  try {
    return await playLines(lines, options, clients);
  } finally {
    for (const client of clients) client.close();
  }
}

async function playLines(
  lines: readonly CaptureLine[],
  options: PlayOptions,
  clients: Client[],
): Promise<readonly Reply[]> {
  const recorded: number[] = [];
  const closedByDaemon: boolean[] = [];
  let isFirstSend = true;
  for (const { connection, fromClient, bytes } of lines) {
    const { target } = options;
    clients[connection] ??= new Client(typeof target === 'function' ? target(connection) : target);
    const client = clients[connection];
    if (bytes === null) await options.closing?.(connection);
    if (fromClient) {
      if (!isFirstSend) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      isFirstSend = false;
      if (bytes === null) client.close();
      else client.send(options.rewrite?.(bytes, client.received) ?? bytes);
    } else if (bytes === null) {
      await client.until(() => client.ended, `connection ${connection} to be closed`);
      closedByDaemon[connection] = true;
    } else {
      recorded[connection] = (recorded[connection] ?? 0) + bytes.length;
      const expected = options.expectedLength?.(recorded[connection], connection) ?? recorded[connection];
      await client.until(() => client.received.length >= expected, `${expected} bytes on connection ${connection}`);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return clients.map((client, i) => ({ bytes: client.received, closedByDaemon: closedByDaemon[i] ?? client.ended }));
}
