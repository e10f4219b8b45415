/** One process group and its members, kept in the order clients see (client-protocol.md, 5.3). */
import { writeName } from '../wire/frame.ts';
import type { NodeIndex, SessionHandle } from '../wire/ids.ts';
import { NAME_FIELD_LENGTH } from '../wire/limits.ts';
import type { GroupView } from '../wire/membership-encode.ts';
import { hashNumber, hashText } from './table-hash.ts';

const NO_FIELDS = new Uint8Array(0);

/** One client connection, of any daemon, that is a member of at least one group. */
export class GroupMember {
  readonly node: NodeIndex;
  readonly session: SessionHandle;
  readonly name: string;
  /** `name` as a zero-filled 32-byte field. */
  readonly field = new Uint8Array(NAME_FIELD_LENGTH);
  /** A session of this daemon that wants membership messages. */
  readonly isWatcher: boolean;
  readonly groups = new Set<Group>();
  readonly hash: number;

  constructor(node: NodeIndex, session: SessionHandle, name: string, isWatcher: boolean) {
    this.node = node;
    this.session = session;
    this.name = name;
    this.isWatcher = isWatcher;
    writeName(this.field, 0, name);
    this.hash = hashText(hashNumber(hashNumber(0, node), session), name);
  }
}

/** Configuration order of the daemons, then byte order of the names (Latin-1, so code units compare as bytes do). */
export const compareMembers = (a: GroupMember, b: GroupMember): number =>
  a.node - b.node || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

export class Group implements GroupView {
  readonly name: string;
  membershipProcId = 0;
  membershipTime = 0;
  index = 0;
  /** A daemon was lost or met: the next regular configuration brings a view caused by the network (ring-protocol.md, 4.3). */
  isChanged = false;
  /** Members on this daemon that want membership messages; none means no frames need building. */
  watcherCount = 0;
  private sorted: GroupMember[] = [];
  /** Made at the first view, and kept up from then on: groups without local members, most of a large table, never need it. */
  private fields = NO_FIELDS;
  private areFieldsCurrent = false;

  constructor(name: string) {
    this.name = name;
  }

  get members(): readonly GroupMember[] {
    return this.sorted;
  }

  get memberCount(): number {
    return this.sorted.length;
  }

  /** Field i of this buffer is the name of member i; what follows the last member is undefined. Valid until the next change. */
  get memberNames(): Uint8Array {
    if (!this.areFieldsCurrent) this.writeFields();
    return this.fields;
  }

  setId(procId: number, time: number, index: number): void {
    this.membershipProcId = procId;
    this.membershipTime = time;
    // In its wire form, so that the daemon that counted and those that received it have the same.
    this.index = index | 0;
  }

  /** Returns false, and changes nothing, when a member of that daemon and name is there already. */
  insert(member: GroupMember): boolean {
    const place = this.placeOf(member);
    const count = this.sorted.length;
    if (place < count && compareMembers(this.sorted[place]!, member) === 0) return false;
    if (this.areFieldsCurrent) {
      this.reserve(count + 1);
      this.fields.copyWithin(NAME_FIELD_LENGTH * (place + 1), NAME_FIELD_LENGTH * place, NAME_FIELD_LENGTH * count);
      this.fields.set(member.field, NAME_FIELD_LENGTH * place);
    }
    this.sorted.splice(place, 0, member);
    this.noteInserted(member);
    return true;
  }

  /** `member` must be in the group. */
  remove(member: GroupMember): void {
    const place = this.placeOf(member);
    const count = this.sorted.length;
    this.sorted.splice(place, 1);
    if (this.areFieldsCurrent)
      this.fields.copyWithin(NAME_FIELD_LENGTH * place, NAME_FIELD_LENGTH * (place + 1), NAME_FIELD_LENGTH * count);
    this.noteRemoved(member);
  }

  /** Adds `others`, sorted and of daemons that have no members here, in one pass. */
  insertAll(others: readonly GroupMember[]): void {
    const own = this.sorted;
    const total = own.length + others.length;
    const merged: GroupMember[] = own.length === 0 ? others.slice() : new Array(total);
    if (own.length > 0)
      for (let i = 0, j = 0, k = 0; k < total; k++) {
        const takeOwn = j === others.length || (i < own.length && compareMembers(own[i]!, others[j]!) < 0);
        merged[k] = takeOwn ? own[i++]! : others[j++]!;
      }
    this.replaceMembers(merged);
    for (const member of others) this.noteInserted(member);
  }

  /** Removes every member of the daemons marked in `isDropped`, in one pass. */
  removeNodes(isDropped: Uint8Array): void {
    const leaving = this.sorted.filter((member) => isDropped[member.node] === 1);
    this.replaceMembers(this.sorted.filter((member) => isDropped[member.node] === 0));
    for (const member of leaving) this.noteRemoved(member);
  }

  private noteInserted(member: GroupMember): void {
    member.groups.add(this);
    if (member.isWatcher) this.watcherCount++;
  }

  private noteRemoved(member: GroupMember): void {
    member.groups.delete(this);
    if (member.isWatcher) this.watcherCount--;
  }

  private replaceMembers(members: GroupMember[]): void {
    this.sorted = members;
    this.areFieldsCurrent = false;
  }

  private writeFields(): void {
    const members = this.sorted;
    this.reserve(members.length);
    for (let i = 0; i < members.length; i++) this.fields.set(members[i]!.field, NAME_FIELD_LENGTH * i);
    this.areFieldsCurrent = true;
  }

  private reserve(count: number): void {
    if (this.fields.length >= NAME_FIELD_LENGTH * count) return;
    const larger = new Uint8Array(NAME_FIELD_LENGTH * Math.max(count, 2 * this.sorted.length));
    larger.set(this.fields);
    this.fields = larger;
  }

  /** Index of `member`, or of where it would go. */
  private placeOf(member: GroupMember): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareMembers(this.sorted[middle]!, member) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
