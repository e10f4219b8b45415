import { type History, isSelfLeave, nodeOf, walk } from '../history/history.ts';
import { type Findings, FindingsDraft, sessionLabel, viewLabel } from './findings.ts';

/**
 * GRP-3: group ids are equal exactly when the views are. Everyone who gets a view gets the same id, cause and members with it; and from
 * view to view of a member's stay the index rises by one, so no two views share an id. (Ids may repeat after a group emptied,
 * client-protocol.md section 5.4: nobody stays through that.) One count for each view received.
 */
export function checkGrp3(history: History): Findings {
  const findings = new FindingsDraft();
  const { messages, views } = history;
  for (const [index, session] of history.sessions.entries()) {
    for (const [i, event] of session.events.entries()) {
      if (isSelfLeave(event) || event < messages.length) continue;
      findings.checked++;
      const view = views[nodeOf(event) - messages.length];
      if (session.hashes[i] !== view.hash)
        findings.violation(`${sessionLabel(history, index)} got another version of ${viewLabel(view)}`);
    }
    walk(history, session, {
      message: () => undefined,
      selfLeave: () => undefined,
      view(view, _node, before) {
        if (before === undefined || before === null || view.cause === 'network') return;
        const [id, idBefore] = [view.id, before.id];
        if (id === null || idBefore === null) return;
        if (id.memberId !== idBefore.memberId || id.time !== idBefore.time || id.index !== idBefore.index + 1)
          findings.violation(`${sessionLabel(history, index)}: ${viewLabel(view)} follows ${viewLabel(before)}`);
      },
    });
  }
  return findings.done();
}
