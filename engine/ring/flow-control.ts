/** How many packets a token visit may send (ring-protocol.md, 2.9). All counts are packets. */

import type { RingWindows } from '../host/ring-options.ts';
import { MAX_CREDIT, type Token } from '../wire/ring-token.ts';

/** Of the packets of one rotation, the share that may be retransmissions before the personal window is halved. */
const CLEAN_RETRANSMISSION_SHARE = 0.02;
/**
 * True backlogs share the whole window among them. Where less than this part of it was sent, they are false, or not what limits the ring.
 */
const USED_SHARE = 0.25;

/**
 * @param configured the windows the daemon started with; its buffers are made for them, so `window` cannot exceed theirs
 * @returns what is wrong with `windows`, naming field, value and limit; null when they can be put in force at run time
 */
export function windowsProblem(windows: RingWindows, configured: RingWindows): string | null {
  const { window, personalWindow, acceleratedWindow, acceleratedRing } = windows;
  if (!(Number.isInteger(window) && window >= 1 && window <= configured.window))
    return `window is ${window}; it must be an integer from 1 to ${configured.window}, the one this daemon started with`;
  if (!(Number.isInteger(personalWindow) && personalWindow >= 1 && personalWindow <= window))
    return `personalWindow is ${personalWindow}; it must be an integer from 1 to ${window}, the window`;
  if (!(Number.isInteger(acceleratedWindow) && acceleratedWindow >= 0 && acceleratedWindow <= personalWindow))
    return `acceleratedWindow is ${acceleratedWindow}; it must be an integer from 0 to ${personalWindow}, the personal window`;
  if (acceleratedRing !== configured.acceleratedRing)
    return `acceleratedRing is ${acceleratedRing}; it cannot change at run time, all daemons must agree on it`;
  return null;
}

export class FlowControl {
  #windows: RingWindows;
  /** Personal window as adapted to loss. */
  #personal: number;
  #lastNew = 0;
  #lastRetransmitted = 0;
  #lastBacklog = 0;

  constructor(windows: RingWindows) {
    this.#windows = windows;
    this.#personal = windows.personalWindow;
  }

  get windows(): RingWindows {
    return this.#windows;
  }

  /** From the next visit of the token on. A personal window that was halved for loss grows back as it would have. */
  setWindows(windows: RingWindows): void {
    this.#windows = windows;
    this.#personal = Math.min(this.#personal, windows.personalWindow);
  }

  /** A new ring: its token counts from nothing. */
  reset(): void {
    this.#personal = this.#windows.personalWindow;
    this.#lastNew = 0;
    this.#lastRetransmitted = 0;
    this.#lastBacklog = 0;
  }

  /**
   * Takes what this daemon sent in the last rotation off the token. To be called first in a visit.
   *
   * Each member subtracts only what it added, so a false count would stay on the token, and could stop the ring, forever.
   * @param mostOfOthers packets that the others can have sent since this daemon's last visit, Infinity when that is not known
   */
  beginVisit(token: Token, mostOfOthers: number): void {
    const others = Math.min(mostOfOthers, Math.max(0, token.flow - this.#lastNew - this.#lastRetransmitted));
    const total = others + this.#lastNew + this.#lastRetransmitted;
    const { window } = this.#windows;
    if (token.backlog > window && total < USED_SHARE * window) token.backlog = this.#lastBacklog;
    token.flow = others;
    if (this.#lastRetransmitted > CLEAN_RETRANSMISSION_SHARE * total) {
      this.#personal = Math.max(1, this.#personal >>> 1);
    } else if (this.#personal < this.#windows.personalWindow) {
      this.#personal++;
    }
  }

  /** At least one, so that a lost packet is never starved by new ones. */
  retransmissionBudget(token: Token): number {
    return Math.max(1, this.#windows.window - token.flow);
  }

  /** New packets that may be sent in this visit, before the bounds of the store. */
  allowance(token: Token, retransmitted: number, backlog: number): number {
    const { window } = this.#windows;
    token.backlog = Math.max(0, token.backlog + backlog - this.#lastBacklog);
    this.#lastBacklog = backlog;
    let allowed = Math.min(this.#personal - retransmitted, window - token.flow - retransmitted);
    if (token.backlog > window) {
      allowed = Math.min(allowed, Math.max(1, Math.floor((window * backlog) / token.backlog)));
    }
    allowed = Math.min(allowed, token.creditBefore, token.creditSoFar);
    return Math.max(0, allowed);
  }

  /** Adds this member's free delivery budget to the least of the ring. */
  grantCredit(token: Token, isLeader: boolean, credit: number): void {
    const mine = Math.max(0, Math.min(MAX_CREDIT, credit));
    if (isLeader) {
      token.creditBefore = token.creditSoFar;
      token.creditSoFar = mine;
    } else {
      token.creditSoFar = Math.min(token.creditSoFar, mine);
    }
  }

  endVisit(token: Token, fresh: number, retransmitted: number): void {
    this.#lastNew = fresh;
    this.#lastRetransmitted = retransmitted;
    token.flow = Math.min(0xffff, token.flow + fresh + retransmitted);
  }
}
