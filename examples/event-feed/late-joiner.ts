/** Joins late, and finds out exactly what it missed. Usage: late-joiner ADDRESS */
import { connect, type Membership } from '../../index.ts';
import { ALL, type History, MessageType, tell } from './events.ts';

const [address = ''] = process.argv.slice(2);
await using session = await connect({ address, name: 'late' });
await session.join(ALL);

let events = 0;
let history: History | undefined;
for await (const event of session) {
  if (event.kind === 'membership' && event.changed === session.privateName) askArchive(event);
  if (event.kind !== 'message') continue;
  if (event.type === MessageType.End) break;
  if (event.type === MessageType.HistoryAnswer) {
    history = JSON.parse(event.data.toString()) as History;
    tell({ tells: 'ready', missed: history.missed });
  } else events++;
}
tell({ tells: 'result', events, missed: history?.missed });

/** The first view lists the earlier members. The archive gets the same view at the same place in the order. */
function askArchive({ members, viewId }: Membership): void {
  const archive = members.find((member) => member.startsWith('#archive#'));
  if (archive === undefined) throw new Error(`no archive in ${ALL}: ${members.join(' ')}`);
  session.multicast(archive, viewId.toString(), { type: MessageType.HistoryRequest });
}
