import type { Membership } from '../client/index.ts';

/** Who came and went from one view of a group to the next. */
export interface ViewChange {
  /** In the order of the view. */
  readonly joined: readonly string[];
  /** In the order of the view before. */
  readonly left: readonly string[];
}

/** Remembers the last view of each group of one session. */
export class ViewChanges {
  readonly #members = new Map<string, readonly string[]>();

  /** What a view changes. The first view of a group shows only the change that caused it. */
  of({ group, members, changed }: Membership): ViewChange {
    const before = this.#members.get(group) ?? members.filter((member) => member !== changed);
    this.#members.set(group, members);
    const [now, then] = [new Set(members), new Set(before)];
    return {
      joined: members.filter((member) => !then.has(member)),
      left: before.filter((member) => !now.has(member)),
    };
  }

  /** The session has left the group. */
  forget(group: string): void {
    this.#members.delete(group);
  }
}
