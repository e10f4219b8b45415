/** Writes every event to disk, and tells late joiners what they missed. Usage: archive FILE ADDRESS */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { connect } from '../../index.ts';
import { ALL, type History, MessageType, tell } from './events.ts';

const [file = '', address = ''] = process.argv.slice(2);
const archive = createWriteStream(file);
await using session = await connect({ address, name: 'archive' });
await session.join(ALL);
tell({ tells: 'ready' });

/** How many events came before each view. Views and events have one order, the same for every member. */
const eventsBefore = new Map<string, number>();
let events = 0;
for await (const event of session) {
  if (event.kind === 'membership') eventsBefore.set(event.viewId.toString(), events);
  if (event.kind !== 'message') continue;
  if (event.type === MessageType.End) break;
  if (event.type === MessageType.HistoryRequest) {
    const viewId = event.data.toString();
    const answer: History = { viewId, missed: eventsBefore.get(viewId) ?? 0, file };
    session.multicast(event.sender, JSON.stringify(answer), { type: MessageType.HistoryAnswer });
    continue;
  }
  events++;
  // Only this program waits for a slow disk.
  if (!archive.write(`${event.data}\n`)) await once(archive, 'drain');
}
archive.end();
await finished(archive);
tell({ tells: 'result', events });
