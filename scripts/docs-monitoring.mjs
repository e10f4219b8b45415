/** `npm run docs:monitoring`: generates two files of ops/, and tables of docs/monitoring.md, from the tables of metrics and checks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importBundled } from './bundle.mjs';
import { root } from './ensure-installed.mjs';

const { prometheusRules } = await importBundled('scripts/ops/prometheus-rules.ts');
const { grafanaDashboard } = await importBundled('scripts/ops/grafana-dashboard.ts');
const { monitoringPage } = await importBundled('scripts/ops/monitoring-page.ts');

const page = readFileSync(join(root, 'docs', 'monitoring.md'), 'utf8');
const files = {
  'ops/prometheus/skein.rules.yml': prometheusRules(),
  'ops/grafana/skein.json': grafanaDashboard(),
  'docs/monitoring.md': monitoringPage(page),
};
for (const [name, text] of Object.entries(files)) {
  writeFileSync(join(root, name), text);
  console.log(`wrote ${name}`);
}
