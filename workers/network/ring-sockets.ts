/**
 * The daemon's UDP sockets: one for data and monitors, one for tokens, and one that hears what is sent to the segment as a whole. All
 * datagrams leave through the first, and what the kernel does not take of them is counted.
 */
import type { RemoteInfo, Socket } from 'node:dgram';
import { NetworkCounter } from '../../engine/buffers/counters.ts';
import type { Log } from '../log.ts';
import { OnceAMinute } from '../once-a-minute.ts';
import { SendFailures } from './send-failures.ts';
import { openUdpSocket, socketError } from './udp-socket.ts';

const NEVER = Number.POSITIVE_INFINITY;
/** An interface that was removed and came back has lost its multicast memberships. */
const RENEW_MEMBERSHIP_MS = 5000;

/** How one datagram reaches all daemons of a segment. */
export interface SegmentAddress {
  readonly kind: 'multicast' | 'broadcast';
  readonly address: string;
  /** Go on when the multicast group cannot be joined; it is tried again. */
  readonly ignoresJoinErrors: boolean;
}

export interface RingSocketOptions {
  readonly host: string;
  readonly port: number;
  /** Null: no other daemons, so neither tokens nor a segment. */
  readonly ring: { readonly segment: SegmentAddress | null } | null;
  /** Daemon and segment; for errors. */
  readonly owner: string;
}

export interface RingSocketLinks {
  readonly counters: Float64Array;
  readonly logger: Log;
  readonly now: () => number;
  readonly namesAt: (address: string) => string;
  readonly onData: (message: Buffer, from: RemoteInfo) => void;
  /** Also what comes to the segment's address. */
  readonly onToken: (message: Buffer, from: RemoteInfo) => void;
}

export class RingSockets {
  readonly #links: RingSocketLinks;
  readonly #failures: SendFailures;
  readonly #warnings = new OnceAMinute();
  #data: Socket | null = null;
  #token: Socket | null = null;
  #group: Socket | null = null;
  /** Group and interface of the multicast membership; null: none. */
  #membership: { readonly group: string; readonly host: string } | null = null;
  #renewAtMs = NEVER;
  /** The membership could not be renewed when that was tried last. */
  #isDeaf = false;

  private constructor(host: string, links: RingSocketLinks) {
    const { counters, logger, now, namesAt } = links;
    this.#links = links;
    this.#failures = new SendFailures({ counters, logger, now, ownAddress: host, namesAt });
  }

  /** @throws (rejects) an error that names the socket which could not be opened, its address and why; the others are closed again */
  static async open(options: RingSocketOptions, links: RingSocketLinks): Promise<RingSockets> {
    const sockets = new RingSockets(options.host, links);
    try {
      await sockets.#open(options);
    } catch (error) {
      sockets.close();
      throw error;
    }
    return sockets;
  }

