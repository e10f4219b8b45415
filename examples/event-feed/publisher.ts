/** Follows the access log and publishes each line, until SIGTERM. Usage: publisher LOG ADDRESS */
import { connect } from '../../index.ts';
import { ALL, groupsOf, KINDS, MessageType, tell, type WebEvent } from './events.ts';
import { followLines } from './follow-lines.ts';

const [log = '', address = ''] = process.argv.slice(2);
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());

await using session = await connect({ address, name: 'publisher', membership: false });
let published = 0;
tell({ tells: 'ready' });
for await (const lines of followLines(log, stop.signal)) {
  for (const line of lines) {
    const event = JSON.parse(line.toString()) as WebEvent;
    // False: the log grows faster than the daemon accepts. It waits on disk, and the web server notices nothing.
    if (!session.multicast(groupsOf(event), line, { type: MessageType.Event })) await session.drained();
    published++;
  }
}
// The order is total, so every consumer gets this after all events.
session.multicast([ALL, ...KINDS], '', { type: MessageType.End });
tell({ tells: 'result', published });
