/**
 * What a delivery worker looks names up in: groups with local members, and private names of local sessions (a private name
 * is kept as a group of one). Found by hash and 32-byte field, without building a string.
 */
import {
  canonicalName,
  fieldEqualsWords,
  hashNameWords,
  NAME_WORDS,
  nameWords,
  sameNameWords,
} from '../../engine/wire/name-hash.ts';
import type { ClientSession } from './client-session.ts';

export class LocalGroup {
  readonly words: Int32Array;
  readonly hash: number;
  readonly members: ClientSession[] = [];
  /** Members at all daemons, as its last view said; 0: no client here was told. */
  memberCount = 0;
  /** Next group with the same hash. */
  next: LocalGroup | null = null;

  constructor(words: Int32Array, hash: number) {
    this.words = words;
    this.hash = hash;
  }
}

export class NameTable {
  readonly #byHash = new Map<number, LocalGroup>();
  readonly #scratch = new Int32Array(NAME_WORDS);
  /** Runs often repeat the target of the one before. */
  #last: LocalGroup | null = null;

  /** The group whose name is in the field at `offset`, or null when it has no local members. */
  find(view: DataView, offset: number, hash: number): LocalGroup | null {
    const last = this.#last;
    if (last !== null && last.hash === hash && fieldEqualsWords(view, offset, last.words, 0)) return last;
    const first = this.#byHash.get(hash);
    if (first === undefined) return null;
    canonicalName(view, offset, this.#scratch, 0);
    for (let group: LocalGroup | null = first; group !== null; group = group.next) {
      if (sameNameWords(group.words, 0, this.#scratch, 0)) {
        this.#last = group;
        return group;
      }
    }
    return null;
  }

  /** Like `find`, for a field whose hash is not known yet. */
  findField(view: DataView, offset: number): LocalGroup | null {
    canonicalName(view, offset, this.#scratch, 0);
    return this.find(view, offset, hashNameWords(this.#scratch, 0));
  }

  /** Members of the group at all daemons, as far as clients here were told; at least those here. */
  sizeOf(name: string): number {
    const words = nameWords(name);
    const group = this.#lookUp(words, hashNameWords(words, 0));
    return group === null ? 0 : Math.max(group.memberCount, group.members.length);
  }

  /** A name that nobody can have, and that is found all the same: as a group without members. */
  watch(words: Int32Array): void {
    const hash = hashNameWords(words, 0);
    const group = new LocalGroup(words, hash);
    group.next = this.#byHash.get(hash) ?? null;
    this.#byHash.set(hash, group);
  }

  /** Adds a member to the name with these canonical words. */
  add(words: Int32Array, member: ClientSession): void {
    const hash = hashNameWords(words, 0);
    let group = this.#lookUp(words, hash);
    if (group === null) {
      group = new LocalGroup(words, hash);
      group.next = this.#byHash.get(hash) ?? null;
      this.#byHash.set(hash, group);
    }
    group.members.push(member);
  }

  remove(words: Int32Array, member: ClientSession): void {
    const hash = hashNameWords(words, 0);
    const group = this.#lookUp(words, hash);
    if (group === null) return;
    const at = group.members.indexOf(member);
    if (at !== -1) group.members.splice(at, 1);
    if (group.members.length === 0) this.#drop(group);
  }

  #lookUp(words: Int32Array, hash: number): LocalGroup | null {
    let group = this.#byHash.get(hash) ?? null;
    while (group !== null && !sameNameWords(group.words, 0, words, 0)) group = group.next;
    return group;
  }

  #drop(group: LocalGroup): void {
    if (this.#last === group) this.#last = null;
    const first = this.#byHash.get(group.hash)!;
    if (first === group) {
      if (group.next === null) this.#byHash.delete(group.hash);
      else this.#byHash.set(group.hash, group.next);
      return;
    }
    let before = first;
    while (before.next !== group) before = before.next!;
    before.next = group.next;
  }
}