  get nextDeadlineMs(): number {
    return Math.min(this.#failures.nextDeadlineMs, this.#renewAtMs);
  }

  tick(nowMs: number): void {
    this.#failures.tick(nowMs);
    if (nowMs >= this.#renewAtMs) this.#renewMembership(nowMs);
  }

  /** Whether datagrams wait inside Node; their memory is still in use. */
  get isFull(): boolean {
    return (this.#data?.getSendQueueCount() ?? 0) > 0;
  }

  /** To the kernel at once, or out of `bytes` as soon as it takes it. Never throws. */
  send(bytes: Uint8Array, offset: number, lengthBytes: number, port: number, address: string): void {
    try {
      this.#data?.send(bytes, offset, lengthBytes, port, address, this.#sent);
    } catch (error) {
      // Of what a stranger put into a datagram, such as port 0.
      this.#failures.failed((error as NodeJS.ErrnoException).code ?? String(error), address);
    }
  }

  close(): void {
    for (const socket of [this.#data, this.#token, this.#group]) socket?.close();
    this.#data = null;
    this.#token = null;
    this.#group = null;
    this.#renewAtMs = NEVER;
  }

  /** One function for all datagrams; the error says which one it was. */
  readonly #sent = (error: Error | null): void => {
    if (error === null) this.#links.counters[NetworkCounter.DatagramsSent]!++;
    else if (this.#data !== null) {
      const { code = error.message, address = '' } = error as NodeJS.ErrnoException & { readonly address?: string };
      this.#failures.failed(code, address);
    }
  };

  readonly #failed = (error: NodeJS.ErrnoException): void => {
    const { counters, logger, now } = this.#links;
    counters[NetworkCounter.ReceiveErrors]!++;
    const errno = error.code ?? error.message;
    if (!this.#warnings.allows(errno, now())) return;
    const receiveErrors = counters[NetworkCounter.ReceiveErrors]!;
    logger.warn(
      { errno, syscall: error.syscall ?? null, receiveErrors },
      'a UDP socket reports an error; it stays open',
    );
  };

  async #open({ host, port, ring, owner }: RingSocketOptions): Promise<void> {
    const { onData, onToken } = this.#links;
    const own = { host, isShared: false, onError: this.#failed };
    const purpose = (what: string): string => `${what} of ${owner}`;
    this.#data = await openUdpSocket({ ...own, port, purpose: purpose('data and monitors'), onMessage: onData });
    if (ring === null) return;
    this.#token = await openUdpSocket({ ...own, port: port + 1, purpose: purpose('tokens'), onMessage: onToken });
    if (ring.segment === null) return;
    const { kind, address, ignoresJoinErrors } = ring.segment;
    // A socket bound to the daemon's own address does not hear the group; own datagrams come back and are recognised by their source.
    this.#group = await openUdpSocket({
      host: address,
      port,
      purpose: purpose(`datagrams for its segment by ${kind}`),
      isShared: true,
      onError: this.#failed,
      onMessage: (message, from) => {
        if (from.address !== host || from.port !== port) onToken(message, from);
      },
    });
    if (kind === 'broadcast') this.#data.setBroadcast(true);
    else this.#join(address, host, ignoresJoinErrors);
  }

  #join(group: string, host: string, ignoresErrors: boolean): void {
    try {
      this.#group!.addMembership(group, host);
      this.#data!.setMulticastInterface(host);
    } catch (error) {
      const failure = `cannot join the multicast group ${group} of the segment on the interface of ${host}`;
      if (!ignoresErrors) throw socketError(failure, error);
      this.#isDeaf = true;
      const errno = (error as NodeJS.ErrnoException).code ?? String(error);
      this.#links.logger.warn(
        { errno, group, host },
        'cannot join the multicast group of the segment; tried again, because IgnoreMulticastJoinErrors is set',
      );
    }
    this.#membership = { group, host };
    this.#renewAtMs = this.#links.now() + RENEW_MEMBERSHIP_MS;
  }

  /** Joining again is refused as long as the membership is in force. */
  #renewMembership(nowMs: number): void {
    const { group, host } = this.#membership!;
    const { logger } = this.#links;
    this.#renewAtMs = nowMs + RENEW_MEMBERSHIP_MS;
    try {
      this.#group!.addMembership(group, host);
      this.#data!.setMulticastInterface(host);
      logger.warn({ group, host }, 'multicast group joined again: its interface had gone away and is back');
    } catch (error) {
      const errno = (error as NodeJS.ErrnoException).code ?? String(error);
      const isMember = errno === 'EADDRINUSE';
      if (!isMember && this.#warnings.allows(`join ${errno}`, nowMs))
        logger.warn(
          { errno, group, host },
          'the multicast group is not heard: no interface has the address of this daemon',
        );
      if (isMember && this.#isDeaf) logger.info({ group, host }, 'the multicast group is heard again');
      this.#isDeaf = !isMember;
      return;
    }
    this.#isDeaf = false;
  }
}
