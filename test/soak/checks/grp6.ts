import type { History } from '../history/history.ts';
import { type Findings, FindingsDraft, sessionLabel, viewLabel } from './findings.ts';

/**
 * GRP-6: a transitional signal comes only when a daemon was lost or may be. While all daemons stay together none may come, and no view
 * of the network either. One count for each session and view.
 */
export function checkGrp6(history: History): Findings {
  const findings = new FindingsDraft();
  findings.checked = history.sessions.length + history.views.length;
  for (const { session, kind, detail } of history.strays) {
    if (kind === 'transition')
      findings.violation(`${sessionLabel(history, session)} got a transitional signal, ${detail}`);
  }
  for (const view of history.views)
    if (view.cause === 'network') findings.violation(`${viewLabel(view)} without a change of the network`);
  return findings.done();
}
