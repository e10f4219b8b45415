import { NAME_FIELD_LENGTH } from '../../../engine/wire/limits.ts';
import { listKey, WordLog } from '../records.ts';
import { readPrivateName } from '../shape.ts';

/** The member lists that sessions of a driver saw in an epoch, each kept once. */
export class MemberLists {
  readonly #known = new Set<number>();
  readonly #words = new WordLog(4096);

  add(hashA: number, hashB: number, bytes: Uint8Array, offset: number, count: number): void {
    const key = listKey(hashA, hashB);
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#words.push(hashA);
    this.#words.push(hashB);
    this.#words.push(count);
    for (let i = 0; i < count; i++) this.#words.push(readPrivateName(bytes, offset + i * NAME_FIELD_LENGTH));
  }

  /** The lists in the form of `EpochTrace.lists`; forgets them. */
  take(): Int32Array<ArrayBuffer> {
    const words = this.#words.toArray();
    this.#words.clear();
    this.#known.clear();
    return words;
  }
}
