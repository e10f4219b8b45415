/**
 * Datagrams that the kernel did not take: counted by cause, and told in the log, once a minute for each errno, with the addresses they
 * were for. A daemon whose datagrams do not leave is alone, and looks healthy otherwise.
 */
import { NetworkCounter, SEND_CAUSES, type SendCause } from '../../engine/buffers/counters.ts';
import type { Log } from '../log.ts';

const PERIOD_MS = 60_000;
/** Failures of one cause to several addresses share one line. */
const COLLECT_MS = 250;
/** Addresses named in one line. */
const MOST_NAMED = 8;
/** Pairs of errno and address that are kept apart; a configuration has fewer, unknown addresses may make more. */
const MAX_PAIRS = 512;
/** In place of an address: those beyond `MAX_PAIRS`. */
const OTHERS = '';
const NEVER = Number.POSITIVE_INFINITY;

const CAUSE_OF_ERRNO: Readonly<Record<string, SendCause>> = {
  ENETUNREACH: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENONET: 'unreachable',
  ECONNREFUSED: 'unreachable',
  EPERM: 'forbidden',
  EACCES: 'forbidden',
  EMSGSIZE: 'tooLong',
  EINVAL: 'wrongAddress',
  EADDRNOTAVAIL: 'wrongAddress',
  EAFNOSUPPORT: 'wrongAddress',
  ENODEV: 'wrongAddress',
  EDESTADDRREQ: 'wrongAddress',
  ENOBUFS: 'noBuffers',
  ENOMEM: 'noBuffers',
};

/** What each cause means to an operator, behind "datagrams are not sent: ". */
const MEANING: Readonly<Record<SendCause, string>> = {
  unreachable: 'this machine has no route to their addresses, or its network is down',
  forbidden: 'a firewall of this machine, or a missing permission, refuses them',
  tooLong: 'they are longer than the network allows; set a lower DatagramSize',
  wrongAddress:
    'they cannot be sent from the address of this daemon to theirs; give each daemon an address of its network in the configuration, not a loopback address (many systems resolve the host name to 127.0.1.1)',
  noBuffers: 'the machine is out of memory for them',
  other: 'the kernel refuses them',
};

export const sendCause = (errno: string): SendCause => CAUSE_OF_ERRNO[errno] ?? 'other';

/** Failures of one errno to one address. */
interface Failing {
  readonly address: string;
  untold: number;
}

/** All failures of one errno. */
interface Kind {
  readonly errno: string;
  readonly peers: Map<string, Failing>;
  total: number;
  dueMs: number;
}

export interface SendFailureLinks {
  readonly counters: Float64Array;
  readonly logger: Log;
  readonly now: () => number;
  /** Address this daemon sends from. */
  readonly ownAddress: string;
  /** Names of the daemons at an address; empty for a stranger's. */
  readonly namesAt: (address: string) => string;
}

export class SendFailures {
  readonly #links: SendFailureLinks;
  readonly #kinds = new Map<string, Kind>();
  #pairs = 0;

  constructor(links: SendFailureLinks) {
    this.#links = links;
  }

  /** The next line is due then. */
  get nextDeadlineMs(): number {
    let earliest = NEVER;
    for (const { dueMs } of this.#kinds.values()) earliest = Math.min(earliest, dueMs);
    return earliest;
  }

  /** @param errno its name, such as `ENETUNREACH` */
  failed(errno: string, address: string): void {
    this.#links.counters[NetworkCounter.SendsFailed + SEND_CAUSES.indexOf(sendCause(errno))]!++;
    const kind = this.#kindOf(errno);
    kind.total++;
    let peer = kind.peers.get(address) ?? (this.#pairs < MAX_PAIRS ? undefined : kind.peers.get(OTHERS));
    if (peer === undefined) {
      peer = { address: this.#pairs < MAX_PAIRS ? address : OTHERS, untold: 0 };
      kind.peers.set(peer.address, peer);
      this.#pairs++;
    }
    peer.untold++;
  }

  tick(nowMs: number): void {
    for (const kind of this.#kinds.values()) if (kind.dueMs <= nowMs) this.#tell(kind, nowMs);
  }

  #kindOf(errno: string): Kind {
    let kind = this.#kinds.get(errno);
    if (kind === undefined) {
      kind = { errno, peers: new Map(), total: 0, dueMs: this.#links.now() + COLLECT_MS };
      this.#kinds.set(errno, kind);
    }
    return kind;
  }

  #tell(kind: Kind, nowMs: number): void {
    const { errno, total } = kind;
    const failing = [...kind.peers.values()].filter(({ untold }) => untold > 0);
    const failed = failing.reduce((sum, { untold }) => sum + untold, 0);
    if (failed === 0) {
      this.#links.logger.info({ errno, total }, 'no datagram failed this way for a minute');
      this.#kinds.delete(errno);
      this.#pairs -= kind.peers.size;
      return;
    }
    kind.dueMs = nowMs + PERIOD_MS;
    const cause = sendCause(errno);
    const fields = { errno, cause, failed, total, from: this.#links.ownAddress, to: this.#list(failing) };
    this.#links.logger.warn(fields, `datagrams are not sent: ${MEANING[cause]}`);
    for (const peer of failing) peer.untold = 0;
  }

  #list(failing: readonly Failing[]): string {
    const named = failing.slice(0, MOST_NAMED).map(({ address }) => {
      const names = this.#links.namesAt(address);
      return `${address === OTHERS ? 'others' : address}${names === '' ? '' : ` (${names})`}`;
    });
    const more = failing.length - named.length;
    return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  }
}
