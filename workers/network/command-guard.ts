/** Decides whether a dangerous command of a monitor is obeyed (client-protocol.md, 10.3; ring-protocol.md, section 7, row 6). */
import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import type { CommandVerdict } from '../../engine/wire/monitor-answer.ts';
import { MONITOR_HEADER_LENGTH, type MonitorRequest } from '../../engine/wire/monitor-header.ts';
import { openMonitorDatagram } from './command-seal.ts';

/** How far the clocks of monitor and daemon may be apart. */
export const CLOCK_TOLERANCE_MS = 30_000;

export interface GuardOptions {
  /** `DangerousMonitor` of the configuration. */
  readonly enabled: boolean;
  /** IPv4 address of this daemon, which a command must name. */
  readonly address: number;
  /** Commands from before are refused: what an earlier run of the daemon obeyed cannot be played to this one. */
  readonly startedUnixMs: number;
}

export interface Judgement {
  readonly verdict: CommandVerdict;
  /** What the command was truly sealed with, and its time; null when that is not known. The answer is sealed likewise. */
  readonly seal: { readonly key: ClusterKey; readonly unixMs: number } | null;
}

export class CommandGuard {
  readonly #options: GuardOptions;
  /** Time of the last accepted command by the monitor's address; no more entries than configured addresses. */
  readonly #lastUnixMs = new Map<number, number>();

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /**
   * @param request the header of `datagram`, whose sender is known to be an address of the configuration
   * @param keys null: the daemon has no key file
   */
  judge(
    request: MonitorRequest,
    datagram: Uint8Array,
    keys: readonly ClusterKey[] | null,
    nowUnixMs: number,
  ): Judgement {
    const { enabled, address, startedUnixMs } = this.#options;
    if (!enabled) return { verdict: 'disabled', seal: null };
    if (keys === null) return { verdict: 'no-keys', seal: null };
    const seal = openMonitorDatagram(datagram, MONITOR_HEADER_LENGTH + request.bodyLength, keys);
    if (seal.state !== 'sealed') return { verdict: seal.state, seal: null };
    const { unixMs } = seal;
    if (request.target !== address) return { verdict: 'wrong-target', seal };
    if (Math.abs(nowUnixMs - unixMs) > CLOCK_TOLERANCE_MS) return { verdict: 'wrong-time', seal };
    if (unixMs <= (this.#lastUnixMs.get(request.address) ?? startedUnixMs)) return { verdict: 'replayed', seal };
    this.#lastUnixMs.set(request.address, unixMs);
    return { verdict: 'accepted', seal };
  }
}
