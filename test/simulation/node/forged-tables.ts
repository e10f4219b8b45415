/**
 * What a faulty daemon makes of its table in a state exchange: series that never become whole, and tables that are refused at first
 * sight. Tables that are well-formed and false are not among them: nobody but their senders could know better.
 */
import {
  GROUPS_HEADER_LENGTH,
  GROUPS_PART_COUNT_OFFSET,
  GROUPS_PART_OFFSET,
} from '../../../engine/wire/layout/groups-body.ts';
import type { Random } from '../core/random.ts';

const TABLE = GROUPS_HEADER_LENGTH;
const DAEMON_COUNT = TABLE + 8;
const FIRST_DAEMON = TABLE + 10;
const FIRST_KIND = TABLE + 12;

/** @returns the bodies that are sent for one; `last`: no more follow */
type Change = (body: Uint8Array, view: DataView, isLast: boolean) => readonly Uint8Array[];

const inFirst =
  (change: (view: DataView) => void): Change =>
  (body, view) => {
    if (view.getUint32(GROUPS_PART_OFFSET, true) === 0) change(view);
    return [body];
  };

const CHANGES: readonly Change[] = [
  (body) => [body],
  inFirst((view) => view.setUint32(GROUPS_PART_COUNT_OFFSET, 0, true)),
  inFirst((view) => view.setUint32(GROUPS_PART_COUNT_OFFSET, 0xffff_ffff, true)),
  inFirst((view) => view.setUint32(GROUPS_PART_OFFSET, 1, true)),
  inFirst((view) => view.setUint16(DAEMON_COUNT, 0, true)),
  inFirst((view) => view.setUint16(DAEMON_COUNT, 0xffff, true)),
  inFirst((view) => view.setUint16(FIRST_DAEMON, 0xffff, true)),
  // Of somebody else, not of itself.
  inFirst((view) => {
    const isAlone = view.getUint16(DAEMON_COUNT, true) === 1;
    view.setUint16(FIRST_DAEMON, isAlone ? view.getUint16(FIRST_DAEMON, true) ^ 1 : 0xfffe, true);
  }),
  inFirst((view) => view.setUint8(FIRST_KIND, 7)),
  // Nothing but headers, and less.
  (body) => [body.slice(0, TABLE)],
  (body) => [body.slice(0, TABLE - 1)],
  // Each part twice.
  (body) => [body, body.slice()],
  // The last part is short, or there are bytes behind the table.
  (body, _, isLast) => [isLast ? body.slice(0, -1) : body],
  (body, _, isLast) => [isLast ? Uint8Array.from([...body, 0]) : body],
];

export class TableForger {
  readonly #random: Random;
  #change: Change = CHANGES[0]!;
  /** In this exchange the daemon only speaks out of turn: what it says is true. */
  #isHasty = false;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Whether the daemon speaks before it is asked, in the exchange that begins. */
  isHasty(): boolean {
    this.#isHasty = this.#random.chance(0.4);
    return this.#isHasty;
  }

  change(honest: Uint8Array): readonly Uint8Array[] {
    const body = honest.slice();
    const view = new DataView(body.buffer);
    const part = view.getUint32(GROUPS_PART_OFFSET, true);
    if (part === 0) this.#change = this.#isHasty ? CHANGES[0]! : this.#random.pick(CHANGES);
    return this.#change(body, view, part + 1 === view.getUint32(GROUPS_PART_COUNT_OFFSET, true));
  }
}
