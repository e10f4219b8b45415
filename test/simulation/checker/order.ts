/** EVS-14 to EVS-17 and EVS-19: the order of deliveries. */
import { type DeliverEvent, isOrdered, type MessageId, type ProcessEvent, type ProcessId } from '../trace/trace.ts';
import { messageText } from './delivery.ts';
import {
  type Check,
  type KnownMessage,
  type Model,
  memberKey,
  type Property,
  processName,
  type Stay,
} from './model.ts';

const fifo: Check = (model) => {
  const found: string[] = [];
  const last = new Map<ProcessId, number>();
  for (const stays of model.stays)
    for (const stay of stays) {
      last.clear();
      const walk = (deliveries: readonly DeliverEvent[], gapsAllowed: boolean): void => {
        for (const event of deliveries) {
          const known = model.messages.get(event.message);
          if (known === undefined || known.indexOfSender === 0 || known.send.configuration !== stay.regular.id)
            continue;
          const previous = last.get(known.sender.process) ?? 0;
          const what = `${processName(stay.process)} delivered ${messageText(model, event.message)}`;
          if (known.indexOfSender <= previous) found.push(`${what} after a later one of that sender`);
          else if (!gapsAllowed && known.indexOfSender !== previous + 1)
            found.push(`${what} with ${known.indexOfSender - previous - 1} of that sender missing before it`);
          last.set(known.sender.process, known.indexOfSender);
        }
      };
      walk(stay.regularDeliveries, false);
      walk(stay.transitionalDeliveries, true);
    }
  return found;
};

/** Per sender of one configuration, how many of its ordered messages happened before. */
type VectorClock = Map<ProcessId, number>;

/** The vector clock of each ordered message at its send, over the messages of its own configuration. */
function clocksAtSend(model: Model, id: string): Map<MessageId, VectorClock> {
  const stays = model.staysIn.get(id) ?? [];
  const clocks = new Map<MessageId, VectorClock>();
  // A stay can be walked up to a delivery only when the sender's walk has passed the send; take turns until all are done.
  const cursors = stays.map((stay) => ({
    stay,
    clock: new Map() as VectorClock,
    events: eventsOf(model, stay),
    at: 0,
  }));
  let moved = true;
  while (moved) {
    moved = false;
    for (const cursor of cursors)
      while (cursor.at < cursor.events.length) {
        const event = cursor.events[cursor.at]!;
        const known = model.messages.get(event.message)!;
        if (event.kind === 'send') {
          cursor.clock.set(cursor.stay.process.process, known.indexOfSender);
          clocks.set(event.message, new Map(cursor.clock));
        } else {
          const clock = clocks.get(event.message);
          if (clock === undefined) break;
          for (const [process, count] of clock)
            if (count > (cursor.clock.get(process) ?? 0)) cursor.clock.set(process, count);
        }
        cursor.at++;
        moved = true;
      }
  }
  return clocks;
}

const eventsOf = (model: Model, stay: Stay) => {
  const wanted: Extract<ProcessEvent, { kind: 'send' | 'deliver' }>[] = [];
  let inside = false;
  for (const event of stay.process.events) {
    if (event === stay.regular) inside = true;
    else if (event === stay.next) break;
    else if (inside && (event.kind === 'send' || event.kind === 'deliver') && isOrdered(event.service))
      if (model.messages.get(event.message)?.send.configuration === stay.regular.id) wanted.push(event);
  }
  return wanted;
};

/**
 * The specification excuses a missing message in the transitional part when its sender is outside T. Obligations promise more, and
 * the model of its Appendix B checks more: what a delivered message depends on was delivered, always.
 */
const causal: Check = (model) => {
  const found: string[] = [];
  for (const [id, stays] of model.staysIn) {
    const clocks = clocksAtSend(model, id);
    for (const stay of stays) {
      const seen: VectorClock = new Map();
      const processAt = (process: ProcessId) => model.trace.processes[process]!;
      const walk = (deliveries: readonly DeliverEvent[]): void => {
        for (const event of deliveries) {
          const known = model.messages.get(event.message);
          const clock = clocks.get(event.message);
          if (known === undefined || clock === undefined) continue;
          for (const [process, count] of clock) {
            const own = process === known.sender.process ? count - 1 : count;
            if ((seen.get(process) ?? 0) < own)
              found.push(
                `${processName(stay.process)} delivered ${messageText(model, event.message)} before message ${own} of node ${processAt(process).node} that its sender knew`,
              );
          }
          seen.set(known.sender.process, Math.max(seen.get(known.sender.process) ?? 0, known.indexOfSender));
        }
      };
      walk(stay.regularDeliveries);
      walk(stay.transitionalDeliveries);
    }
  }
  return found;
};

/**
 * One global order of ordered messages and configurations exists iff the traces can be merged: again and again take an
 * item that comes next in every trace that still holds it. What cannot be taken is on a cycle or behind one.
 */
