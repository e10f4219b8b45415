/** The files for Prometheus and Grafana and the tables of docs/monitoring.md are generated from the code, use existing metrics, and are valid. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CHECK_WINDOW_MINUTES, CHECKS, type Check, type CheckTerm, judge } from '../../daemon/http/checks.ts';
import { COUNTER_METRICS } from '../../daemon/http/metric-names.ts';
import { grafanaDashboard } from '../../scripts/ops/grafana-dashboard.ts';
import { monitoringPage, ownMetrics } from '../../scripts/ops/monitoring-page.ts';
import { alertName, prometheusRules } from '../../scripts/ops/prometheus-rules.ts';
import { ROOT, read } from '../unit/support/source-files.ts';

const RULES = 'ops/prometheus/skein.rules.yml';
const METRICS = new Map([...COUNTER_METRICS, ...ownMetrics()].map(({ name, type }) => [name, type]));

describe('files of the monitoring', () => {
  it.each([
    [RULES, prometheusRules],
    ['ops/grafana/skein.json', grafanaDashboard],
    ['docs/monitoring.md', () => monitoringPage(read('docs/monitoring.md'))],
  ] as const)('%s is what "npm run docs:monitoring" writes', (file, make) => expect(read(file)).toBe(make()));

  it.each([RULES, 'ops/grafana/skein.json', 'docs/slow-consumers.md'])('%s uses only metrics that exist', (file) => {
    const used = [...read(file).matchAll(/\bskein_[a-z0-9_]+/g)].map(([name]) => name);
    expect(used.length).toBeGreaterThan(3);
    expect(used.filter((name) => !METRICS.has(name))).toEqual([]);
  });

  it('take rates and increases only of counters, and plain values only of gauges', () => {
    for (const file of [RULES, 'ops/grafana/skein.json']) {
      const rated = [...read(file).matchAll(/\b(?:rate|increase)\((skein_[a-z0-9_]+)/g)].map(([, name]) => name!);
      expect(rated.length).toBeGreaterThan(3);
      expect(rated.filter((name) => METRICS.get(name) !== 'counter')).toEqual([]);
    }
    const terms = CHECKS.flatMap(({ value, of }) => [value, ...(of === undefined ? [] : [of])]);
    for (const { metric, increase } of terms) {
      if (metric === 'up') continue;
      expect([metric, METRICS.get(metric)]).toEqual([metric, increase === true ? 'counter' : 'gauge']);
    }
  });

  it('has panels that fit the width and do not overlap', () => {
    const { panels } = JSON.parse(grafanaDashboard()) as {
      readonly panels: readonly {
        readonly id: number;
        readonly title: string;
        readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
      }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [i, { title, gridPos: a }] of panels.entries()) {
      expect(a.x + a.w, title).toBeLessThanOrEqual(24);
      for (const { gridPos: b } of panels.slice(i + 1))
        expect(a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h, title).toBe(false);
    }
  });
});

const hasPromtool = spawnSync('promtool', ['--version'], { stdio: 'ignore' }).error === undefined;
/** With `--install` a missing promtool is a failure. */
const isTested = hasPromtool || process.env['SKEIN_TEST_INSTALL'] === '1';
if (!isTested) console.log('promtool is not installed: the rules of Prometheus are not tested (npm test -- --install)');

/** Simulated minutes; longer than any `for` plus its window. */
const PLAYED = 20;
/** The whole of which a share is taken. */
const WHOLE = 10_000;

/** A time series that makes the term's value about `value`: constant, or rising by it in each window. */
function series({ metric, labels = {}, increase }: CheckTerm, value: number): object {
  const own = metric === 'up' ? labels : { ...labels, daemon: 'berlin' };
  const selector = Object.entries({ ...own, instance: 'one' }).map(([name, label]) => `${name}="${label}"`);
  const values = increase === true ? `0+${value / CHECK_WINDOW_MINUTES}x${PLAYED}` : `${value}x${PLAYED}`;
  return { series: `${metric}{${selector.join(',')}}`, values };
}

/** Values on both sides of each threshold. */
function valuesOf({ trouble, warning, critical, value }: Check): readonly number[] {
  const limits = [warning, critical].filter((limit) => limit !== null);
  // Prometheus extrapolates an increase, so values exactly at the limit are not tried.
  const step = (limit: number): number => (limit === 0 ? 1 : limit * 0.1);
  return limits.flatMap((limit) => {
    const beyond = trouble === 'above' ? limit + step(limit) : limit - 1;
    const within = value.increase === true ? limit - step(limit) : limit;
    return [beyond, Math.max(0, within)];
  });
}

function testOf(check: Check, value: number): object {
  const { of, trouble, forMinutes } = check;
  const input =
    of === undefined ? [series(check.value, value)] : [series(check.value, value * WHOLE), series(of, WHOLE)];
  const verdict = judge(value, trouble, check);
  const firing = (['warning', 'critical'] as const).filter((severity) => {
    const limit = check[severity];
    return limit !== null && (trouble === 'above' ? value > limit : value < limit);
  });
  expect(firing.at(-1) ?? 'ok').toBe(verdict);
  const labels = check.name === 'up' ? 'instance="one"' : 'daemon="berlin", instance="one"';
  const samples = firing.map((severity) => ({
    labels: `ALERTS{alertname="${alertName(check)}", alertstate="firing", ${labels}, severity="${severity}"}`,
    value: 1,
  }));
  return {
    name: `${check.name} ${value}`,
    interval: '1m',
    input_series: input,
    promql_expr_test: [
      {
        expr: `ALERTS{alertname="${alertName(check)}", alertstate="firing"}`,
        eval_time: `${Math.max(forMinutes + CHECK_WINDOW_MINUTES + 1, 7)}m`,
        exp_samples: samples,
      },
    ],
  };
}

describe.runIf(isTested)('the rules, in Prometheus', () => {
  it('are well formed', () => {
    expect(hasPromtool, 'promtool could not be installed: apt-get install prometheus').toBe(true);
    expect(execFileSync('promtool', ['check', 'rules', join(ROOT, RULES)], { encoding: 'utf8' })).toContain('SUCCESS');
  });

  it.each(CHECKS.map((check) => [check.name, check] as const))(
    '%s fires beyond its thresholds, and not within them',
    (_, check) => {
      const folder = mkdtempSync(join(tmpdir(), 'skein-rules-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const file = join(folder, 'test.yml');
      // JSON is YAML.
      const tests = valuesOf(check).map((value) => testOf(check, value));
      writeFileSync(file, JSON.stringify({ rule_files: [join(ROOT, RULES)], evaluation_interval: '1m', tests }));
      const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
      expect(status, `${stdout}${stderr}`).toBe(0);
    },
  );
});
