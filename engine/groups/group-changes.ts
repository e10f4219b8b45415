/**
 * What ordered client records do to the groups: joins, leaves and disconnects, each with its view (ring-protocol.md, 4.1 and 4.2).
 * Configurations and state exchanges are the layer's (groups-layer.ts).
 */

import { readName } from '../wire/frame.ts';
import type { NodeIndex, SessionHandle } from '../wire/ids.ts';
import {
  JOIN_RECORD_FLAGS_OFFSET,
  JOIN_RECORD_GROUP_OFFSET,
  JOIN_RECORD_MEMBER_OFFSET,
} from '../wire/layout/join-record.ts';
import { RECORD_SESSION_OFFSET } from '../wire/layout/record-header.ts';
import { RecordKind } from '../wire/record.ts';
import { CAUSED_BY_DISCONNECT, CAUSED_BY_JOIN, CAUSED_BY_LEAVE } from '../wire/service.ts';
import { type Group, GroupMember } from './group.ts';
import { byName, type GroupTable } from './group-table.ts';
import type { GroupsOutput } from './groups-output.ts';
import type { Stamp } from './stamp.ts';
import type { ViewWriter } from './view-writer.ts';
import type { VsRanks } from './vs-sets.ts';

const JOIN_WANTS_MEMBERSHIP = 1;

/** The groups that changes apply to, and the output that learns of them. */
export interface GroupChangesParts {
  readonly self: NodeIndex;
  readonly table: GroupTable;
  readonly views: ViewWriter;
  readonly ranks: VsRanks;
  readonly output: GroupsOutput;
}

export class GroupChanges {
  readonly #self: NodeIndex;
  readonly #table: GroupTable;
  readonly #views: ViewWriter;
  readonly #ranks: VsRanks;
  readonly #output: GroupsOutput;
  /** Names new groups' ids: the last configuration the layer acted on; null before the first. */
  stamp: Stamp | null = null;
  /** By daemon, in a transition: 1 for those of the old configuration that did not come along. */
  readonly isLost: Uint8Array;

  constructor({ self, table, views, ranks, output }: GroupChangesParts) {
    this.#self = self;
    this.#table = table;
    this.#views = views;
    this.#ranks = ranks;
    this.#output = output;
    this.isLost = new Uint8Array(table.nodeCount);
  }

  /** A whole Join, Leave or Disconnect record of `origin`; `view` begins at its header, and `bytes[offset]` does. */
  apply(origin: NodeIndex, kind: RecordKind, bytes: Uint8Array, view: DataView, offset: number): void {
    const session = view.getUint32(RECORD_SESSION_OFFSET, true) as SessionHandle;
    if (kind === RecordKind.Disconnect) {
      this.#disconnect(origin, session);
      return;
    }
    const group = readName(bytes, offset + JOIN_RECORD_GROUP_OFFSET);
    if (kind === RecordKind.Leave) {
      this.#leave(origin, session, group);
      return;
    }
    const wantsMembership = (bytes[offset + JOIN_RECORD_FLAGS_OFFSET]! & JOIN_WANTS_MEMBERSHIP) !== 0;
    this.#join(origin, session, group, readName(bytes, offset + JOIN_RECORD_MEMBER_OFFSET), wantsMembership);
  }

  #join(origin: NodeIndex, session: SessionHandle, groupName: string, name: string, wants: boolean): void {
    const isLocal = origin === this.#self;
    const known = this.#table.member(origin, session);
    const member = known ?? new GroupMember(origin, session, name, isLocal && wants);
    const group = this.#table.group(groupName) ?? this.#createGroup(groupName);
    if (!group.insert(member)) return;
    if (known === undefined) this.#table.remember(member);
    if (this.isLost[origin] === 1) group.isChanged = true;
    this.#countView(group);
    if (isLocal) this.#output.memberAdded(groupName, session);
    this.#announce(CAUSED_BY_JOIN, group, member);
  }

  #createGroup(name: string): Group {
    const group = this.#table.create(name);
    group.setId(this.stamp!.procId, this.stamp!.time, 0);
    return group;
  }

  #leave(origin: NodeIndex, session: SessionHandle, groupName: string): void {
    const group = this.#table.group(groupName);
    const member = this.#table.member(origin, session);
    if (group === undefined || member === undefined || !member.groups.has(group)) return;
    this.#views.selfLeave(group, member);
    this.#takeOut(CAUSED_BY_LEAVE, group, member);
  }

  #disconnect(origin: NodeIndex, session: SessionHandle): void {
    const member = this.#table.member(origin, session);
    if (member !== undefined) {
      for (const group of [...member.groups].sort(byName)) this.#takeOut(CAUSED_BY_DISCONNECT, group, member);
    }
    if (origin === this.#self) this.#output.sessionEnded(session);
  }

  #takeOut(cause: number, group: Group, member: GroupMember): void {
    this.#table.remove(group, member);
    if (member.node === this.#self) this.#output.memberRemoved(group.name, member.session);
    if (group.memberCount === 0) return;
    this.#countView(group);
    this.#announce(cause, group, member);
  }

  /**
   * The next view's index is one higher, and its id names the membership the view was made in, also when earlier memberships left
   * the group alone. With the older name it could meet its like: a daemon that parted may have delivered another change, which we
   * did not get, as the same next view of the older membership (GRP-3).
   */
  #countView(group: Group): void {
    group.setId(this.stamp!.procId, this.stamp!.time, group.index + 1);
  }

  /** A change inside the transitional period of a group that lost a daemon is one more view caused by the network. */
  #announce(cause: number, group: Group, member: GroupMember): void {
    if (!group.isChanged) {
      this.#views.change(cause, group, member);
      return;
    }
    this.#views.network(group, this.#ranks, cause === CAUSED_BY_JOIN ? member : null);
    this.#views.transition(group);
  }
}
