/** The metrics that come from the table of counters: every counter of the table is one, with its name after Prometheus's customs. */
import {
  COUNTER_TABLE,
  type CounterBlock,
  type CounterDescriptor,
  type CounterUnit,
} from '../../engine/buffers/counter-table.ts';

export interface CounterMetric {
  /** `skein_delivery_frames_received_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly block: CounterBlock;
  /** Labels of the time series of one metric, besides that of the daemon. */
  readonly labels: readonly string[];
  /** What a counter is multiplied with: metrics have seconds. */
  readonly scale: number;
  /** One, or several of one name with different values of the last label. */
  readonly counters: readonly CounterDescriptor[];
}

const SCALES: Readonly<Partial<Record<CounterUnit, number>>> = { µs: 1e-6, ms: 1e-3 };
const SUFFIXES: Readonly<Partial<Record<CounterUnit, string>>> = { µs: '_seconds', ms: '_seconds' };

/** Whose block it is. */
const BLOCK_LABELS: Readonly<Record<CounterBlock, readonly string[]>> = {
  agent: ['agent'],
  ring: [],
  network: [],
  delivery: ['worker'],
  supervisor: [],
};

/** What one slot of several is of: a cause, or a range of daemons. */
const slotLabel = ({ unit }: CounterDescriptor): string => (unit === 'bits' ? 'nodes' : 'cause');

/** Slots of one name follow one another. */
const FIRST_SLOTS = COUNTER_TABLE.filter(
  ({ block, name }, i) => COUNTER_TABLE[i - 1]?.name !== name || COUNTER_TABLE[i - 1]?.block !== block,
);

export const COUNTER_METRICS: readonly CounterMetric[] = FIRST_SLOTS.map(({ block, name, slot }) =>
  metricOf(COUNTER_TABLE.filter((one) => one.block === block && one.name === name && one.slot >= slot)),
);

function metricOf(counters: readonly CounterDescriptor[]): CounterMetric {
  const first = counters[0]!;
  const { block, kind, unit } = first;
  const isTotal = kind === 'total';
  return {
    name: `skein_${block}_${words(first)}${SUFFIXES[unit] ?? ''}${isTotal ? '_total' : ''}`,
    type: isTotal ? 'counter' : 'gauge',
    help: counters.length === 1 ? first.help : counters.map(({ of, help }) => `${of}: ${help}`).join('; '),
    block,
    labels: first.of === undefined ? BLOCK_LABELS[block] : [...BLOCK_LABELS[block], slotLabel(first)],
    scale: SCALES[unit] ?? 1,
    counters,
  };
}

/** `LongestCycleUs` -> `longest_cycle`; what counts bytes says so at its end. */
function words({ name, unit }: CounterDescriptor): string {
  const snake = name
    .replace(/(Us|Ms|Micros)$/, '')
    .replace(/(?<=[a-z])([A-Z])/g, '_$1')
    .toLowerCase();
  if (unit === 'bits') return snake.replace(/_bits$/, '_mask');
  if (unit !== 'bytes') return snake;
  return `${snake.replace(/_?bytes_?/, '_').replace(/^_|_$/g, '')}_bytes`;
}

/** The label value of one slot of several. */
export const slotValue = ({ of }: CounterDescriptor): string => (of ?? '').replace(/^nodes /, '').replaceAll(' ', '_');
