/** What the ring agent writes into the daemon's log. What a stranger can cause is written once a minute. */
import type { ExchangeFault } from '../../engine/groups/groups-output.ts';
import type { Configuration } from '../../engine/host/configuration.ts';
import type { NodeIndex } from '../../engine/wire/ids.ts';
import { MAX_MEMBERSHIP_FRAME_LENGTH } from '../../engine/wire/limits.ts';
import { describeRecordFault, type RecordFault } from '../../engine/wire/record-check.ts';
import type { Log } from '../log.ts';
import { OnceAMinute } from '../once-a-minute.ts';

export interface RingLogParts {
  readonly logger: Log;
  /** Of all daemons, in configuration order. */
  readonly daemonNames: readonly string[];
  readonly now: () => number;
}

export class RingLog {
  readonly #logger: Log;
  readonly #daemonNames: readonly string[];
  readonly #now: () => number;
  readonly #complaints = new OnceAMinute();

  constructor({ logger, daemonNames, now }: RingLogParts) {
    this.#logger = logger;
    this.#daemonNames = daemonNames;
    this.#now = now;
  }

  configurationChanged({ id: { kind, ringSeq }, members }: Configuration): void {
    const names = members.map((member) => this.#daemonNames[member.node]).join(' ');
    this.#logger.info({ kind, ringSeq, members: names, count: members.length }, 'daemon membership');
  }

  /** @param refused records so far */
  recordRefused(origin: NodeIndex, fault: RecordFault, refused: number): void {
    if (!this.#complaints.allows(`record of ${origin}`, this.#now())) return;
    const peerName = this.#daemonNames[origin];
    this.#logger.warn(
      { peerName, cause: describeRecordFault(fault), refused },
      'a malformed record of another daemon was dropped',
    );
  }

  exchangeFault(fault: ExchangeFault, node: NodeIndex): void {
    if (!this.#complaints.allows(`${fault} ${node}`, this.#now())) return;
    const daemonName = this.#daemonNames[node];
    this.#logger.error(
      { daemonName },
      fault === 'left-out'
        ? 'the group table of a daemon was refused; its clients are in no group until they join again'
        : 'another daemon reported the groups of a daemon wrongly; views may differ between daemons until it is restarted',
    );
  }

  frameTooLong(group: string, lengthBytes: number): void {
    if (!this.#complaints.allows('frame too long', this.#now())) return;
    const limit = MAX_MEMBERSHIP_FRAME_LENGTH;
    this.#logger.error({ group, lengthBytes, limit }, 'a view is longer than a frame can be, and is not delivered');
  }

  ringSeqNotKept(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#logger.error(
      { reason },
      'the number of the daemon membership is not kept: after a restart this daemon may use it again; make room in StateDir, or make it writable',
    );
  }

  datagramBytes(datagramBytes: number): void {
    this.#logger.debug({ datagramBytes }, 'datagrams to the ring are at most this long');
  }

  /** At the end of a drain that was cut short. */
  requestsLost(bytes: number): void {
    this.#logger.warn({ bytes }, 'drain time is over: requests of clients were accepted and are not ordered');
  }

  /** At the end of a drain that was cut short. @param nodes others that stop as well and are not as far as this daemon */
  notAwaited(nodes: readonly number[]): void {
    if (nodes.length === 0) return;
    const daemons = nodes.map((node) => this.#daemonNames[node]).join(' ');
    this.#logger.warn({ daemons }, 'drain time is over: clients may lack last messages of daemons that stop as well');
  }

  sentMayBeLost(): void {
    this.#logger.warn({}, 'drain time is over: the last messages of clients may not have reached every daemon');
  }
}
