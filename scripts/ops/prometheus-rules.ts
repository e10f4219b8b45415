/** The text of ops/prometheus/skein.rules.yml: an alert for each check and severity. */
import { CHECK_WINDOW_MINUTES, CHECKS, type Check, type CheckTerm } from '../../daemon/http/checks.ts';

/** `token-losses` -> `SkeinTokenLosses`. */
export const alertName = ({ name }: Check): string =>
  `Skein${name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())}`;

export function prometheusRules(): string {
  const rules = CHECKS.flatMap((check) =>
    (['warning', 'critical'] as const).flatMap((severity) => {
      const limit = check[severity];
      return limit === null ? [] : [rule(check, severity, limit)];
    }),
  );
  return `# Made by "npm run docs:monitoring" from daemon/http/checks.ts. Do not edit: what is changed here belongs into a file of your own.
# "skein check" judges by the same table. The job of the daemons is called "skein".
groups:
  - name: skein
    rules:
${rules.join('\n')}
`;
}

function rule(check: Check, severity: string, limit: number): string {
  const who = check.name === 'up' ? '{{ $labels.instance }}' : '{{ $labels.daemon }}';
  const lines = [
    `- alert: ${alertName(check)}`,
    `  expr: ${JSON.stringify(`${expression(check)} ${check.trouble === 'above' ? '>' : '<'} ${limit}`)}`,
    ...(check.forMinutes === 0 ? [] : [`  for: ${check.forMinutes}m`]),
    '  labels:',
    `    severity: ${severity}`,
    '  annotations:',
    `    summary: ${JSON.stringify(`${who}: ${check.meaning} ({{ $value | humanize }})`)}`,
    `    description: ${JSON.stringify(check.advice)}`,
  ];
  return lines.map((line) => `      ${line}`).join('\n');
}

/** The PromQL of a check, without the comparison. */
function expression({ name, value, of }: Check): string {
  const by = name === 'up' ? 'instance' : 'instance, daemon';
  return of === undefined ? term(value, by) : `${term(value, by)} / ${term(of, by)}`;
}

function term({ metric, labels, by, increase }: CheckTerm, grouping: string): string {
  const selector = Object.entries(labels ?? {}).map(([label, value]) => `${label}="${value}"`);
  const series = `${metric}${selector.length === 0 ? '' : `{${selector.join(',')}}`}`;
  const value = increase === true ? `increase(${series}[${CHECK_WINDOW_MINUTES}m])` : series;
  return `${by} by (${grouping}) (${value})`;
}
