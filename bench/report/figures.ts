/** The README's figures: medians with the range of their runs, as Markdown tables, and where others are ahead. */
import { HEADLINE_SYSTEMS, SUBJECT } from '../peers/all-systems.ts';
import type { Report, ReportScenario, ReportSystem } from '../report-schema.ts';
import { aheadOf } from './ahead.ts';
import { ratio } from './format.ts';
import { latencyText, speedText } from './ranges.ts';
import { advantage, type Cell, summarise } from './summary.ts';

/** The system whose protocol skein serves. Its users want to know the ratio. */
const ORIGINAL = 'spread';
/** It also orders messages between daemons. */
const OTHER_RINGS = 'corosync';
/** Not a product: it only copies frames. */
const YARDSTICK = 'relay';
/** The README quotes some scenarios; the page has all. */
const QUOTED =
  /^(one-to-one-(64(-unbatched|-nodelay)?|1k|8k|100k)|one-to-10|four-to-four|thousand-groups|latency-(1|10|50)k|ring-(3-(256|1k|8k)|5-256)(-netns)?|ring-3-latency-(agreed|safe)(-netns)?)$/;

interface Part {
  readonly title: string;
  readonly has: (scenario: ReportScenario) => boolean;
  /** Whether a column compares the subject with the original. */
  readonly hasRatio: boolean;
}

const PARTS: readonly Part[] = [
  {
    title: 'One daemon, deliveries per second',
    has: ({ kind, daemons }) => kind === 'throughput' && daemons === 1,
    hasRatio: false,
  },
  {
    title: 'One daemon, one-way latency in µs',
    has: ({ kind, daemons }) => kind === 'latency' && daemons === 1,
    hasRatio: false,
  },
  {
    title: 'Several daemons, deliveries per second',
    has: ({ kind, daemons }) => kind === 'throughput' && daemons > 1,
    hasRatio: true,
  },
  {
    title: 'Several daemons, one-way latency in µs',
    has: ({ kind, daemons }) => kind === 'latency' && daemons > 1,
    hasRatio: false,
  },
];

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const hasFigure = (cell: Cell | undefined): cell is Cell => cell?.runs.some((run) => run.metrics !== null) === true;

/** A figure of a cell, in a row of a table. */
interface RowFigure {
  readonly label: string;
  readonly text: (cell: Cell) => string;
  /** More is better. */
  readonly value: (cell: Cell) => number;
}

const SPEED: RowFigure = { label: '', text: speedText, value: (cell) => cell.deliveriesPerSecond };
const LATENCIES: readonly RowFigure[] = (['p50Us', 'p99Us'] as const).map((pick) => ({
  label: `, ${pick.slice(0, 3)}`,
  text: (cell) => latencyText(cell, pick),
  value: (cell) => -(cell.latency?.[pick] ?? Number.POSITIVE_INFINITY),
}));

/** With two runs the interval says nothing. */
const FEWEST_FOR_INTERVAL = 3;

function ratioText(subject: Cell | undefined, other: Cell | undefined): string {
  const better = subject === undefined || other === undefined ? null : advantage(subject, other);
  if (subject === undefined || other === undefined || better === null) return '–';
  const { interval } = better;
  if (interval === null || Math.min(subject.runs.length, other.runs.length) < FEWEST_FOR_INTERVAL)
    return ratio(better.ratio);
  return `${ratio(better.ratio)} (${ratio(interval[0])}–${ratio(interval[1])})`;
}

