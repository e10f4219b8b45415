import { describe, expect, it } from 'vitest';
import { joinReports, type NamedReport } from '../../bench/join.ts';
import { type Report, reportSchema } from '../../bench/report-schema.ts';
import { report, run, system } from './bench-reports.ts';

/** A report on one scenario. */
function on(scenario: string, change: Partial<Report> = {}): NamedReport {
  const base = report([system('skein', 'skein'), system('nats', 'NATS')], [run('skein', 3e6), run('nats', 1e6)]);
  return {
    name: `${scenario}.json`,
    report: {
      ...base,
      command: `bench ${scenario}`,
      scenarios: base.scenarios.map((one) => ({ ...one, id: scenario })),
      runs: base.runs.map((one) => ({ ...one, scenario })),
      ...change,
    },
  };
}

const ORDER = { scenarios: ['first', 'second', 'third'], systems: ['skein', 'nats'] };

describe('joinReports', () => {
  it('keeps all scenarios in order, all runs, and every system once', () => {
    const joined = joinReports(
      [on('third', { createdAt: '2026-01-02T05:00:00.000Z' }), on('first', { durationSeconds: 9 })],
      ORDER,
    );
    expect(reportSchema.parse(joined)).toEqual(joined);
    expect(joined.scenarios.map(({ id }) => id)).toEqual(['first', 'third']);
    expect(joined.runs.map((one) => `${one.scenario} ${one.system}`)).toEqual([
      'third skein',
      'third nats',
      'first skein',
      'first nats',
    ]);
    expect(joined.systems.map(({ id }) => id)).toEqual(['skein', 'nats']);
    expect(joined).toMatchObject({
      createdAt: '2026-01-02T03:04:05.000Z',
      durationSeconds: 10,
      command: 'bench third; bench first',
    });
  });

  it('refuses a scenario that two reports have, since its ratios would mix runs', () => {
    expect(() => joinReports([on('first'), on('second'), on('first')], ORDER)).toThrow(
      'scenario first is in first.json and in first.json',
    );
  });

  it('refuses another commit, machine, Node, or way of measuring', () => {
    const { machine } = on('first').report;
    const others: readonly [Partial<Report>, RegExp][] = [
      [{ commit: 'def456' }, /second\.json has another commit than first\.json: def456, not abc123/],
      [{ machine: { ...machine, cores: 4 } }, /processor/],
      [{ machine: { ...machine, kernel: 'l' } }, /kernel/],
      [{ machine: { ...machine, node: 'v22.0.0' } }, /version of Node/],
      [{ measureSeconds: 2 }, /measured seconds/],
      [{ latencyWarmUpSeconds: 1 }, /warm-up/],
    ];
    for (const [change, message] of others)
      expect(() => joinReports([on('first'), on('second', change)], ORDER)).toThrow(message);
  });

  it('refuses another version of a system', () => {
    const nats = { ...system('nats', 'NATS'), detail: '3.0' };
    expect(() => joinReports([on('first'), on('second', { systems: [nats] })], ORDER)).toThrow(
      'second.json has another nats: 3.0, not 1.0',
    );
  });

  it('needs at least two reports', () => {
    expect(() => joinReports([on('first')], ORDER)).toThrow('--join takes two reports or more, got 1');
  });
});
