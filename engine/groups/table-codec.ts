/**
 * The group table of one synced set as its representative sends it. Members are numbered in member order (daemon, name), so a
 * group's list is a rising sequence, written as differences. Layouts: engine/wire/layout/exchange-table.ts, table-stamp.ts,
 * table-member.ts, table-group.ts.
 */
import type { ConfigurationId } from '../host/configuration.ts';
import { incarnation, type NodeIndex, nodeIndex, type SessionHandle } from '../wire/ids.ts';
import { EXCHANGE_TABLE_HEADER_LENGTH } from '../wire/layout/exchange-table.ts';
import { TABLE_GROUP_HEADER_LENGTH } from '../wire/layout/table-group.ts';
import { TABLE_MEMBER_HEADER_LENGTH } from '../wire/layout/table-member.ts';
import { TABLE_STAMP_LENGTH } from '../wire/layout/table-stamp.ts';
import { groupNameProblem, parsePrivateName } from '../wire/names.ts';
import { ByteReader, ByteWriter, MalformedTableError } from './byte-stream.ts';
import { compareMembers, GroupMember } from './group.ts';
import { byName, type ForeignGroup, type ForeignTable, type GroupTable } from './group-table.ts';

export interface StampedNode {
  readonly node: NodeIndex;
  readonly configuration: ConfigurationId;
}

export interface DecodedTable extends ForeignTable {
  /** The daemons the table covers, and the configurations they were last in step with. */
  readonly daemons: readonly StampedNode[];
  readonly hashHigh: number;
  readonly hashLow: number;
}

/** Names of the daemons by node index. Empty: nothing is known, and neither nodes nor names are checked against it. */
export type DaemonNames = readonly string[];

/**
 * What one table may hold, so that a forged one of some megabytes cannot make its readers need gigabytes: more than 128 daemons with
 * `MaxSessions` at its default have in 16 groups each.
 */
export const MAX_TABLE_MEMBERS = 2 ** 21;
export const MAX_TABLE_MEMBERSHIPS = 2 ** 23;

/** There is more in a table than one may hold; nothing else is wrong with it. */
class TableLimitError extends MalformedTableError {}

const NOBODY: ReadonlySet<NodeIndex> = new Set();
const NO_NAMES: DaemonNames = [];
const KIND_REGULAR = 0;
const KIND_TRANSITIONAL = 1;

/**
 * @param daemons in configuration order; of groups, only their clients are written
 * @param isPart there are clients of other daemons in `table`
 */
export function encodeTable(table: GroupTable, daemons: readonly StampedNode[], isPart = false): Uint8Array {
  const out = new ByteWriter();
  const hash = table.hash(isPart ? new Set(daemons.map(({ node }) => node)) : null);
  out.u32(hash.high);
  out.u32(hash.low);
  out.u16(daemons.length);
  for (const { node, configuration } of daemons) {
    out.u16(node);
    out.u8(configuration.kind === 'regular' ? KIND_REGULAR : KIND_TRANSITIONAL);
    out.u32(configuration.ringSeq);
    out.u16(configuration.leader);
    out.u48(configuration.leaderIncarnation);
  }
  const numberOf = encodeMembers(out, table, daemons);
  const groups = [...table.groups()].sort(byName);
  const lists = groups.map(({ members }) => (isPart ? members.filter((member) => numberOf.has(member)) : members));
  out.u32(lists.reduce((count, { length }) => count + Math.min(length, 1), 0));
  for (const [i, group] of groups.entries()) {
    const list = lists[i]!;
    if (list.length === 0) continue;
    out.text(group.name);
    out.u32(group.membershipProcId);
    out.u32(group.membershipTime);
    out.u32(group.index);
    out.u8(group.isChanged ? 1 : 0);
    out.varint(list.length);
    let previous = -1;
    for (const member of list) {
      const number = numberOf.get(member)!;
      out.varint(number - previous);
      previous = number;
    }
  }
  return out.written();
}

function encodeMembers(out: ByteWriter, table: GroupTable, daemons: readonly StampedNode[]): Map<GroupMember, number> {
  const members = daemons.flatMap(({ node }) => [...table.membersOf(node)]);
  members.sort((a, b) => compareMembers(a, b) || a.session - b.session);
  out.u32(members.length);
  const numberOf = new Map<GroupMember, number>();
  for (const member of members) {
    numberOf.set(member, numberOf.size);
    out.u16(member.node);
    out.u32(member.session);
    out.text(member.name);
  }
  return numberOf;
}

/**
 * @param synced daemons whose clients we know: what is said of these is checked, and left out. All daemons must agree on whether a table
 *   is sound, whatever they know
 * @throws MalformedTableError
 */
export function decodeTable(
  bytes: Uint8Array,
  synced: ReadonlySet<NodeIndex> = NOBODY,
  names: DaemonNames = NO_NAMES,
): DecodedTable {
  const from = new ByteReader(bytes);
  from.expect(1, EXCHANGE_TABLE_HEADER_LENGTH);
  const hashHigh = from.u32();
  const hashLow = from.u32();
  const daemons = decodeDaemons(from, names);
  const members = decodeMembers(from, daemons, names);
  const isLeftOut = Uint8Array.from(members, ({ node }) => (synced.has(node) ? 1 : 0));
  const isUsed = new Uint8Array(members.length);
  const groups: ForeignGroup[] = [];
  let previous = '';
  let memberships = 0;
  const groupCount = from.u32();
  from.expect(groupCount, TABLE_GROUP_HEADER_LENGTH);
  for (let left = groupCount; left > 0; left--) {
    const group = decodeGroup(from, members, isLeftOut, isUsed, MAX_TABLE_MEMBERSHIPS - memberships);
    if (previous >= group.name) throw new MalformedTableError(`group ${JSON.stringify(group.name)} is out of order`);
    previous = group.name;
    memberships += group.count;
    if (group.members.length > 0) groups.push(group);
  }
  const unused = isUsed.indexOf(0);
  if (unused >= 0) throw new MalformedTableError(`member ${members[unused]!.name} is in no group`);
  if (!from.isAtEnd) throw new MalformedTableError('bytes left over behind the last group');
  return { daemons, hashHigh, hashLow, members: members.filter((_, i) => isLeftOut[i] === 0), groups };
}

