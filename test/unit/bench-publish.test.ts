import { describe, expect, it } from 'vitest';
import { FIGURES_BEGIN, FIGURES_END, replaceFigures } from '../../bench/publish.ts';
import { figuresMarkdown } from '../../bench/report/figures.ts';
import type { Report, ReportSystem, Run } from '../../bench/report-schema.ts';

const system = (id: string, title: string, available = true): ReportSystem => ({
  id,
  title,
  guarantees: { order: 'o', reliability: 'r', membership: 'm' },
  available,
  detail: '1.0',
  configuration: 'c',
});

const run = (id: string, deliveriesPerSecond: number | null): Run => ({
  scenario: 'one-to-one-64',
  system: id,
  repeat: 1,
  startedAt: '2026-01-02T03:04:05.000Z',
  metrics:
    deliveriesPerSecond === null
      ? null
      : {
          deliveriesPerSecond,
          messagesPerSecond: deliveriesPerSecond,
          megabytesPerSecond: 1,
          sent: 1,
          delivered: 1,
          lost: 0,
          disorder: 0,
          oneOrder: null,
          latency: null,
          lateness: null,
          systemCores: 1,
          systemPeakResidentBytes: 1,
          generatorCores: 1,
        },
  error: deliveriesPerSecond === null ? 'broken' : null,
  windowMessages: 8192,
  ratePerSecond: null,
});

const report = (systems: ReportSystem[], runs: Run[]): Report => ({
  reportVersion: 1,
  createdAt: '2026-01-02T03:04:05.000Z',
  durationSeconds: 1,
  command: 'npm run bench',
  commit: 'abc123+',
  machine: {
    cpu: 'cpu',
    cores: 2,
    memoryBytes: 1,
    kernel: 'k',
    distribution: 'd',
    node: 'v20.1.0',
    loadAverageBefore: 0,
  },
  measureSeconds: 1,
  warmUpSeconds: 0,
  latencyWarmUpSeconds: 0,
  systems,
  scenarios: [
    {
      id: 'one-to-one-64',
      title: '1 to 1, 64 B',
      family: 'size',
      kind: 'throughput',
      senders: 1,
      receivers: 1,
      groups: 1,
      idleClients: 0,
      noDelay: false,
      daemons: 1,
      network: 'loopback',
      payloadBytes: 64,
      service: 'agreed',
      batch: 32,
      ratePerSecond: null,
    },
  ],
  runs,
});

describe('figures of the README', () => {
  it('show the subject, the original with its ratio, then the others; no bound, no variants, nothing that was not there', () => {
    const text = figuresMarkdown(
      report(
        [
          system('skein', 'skein'),
          system('skein-inline', 'inline'),
          system('spread', 'Spread'),
          system('nats', 'NATS'),
          system('redis', 'Redis', false),
          system('relay', 'relay'),
        ],
        [run('skein', 3e6), run('skein-inline', 9e6), run('spread', 1e5), run('nats', 1.5e6), run('relay', 4e6)],
      ),
    );
    const table = text.split('\n').filter((line) => line.startsWith('|'));
    expect(table).toEqual([
      '|  | **skein** | Spread 1.0 | ratio | NATS |',
      '| --- | ---: | ---: | ---: | ---: |',
      '| 1 to 1, 64 B | **3 M** | 100 k | 30× | 1.50 M |',
    ]);
    expect(text).toContain('Node 20.1.0');
    expect(text).toContain('commit abc123.');
  });

  it('leave a dash where a run failed', () => {
    const text = figuresMarkdown(
      report([system('skein', 'skein'), system('nats', 'NATS')], [run('skein', 1e6), run('nats', null)]),
    );
    expect(text).toContain('| 1 to 1, 64 B | **1 M** | – |');
  });
});

describe('replacing them', () => {
  it('adds the missing second mark, and is stable afterwards', () => {
    const once = replaceFigures(`# a\n\n${FIGURES_BEGIN}\n\n## b\n`, 'T\n');
    expect(once).toBe(`# a\n\n${FIGURES_BEGIN}\nT\n${FIGURES_END}\n\n## b\n`);
    expect(replaceFigures(once, 'T\n')).toBe(once);
    expect(replaceFigures(once, 'U')).toBe(once.replace('T', 'U'));
  });

  it('refuses a text without marks', () => {
    expect(() => replaceFigures('# a', 'T')).toThrow(FIGURES_BEGIN);
  });
});
