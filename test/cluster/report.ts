/** Prints the results of a run with real daemons. */
import type { Violation } from '../simulation/checker/check.ts';
import type { RunRecord } from './run-record.ts';
import { checkRun } from './trace-of-run.ts';

/** @returns how many properties are violated */
export function report(title: string, run: RunRecord, faults: Readonly<Record<string, number>> | null): number {
  const violations: readonly Violation[] = checkRun(run);
  const count = (of: (client: (typeof run.clients)[number]) => number): number =>
    run.clients.reduce((sum, client) => sum + of(client), 0);
  const seen = (kind: string): number => count((c) => c.observations.filter((event) => event.kind === kind).length);
  console.log(`\n${title}`);
  if (faults !== null)
    console.log(
      `  faults      ${Object.entries(faults)
        .map(([name, n]) => `${name} ${n}`)
        .join(', ')}`,
    );
  console.log(`  daemon runs ${run.processes.length}, client connections ${run.clients.length}`);
  console.log(`  sent        ${count((client) => client.sent.length)} messages, ${seen('message')} deliveries`);
  console.log(`  membership  ${seen('view')} views, ${seen('transition')} transitional signals`);
  for (const failure of run.failures) console.log(`  FAILURE     ${failure}`);
  for (const { property, title: what, count: times, examples } of violations) {
    console.log(`  VIOLATED    ${property} ${what}: ${times} times`);
    for (const example of examples) console.log(`              ${example}`);
  }
  if (violations.length === 0) console.log('  every property visible to clients holds');
  return violations.length;
}
