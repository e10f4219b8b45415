/** Builds the membership messages of this daemon's clients and hands them out. */
import type { NodeIndex, SessionHandle } from '../wire/ids.ts';
import { changeFrameLength, MembershipFrame, networkFrameLength } from '../wire/membership-encode.ts';
import type { Group, GroupMember } from './group.ts';
import type { GroupsOutput } from './groups-output.ts';
import type { VsRanks } from './vs-sets.ts';

export class ViewWriter {
  private readonly self: NodeIndex;
  private readonly maxFrameLength: number;
  private readonly output: GroupsOutput;
  private readonly frame = new MembershipFrame();
  private rankOfMember = new Uint16Array(64);

  constructor(self: NodeIndex, maxFrameLength: number, output: GroupsOutput) {
    this.self = self;
    this.maxFrameLength = maxFrameLength;
    this.output = output;
  }

  /** Tells a leaver, if it wants to know, that it is out. */
  selfLeave(group: Group, leaver: GroupMember): void {
    if (!leaver.isWatcher) return;
    this.frame.writeSelfLeave(group.name);
    this.toSession(leaver.session);
  }

  /** The signal carries the id the group has now. */
  transition(group: Group): void {
    if (group.watcherCount === 0) return;
    this.frame.writeTransition(group.name, group);
    this.toGroup(group);
  }

  /** @param cause CAUSED_BY_JOIN, CAUSED_BY_LEAVE or CAUSED_BY_DISCONNECT of `member` */
  change(cause: number, group: Group, member: GroupMember): void {
    if (group.watcherCount === 0 || this.isTooLong(group, changeFrameLength(group.memberCount))) return;
    this.frame.writeChange(cause, group, member.field);
    this.toGroup(group);
  }

  /** A view caused by the network. A joiner, who shared no view with another yet, has the last vs set to itself. */
  network(group: Group, ranks: VsRanks, joiner: GroupMember | null): void {
    if (group.watcherCount === 0) return;
    const members = group.members;
    if (this.isTooLong(group, networkFrameLength(members.length, ranks.count + 1))) return;
    if (this.rankOfMember.length < members.length) this.rankOfMember = new Uint16Array(members.length * 2);
    for (let i = 0; i < members.length; i++) {
      const member = members[i]!;
      this.rankOfMember[i] = member === joiner ? ranks.count : ranks.ofNode[member.node]!;
    }
    this.frame.writeNetwork(group, this.rankOfMember, ranks.count + 1);
    if (joiner === null || !joiner.isWatcher) {
      this.frame.pointToSet(members.length, ranks.ofNode[this.self]!);
      this.toGroup(group);
      return;
    }
    const others: SessionHandle[] = [];
    for (const member of members) if (member.isWatcher && member !== joiner) others.push(member.session);
    if (others.length > 0) {
      this.frame.pointToSet(members.length, ranks.ofNode[this.self]!);
      this.output.sessionsFrame(others, this.frame.bytes, this.frame.lengthBytes);
    }
    this.frame.pointToSet(members.length, ranks.count);
    this.toSession(joiner.session);
  }

  private toGroup(group: Group): void {
    this.output.groupFrame(group.name, this.frame.bytes, this.frame.lengthBytes);
    this.frame.release();
  }

  private toSession(session: SessionHandle): void {
    this.output.sessionsFrame([session], this.frame.bytes, this.frame.lengthBytes);
    this.frame.release();
  }

  private isTooLong(group: Group, lengthBytes: number): boolean {
    if (lengthBytes <= this.maxFrameLength) return false;
    this.output.frameTooLong(group.name, lengthBytes);
    return true;
  }
}
