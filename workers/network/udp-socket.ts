/** One UDP socket of the daemon: bound to a literal address, or an error that says which one, for what, and why not. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { socketReason } from '../listen-failure.ts';

/** Requested of the kernel, which may grant less. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

export interface UdpSocketOptions {
  readonly host: string;
  readonly port: number;
  /** What it is for, such as `tokens`; for the error. */
  readonly purpose: string;
  /** Several daemons of one machine may listen to a segment's address. */
  readonly isShared: boolean;
  readonly onMessage: (message: Buffer, from: RemoteInfo) => void;
  /** Errors after the start that no send of ours caused. */
  readonly onError: (error: NodeJS.ErrnoException) => void;
}

/** @throws (rejects) an error that names the address, what the socket is for, and the reason */
export async function openUdpSocket(options: UdpSocketOptions): Promise<Socket> {
  const { host, port, purpose, isShared, onMessage, onError } = options;
  const socket = createSocket({
    type: 'udp4',
    reuseAddr: isShared,
    lookup: literalAddress,
    recvBufferSize: RECEIVE_BUFFER_BYTES,
  });
  await new Promise<void>((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void => {
      socket.close();
      reject(socketError(`cannot open the UDP socket for ${purpose} at ${host}:${port}`, error));
    };
    socket.once('error', refused);
    socket.bind(port, host, () => {
      socket.removeListener('error', refused);
      // Without a gap: an error without a listener ends the process.
      socket.on('error', onError);
      resolve();
    });
  });
  socket.on('message', onMessage);
  return socket;
}

/** What the system said, behind what was to be done. */
export const socketError = (attempt: string, cause: unknown): Error =>
  new Error(`${attempt}: ${socketReason(cause)}`, { cause });

type LookupAnswer = (error: null, address: string, family: number) => void;

/** All addresses are literal. Answering at once lets `send` reach the kernel before it returns; Node's own lookup answers later. */
function literalAddress(address: string, _options: unknown, answer: LookupAnswer): void {
  answer(null, address, 4);
}
