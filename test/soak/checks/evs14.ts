import { FIFO_MESS } from '../../../engine/wire/service.ts';
import type { History } from '../history/history.ts';
import { type Findings, FindingsDraft, nodeLabel, sessionLabel } from './findings.ts';

/**
 * EVS-14: the messages of one sender that are FIFO or stronger (with one daemon: all) arrive in the order sent. That none is missing
 * between them is for `checkNotLost` and GRP-1. One count for each delivery.
 */
export function checkEvs14(history: History): Findings {
  const findings = new FindingsDraft();
  const { messages } = history;
  const lastFrom = new Int32Array(history.sessions.length);
  for (const [index, session] of history.sessions.entries()) {
    lastFrom.fill(-1);
    for (const event of session.events) {
      if (event < 0 || event >= messages.length) continue;
      const { sender, sequence, serviceBits, ordered } = messages[event];
      if (!ordered && serviceBits < FIFO_MESS) continue;
      findings.checked++;
      if (sequence < lastFrom[sender])
        findings.violation(
          `${sessionLabel(history, index)} received after message ${lastFrom[sender]} of the same sender: ${nodeLabel(history, event)}`,
        );
      lastFrom[sender] = sequence;
    }
  }
  return findings.done();
}
