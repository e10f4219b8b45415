/** The tables of docs/counters.md, from the table of counters. */
import { COUNTER_TABLE, type CounterBlock } from '../../../engine/buffers/counter-table.ts';

export const COUNTER_DOCS_START = '<!-- counters: from engine/buffers/counter-table.ts -->';
export const COUNTER_DOCS_END = '<!-- end of counters -->';

const TITLES: Readonly<Record<CounterBlock, string>> = {
  agent: 'Of every agent',
  ring: 'Of the ring agent',
  network: 'Of the network agent',
  delivery: 'Of each delivery worker',
  supervisor: 'Of the thread that started the daemon',
};

export function counterDocs(): string {
  const sections = Object.entries(TITLES).map(([block, title]) => {
    const rows = COUNTER_TABLE.filter((counter) => counter.block === block).map(
      ({ name, of, slot, kind, unit, help, field }) =>
        `| ${slot} | ${name}${of === undefined ? '' : ` (${of})`} | ${kind} | ${unit} | ${help} | ${field === undefined ? '' : `\`${field}\``} |`,
    );
    return [
      `## ${title}`,
      '',
      '| Slot | Counter | Kind | Unit | Meaning | Field |',
      '| ---: | --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n');
  });
  return sections.join('\n\n');
}
