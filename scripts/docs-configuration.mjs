/** `npm run docs:configuration`: generates docs/configuration.md from engine/config/option-catalogue.ts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importBundled } from './bundle.mjs';
import { root } from './ensure-installed.mjs';

const { configurationPage } = await importBundled('scripts/docs/configuration-page.ts');
const path = join(root, 'docs', 'configuration.md');
writeFileSync(path, configurationPage());
console.log(`wrote ${path}`);
