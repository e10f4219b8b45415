import { createSocket, type Socket } from 'node:dgram';
import { ipv4ToNumber } from '../../engine/config/ipv4.ts';
import { readStatusReport, type StatusReport, statusRequest } from './status-protocol.ts';

/** A daemon to ask, at the UDP port of its segment. */
export interface MonitoredDaemon {
  /** For the reader; the protocol does not know it. */
  readonly name: string;
  /** IPv4. */
  readonly address: string;
  readonly port: number;
}

/** Null: no answer in time. */
export interface DaemonStatus extends MonitoredDaemon {
  readonly report: StatusReport | null;
}

/** Daemons receive datagrams, so a request may be lost: it is sent more than once within the time. */
const ATTEMPTS = 3;

/**
 * Asks every daemon at once. A daemon answers only to addresses of its configuration, so the answer is asked for at
 * `answerAddress` or, when that is undefined, at the address this machine uses towards the daemon.
 */
export const askStatus = (
  daemons: readonly MonitoredDaemon[],
  answerAddress: string | undefined,
  timeoutMs: number,
): Promise<readonly DaemonStatus[]> => Promise.all(daemons.map((daemon) => askOne(daemon, answerAddress, timeoutMs)));

async function askOne(
  daemon: MonitoredDaemon,
  answerAddress: string | undefined,
  timeoutMs: number,
): Promise<DaemonStatus> {
  const from = answerAddress ?? (await addressTowards(daemon));
  const socket = createSocket('udp4');
  try {
    await bound(socket);
    const request = statusRequest(ipv4ToNumber(from) ?? 0, socket.address().port);
    const report = await new Promise<StatusReport | null>((resolve, reject) => {
      const send = (): void => socket.send(request, daemon.port, daemon.address);
      const repeat = setInterval(send, timeoutMs / ATTEMPTS);
      const timer = setTimeout(() => finish(null), timeoutMs);
      const finish = (answer: StatusReport | null): void => {
        clearInterval(repeat);
        clearTimeout(timer);
        resolve(answer);
      };
      socket.on('message', (datagram) => {
        const answer = readStatusReport(datagram);
        if (answer !== null) finish(answer);
      });
      socket.on('error', reject);
      send();
    });
    return { ...daemon, report };
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

/** Connecting a datagram socket sends nothing, and makes the kernel choose the address it would send from. */
async function addressTowards({ address, port }: MonitoredDaemon): Promise<string> {
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
