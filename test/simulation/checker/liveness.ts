/** EVS-21 to EVS-23: things get done, within bounded memory, and nothing falls over. */

import { messageText } from './delivery.ts';
import { type Check, type Property, processName, stayOf } from './model.ts';

const deliveryLiveness: Check = (model) => {
  const found: string[] = [];
  const { trace } = model;
  for (const p of trace.live)
    if (trace.processes[p]!.unsent > 0)
      found.push(
        `${processName(trace.processes[p]!)} never sequenced ${trace.processes[p]!.unsent} messages of its clients`,
      );
  const lasting = trace.live.map((p) => model.stays[p]!.at(-1)).filter((stay) => stay !== undefined);
  for (const stay of lasting)
    for (const send of stay.sends) {
      if (send.service === 'unreliable') continue;
      for (const q of trace.live) {
        const other = stayOf(model, q, stay.regular.id);
        const there = other !== undefined && model.delivered(other).has(send.message);
        if (!there)
          found.push(`${processName(trace.processes[q]!)} never delivered ${messageText(model, send.message)}`);
      }
    }
  return found;
};

const boundedMemory: Check = ({ trace }) => {
  const found: string[] = [];
  for (const process of trace.processes)
    for (const event of process.events)
      if (event.kind === 'gauge' && event.bufferedPackets > event.boundPackets)
        found.push(
          `${processName(process)} buffered ${event.bufferedPackets} packets at ${event.atMs.toFixed(1)} ms; the windows allow ${event.boundPackets}`,
        );
  return found;
};

const noSpontaneousStop: Check = ({ trace }) => {
  const found: string[] = [];
  for (const process of trace.processes)
    for (const event of process.events)
      if (event.kind === 'failure')
        found.push(`${processName(process)} failed at ${event.atMs.toFixed(1)} ms: ${event.reason}`);
  return found;
};

export const livenessProperties: readonly Property[] = [
  { name: 'EVS-21', title: 'delivery liveness', check: deliveryLiveness },
  { name: 'EVS-22', title: 'bounded memory', check: boundedMemory },
  { name: 'EVS-23', title: 'no spontaneous stop', check: noSpontaneousStop },
];