function partTable(part: Part, report: Report, cells: readonly Cell[], systems: readonly ReportSystem[]): string[] {
  const scenarios = report.scenarios.filter((scenario) => QUOTED.test(scenario.id) && part.has(scenario));
  const cellAt = (scenario: ReportScenario, system: ReportSystem): Cell | undefined =>
    cells.find((cell) => cell.scenario.id === scenario.id && cell.system.id === system.id);
  const shown = systems.filter((system) => scenarios.some((scenario) => hasFigure(cellAt(scenario, system))));
  if (shown.length === 0) return [];
  const original = part.hasRatio ? shown.find(({ id }) => id === ORIGINAL) : undefined;
  const subject = shown.find(({ id }) => id === SUBJECT);
  const titles = shown.flatMap((system) => [
    `${system.title} ${system.detail}`,
    ...(system === original ? ['ratio (95 % interval)'] : []),
  ]);
  const rows = scenarios.flatMap((scenario) =>
    (scenario.kind === 'latency' ? LATENCIES : [SPEED]).map(({ label, text, value }) => {
      const found = shown.map((system) => cellAt(scenario, system)).filter(hasFigure);
      const best = Math.max(...found.map(value));
      const texts = shown.flatMap((system) => {
        const cell = cellAt(scenario, system);
        const written = hasFigure(cell) ? text(cell) : '–';
        const isBest = hasFigure(cell) && value(cell) === best;
        const compared = system === original ? [ratioText(subject && cellAt(scenario, subject), cell)] : [];
        return [isBest ? `**${written}**` : written, ...compared];
      });
      return line([`${scenario.title.replace(/^latency at /, '')}${label}`, ...texts]);
    }),
  );
  return [line([part.title, ...titles]), line(['---', ...titles.map(() => '---:')]), ...rows, ''];
}

const runsOf = (report: Report, scenario: string): number =>
  Math.max(1, ...report.runs.filter((run) => run.scenario === scenario).map((run) => run.repeat));

/** @param repeats of each scenario */
function repeatsText(repeats: readonly number[]): string {
  const [fewest, most] = [Math.min(...repeats), Math.max(...repeats)];
  if (most === 1) return 'One run';
  return fewest === most ? `Medians of ${most} runs` : `Medians of ${fewest} to ${most} runs`;
}

const LONGEST_LINE_CHARS = 120;

/** One item of a list, wrapped. */
function aheadLines({ system, where }: ReturnType<typeof aheadOf>[number]): readonly string[] {
  const lines = ['-'];
  for (const word of `**${system.title}**: ${where.join('; ')}.`.split(' ')) {
    const last = lines.at(-1)!;
    if (last.length + 1 + word.length > LONGEST_LINE_CHARS) lines.push(`  ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Deliveries per second, and latency p50 and p99: medians of the runs with their range. */
export function figuresMarkdown(report: Report): string {
  const cells = summarise(report);
  const systems = report.systems.filter(
    ({ id, available }) => available && id !== YARDSTICK && (HEADLINE_SYSTEMS.includes(id) || id === OTHER_RINGS),
  );
  const scenarios = report.scenarios.filter(({ id }) => QUOTED.test(id));
  const quoted = cells.filter((cell) => scenarios.includes(cell.scenario) && systems.includes(cell.system));
  // With one daemon, corosync shares the machine with its bridge, so it is not comparable.
  const comparable = quoted.filter(({ scenario, system }) => scenario.daemons > 1 || system.id !== OTHER_RINGS);
  const { machine } = report;
  const ahead = aheadOf(comparable, SUBJECT);
  return [
    `${machine.cores} cores (${machine.cpu}) shared by the system and the load generator, Node ${machine.node.replace(/^v/, '')}.`,
    `${repeatsText(scenarios.map(({ id }) => runsOf(report, id)))} of ${report.measureSeconds} s; in brackets the lowest and the highest run.`,
    'All systems ran in turn on the same machine. The best median of a row is bold.',
    `Measured ${report.createdAt.slice(0, 10)}, commit ${report.commit.replace(/\+$/, '')}.`,
    '',
    ...PARTS.flatMap((part) => partTable(part, report, comparable, systems)),
    ...(ahead.length === 0 ? [] : ['Others are ahead of skein in these cells:', '', ...ahead.flatMap(aheadLines), '']),
    'All figures, and what each system promises for its speed: [reports/latest.html](reports/latest.html), made by',
    '`npm run bench`. How it is measured: [docs/benchmarks.md](docs/benchmarks.md).',
  ].join('\n');
}
