/** One request and its answer over UDP, in the monitor protocol. */
import { createSocket, type Socket } from 'node:dgram';
import { ipv4ToNumber } from '../../engine/config/ipv4.ts';
import type { MonitorSender } from '../../engine/wire/monitor-header.ts';

/** A daemon to ask, at the UDP port of its segment. */
export interface MonitoredDaemon {
  /** For people; the protocol does not carry it. */
  readonly name: string;
  /** IPv4. */
  readonly address: string;
  readonly port: number;
}

export interface Exchange<Answer> {
  /** Makes a new request for each attempt. */
  readonly request: (sender: MonitorSender) => Uint8Array;
  /** Null: the datagram is not an answer. `AGAIN`: call `request` again, because of what it said. */
  readonly read: (datagram: Uint8Array) => Answer | typeof AGAIN | null;
}

/** Datagrams may be lost, so a request is sent several times within the timeout. */
const ATTEMPTS = 3;
/** How many more requests the answers of one daemon may cause. */
const MOST_AGAIN = 6;

export const AGAIN = Symbol('again');

/**
 * A daemon answers only to addresses of its configuration. The request names `answerAddress`; undefined: the address that this machine
 * uses towards the daemon.
 * @returns null when no answer came in time
 */
export async function exchange<Answer>(
  daemon: MonitoredDaemon,
  answerAddress: string | undefined,
  timeoutMs: number,
  { request, read }: Exchange<Answer>,
): Promise<Answer | null> {
  const from = answerAddress ?? (await addressTowards(daemon));
  const socket = createSocket('udp4');
  try {
    await bound(socket);
    const sender = { address: ipv4ToNumber(from) ?? 0, port: socket.address().port };
    return await new Promise<Answer | null>((resolve, reject) => {
      let again = 0;
      const send = (): void => socket.send(request(sender), daemon.port, daemon.address);
      const repeat = setInterval(send, timeoutMs / ATTEMPTS);
      const timer = setTimeout(() => finish(null), timeoutMs);
      const finish = (answer: Answer | null): void => {
        clearInterval(repeat);
        clearTimeout(timer);
        resolve(answer);
      };
      socket.on('message', (datagram) => {
        const answer = read(datagram);
        if (answer === AGAIN) {
          if (again++ < MOST_AGAIN) send();
        } else if (answer !== null) finish(answer);
      });
      socket.on('error', reject);
      send();
    });
  } finally {
    socket.close();
  }
}

const bound = (socket: Socket): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, () => {
      socket.off('error', reject);
      resolve();
    });
  });

/** Connecting a datagram socket sends nothing, but makes the kernel choose the source address. */
export async function addressTowards({ address, port }: MonitoredDaemon): Promise<string> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, address, () => resolve());
    });
    return socket.address().address;
  } finally {
    socket.close();
  }
}
