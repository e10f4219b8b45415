/** Joins reports that were measured one after the other, because a full report takes hours. */
import type { Report } from './report-schema.ts';

export interface Order {
  readonly scenarios: readonly string[];
  readonly systems: readonly string[];
}

export interface NamedReport {
  readonly name: string;
  readonly report: Report;
}

/** Fields that must be equal in all reports, or their figures are not comparable. */
const SAME: readonly { readonly what: string; read(report: Report): string }[] = [
  { what: 'commit', read: ({ commit }) => commit },
  { what: 'processor', read: ({ machine }) => `${machine.cpu}, ${machine.cores} cores` },
  { what: 'kernel', read: ({ machine }) => machine.kernel },
  { what: 'version of Node', read: ({ machine }) => machine.node },
  { what: 'measured seconds', read: ({ measureSeconds }) => String(measureSeconds) },
  { what: 'warm-up', read: (report) => `${report.warmUpSeconds} s, latencies ${report.latencyWarmUpSeconds} s` },
];

function requireSame(first: NamedReport, other: NamedReport): void {
  for (const { what, read } of SAME) {
    const [expected, found] = [read(first.report), read(other.report)];
    if (expected !== found)
      throw new Error(`${other.name} has another ${what} than ${first.name}: ${found}, not ${expected}`);
  }
}

/** The description of a system must hold for all its runs. */
function joinSystems(reports: readonly NamedReport[], order: readonly string[]): Report['systems'] {
  const systems = new Map<string, Report['systems'][number]>();
  for (const { name, report } of reports) {
    for (const system of report.systems) {
      const known = systems.get(system.id);
      if (known !== undefined && (known.detail !== system.detail || known.configuration !== system.configuration))
        throw new Error(`${name} has another ${system.id}: ${system.detail}, not ${known.detail}`);
      systems.set(system.id, system);
    }
  }
  return [...systems.values()].toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
}

/**
 * Each scenario comes from one report, so that its ratios are still those of one run.
 * @param order ids of all scenarios and systems, in the order of the report
 * @throws when the reports cannot be joined; names the report and the field
 */
export function joinReports(reports: readonly NamedReport[], order: Order): Report {
  const [first, ...others] = reports;
  if (first === undefined || others.length === 0)
    throw new Error(`--join takes two reports or more, got ${reports.length}`);
  const from = new Map<string, string>();
  for (const { name, report } of reports) {
    for (const { id } of report.scenarios) {
      const earlier = from.get(id);
      if (earlier !== undefined) throw new Error(`scenario ${id} is in ${earlier} and in ${name}`);
      from.set(id, name);
    }
  }
  for (const other of others) requireSame(first, other);
  const scenarios = reports.flatMap(({ report }) => report.scenarios);
  return {
    ...first.report,
    createdAt: reports.map(({ report }) => report.createdAt).sort()[0]!,
    durationSeconds: reports.reduce((sum, { report }) => sum + report.durationSeconds, 0),
    command: reports.map(({ report }) => report.command).join('; '),
    systems: joinSystems(reports, order.systems),
    scenarios: scenarios.toSorted((a, b) => order.scenarios.indexOf(a.id) - order.scenarios.indexOf(b.id)),
    runs: reports.flatMap(({ report }) => report.runs),
  };
}
