import type { History } from '../history/history.ts';
import { type Findings, FindingsDraft, viewLabel } from './findings.ts';

/**
 * GRP-4 is about vs sets after a change of the network: with daemons that stay together there is none, and it holds of nothing. What is
 * left to check is that the sets of every other view are as section 5.2 says: one, of the changed member. One count for each view.
 */
export function checkGrp4(history: History): Findings {
  const findings = new FindingsDraft();
  for (const view of history.views) {
    if (view.id === null) continue;
    findings.checked++;
    if (!view.wellFormedSets) findings.violation(`${viewLabel(view)} has vs sets other than one of the changed member`);
  }
  return findings.done();
}