/** At least one, in configuration order, so none is there twice. */
function decodeDaemons(from: ByteReader, names: DaemonNames): StampedNode[] {
  const daemons: StampedNode[] = [];
  let before = -1;
  const count = from.u16();
  from.expect(count, TABLE_STAMP_LENGTH);
  for (let left = count; left > 0; left--) {
    const node = nodeIndex(from.u16());
    const kind = from.u8();
    const configuration: ConfigurationId = {
      kind: kind === KIND_REGULAR ? 'regular' : 'transitional',
      ringSeq: from.u32(),
      leader: nodeIndex(from.u16()),
      leaderIncarnation: incarnation(from.u48()),
    };
    if (kind > KIND_TRANSITIONAL) throw new MalformedTableError(`daemon ${node}: configuration of kind ${kind}`);
    if (node <= before) throw new MalformedTableError(`daemon ${node} is out of order`);
    if (names.length > 0 && Math.max(node, configuration.leader) >= names.length)
      throw new MalformedTableError(`daemon ${node}, led by ${configuration.leader}: there are ${names.length}`);
    before = node;
    daemons.push({ node, configuration });
  }
  if (daemons.length === 0) throw new MalformedTableError('the table speaks for no daemon');
  return daemons;
}

/** In member order, and each session once: groups rely on it. */
function decodeMembers(from: ByteReader, daemons: readonly StampedNode[], names: DaemonNames): GroupMember[] {
  const sessionsOf = new Map<number, Set<number>>(daemons.map(({ node }) => [node, new Set()]));
  const members: GroupMember[] = [];
  let before: GroupMember | null = null;
  const count = from.u32();
  if (count > MAX_TABLE_MEMBERS) throw new TableLimitError(`${count} members: at most ${MAX_TABLE_MEMBERS}`);
  from.expect(count, TABLE_MEMBER_HEADER_LENGTH);
  for (let left = count; left > 0; left--) {
    const node = nodeIndex(from.u16());
    const session = from.u32() as SessionHandle;
    const name = from.text();
    const sessions = sessionsOf.get(node);
    if (sessions === undefined)
      throw new MalformedTableError(`member ${JSON.stringify(name)} is of daemon ${node}, which is not in the set`);
    const parts = parsePrivateName(name);
    if (parts === null || (names.length > 0 && parts.daemon !== names[node]))
      throw new MalformedTableError(`member ${JSON.stringify(name)} has no private name of daemon ${node}`);
    const member = new GroupMember(node, session, name, false);
    if (before !== null && (compareMembers(before, member) || before.session - session) >= 0)
      throw new MalformedTableError(`member ${JSON.stringify(name)} is out of order`);
    if (sessions.has(session)) throw new MalformedTableError(`session ${session} of daemon ${node} is there twice`);
    sessions.add(session);
    before = member;
    members.push(member);
  }
  return members;
}

interface DecodedGroup extends ForeignGroup {
  /** Of members, those that are left out included. */
  readonly count: number;
}

/**
 * @param isLeftOut marks members that are only checked
 * @param limit members it may have
 */
function decodeGroup(
  from: ByteReader,
  members: readonly GroupMember[],
  isLeftOut: Uint8Array,
  isUsed: Uint8Array,
  limit: number,
): DecodedGroup {
  const name = from.text();
  const membershipProcId = from.i32();
  const membershipTime = from.i32();
  const index = from.i32();
  const changed = from.u8();
  const count = from.varint();
  const problem = groupNameProblem(name);
  if (problem !== null) throw new MalformedTableError(problem);
  if (changed > 1) throw new MalformedTableError(`group ${JSON.stringify(name)}: changed is ${changed}`);
  if (count === 0) throw new MalformedTableError(`group ${JSON.stringify(name)} has no members`);
  if (count > limit)
    throw new TableLimitError(`memberships up to group ${JSON.stringify(name)}: at most ${MAX_TABLE_MEMBERSHIPS}`);
  const list: GroupMember[] = [];
  let number = -1;
  for (let i = 0; i < count; i++) {
    const difference = from.varint();
    number += difference;
    if (difference === 0 || number >= members.length)
      throw new MalformedTableError(`member ${number} of group ${JSON.stringify(name)}: there are ${members.length}`);
    const before = number - difference;
    if (before >= 0 && compareMembers(members[before]!, members[number]!) === 0)
      throw new MalformedTableError(`${members[number]!.name} is in group ${JSON.stringify(name)} twice`);
    isUsed[number] = 1;
    if (isLeftOut[number] === 0) list.push(members[number]!);
  }
  return { name, membershipProcId, membershipTime, index, isChanged: changed === 1, members: list, count };
}

/** Null: nothing, or only that there is more in it than a table may hold. */
export function whatIsUnsound(table: Uint8Array, names: DaemonNames): string | null {
  try {
    decodeTable(table, NOBODY, names);
  } catch (error) {
    if (!(error instanceof MalformedTableError)) throw error;
    if (!(error instanceof TableLimitError)) return error.message;
  }
  return null;
}
