/** Received events as text for people and as JSON for programs. */
import { isUtf8 } from 'node:buffer';
import type { Membership, Message, ReceivedEvent, Reject, Session } from '../client/index.ts';
import { counted, printable } from './text.ts';
import type { ViewChange, ViewChanges } from './view-changes.ts';

/** UTF-8 goes into `data` as text, other bytes into `dataBase64`. */
const jsonData = (data: Buffer): { readonly data: string } | { readonly dataBase64: string } =>
  isUtf8(data) ? { data: data.toString('utf8') } : { dataBase64: data.toString('base64') };

/**
 * One object for each event; `kind` tells them apart. The format is documented in docs/command-line.md.
 * @param changes of this session; pass each of its views exactly once
 */
export function eventToJson(event: ReceivedEvent, changes: ViewChanges): object {
  switch (event.kind) {
    case 'message': {
      const { kind, groups, sender, service, type, data } = event;
      return { kind, groups, sender, service, type, ...jsonData(data) };
    }
    case 'membership': {
      const { kind, group, viewId, cause, changed, members, ownIndex, vsSets, ownVsSet } = event;
      const network = cause === 'network' ? { vsSets, ownVsSet } : {};
      const { joined, left } = changes.of(event);
      return { kind, group, viewId: viewId.toString(), cause, changed, joined, left, members, ownIndex, ...network };
    }
    case 'transition':
      return { kind: event.kind, group: event.group, viewId: event.viewId.toString() };
    case 'selfLeave':
      return { kind: event.kind, group: event.group };
    case 'reject': {
      const { kind, request, groups, service, type, data } = event;
      return { kind, request, groups, service, type, ...jsonData(data) };
    }
  }
}

/** Whether this is the first view that the session gets of its group. */
export const isOwnJoin = (event: Membership, session: Session): boolean =>
  event.cause === 'join' && event.changed === session.privateName;

const CAUSES = { join: 'joined', leave: 'left', disconnect: 'disconnected' } as const;

function causeText({ cause, changed }: Membership, { joined, left }: ViewChange): string {
  if (cause !== 'network') return `${changed} ${CAUSES[cause]}`;
  const parts = [
    ...(left.length === 0 ? [] : [`; left: ${left.join(' ')}`]),
    ...(joined.length === 0 ? [] : [`; joined: ${joined.join(' ')}`]),
  ];
  return `the network of daemons changed${parts.join('')}`;
}

const rejectText = ({ request, groups }: Reject): string => `refused: ${request} ${groups.join(' ')}`;

/** An event that is not a message, as one line that begins with `#`. @param changes as in `eventToJson` */
export function controlLine(event: Exclude<ReceivedEvent, Message>, changes: ViewChanges): string {
  switch (event.kind) {
    case 'membership':
      return `# ${event.group}: ${causeText(event, changes.of(event))}; ${counted(event.members.length, 'member')}: ${event.members.join(' ')}`;
    case 'transition':
      return `# ${event.group}: transitional signal in view ${event.viewId}`;
    case 'selfLeave':
      return `# ${event.group}: left`;
    case 'reject':
      return `# ${rejectText(event)}`;
  }
}

/** All details of an event, over several lines. @param changes as in `eventToJson` */
export function describeEvent(event: ReceivedEvent, changes: ViewChanges): string {
  switch (event.kind) {
    case 'message': {
      const { service, type, sender, groups, data } = event;
      const head = `[message] from ${sender} to ${groups.join(' ')}: ${service}, type ${type}, ${counted(data.length, 'byte')}`;
      return `${printable(head)}\n${printable(data.toString('utf8'))}`;
    }
    case 'membership':
      return printable(describeView(event, changes.of(event)));
    case 'transition':
      return printable(`[transition] of ${event.group}, in view ${event.viewId}`);
    case 'selfLeave':
      return printable(`[left] ${event.group}`);
    case 'reject':
      return printable(`[reject] ${rejectText(event)}`);
  }
}

function describeView(event: Membership, change: ViewChange): string {
  const { group, members, ownIndex, viewId, cause, vsSets, ownVsSet } = event;
  const lines = [
    `[view] of ${group}: ${counted(members.length, 'member')}, because ${causeText(event, change)}; view ${viewId}`,
    ...members.map((member, i) => `    ${member}${i === ownIndex ? '  (this session)' : ''}`),
  ];
  if (cause === 'network') {
    lines.push('  came together from the previous view:');
    for (const [i, set] of vsSets.entries())
      lines.push(`    ${i === ownVsSet ? 'with this session' : 'without it'}: ${set.join(' ')}`);
  }
  return lines.join('\n');
}
