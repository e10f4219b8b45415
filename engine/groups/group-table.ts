/** All groups with a member anywhere in the component, and the members by daemon and session. */
import type { NodeIndex, SessionHandle } from '../wire/ids.ts';
import { Group, type GroupMember } from './group.ts';
import { hashNumber, hashText, TableHash } from './table-hash.ts';

export const byName = (a: Group, b: Group): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** A group as another synced set has it, with members in member order. */
export interface ForeignGroup {
  readonly name: string;
  readonly membershipProcId: number;
  readonly membershipTime: number;
  readonly index: number;
  readonly isChanged: boolean;
  readonly members: readonly GroupMember[];
}

/** The part of a group table that belongs to other daemons: their clients, and the groups these are in. */
export interface ForeignTable {
  readonly members: readonly GroupMember[];
  readonly groups: readonly ForeignGroup[];
}

export class GroupTable {
  private readonly groupsByName = new Map<string, Group>();
  /** Members of each daemon by session; a client without groups is not here. */
  private readonly membersBySession: readonly Map<SessionHandle, GroupMember>[];

  constructor(nodeCount: number) {
    this.membersBySession = Array.from({ length: nodeCount }, () => new Map<SessionHandle, GroupMember>());
  }

  /** Daemons of the configuration file. */
  get nodeCount(): number {
    return this.membersBySession.length;
  }

  get groupCount(): number {
    return this.groupsByName.size;
  }

  groups(): Iterable<Group> {
    return this.groupsByName.values();
  }

  group(name: string): Group | undefined {
    return this.groupsByName.get(name);
  }

  member(node: NodeIndex, session: SessionHandle): GroupMember | undefined {
    return this.membersBySession[node]!.get(session);
  }

  membersOf(node: NodeIndex): Iterable<GroupMember> {
    return this.membersBySession[node]!.values();
  }

  create(name: string): Group {
    const group = new Group(name);
    this.groupsByName.set(name, group);
    return group;
  }

  /** Puts a member that was inserted in its first group on record. */
  remember(member: GroupMember): void {
    this.membersBySession[member.node]!.set(member.session, member);
  }

  /** Takes `member` out of `group`; forgets either when it is left with nothing. */
  remove(group: Group, member: GroupMember): void {
    group.remove(member);
    if (member.groups.size === 0) this.membersBySession[member.node]!.delete(member.session);
    if (group.memberCount === 0) this.groupsByName.delete(group.name);
  }

  /** Groups with a member on a daemon marked in `isChosen`, in ascending name order. */
  groupsOfNodes(isChosen: Uint8Array): Group[] {
    const found = new Set<Group>();
    for (let node = 0; node < this.membersBySession.length; node++) {
      if (isChosen[node] === 0) continue;
      for (const member of this.membersBySession[node]!.values()) for (const group of member.groups) found.add(group);
    }
    return [...found].sort(byName);
  }

  /**
   * Forgets the clients of the daemons marked in `isDropped`. Groups that lose one are marked changed, or vanish when empty.
   * @param isTold false: the others never knew of these clients, and the groups are as before
   */
  dropNodes(isDropped: Uint8Array, isTold = true): void {
    for (const group of this.groupsOfNodes(isDropped)) {
      group.removeNodes(isDropped);
      if (isTold) group.isChanged = true;
      if (group.memberCount === 0) this.groupsByName.delete(group.name);
    }
    for (let node = 0; node < this.membersBySession.length; node++) {
      if (isDropped[node] === 1) this.membersBySession[node]!.clear();
    }
  }

  /**
   * Takes over the clients of another synced set. A group known on both sides is changed; until its next view gives it a new
   * id it has the smaller of the two, so that everybody who merges the same tables, in any order, has the same.
   */
  merge(foreign: ForeignTable): void {
    for (const member of foreign.members) this.remember(member);
    for (const theirs of foreign.groups) {
      const ours = this.groupsByName.get(theirs.name);
      if (ours === undefined) {
        const group = this.create(theirs.name);
        group.setId(theirs.membershipProcId, theirs.membershipTime, theirs.index);
        group.isChanged = theirs.isChanged;
        group.insertAll(theirs.members);
        continue;
      }
      const order =
        theirs.membershipProcId - ours.membershipProcId ||
        theirs.membershipTime - ours.membershipTime ||
        theirs.index - ours.index;
      if (order < 0) ours.setId(theirs.membershipProcId, theirs.membershipTime, theirs.index);
      ours.isChanged = true;
      ours.insertAll(theirs.members);
    }
  }

  /** Groups whose members several tables of an exchange told of are changed, as they are where these tables meet. */
  flagSplit(tableOf: ReadonlyMap<NodeIndex, object>): void {
    for (const group of this.groupsByName.values()) {
      let first: object | undefined;
      for (const { node } of group.members) {
        const table = tableOf.get(node);
        if (table === undefined || table === first) continue;
        if (first !== undefined) group.isChanged = true;
        first = table;
      }
    }
  }

  /**
   * Over names, ids and members of all groups. Equal at all daemons of a synced set between two deliveries.
   * @param nodes take only clients of these daemons, and groups with one; null: all
   */
  hash(nodes: ReadonlySet<NodeIndex> | null = null): TableHash {
    const sum = new TableHash();
    for (const group of this.groupsByName.values()) {
      if (nodes !== null && !group.members.some(({ node }) => nodes.has(node))) continue;
      let hash = hashText(0, group.name);
      hash = hashNumber(hashNumber(hashNumber(hash, group.membershipProcId), group.membershipTime), group.index);
      let second = hashNumber(hash, group.isChanged ? 2 : 1);
      for (const member of group.members) {
        if (nodes !== null && !nodes.has(member.node)) continue;
        hash = hashNumber(hash, member.hash);
        second = (Math.imul(second, 31) + member.hash) | 0;
      }
      sum.add(hashNumber(hash, 1), hashNumber(second, 2));
    }
    return sum;
  }
}
