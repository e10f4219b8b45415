/**
 * Reconstructs the ring's sequence numbers: one order of each configuration's messages that agrees with what every process delivered. Clients
 * do not see these numbers. Messages that some process delivered in the regular part come first: they precede all others on the ring.
 */
import type { MessageId, ProcessTrace } from '../simulation/trace/trace.ts';

export interface RingPlace {
  /** Id of the regular configuration. */
  readonly configuration: string;
  /** From 1; 0 when the processes contradict each other. */
  readonly sequence: number;
}

interface Chains {
  readonly regular: MessageId[][];
  readonly all: MessageId[][];
}

export function orderOfConfigurations(processes: readonly ProcessTrace[]): ReadonlyMap<MessageId, RingPlace> {
  const places = new Map<MessageId, RingPlace>();
  for (const [configuration, { regular, all }] of chainsOf(processes)) {
    const first = merge(regular);
    const inRegular = new Set(regular.flat());
    const rest = merge(all.map((chain) => chain.filter((message) => !inRegular.has(message))));
    for (const [i, message] of [...first, ...rest].entries())
      if (!places.has(message)) places.set(message, { configuration, sequence: i + 1 });
    for (const message of all.flat()) if (!places.has(message)) places.set(message, { configuration, sequence: 0 });
  }
  return places;
}

function chainsOf(processes: readonly ProcessTrace[]): ReadonlyMap<string, Chains> {
  const byConfiguration = new Map<string, Chains>();
  for (const process of processes) {
    let regular: MessageId[] = [];
    let all: MessageId[] = [];
    let isTransitional = false;
    for (const event of process.events) {
      if (event.kind === 'configuration') {
        isTransitional = !event.regular;
        if (!event.regular) continue;
        regular = [];
        all = [];
        const chains = byConfiguration.get(event.id) ?? { regular: [], all: [] };
        byConfiguration.set(event.id, chains);
        chains.regular.push(regular);
        chains.all.push(all);
      } else if (event.kind === 'deliver') {
        all.push(event.message);
        if (!isTransitional) regular.push(event.message);
      }
    }
  }
  return byConfiguration;
}

/** An item is next when it is first in every chain that still holds it. Items on a cycle, and all items behind them, are left out. */
function merge(chains: readonly (readonly MessageId[])[]): MessageId[] {
  const holders = new Map<MessageId, number[]>();
  for (const [c, chain] of chains.entries())
    for (const item of chain) {
      const list = holders.get(item);
      if (list === undefined) holders.set(item, [c]);
      else list.push(c);
    }
  const heads = chains.map(() => 0);
  const arrived = new Map<MessageId, number>();
  const ready: MessageId[] = [];
  const arrive = (c: number): void => {
    const item = chains[c]![heads[c]!];
    if (item === undefined) return;
    const count = (arrived.get(item) ?? 0) + 1;
    arrived.set(item, count);
    if (count === holders.get(item)!.length) ready.push(item);
  };
  for (const c of chains.keys()) arrive(c);
  const merged: MessageId[] = [];
  for (let item = ready.pop(); item !== undefined; item = ready.pop()) {
    merged.push(item);
    for (const c of holders.get(item)!) heads[c]!++;
    for (const c of holders.get(item)!) arrive(c);
  }
  return merged;
}
