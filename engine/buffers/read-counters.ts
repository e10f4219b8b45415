/** Reads the counters page by its table: one number for each field of the monitor. */
import { EXTENSION_COUNTERS, type ExtensionCounter } from '../wire/monitor-extension.ts';
import { COUNTER_TABLE, type CounterBlock, type CounterDescriptor } from './counter-table.ts';
import {
  type CountersMemory,
  deliveryCounters,
  networkCounters,
  ringCounters,
  supervisorCounters,
} from './counters.ts';

const BY_FIELD: ReadonlyMap<ExtensionCounter, readonly CounterDescriptor[]> = new Map(
  EXTENSION_COUNTERS.map((field) => [field, COUNTER_TABLE.filter((counter) => counter.field === field)]),
);

export function readCounters(counters: CountersMemory): Readonly<Record<ExtensionCounter, number>> {
  const entries = [...BY_FIELD].map(([field, descriptors]) => [field, readField(counters, descriptors)]);
  return Object.fromEntries(entries) as Record<ExtensionCounter, number>;
}

function readField(counters: CountersMemory, descriptors: readonly CounterDescriptor[]): number {
  let value = 0;
  for (const { block, slot, kind, combine } of descriptors) {
    for (const page of blocksOf(counters, block)) {
      const one = page[slot]!;
      value = kind === 'most' || combine === 'most' ? Math.max(value, one) : value + one;
    }
  }
  return value;
}

export function blocksOf(counters: CountersMemory, block: CounterBlock): readonly Float64Array[] {
  const workers = Array.from({ length: counters.deliveryWorkers }, (_, worker) => deliveryCounters(counters, worker));
  switch (block) {
    case 'ring':
      return [ringCounters(counters)];
    case 'network':
      return [networkCounters(counters)];
    case 'delivery':
      return workers;
    case 'supervisor':
      return [supervisorCounters(counters)];
    case 'agent':
      return [ringCounters(counters), networkCounters(counters), ...workers];
  }
}
