import { type History, type SentMessage, walk } from '../history/history.ts';
import { groupName } from '../shape.ts';
import { type Findings, FindingsDraft, nodeLabel, sessionLabel } from './findings.ts';

/** Begin and end of the epoch, for those who are members then. */
const START = 2 ** 26 - 1;
const END = 2 ** 26 - 2;
const NODES = 2 ** 26;

/**
 * That all members of a group see one sequence: whatever comes behind an event of the group at one member comes behind it at all
 * that stay members. A message lost by one member and not by another shows as a difference too. Of the messages those
 * that `include` lets through; one count for each step.
 *
 * A message with SELF_DISCARD is left out, because its sender has a gap there; so are sessions without the membership
 * flag, which do not see the views that stand between messages.
 */
export function checkGroupSequences(history: History, include: (message: SentMessage) => boolean): Findings {
  const findings = new FindingsDraft();
  const nextOf = new Map<number, number>();
  const witnessOf = new Map<number, number>();
  for (const [index, session] of history.sessions.entries()) {
    if (!session.membership) continue;
    const last = new Map<number, number>();
    const step = (group: number, node: number): void => {
      const previous = last.get(group);
      if (previous === undefined) return;
      findings.checked++;
      const key = group * NODES + previous;
      const known = nextOf.get(key);
      if (known === undefined) {
        nextOf.set(key, node);
        witnessOf.set(key, index);
      } else if (known !== node) {
        const other = sessionLabel(history, witnessOf.get(key)!);
        findings.violation(
          `after ${label(history, previous)}, group ${groupName(group)}: ${sessionLabel(history, index)} has ` +
            `${label(history, node)}, but ${other} has ${label(history, known)}`,
        );
      }
    };
    for (const group of session.joinedBefore.keys()) last.set(group, START);
    const joined = walk(history, session, {
      message(message, node, groups) {
        if (!message.ordered || message.selfDiscard || !include(message)) return;
        for (const group of message.groups) {
          if (!groups.has(group)) continue;
          step(group, node);
          last.set(group, node);
        }
      },
      view({ group }, node) {
        step(group, node);
        last.set(group, node);
      },
      selfLeave({ group }, node) {
        step(group, node);
        last.delete(group);
      },
    });
    if (session.end === 'alive') for (const group of joined.keys()) step(group, END);
  }
  return findings.done();
}

const label = (history: History, node: number): string =>
  node === START ? 'the begin of the epoch' : node === END ? 'nothing more' : nodeLabel(history, node);
