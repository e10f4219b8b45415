/** Statistics, comparison, plan, schema and page of the benchmark. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareReports, formatComparison } from '../../bench/compare.ts';
import { parseEndpoint } from '../../bench/peers/attached.ts';
import { estimateMs, planRuns, SET_DEFAULTS, type Selection } from '../../bench/plan.ts';
import { drawLineChart } from '../../bench/report/line-chart.ts';
import { renderPage } from '../../bench/report/page.ts';
import { advantage, summarise } from '../../bench/report/summary.ts';
import { parseReport, type Report, type Run, type RunMetrics } from '../../bench/report-schema.ts';
import { scenarios, windowMessages } from '../../bench/scenarios.ts';
import { median, ratioOf } from '../../bench/statistics.ts';

const metrics = (deliveriesPerSecond: number): RunMetrics => ({
  deliveriesPerSecond,
  messagesPerSecond: deliveriesPerSecond,
  megabytesPerSecond: deliveriesPerSecond / 1e4,
  sent: 1000,
  delivered: 1000,
  lost: 0,
  disorder: 0,
  oneOrder: null,
  latency: null,
  lateness: null,
  systemCores: 1,
  systemPeakResidentBytes: 1 << 20,
  generatorCores: 0.5,
});

const withLatency = (p50Us: number, p99Us: number): RunMetrics => {
  const latency = {
    count: 10_000,
    meanUs: p50Us,
    p50Us,
    p90Us: p99Us,
    p99Us,
    p999Us: p99Us,
    maxUs: p99Us,
    curve: [
      [50, p50Us],
      [99, p99Us],
    ] as [number, number][],
  };
  return { ...metrics(1000), latency, lateness: latency };
};

const run = (scenario: string, system: string, repeat: number, result: RunMetrics | string): Run => ({
  scenario,
  system,
  repeat,
  startedAt: '2026-01-02T03:04:05.000Z',
  metrics: typeof result === 'string' ? null : result,
  error: typeof result === 'string' ? result : null,
  windowMessages: 64,
  ratePerSecond: null,
});

const guarantees = { order: 'total', reliability: 'reliable', membership: 'views' };

function report(runs: readonly Run[]): Report {
  const ids = [...new Set(runs.map((one) => one.scenario))];
  return {
    reportVersion: 1,
    createdAt: '2026-01-02T03:04:05.000Z',
    durationSeconds: 60,
    command: 'npm run bench',
    commit: 'abcdef012345',
    machine: {
      cpu: 'a <fast> processor',
      cores: 2,
      memoryBytes: 2 ** 34,
      kernel: 'Linux 6',
      distribution: 'Debian',
      node: 'v20.0.0',
      loadAverageBefore: 0,
    },
    measureSeconds: 1,
    warmUpSeconds: 0.5,
    latencyWarmUpSeconds: 3,
    systems: ['skein', 'spread', 'nats'].map((id) => ({
      id,
      title: id,
      guarantees,
      available: true,
      detail: '1.0',
      configuration: '',
    })),
    scenarios: ids.map((id) => {
      const found = scenarios.find((scenario) => scenario.id === id);
      if (found === undefined) throw new Error(id);
      const { headline: _, variants: __, saturationShare: ___, ...rest } = found;
      return rest;
    }),
    runs: [...runs],
  };
}

const selection: Selection = { set: 'headline', scenarioIds: [], systemIds: [], repeats: 2, attached: null };

describe('ratioOf', () => {
  it('gives the ratio of the geometric means', () => {
    expect(ratioOf([100, 400], [800, 800]).ratio).toBeCloseTo(4);
  });

  it('has no interval from one value', () => {
    expect(ratioOf([1], [2, 3]).interval).toBeNull();
  });

  it('matches a Welch interval computed by hand', () => {
    // logs 0, 0.1, 0.2 and 1, 1.2, 1.4: difference 1.1, error sqrt(0.01/3 + 0.04/3), 2.94 degrees of freedom, so t = 4.303 (2).
    const exp = (values: readonly number[]): number[] => values.map(Math.exp);
    const [low, high] = ratioOf(exp([0, 0.1, 0.2]), exp([1, 1.2, 1.4])).interval ?? [0, 0];
    const margin = 4.303 * Math.sqrt(0.05 / 3);
    expect(Math.log(low)).toBeCloseTo(1.1 - margin, 6);
    expect(Math.log(high)).toBeCloseTo(1.1 + margin, 6);
  });

  it('is inverted when its sides are exchanged', () => {
    const sample = fc.array(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const [there, back] = [ratioOf(a, b), ratioOf(b, a)];
        expect(there.ratio * back.ratio).toBeCloseTo(1, 6);
        expect(Math.log((there.interval?.[0] ?? 0) * (back.interval?.[1] ?? 0))).toBeCloseTo(0, 6);
      }),
    );
  });
});

describe('median', () => {
  it('takes the middle, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});

describe('compareReports', () => {
  const speeds = (values: readonly number[]): Report =>
    report(values.map((value, i) => run('one-to-one-64', 'skein', i + 1, metrics(value))));

  it.each([
    ['better', [100, 101, 102], [200, 201, 202]],
    ['worse', [200, 201, 202], [100, 101, 102]],
    ['same', [100, 101, 102], [101, 102, 103]],
    ['unsure', [100, 10, 1000], [150, 30, 900]],
    ['unsure', [100], [10]],
  ] as const)('says %s of %j and %j', (verdict, before, after) => {
    expect(compareReports(speeds(before), speeds(after)).map((cell) => cell.verdict)).toEqual([verdict]);
  });

  it('counts a longer latency as worse, and marks it', () => {
    const latencies = (p50: number): Report =>
      report([1, 2, 3].map((i) => run('latency-1k', 'skein', i, withLatency(p50 + i, 10 * (p50 + i)))));
    const cells = compareReports(latencies(50), latencies(500));
    expect(cells.map(({ figure, verdict }) => [figure, verdict])).toEqual([
      ['p50', 'worse'],
      ['p99', 'worse'],
    ]);
    expect(formatComparison(cells).match(/REGRESSION/g)).toHaveLength(2);
  });

  it('omits cells that only one report has, and failed runs', () => {
    const first = report([run('one-to-one-64', 'skein', 1, metrics(1)), run('one-to-10', 'skein', 1, metrics(1))]);
    const second = report([run('one-to-one-64', 'skein', 1, metrics(1)), run('one-to-10', 'skein', 1, 'it fell over')]);
    expect(compareReports(first, second).map((cell) => cell.scenario)).toEqual(['one-to-one-64']);
  });
});

describe('planRuns', () => {
  it('runs all systems of a scenario in succession within each repeat', () => {
    const runs = planRuns({ ...selection, scenarioIds: ['one-to-10'], systemIds: ['skein', 'nats'] });
    expect(runs.map((one) => `${one.repeat} ${one.system.id}`)).toEqual(['1 skein', '1 nats', '2 skein', '2 nats']);
  });

  it('omits combinations that make no sense', () => {
    const ids = (scenario: string): string[] =>
      planRuns({ ...selection, scenarioIds: [scenario], repeats: 1 }).map((one) => one.system.id);
    expect(ids('ring-3-256')).toEqual(['skein', 'spread']);
    expect(ids('safe-256')).toEqual(['skein', 'spread']);
    expect(ids('thousand-groups')).not.toContain('spread');
  });

  it('lists the known ids when an id is wrong', () => {
    expect(() => planRuns({ ...selection, scenarioIds: ['one-to-two'] })).toThrow(
      /no scenario "one-to-two".*one-to-10/,
    );
    expect(() => planRuns({ ...selection, systemIds: ['rabbit'] })).toThrow(/no system "rabbit".*nats/);
  });

  it('keeps the headline below ten minutes and the quick set near one', () => {
    const minutes = (set: 'quick' | 'headline'): number => {
      const { repeats, measureSeconds, warmUpSeconds, latencyWarmUpSeconds } = SET_DEFAULTS[set];
      const times = {
        measureMs: measureSeconds * 1000,
        warmUpMs: warmUpSeconds * 1000,
        latencyWarmUpMs: latencyWarmUpSeconds * 1000,
      };
      return estimateMs(planRuns({ ...selection, set, repeats }), times) / 60_000;
    };
    expect(minutes('headline')).toBeLessThan(10);
    expect(minutes('quick')).toBeLessThan(1.5);
  });
});

describe('scenarios', () => {
  it('have distinct ids', () => {
    expect(new Set(scenarios.map((scenario) => scenario.id)).size).toBe(scenarios.length);
  });

  it('keep every group of every sender moving and below the limits for slow consumers', () => {
    for (const scenario of scenarios) {
      const window = windowMessages(scenario);
      expect(window / scenario.senders / scenario.groups).toBeGreaterThanOrEqual(2);
      expect(window).toBeLessThanOrEqual(8192);
    }
  });
});

describe('parseEndpoint', () => {
  it.each([
    ['4803', { host: '127.0.0.1', port: 4803 }],
    ['10.0.0.1:4803', { host: '10.0.0.1', port: 4803 }],
    ['::1:4803', { host: '::1', port: 4803 }],
  ])('reads %s', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
  });

  it.each(['', 'localhost', 'host:', '1:99999', '0'])('refuses "%s"', (text) => {
    expect(() => parseEndpoint(text)).toThrow('not an endpoint');
  });
});

describe('the report', () => {
  const whole = report([
    run('one-to-one-64', 'skein', 1, metrics(3_000_000)),
    run('one-to-one-64', 'skein', 2, metrics(2_000_000)),
    run('one-to-one-64', 'spread', 1, metrics(100_000)),
    run('one-to-one-64', 'spread', 2, metrics(100_000)),
    run('one-to-one-8k', 'skein', 1, metrics(50_000)),
    run('latency-1k', 'skein', 1, withLatency(40, 90)),
    run('latency-1k', 'spread', 1, withLatency(80, 900)),
    run('latency-1k', 'nats', 1, 'no <answer>'),
  ]);

  it('is read back as it was written', () => {
    expect(parseReport(JSON.stringify(whole), 'whole')).toEqual(whole);
  });

  it('is refused with the name of the field that is wrong', () => {
    const broken = { ...whole, machine: { ...whole.machine, cores: 0 } };
    expect(() => parseReport(JSON.stringify(broken), 'broken.json')).toThrow(/broken\.json.*machine\.cores/s);
  });

  it('compares the subject with the others so that more is always better', () => {
    const cells = summarise(whole);
    const cell = (scenario: string, system: string) =>
      cells.find((one) => one.scenario.id === scenario && one.system.id === system) ?? cells[0];
    const speed = advantage(cell('one-to-one-64', 'skein'), cell('one-to-one-64', 'spread'));
    expect(speed?.ratio).toBeCloseTo(Math.sqrt(6) * 10);
    expect(advantage(cell('latency-1k', 'skein'), cell('latency-1k', 'spread'))?.ratio).toBeCloseTo(2);
    expect(advantage(cell('latency-1k', 'skein'), cell('latency-1k', 'nats'))).toBeNull();
  });

  it('becomes a self-contained page that escapes its content', () => {
    const page = renderPage(whole);
    expect(page).not.toMatch(/<script|<link|<img|url\(|https?:\/\//);
    expect(page).toContain('a &lt;fast&gt; processor');
    expect(page).toContain('failed: no &lt;answer&gt;');
    expect(page).toContain('Messages against size');
    expect(page).toContain('Percentiles: latency at 1,000 msg/s');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('becomes a page even when every run failed', () => {
    const page = renderPage(report([run('one-to-one-64', 'skein', 1, 'no'), run('latency-1k', 'skein', 1, 'no')]));
    expect(page).toContain('failed: no');
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('drawLineChart', () => {
  it('keeps every point inside the frame', () => {
    const value = fc.double({ min: 1e-3, max: 1e9, noNaN: true });
    const points = fc.uniqueArray(fc.tuple(value, value), { minLength: 1, maxLength: 8, selector: ([x]) => x });
    fc.assert(
      fc.property(points, fc.constantFrom('linear' as const, 'log' as const), (unsorted, scale) => {
        const series = [{ name: 's', colour: '#000', dash: '', points: unsorted.sort(([a], [b]) => a - b) }];
        const axis = { title: 't', scale, format: String };
        const svg = drawLineChart({ title: 'chart', x: axis, y: axis, series });
        const coordinates = [...svg.matchAll(/cx="([^"]+)" cy="([^"]+)"/g)];
        expect(coordinates).toHaveLength(unsorted.length);
        for (const [, x, y] of coordinates) {
          expect(Number(x)).toBeGreaterThanOrEqual(54);
          expect(Number(x)).toBeLessThanOrEqual(416.1);
          expect(Number(y)).toBeGreaterThanOrEqual(27.9);
          expect(Number(y)).toBeLessThanOrEqual(256.1);
        }
      }),
    );
  });

  it('draws nothing without points', () => {
    const axis = { title: 't', scale: 'log' as const, format: String };
    expect(drawLineChart({ title: 'chart', x: axis, y: axis, series: [] })).toBe('');
  });
});
