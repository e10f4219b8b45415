/** The counters page as metrics: read when they are asked for, by the table. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { CountersMemory } from '../../engine/buffers/counters.ts';
import { blocksOf } from '../../engine/buffers/read-counters.ts';
import { COUNTER_METRICS, type CounterMetric, slotValue } from './metric-names.ts';

export function registerCounterMetrics(registry: Registry, counters: CountersMemory): void {
  for (const metric of COUNTER_METRICS) {
    const { name, type, help, labels } = metric;
    const settings = { name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'gauge') {
      new Gauge({
        ...settings,
        collect() {
          for (const { value, labels: own } of series(metric, counters)) this.set(own, value);
        },
      });
      continue;
    }
    new Counter({
      ...settings,
      // The page has the sum, and a Counter takes only what is added to it.
      collect() {
        this.reset();
        for (const { value, labels: own } of series(metric, counters)) this.inc(own, value);
      },
    });
  }
}

interface Point {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function* series(metric: CounterMetric, memory: CountersMemory): Generator<Point> {
  const { block, labels, scale, counters } = metric;
  const slotName = counters.length > 1 ? labels.at(-1)! : null;
  for (const [i, page] of blocksOf(memory, block).entries()) {
    const own: Record<string, string> = {};
    if (block === 'agent') own['agent'] = agentName(i);
    if (block === 'delivery') own['worker'] = String(i);
    for (const counter of counters) {
      const value = page[counter.slot]! * scale;
      yield { labels: slotName === null ? own : { ...own, [slotName]: slotValue(counter) }, value };
    }
  }
}

/** In the order of `blocksOf`. */
export const agentName = (index: number): string =>
  index === 0 ? 'ring' : index === 1 ? 'network' : `delivery-${index - 2}`;
