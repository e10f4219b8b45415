import { type History, isReliable, stayedIn } from '../history/history.ts';
import { type Findings, FindingsDraft, nodeLabel, sessionLabel } from './findings.ts';

/** EVS-9, integrity: delivered means sent, content equal, at most once to a session, and not to a sender
 * that wants no copy. One count for each delivery. */
export function checkEvs9(history: History): Findings {
  const findings = new FindingsDraft();
  const { messages } = history;
  for (const { session, kind, detail } of history.strays) {
    if (kind === 'transition') continue;
    findings.checked++;
    const what = kind === 'unsent' ? 'was never sent in this epoch' : 'is nothing a client is sent';
    findings.violation(`${sessionLabel(history, session)} received ${detail}, which ${what}`);
  }
  const seenBy = new Int32Array(messages.length).fill(-1);
  for (const [index, session] of history.sessions.entries()) {
    for (const [i, event] of session.events.entries()) {
      if (event < 0 || event >= messages.length) continue;
      findings.checked++;
      if (seenBy[event] === index)
        findings.violation(`${sessionLabel(history, index)} received twice: ${nodeLabel(history, event)}`);
      seenBy[event] = index;
      if (messages[event].selfDiscard && messages[event].sender === index)
        findings.violation(
          `${sessionLabel(history, index)} received its own ${nodeLabel(history, event)} with SELF_DISCARD`,
        );
      if (session.hashes[i] !== messages[event].hash)
        findings.violation(`${sessionLabel(history, index)} received other content: ${nodeLabel(history, event)}`);
    }
  }
  return findings.done();
}

/**
 * The other side of EVS-9 (EVS-20, EVS-21): every reliable or stronger message that reached the daemon arrives at every
 * session that was in one of its groups, or was its private target, for the whole epoch. One count for each delivery due.
 */
export function checkNotLost(history: History): Findings {
  const findings = new FindingsDraft();
  const { messages } = history;
  const sentToGroup = new Map<number, number[]>();
  const sentToName = new Map<number, number[]>();
  for (const [node, message] of messages.entries()) {
    if (!message.certain || !isReliable(message)) continue;
    for (const group of message.groups) append(sentToGroup, group, node);
    for (const name of message.names) append(sentToName, name, node);
  }
  const received = new Int32Array(messages.length).fill(-1);
  for (const [index, session] of history.sessions.entries()) {
    if (!session.fromStart || session.end !== 'alive') continue;
    for (const event of session.events) if (event >= 0 && event < messages.length) received[event] = index;
    const expect = (nodes: readonly number[] | undefined): void => {
      for (const node of nodes ?? []) {
        if (messages[node].selfDiscard && messages[node].sender === index) continue;
        findings.checked++;
        if (received[node] !== index)
          findings.violation(`${sessionLabel(history, index)} never received ${nodeLabel(history, node)}`);
      }
    };
    for (const group of stayedIn(history, session)) expect(sentToGroup.get(group));
    expect(sentToName.get(session.name));
  }
  return findings.done();
}

function append(lists: Map<number, number[]>, key: number, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
