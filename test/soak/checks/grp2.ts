import { type History, type SessionHistory, type View, walk } from '../history/history.ts';
import { clientOf, groupName, userName } from '../shape.ts';
import { type Findings, FindingsDraft, sessionLabel, viewLabel } from './findings.ts';

/**
 * GRP-2: a view lists the clients that are joined and connected at its point of the order. Every view is the one before it
 * with just the named change, in the order of section 5.3; every change was asked for, by the client or by its end; and at the end
 * of the epoch every session's views list exactly those who asked to be in.
 */
export function checkGrp2(history: History): Findings {
  const findings = new FindingsDraft();
  checkLists(history, findings);
  checkCauses(history, findings);
  checkSteps(history, findings);
  checkFinalState(history, findings);
  return findings.done();
}

/** Each list by itself: no unknown names, sorted by daemon and name, none twice, and with or without the changed name. */
function checkLists(history: History, findings: FindingsDraft): void {
  for (const view of history.views) {
    if (view.members === null) {
      if (view.group < history.witnessedGroups)
        findings.violation(`${viewLabel(view)}: a self-leave that no other member saw`);
      continue;
    }
    findings.checked++;
    if (view.members.includes(-1)) findings.violation(`${viewLabel(view)} lists a name that is none of ours`);
    for (let i = 1; i < view.members.length; i++)
      if (!isBefore(view.members[i - 1], view.members[i], history.daemons))
        findings.violation(`${viewLabel(view)} is not sorted at member ${userName(view.members[i])}`);
    if (view.cause !== 'network' && view.members.includes(view.changed) !== (view.cause === 'join'))
      findings.violation(`${viewLabel(view)} lists the wrong one of two states of ${userName(view.changed)}`);
  }
}

function isBefore(left: number, right: number, daemons: number): boolean {
  const daemonDifference = (clientOf(left) % daemons) - (clientOf(right) % daemons);
  return daemonDifference === 0 ? userName(left) < userName(right) : daemonDifference < 0;
}

/** Not more joins and leaves of a name than it asked for, and no disconnect of a name whose sessions all live. */
function checkCauses(history: History, findings: FindingsDraft): void {
  const asked = new Map<string, number>();
  const add = (key: string): unknown => asked.set(key, (asked.get(key) ?? 0) + 1);
  for (const { name, requests, end } of history.sessions) {
    for (const { kind, group } of requests) add(`${kind} ${group} ${name}`);
    if (end !== 'alive') add(`disconnect ${name}`);
  }
  const seen = new Map<string, number>();
  for (const view of history.views) {
    if (view.cause === 'network') continue;
    findings.checked++;
    const key =
      view.cause === 'disconnect' ? `disconnect ${view.changed}` : `${view.cause} ${view.group} ${view.changed}`;
    const seenKey = `${view.cause} ${view.group} ${view.changed}`;
    const times = (seen.get(seenKey) ?? 0) + 1;
    seen.set(seenKey, times);
    if (times > (asked.get(key) ?? 0))
      findings.violation(`${viewLabel(view)}: happened ${times} times, asked for ${asked.get(key) ?? 0} times`);
  }
}

/** Each view of each session against the one it had before. */
function checkSteps(history: History, findings: FindingsDraft): void {
  const done = new Set<string>();
  const positions = new Map<View, number>();
  const position = (view: View): number => {
    const known = positions.get(view) ?? positions.size;
    positions.set(view, known);
    return known;
  };
  for (const [index, session] of history.sessions.entries()) {
    walk(history, session, {
      message: () => undefined,
      selfLeave: () => undefined,
      view(view, _node, before) {
        if (before === undefined || before === null || before.members === null || view.members === null) return;
        const key = `${position(before)} ${position(view)}`;
        if (done.has(key) || view.cause === 'network') return;
        done.add(key);
        findings.checked++;
        const expected = new Set(before.members);
        if (view.cause === 'join') expected.add(view.changed);
        else expected.delete(view.changed);
        if (!sameMembers(expected, view.members) || expected.size === before.members.length)
          findings.violation(
            `${sessionLabel(history, index)}: ${viewLabel(view)} is not ${viewLabel(before)} with that change`,
          );
      },
    });
  }
}

const sameMembers = (expected: ReadonlySet<number>, members: readonly number[]): boolean =>
  expected.size === members.length && members.every((member) => expected.has(member));

/** Groups a living session is in when all it asked for took effect, by its requests alone. */
function wantedBy({ joinedBefore, requests }: SessionHistory): Set<number> {
  const wanted = new Set(joinedBefore.keys());
  for (const { kind, group } of requests) {
    if (kind === 'join') wanted.add(group);
    else wanted.delete(group);
  }
  return wanted;
}

function checkFinalState(history: History, findings: FindingsDraft): void {
  const membersOf = new Map<number, Set<number>>();
  for (const session of history.sessions) {
    if (session.end !== 'alive') continue;
    for (const group of wantedBy(session)) {
      const members = membersOf.get(group);
      if (members === undefined) membersOf.set(group, new Set([session.name]));
      else members.add(session.name);
    }
  }
  const compared = new Set<View>();
  for (const [index, session] of history.sessions.entries()) {
    if (session.end !== 'alive' || !session.membership) continue;
    const joined = walk(history, session, {
      message: () => undefined,
      view: () => undefined,
      selfLeave: () => undefined,
    });
    const wanted = wantedBy(session);
    findings.checked++;
    for (const group of wanted)
      if (!joined.has(group))
        findings.violation(`${sessionLabel(history, index)} asked to join ${groupName(group)} and never saw it happen`);
    for (const [group, view] of joined) {
      if (!wanted.has(group))
        findings.violation(
          `${sessionLabel(history, index)} asked to leave ${groupName(group)} and never saw it happen`,
        );
      if (view === null || view.members === null || compared.has(view)) continue;
      compared.add(view);
      findings.checked++;
      if (!sameMembers(membersOf.get(group) ?? new Set(), view.members))
        findings.violation(`${viewLabel(view)}, the last of the epoch, lists others than those who are in`);
    }
  }
}
