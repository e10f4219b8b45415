/** Builds the dashboard as one HTML file with its script and styles inside. It loads nothing else. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** @returns {Promise<string>} */
export async function bundleDashboard(root) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['dashboard/main.ts'],
    outdir: 'unused',
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
  });
  const output = (extension) => outputFiles.find(({ path }) => path.endsWith(extension)).text.trim();
  const script = output('.js').replaceAll('</script', '<\\/script');
  const page = readFileSync(join(root, 'dashboard', 'page.html'), 'utf8');
  return page.replace('/*STYLE*/', () => output('.css')).replace('/*SCRIPT*/', () => script);
}
