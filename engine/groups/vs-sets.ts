/** Which daemons' clients share a vs set, and in which order the sets stand in a view (client-protocol.md, 5.4). */
import { compareStamps, type Stamp } from './stamp.ts';

/** Ranks of the daemons' vs sets. Daemons that are partitioned away each have a rank of their own, behind the others. */
export class VsRanks {
  /** By daemon; meaningful for members of the component and for daemons partitioned from it. */
  readonly ofNode: Uint16Array;
  count = 0;

  constructor(nodeCount: number) {
    this.ofNode = new Uint16Array(nodeCount);
  }

  /** @param stamps by daemon; null for one that is partitioned away or not there at all */
  assign(stamps: readonly (Stamp | null)[]): void {
    const distinct: Stamp[] = [];
    for (const stamp of stamps) {
      if (stamp !== null && !distinct.some((known) => compareStamps(known, stamp) === 0)) distinct.push(stamp);
    }
    distinct.sort(compareStamps);
    this.count = distinct.length;
    for (let node = 0; node < stamps.length; node++) {
      const stamp = stamps[node] ?? null;
      const rank = stamp === null ? this.count++ : distinct.findIndex((known) => compareStamps(known, stamp) === 0);
      this.ofNode[node] = rank;
    }
  }
}
