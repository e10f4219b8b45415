import { describe, expect, it } from 'vitest';
import { FIGURES_BEGIN, FIGURES_END, replaceFigures } from '../../bench/publish.ts';
import { figuresMarkdown } from '../../bench/report/figures.ts';
import { report, run, system } from './bench-reports.ts';

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
