/** The tables of the page. */
import type { EndedStatus, GroupStatus, SessionStatus } from '../daemon/http/status-types.ts';
import { element } from './dom.ts';
import { bytes, count, duration, time } from './format.ts';
import type { TableSpec } from './sortable-table.ts';

const rate = (value: number | undefined): string => (value === undefined ? '' : count(value));

export const SESSIONS: TableSpec<SessionStatus> = {
  columns: [
    {
      title: 'Client',
      kind: 'text',
      className: 'name',
      sort: ({ name }) => name,
      text: ({ name }) => name,
      extra: ({ isSlow }) => (isSlow ? element('span', 'tag', 'slow') : null),
    },
    { title: 'From', kind: 'text', className: 'later', sort: ({ peer }) => peer, text: ({ peer }) => peer },
    {
      title: 'Waiting',
      kind: 'number',
      sort: ({ waitingBytes }) => waitingBytes,
      text: ({ waitingBytes }) => bytes(waitingBytes),
    },
    {
      title: 'Messages',
      kind: 'number',
      className: 'later',
      sort: ({ waitingMessages }) => waitingMessages,
      text: ({ waitingMessages }) => count(waitingMessages),
    },
    {
      title: 'Behind',
      kind: 'number',
      sort: ({ behindMs }) => behindMs,
      text: ({ behindMs }) => (behindMs === 0 ? '' : duration(behindMs)),
    },
    {
      title: 'In /s',
      kind: 'number',
      sort: ({ rates }) => rates?.messagesIn ?? -1,
      text: ({ rates }) => rate(rates?.messagesIn),
    },
    {
      title: 'Out /s',
      kind: 'number',
      sort: ({ rates }) => rates?.messagesOut ?? -1,
      text: ({ rates }) => rate(rates?.messagesOut),
    },
    {
      title: 'Bytes out /s',
      kind: 'number',
      className: 'later',
      sort: ({ rates }) => rates?.bytesOut ?? -1,
      text: ({ rates }) => (rates === null ? '' : bytes(rates.bytesOut)),
    },
    {
      title: 'Groups',
      kind: 'number',
      className: 'later',
      sort: ({ groups }) => groups,
      text: ({ groups }) => count(groups),
    },
    {
      title: 'Dropped',
      kind: 'number',
      className: 'later',
      sort: ({ droppedMessages }) => droppedMessages,
      text: ({ droppedMessages }) => count(droppedMessages),
    },
    {
      title: 'Idle',
      kind: 'number',
      className: 'later',
      sort: ({ idleMs }) => idleMs,
      text: ({ idleMs }) => duration(idleMs),
    },
    {
      title: 'Since',
      kind: 'number',
      className: 'later',
      sort: ({ openMs }) => openMs,
      text: ({ openMs }) => duration(openMs),
    },
  ],
  sortedBy: 2,
  key: ({ name }) => name,
  rowClass: ({ isSlow }) => (isSlow ? 'slow' : ''),
  nothing: 'No client is connected.',
  search: 'Find a client',
};

export const GROUPS: TableSpec<GroupStatus> = {
  columns: [
    { title: 'Group', kind: 'text', className: 'name', sort: ({ name }) => name, text: ({ name }) => name },
    { title: 'Members', kind: 'number', sort: ({ members }) => members, text: ({ members }) => count(members) },
    {
      title: 'Here',
      kind: 'number',
      sort: ({ localMembers }) => localMembers,
      text: ({ localMembers }) => count(localMembers),
    },
    { title: 'Daemons', kind: 'number', sort: ({ daemons }) => daemons, text: ({ daemons }) => count(daemons) },
  ],
  sortedBy: 1,
  key: ({ name }) => name,
  nothing: 'There is no group.',
  search: 'Find a group',
};

export const ENDED: TableSpec<EndedStatus> = {
  columns: [
    { title: 'Client', kind: 'text', className: 'name', sort: ({ name }) => name, text: ({ name }) => name },
    { title: 'When', kind: 'text', sort: ({ endedAt }) => endedAt, text: ({ endedAt }) => time(endedAt) },
    { title: 'Why', kind: 'text', className: 'wrap', sort: ({ reason }) => reason, text: ({ reason }) => reason },
    {
      title: 'Lasted',
      kind: 'number',
      className: 'later',
      sort: ({ lastedMs }) => lastedMs,
      text: ({ lastedMs }) => duration(lastedMs),
    },
    {
      title: 'Waiting',
      kind: 'number',
      className: 'later',
      sort: ({ waitingBytes }) => waitingBytes,
      text: ({ waitingBytes }) => bytes(waitingBytes),
    },
  ],
  sortedBy: 1,
  key: ({ name, endedAt }) => `${name} ${endedAt}`,
  rowClass: ({ cause }) => (cause === 'slow' ? 'slow' : ''),
  nothing: 'No client has left since the daemon started.',
  search: 'Find a client that has left',
};
