/**
 * A dangerous command is obeyed only with a ticket that this incarnation of the daemon gave for it a moment ago, and each ticket once: so
 * what was recorded has no effect, at this incarnation or a later one, and no clock has to be right.
 *
 * A ticket (layout/command-ticket.ts) is a number and an HMAC of number and monitor by a secret of the incarnation.
 *
 * Tickets that were given are not remembered, only the few that were used: asking costs nothing.
 */

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  COMMAND_TICKET_LENGTH,
  COMMAND_TICKET_MAC_OFFSET,
  COMMAND_TICKET_NUMBER_OFFSET,
} from '../../engine/wire/layout/command-ticket.ts';
import { readU48, writeU48 } from '../../engine/wire/ring-bytes.ts';

export const TICKET_GOOD_FOR_MS = 30_000;
const SECRET_BYTES = 32;
const ADDRESS_BYTES = 4;
const MS_STEPS = 1024;

export class CommandTickets {
  readonly #secret = randomBytes(SECRET_BYTES);
  /** Monotonic milliseconds in the upper part, so that numbers only rise and contain their age. */
  #lastNumber = 0;
  /** Numbers used, with the time until which they have to be remembered. */
  readonly #used = new Map<number, number>();

  /** @param monitor IPv4 address of the monitor it is for @param nowMs monotonic, below 2^38 */
  give(monitor: number, nowMs: number): Uint8Array {
    this.#lastNumber = Math.max(this.#lastNumber + 1, Math.floor(nowMs) * MS_STEPS);
    return this.#ticket(this.#lastNumber, monitor);
  }

  /** @returns whether it is good; it is used up then */
  use(ticket: Uint8Array, monitor: number, nowMs: number): boolean {
    const number = readU48(ticket, COMMAND_TICKET_NUMBER_OFFSET);
    const ageMs = nowMs - Math.floor(number / MS_STEPS);
    if (ageMs > TICKET_GOOD_FOR_MS || this.#used.has(number)) return false;
    if (!timingSafeEqual(ticket, this.#ticket(number, monitor))) return false;
    for (const [old, untilMs] of this.#used) if (untilMs < nowMs) this.#used.delete(old);
    this.#used.set(number, nowMs + 2 * TICKET_GOOD_FOR_MS);
    return true;
  }

  #ticket(number: number, monitor: number): Uint8Array {
    const said = new Uint8Array(COMMAND_TICKET_MAC_OFFSET + ADDRESS_BYTES);
    writeU48(said, COMMAND_TICKET_NUMBER_OFFSET, number);
    new DataView(said.buffer).setUint32(COMMAND_TICKET_MAC_OFFSET, monitor);
    const mac = createHmac('sha256', this.#secret).update(said).digest();
    const ticket = new Uint8Array(COMMAND_TICKET_LENGTH);
    ticket.set(said.subarray(0, COMMAND_TICKET_MAC_OFFSET));
    ticket.set(mac.subarray(0, COMMAND_TICKET_LENGTH - COMMAND_TICKET_MAC_OFFSET), COMMAND_TICKET_MAC_OFFSET);
    return ticket;
  }
}
