/** The README's table: one row per scenario, as Markdown. */
import { HEADLINE_SYSTEMS, SUBJECT } from '../peers/all-systems.ts';
import type { Report, ReportSystem } from '../report-schema.ts';
import { compact, microseconds, ratio } from './format.ts';
import { advantage, type Cell, summarise } from './summary.ts';

/** The system whose protocol is spoken: its ratio is what a reader who runs it wants to know. */
const ORIGINAL = 'spread';
/** Not something one would use instead, but the bound for the others. */
const BOUND = 'relay';
/** A README has room for some; the page has all. */
const QUOTED =
  /^(one-to-one-(64(-unbatched|-nodelay)?|1k|8k)|one-to-10|four-to-four|latency-(1|10|50)k|ring-[35]-(256|1k|8k)(-netns)?|ring-3-latency-(agreed|safe)(-netns)?)$/;

function figure(cell: Cell | undefined): string {
  if (cell === undefined || !cell.runs.some((run) => run.metrics !== null)) return '–';
  if (cell.latency === null) return compact(cell.deliveriesPerSecond);
  return `${microseconds(cell.latency.p50Us)} / ${microseconds(cell.latency.p99Us)}`;
}

function ratioText(subject: Cell | undefined, other: Cell | undefined): string {
  const better = subject === undefined || other === undefined ? null : advantage(subject, other);
  return better === null ? '–' : ratio(better.ratio);
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const runsOf = (report: Report, scenario: string): number =>
  Math.max(1, ...report.runs.filter((run) => run.scenario === scenario).map((run) => run.repeat));

/** @param repeats of each scenario */
function repeatsText(repeats: readonly number[]): string {
  const [fewest, most] = [Math.min(...repeats), Math.max(...repeats)];
  if (most === 1) return 'one run';
  return fewest === most ? `medians of ${most} runs` : `medians of ${fewest} to ${most} runs`;
}

/** Deliveries per second, or latency p50 / p99; medians of the report's runs. */
export function figuresMarkdown(report: Report): string {
  const cells = summarise(report);
  const measured = (system: ReportSystem): boolean =>
    system.available && cells.some((cell) => cell.system.id === system.id);
  const systems = report.systems.filter(
    (system) => measured(system) && HEADLINE_SYSTEMS.includes(system.id) && system.id !== BOUND,
  );
  const others = systems.filter((system) => system.id !== SUBJECT && system.id !== ORIGINAL);
  const hasOriginal = systems.some((system) => system.id === ORIGINAL);
  const original = systems.filter((system) => system.id === ORIGINAL);
  const head = [
    '',
    `**${SUBJECT}**`,
    ...original.flatMap((system) => [`${system.title} ${system.detail}`, 'ratio']),
    ...others.map((system) => system.title),
  ];
  const scenarios = report.scenarios.filter(({ id }) => QUOTED.test(id));
  const rows = scenarios.map((scenario) => {
    const here = cells.filter((cell) => cell.scenario.id === scenario.id);
    const of = (id: string): Cell | undefined => here.find((cell) => cell.system.id === id);
    const compared = hasOriginal ? [figure(of(ORIGINAL)), ratioText(of(SUBJECT), of(ORIGINAL))] : [];
    return [
      scenario.title,
      `**${figure(of(SUBJECT))}**`,
      ...compared,
      ...others.map((system) => figure(of(system.id))),
    ];
  });
  const { machine } = report;
  const repeats = repeatsText(scenarios.map(({ id }) => runsOf(report, id)));
  return [
    `Deliveries per second, or one-way latency p50 / p99. ${machine.cores} cores (${machine.cpu}) shared by the system and the load generator, Node ${machine.node.replace(/^v/, '')},`,
    `${repeats} of ${report.measureSeconds} s, all systems in the same run; ratios above 1 favour ${SUBJECT}. ${report.createdAt.slice(0, 10)}, commit ${report.commit.replace(/\+$/, '')}.`,
    '',
    line(head),
    line(['---', ...head.slice(1).map(() => '---:')]),
    ...rows.map(line),
    '',
    'Everything behind these figures, and what each system promises for its speed: [reports/latest.html](reports/latest.html), made by `npm run bench`.',
  ].join('\n');
}
