/** Counts errors and API calls as they happen. Usage: counter ADDRESS */
import { connect } from '../../index.ts';
import { COUNTED, MessageType, tell } from './events.ts';

const [address = ''] = process.argv.slice(2);
await using session = await connect({ address, name: 'counter' });
for (const group of COUNTED) await session.join(group);
tell({ tells: 'ready' });

const perGroup = new Map<string, number>(COUNTED.map((group) => [group, 0]));
let events = 0;
for await (const event of session) {
  if (event.kind !== 'message') continue;
  if (event.type === MessageType.End) break;
  // A failed API call goes to two of these groups and arrives once.
  events++;
  for (const group of event.groups) {
    const count = perGroup.get(group);
    if (count !== undefined) perGroup.set(group, count + 1);
  }
}
tell({ tells: 'result', events, perGroup: Object.fromEntries(perGroup) });
