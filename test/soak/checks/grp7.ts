import type { History } from '../history/history.ts';
import { type Findings, FindingsDraft, nodeLabel, sessionLabel } from './findings.ts';

/** GRP-7: a message to several targets comes once to a session that is in more than one. One count for each delivery of such a message. */
export function checkGrp7(history: History): Findings {
  const findings = new FindingsDraft();
  const { messages } = history;
  const seenBy = new Int32Array(messages.length).fill(-1);
  for (const [index, session] of history.sessions.entries()) {
    for (const event of session.events) {
      if (event < 0 || event >= messages.length) continue;
      const { groups, names } = messages[event];
      if (groups.length + names.length < 2) continue;
      findings.checked++;
      if (seenBy[event] === index)
        findings.violation(`${sessionLabel(history, index)} got a copy for each group: ${nodeLabel(history, event)}`);
      seenBy[event] = index;
    }
  }
  return findings.done();
}
