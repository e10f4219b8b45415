import { type History, walk } from '../history/history.ts';
import { groupName } from '../shape.ts';
import { type Findings, FindingsDraft, nodeLabel, sessionLabel, viewLabel } from './findings.ts';

/**
 * GRP-5: what a client gets of a group begins with its own join and ends with its self-leave. So outside of that there is no
 * view of the group, and no message that has no other reason to be delivered. One count for each event of a session with the
 * membership flag.
 */
export function checkGrp5(history: History): Findings {
  const findings = new FindingsDraft();
  for (const [index, session] of history.sessions.entries()) {
    if (!session.membership) continue;
    const who = sessionLabel(history, index);
    walk(history, session, {
      message(message, node, joined) {
        findings.checked++;
        if (message.names.includes(session.name) || message.groups.some((group) => joined.has(group))) return;
        findings.violation(`${who}, in none of its targets, got ${nodeLabel(history, node)}`);
      },
      view(view, _node, before) {
        findings.checked++;
        const isOwnJoin = view.cause === 'join' && view.changed === session.name;
        if (before === undefined && !isOwnJoin)
          findings.violation(`${who}, not in ${groupName(view.group)}, got ${viewLabel(view)}`);
        if (before !== undefined && isOwnJoin)
          findings.violation(`${who}, already in ${groupName(view.group)}, got ${viewLabel(view)}`);
        if (view.changed === session.name && !isOwnJoin)
          findings.violation(`${who} was told of its own end in ${viewLabel(view)}`);
      },
      selfLeave({ group }, _node, before) {
        findings.checked++;
        if (before === undefined) findings.violation(`${who}, not in ${groupName(group)}, got a self-leave`);
      },
    });
  }
  return findings.done();
}
