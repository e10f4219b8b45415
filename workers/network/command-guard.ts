/** Decides whether a dangerous command of a monitor is obeyed (client-protocol.md, 10.3; ring-protocol.md, section 7, row 6). */

import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import { MONITOR_HEADER_LENGTH } from '../../engine/wire/layout/monitor-header.ts';
import type { CommandVerdict } from '../../engine/wire/monitor-answer.ts';
import type { MonitorRequest } from '../../engine/wire/monitor-header.ts';
import { openMonitorDatagram } from './command-seal.ts';
import { CommandTickets } from './command-tickets.ts';

export interface Judgement {
  readonly verdict: CommandVerdict;
  /** What the command was truly sealed with, and its number; null when that is not known. The answer is sealed likewise. */
  readonly seal: {
    readonly key: ClusterKey;
    readonly attempt: number;
    /** For the next command of this monitor, when this one had none that is good; else null. */
    readonly ticket: Uint8Array | null;
  } | null;
}

export class CommandGuard {
  /** `DangerousMonitor` of the configuration. */
  isEnabled: boolean;
  readonly #address: number;
  readonly #tickets = new CommandTickets();

  /** @param address IPv4 of this daemon, which a command must name */
  constructor(isEnabled: boolean, address: number) {
    this.isEnabled = isEnabled;
    this.#address = address;
  }

  /**
   * @param request the header of `datagram`, whose sender is known to be an address of the configuration
   * @param keys null: the daemon has no key file
   * @param nowMs monotonic
   */
  judge(request: MonitorRequest, datagram: Uint8Array, keys: readonly ClusterKey[] | null, nowMs: number): Judgement {
    if (!this.isEnabled) return { verdict: 'disabled', seal: null };
    if (keys === null) return { verdict: 'no-keys', seal: null };
    const opened = openMonitorDatagram(datagram, MONITOR_HEADER_LENGTH + request.bodyLength, keys);
    if (opened.state !== 'sealed') return { verdict: opened.state, seal: null };
    const { key, attempt } = opened;
    if (request.target !== this.#address) return { verdict: 'wrong-target', seal: { key, attempt, ticket: null } };
    if (this.#tickets.use(opened.ticket, request.address, nowMs))
      return { verdict: 'accepted', seal: { key, attempt, ticket: null } };
    const asks = opened.ticket.every((byte) => byte === 0);
    const ticket = this.#tickets.give(request.address, nowMs);
    return { verdict: asks ? 'ticket' : 'replayed', seal: { key, attempt, ticket } };
  }
}
