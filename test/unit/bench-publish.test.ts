import { describe, expect, it } from 'vitest';
import { FIGURES_BEGIN, FIGURES_END, replaceFigures } from '../../bench/publish.ts';
import { figuresMarkdown } from '../../bench/report/figures.ts';
import { report, run, system } from './bench-reports.ts';

const SYSTEMS = [
  system('skein', 'skein'),
  system('skein-inline', 'inline'),
  system('spread', 'Spread'),
  system('nats', 'NATS'),
  system('redis', 'Redis', false),
  system('relay', 'relay'),
];

const tableOf = (text: string): readonly string[] => text.split('\n').filter((line) => line.startsWith('|'));

describe('figures of the README', () => {
  it('show the measured systems with their versions, without yardsticks and variants', () => {
    const text = figuresMarkdown(
      report(SYSTEMS, [
        run('skein', 3e6),
        run('skein-inline', 9e6),
        run('spread', 1e5),
        run('nats', 1.5e6),
        run('relay', 4e6),
      ]),
    );
    expect(tableOf(text)).toEqual([
      '| One daemon, deliveries per second | skein 1.0 | Spread 1.0 | NATS 1.0 |',
      '| --- | ---: | ---: | ---: |',
      '| 1 to 1, 64 B | **3.00 M** | 100 k | 1.50 M |',
    ]);
    expect(text).toContain('Node 20.1.0');
    expect(text).toContain('commit abc123.');
    expect(text).not.toContain('ahead');
  });

  it('show the range of the runs, and where others are ahead', () => {
    const runs = [
      run('skein', 3e6),
      { ...run('skein', 2e6), repeat: 2 },
      { ...run('skein', 2.5e6), repeat: 3 },
      run('spread', 2.6e6),
      run('nats', 5e6),
    ];
    const text = figuresMarkdown(report(SYSTEMS, runs));
    expect(tableOf(text).at(-1)).toBe('| 1 to 1, 64 B | 2.50 M (2.00–3.00) | 2.60 M | **5.00 M** |');
    expect(text).toContain('- **Spread**: 1 to 1, 64 B.\n- **NATS**: 1 to 1, 64 B.\n');
  });

  it('compare rings with the original, and latencies by p50 and p99', () => {
    const ring = report(SYSTEMS, []);
    const base = ring.scenarios[0]!;
    const latencyOf = (p50Us: number, p99Us: number) => ({
      ...run('skein', 1000).metrics!,
      latency: { count: 1, meanUs: 1, p50Us, p90Us: 1, p99Us, p999Us: 1, maxUs: 1, curve: [] },
    });
    const text = figuresMarkdown({
      ...ring,
      scenarios: [
        { ...base, id: 'ring-3-256', title: 'ring of 3', daemons: 3 },
        { ...base, id: 'latency-1k', title: 'at 1,000/s', kind: 'latency' },
      ],
      runs: [
        { ...run('skein', 2e6), scenario: 'ring-3-256' },
        { ...run('spread', 1e6), scenario: 'ring-3-256' },
        { ...run('skein', 0), scenario: 'latency-1k', metrics: latencyOf(75, 803) },
        { ...run('spread', 0), scenario: 'latency-1k', metrics: latencyOf(99, 465.4) },
      ],
    });
    expect(tableOf(text)).toEqual([
      '| One daemon, one-way latency in µs | skein 1.0 | Spread 1.0 |',
      '| --- | ---: | ---: |',
      '| at 1,000/s, p50 | **75** | 99 |',
      '| at 1,000/s, p99 | 803 | **465** |',
      '| Several daemons, deliveries per second | skein 1.0 | Spread 1.0 | ratio (95 % interval) |',
      '| --- | ---: | ---: | ---: |',
      '| ring of 3 | **2.00 M** | 1.00 M | 2.0× |',
    ]);
    expect(text).toContain('- **Spread**: at 1,000/s, p99.\n');
  });

  it('show a dash where a run failed', () => {
    const text = figuresMarkdown(
      report(
        [system('skein', 'skein'), system('nats', 'NATS')],
        [
          run('skein', 1e6),
          { ...run('skein', 1e6), scenario: 'one-to-10' },
          run('nats', null),
          { ...run('nats', 5), scenario: 'one-to-10' },
        ],
      ),
    );
    expect(text).toContain('| 1 to 1, 64 B | **1.00 M** |');
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
