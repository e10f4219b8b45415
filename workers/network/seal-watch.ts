/** Which refusals of seals are worth a line in the log, and how it reads. Single ones are normal: a few come with each start of a daemon. */
import { SEAL_REFUSALS, SealRefusal } from '../../engine/seal/seal-trailer.ts';

const PERIOD_MS = 60_000;

interface Mention {
  /** So many within a minute are worth a line. */
  readonly from: number;
  readonly text: string;
}

const MENTIONS: Readonly<Record<SealRefusal, Mention>> = {
  [SealRefusal.Short]: {
    from: 3,
    text: 'datagrams between daemons that do not have the form of sealed ones are ignored: another program uses this port, or somebody tries',
  },
  [SealRefusal.WrongKey]: {
    from: 3,
    text: 'datagrams between daemons that our keys do not open are ignored: give all daemons the same ClusterKeyFile and reload them with SIGHUP; if they have, somebody forges or damages datagrams',
  },
  [SealRefusal.Replayed]: {
    from: 20,
    text: 'sealed datagrams that came before came again and are ignored: the network doubles datagrams, or somebody repeats them',
  },
  [SealRefusal.UnknownRun]: {
    from: 50,
    text: 'sealed datagrams of a run that does not prove that it goes on are ignored: its daemon ended or cannot be reached from here, or somebody repeats what it sent',
  },
  [SealRefusal.Misdirected]: {
    from: 3,
    text: 'sealed datagrams that were made by this daemon or for another one are ignored: somebody repeats them, or two daemons have one address or name',
  },
};

export class SealWatch {
  readonly #before = new Float64Array(SEAL_REFUSALS);
  readonly #last = new Float64Array(SEAL_REFUSALS);
  readonly #sinceMs = new Float64Array(SEAL_REFUSALS);

  /**
   * @param refused so far for this cause
   * @returns what there is to say; null: nothing yet
   */
  look(cause: SealRefusal, refused: number, nowMs: number): string | null {
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
