import type { History, View } from '../history/history.ts';
import { groupName, userName } from '../shape.ts';

/** What a check of one property found in one history. */
export interface Findings {
  /** How many times the property was put to the test. */
  readonly checked: number;
  readonly violationCount: number;
  /** The first of them in words. */
  readonly violations: readonly string[];
}

export type Check = (history: History) => Findings;

/** Collects findings; of many violations only the first are described. */
export class FindingsDraft {
  checked = 0;
  violationCount = 0;
  readonly violations: string[] = [];

  violation(text: string): void {
    this.violationCount++;
    if (this.violations.length < MAX_DESCRIBED) this.violations.push(text);
  }

  done(): Findings {
    return { checked: this.checked, violationCount: this.violationCount, violations: this.violations };
  }
}

const MAX_DESCRIBED = 10;

export const sessionLabel = (history: History, session: number): string =>
  `${userName(history.sessions[session].name)} (session ${history.sessions[session].serial})`;

export function nodeLabel(history: History, node: number): string {
  const { messages } = history;
  if (node >= messages.length) return viewLabel(history.views[node - messages.length]);
  const { sender, sequence, groups, names, serviceBits } = messages[node];
  const targets = [...groups.map(groupName), ...names.map(userName)];
  const shown = targets.length > 6 ? `${targets.slice(0, 6).join(',')}...` : targets.join(',');
  return `message ${sequence} of ${sessionLabel(history, sender)} to ${shown} (service ${serviceBits})`;
}

export function viewLabel({ group, id, cause, changed }: View): string {
  const shown = id === null ? 'without id' : `${id.memberId}:${id.time}:${id.index}`;
  return `view ${shown} of ${groupName(group)} (${cause} of ${userName(changed)})`;
}
