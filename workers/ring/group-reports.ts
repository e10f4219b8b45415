/** Reports on the groups of the daemon. */
import type { Group } from '../../engine/groups/group.ts';
import type { NodeIndex } from '../../engine/wire/ids.ts';
import { type GroupReport, MAX_REPORTED } from '../inspection.ts';
import { largest } from '../largest.ts';

/** Groups examined for one report, about a millisecond: of more, the largest of these are reported. */
const MAX_WALKED = 100_000;

export function reportGroups(groups: Iterable<Group>, self: NodeIndex): readonly GroupReport[] {
  return largest(firstOf(groups, MAX_WALKED), MAX_REPORTED, (group) => group.memberCount).map((group) => ({
    name: group.name,
    members: group.memberCount,
    localMembers: placeOf(group, self + 1) - placeOf(group, self),
    daemons: daemonsOf(group),
  }));
}

function* firstOf<T>(items: Iterable<T>, count: number): Generator<T> {
  let walked = 0;
  for (const item of items) {
    if (walked++ === count) return;
    yield item;
  }
}

/** Index of the first member at daemon `node` or a later one: members are sorted by daemon. */
function placeOf({ members }: Group, node: number): number {
  let low = 0;
  let high = members.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (members[middle]!.node < node) low = middle + 1;
    else high = middle;
  }
  return low;
}

function daemonsOf(group: Group): number {
  let count = 0;
  for (let at = 0; at < group.memberCount; count++) at = placeOf(group, group.members[at]!.node + 1);
  return count;
}