const totalOrder: Check = (model) => {
  const chains = model.trace.processes.map((process) => {
    const chain: (MessageId | string)[] = [];
    for (const event of process.events)
      if (event.kind === 'configuration') chain.push(event.id);
      else if (event.kind === 'deliver' && isOrdered(event.service)) chain.push(event.message);
    return chain;
  });
  const holders = new Map<MessageId | string, number[]>();
  for (const [c, chain] of chains.entries())
    for (const item of chain) {
      const list = holders.get(item);
      if (list === undefined) holders.set(item, [c]);
      else if (!list.includes(c)) list.push(c);
    }
  const heads = chains.map(() => 0);
  const readyAt = new Map<MessageId | string, number>();
  const work: number[] = [];
  const arrive = (c: number): void => {
    const item = chains[c]![heads[c]!];
    if (item === undefined) return;
    const count = (readyAt.get(item) ?? 0) + 1;
    readyAt.set(item, count);
    if (count === holders.get(item)!.length) work.push(c);
  };
  for (const c of chains.keys()) arrive(c);
  while (work.length > 0) {
    const item = chains[work[work.length - 1]!]![heads[work.pop()!]!]!;
    for (const c of holders.get(item)!) heads[c]!++;
    for (const c of holders.get(item)!) arrive(c);
  }
  const blocked = [...chains.keys()].filter((c) => heads[c]! < chains[c]!.length);
  if (blocked.length === 0) return [];
  const heading = blocked.slice(0, 4).map((c) => {
    const item = chains[c]![heads[c]!]!;
    return `${processName(model.trace.processes[c]!)} has ${typeof item === 'string' ? item : messageText(model, item)} next`;
  });
  return [`no one order fits all traces: ${heading.join('; ')}`];
};

const orderedOf = (model: Model, deliveries: readonly DeliverEvent[]): KnownMessage[] => {
  const list: KnownMessage[] = [];
  for (const event of deliveries) {
    const known = model.messages.get(event.message);
    if (known !== undefined && isOrdered(known.send.service)) list.push(known);
  }
  return list;
};

const gapFreedom: Check = (model) => {
  const found: string[] = [];
  for (const stays of model.stays)
    for (const stay of stays) {
      const ring = model.ringOrder.get(stay.regular.id) ?? [];
      let at = 0;
      let broken = false;
      for (const known of orderedOf(model, stay.regularDeliveries)) {
        if (known.send.sequence === 0 || known.send.configuration !== stay.regular.id) continue;
        if (!broken && ring[at] !== known) {
          found.push(
            `${processName(stay.process)} delivered ${messageText(model, known.send.message)} where ${ring[at] === undefined ? 'nothing' : messageText(model, ring[at]!.send.message)} is next`,
          );
          broken = true;
        }
        at++;
      }
      if (stay.transitional === null || stay.next === null || broken) continue;
      found.push(...transitionalGaps(model, stay, ring, at));
    }
  return found;
};

/** After the regular part the order may skip only what came from outside T: a member of T holds all it sent itself. */
function transitionalGaps(model: Model, stay: Stay, ring: readonly KnownMessage[], start: number): string[] {
  const together = new Set(stay.transitional!.members.map((m) => memberKey(m.node, m.incarnation)));
  let at = start;
  for (const known of orderedOf(model, stay.transitionalDeliveries)) {
    if (known.send.sequence === 0) continue;
    const what = `${processName(stay.process)} delivered ${messageText(model, known.send.message)} in ${stay.transitional!.id}`;
    while (at < ring.length && ring[at] !== known) {
      const skipped = ring[at++]!;
      if (together.has(memberKey(skipped.sender.node, skipped.sender.incarnation)))
        return [`${what} and skipped ${messageText(model, skipped.send.message)} of a member`];
    }
    if (at === ring.length) return [`${what} out of ring order`];
    at++;
  }
  return [];
}

const safeBarrier: Check = (model) => {
  const found: string[] = [];
  for (const stays of model.stays)
    for (const stay of stays) {
      const barriers = (model.ringOrder.get(stay.regular.id) ?? []).filter((k) => k.send.service === 'safe');
      const delivered = new Set<MessageId>();
      let next = 0;
      for (const known of orderedOf(model, stay.regularDeliveries)) {
        if (known.send.service === 'safe') delivered.add(known.send.message);
        while (next < barriers.length && delivered.has(barriers[next]!.send.message)) next++;
        const barrier = barriers[next];
        if (barrier !== undefined && known.send.sequence > barrier.send.sequence)
          found.push(
            `${processName(stay.process)} delivered ${messageText(model, known.send.message)} before ${messageText(model, barrier.send.message)}`,
          );
      }
    }
  return found;
};

export const orderProperties: readonly Property[] = [
  { name: 'EVS-14', title: 'FIFO', check: fifo },
  { name: 'EVS-15', title: 'causal order', check: causal },
  { name: 'EVS-16', title: 'one total order of messages and configurations', check: totalOrder },
  { name: 'EVS-17', title: 'no gaps in agreed order', check: gapFreedom },
  { name: 'EVS-19', title: 'safe messages hold back what follows', check: safeBarrier },
];
