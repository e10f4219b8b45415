/**
 * Which refusals of seals are worth a line in the log, and how it reads. Single ones are normal: a few come with each start of a daemon.
 */
import { SEAL_REFUSALS, SealRefusal } from '../../engine/seal/seal-trailer.ts';

const PERIOD_MS = 60_000;

interface Mention {
  /** So many within a minute are worth a line. */
  readonly from: number;
  readonly text: string;
}

const MENTIONS = {
  [SealRefusal.Short]: {
    from: 3,
    text: 'datagrams without the form of sealed ones are ignored: another program uses this port, or this is an attack',
  },
  [SealRefusal.WrongKey]: {
    from: 3,
    text: 'sealed datagrams that our keys do not open are ignored: give all daemons the same ClusterKeyFile and send them SIGHUP; if they have it, datagrams are forged or damaged',
  },
  [SealRefusal.Replayed]: {
    from: 20,
    text: 'repeated sealed datagrams are ignored: the network duplicates them, or an attacker replays them',
  },
  [SealRefusal.UnknownIncarnation]: {
    from: 50,
    text: 'sealed datagrams of an unproven incarnation are ignored: its daemon ended or does not hear this one, or an attacker replays them',
  },
  [SealRefusal.Misdirected]: {
    from: 3,
    text: 'sealed datagrams for another daemon, or of this one, are ignored: an attacker replays them, or two daemons have one address or name',
  },
} as const satisfies Readonly<Record<SealRefusal, Mention>>;

/** What is logged about refusals of one cause. */
export type SealText = (typeof MENTIONS)[SealRefusal]['text'];

export class SealWatch {
  readonly #before = new Float64Array(SEAL_REFUSALS);
  readonly #last = new Float64Array(SEAL_REFUSALS);
  readonly #sinceMs = new Float64Array(SEAL_REFUSALS);

  /**
   * @param refused so far for this cause
   * @returns what there is to say; null: nothing yet
   */
  look(cause: SealRefusal, refused: number, nowMs: number): SealText | null {
    const i = cause - 1;
    if (nowMs - this.#sinceMs[i]! >= PERIOD_MS) {
      this.#sinceMs[i] = nowMs;
      this.#before[i] = this.#last[i]!;
    }
    this.#last[i] = refused;
    const { from, text } = MENTIONS[cause];
    if (refused - this.#before[i]! < from) return null;
    this.#before[i] = refused;
    return text;
  }
}
