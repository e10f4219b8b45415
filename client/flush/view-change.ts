import type { ViewId } from '../../engine/wire/membership-decode.ts';
import type { Membership, MembershipCause } from '../events.ts';

/** The view the application has. */
export interface InstalledView {
  /** Undefined before the first view. */
  readonly viewId: ViewId | undefined;
  /** As agreed. */
  readonly members: readonly string[];
  /** Those of them that are still there. */
  readonly present: Set<string>;
  inTransition: boolean;
}

/** What one has before the first view: oneself. No transitional signal is given in it. */
export const soleMemberView = (self: string): InstalledView => ({
  viewId: undefined,
  members: [self],
  present: new Set([self]),
  inTransition: true,
});

/** What Spread told of a change; the cause may be widened to `network`. */
export interface ViewDescription {
  readonly cause: MembershipCause;
  readonly changed: string | undefined;
  readonly members: readonly string[];
  readonly ownIndex: number;
}

/**
 * A change of the group's view from the first sign of it, its membership message or someone's FLUSH_OK, until
 * installed.
 */
export class PendingChange {
  readonly viewId: ViewId;
  readonly flushOks = new Set<string>();
  /** Members of the new view that are still there. */
  present = new Set<string>();
  /** Membership messages of other changes since the first sign, as long as its own has not come. */
  age = 0;
  #description: ViewDescription | undefined;

  constructor(viewId: ViewId) {
    this.viewId = viewId;
  }

  /** Whether the membership message has come. */
  get received(): boolean {
    return this.#description !== undefined;
  }

  get description(): ViewDescription | undefined {
    return this.#description;
  }

  receive(membership: Membership): void {
    const { cause, changed, members, ownIndex } = membership;
    this.#description = { cause, changed, members, ownIndex };
    this.present = new Set(members);
  }

  /** Takes `leavers` out. True when one of them had not agreed: then the change can never be completed. */
  loses(leavers: readonly string[]): boolean {
    let incomplete = false;
    for (const leaver of leavers) {
      if (this.present.delete(leaver) && !this.flushOks.has(leaver)) incomplete = true;
    }
    return incomplete;
  }

  becomeNetwork(): void {
    if (this.#description !== undefined)
      this.#description = { ...this.#description, cause: 'network', changed: undefined };
  }

  /** Whether all members of the view, also those that have left since, have agreed to it. */
  isAgreed(): boolean {
    return this.#description?.members.every((member) => this.flushOks.has(member)) === true;
  }
}

/** The description of a change known to have been received. */
export function changeOf(change: PendingChange): ViewDescription {
  if (change.description === undefined) throw new Error(`change ${change.viewId} has no membership message`);
  return change.description;
}

/**
 * Members of the previous view that are gone: for a network change, those that did not come along in this
 * session's vs set, whether or not they are in the new view as newcomers.
 */
export function leaversOf(membership: Membership, previous: readonly string[]): readonly string[] {
  switch (membership.cause) {
    case 'join':
      return [];
    case 'leave':
    case 'disconnect':
      return membership.changed === undefined ? [] : [membership.changed];
    case 'network': {
      const along = new Set(membership.vsSets[membership.ownVsSet]);
      return previous.filter((member) => !along.has(member));
    }
  }
}
