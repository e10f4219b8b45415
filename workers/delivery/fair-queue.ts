/** Waiting items of several owners, taken in turns: the oldest item of the owner that has waited longest. */
export class FairQueue<T> {
  /** The owner whose turn it is comes first. No list is empty. */
  readonly #byOwner = new Map<string, T[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(owner: string, thing: T): void {
    const list = this.#byOwner.get(owner);
    if (list === undefined) this.#byOwner.set(owner, [thing]);
    else list.push(thing);
    this.#size++;
  }

  take(): T | undefined {
    for (const [owner, list] of this.#byOwner) {
      const thing = list.shift();
      this.#byOwner.delete(owner);
      if (list.length > 0) this.#byOwner.set(owner, list);
      this.#size--;
      return thing;
    }
    return undefined;
  }

  /** @returns whether it was there */
  remove(owner: string, thing: T): boolean {
    const list = this.#byOwner.get(owner);
    const at = list?.indexOf(thing) ?? -1;
    if (list === undefined || at === -1) return false;
    list.splice(at, 1);
    if (list.length === 0) this.#byOwner.delete(owner);
    this.#size--;
    return true;
  }

  /**
   * Makes room for `owner` at the cost of the owner that has most.
   * @returns the newest thing of the longest list, taken out; undefined when that is the list of `owner` itself
   */
  displace(owner: string): T | undefined {
    let longest: string | undefined;
    let length = this.#byOwner.get(owner)?.length ?? 0;
    for (const [other, list] of this.#byOwner) {
      if (list.length <= length) continue;
      longest = other;
      length = list.length;
    }
    if (longest === undefined) return undefined;
    const thing = this.#byOwner.get(longest)!.at(-1)!;
    this.remove(longest, thing);
    return thing;
  }
}
