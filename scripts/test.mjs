/**
 * `npm test`: all checks, the cheapest first. Installs the project's packages when they are missing. Ends with a line `N passed, N failed`,
 * and exits non-zero when anything failed.
 *
 * `npm test -- --install` also installs what some tests need: nginx, Chromium, stunnel and promtool on this machine, if it has a package
 * manager, and bundlers and compilers in temporary folders. Otherwise those tests run only where these programs are present.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureInstalled, root } from './ensure-installed.mjs';

ensureInstalled();

const mayInstall = process.argv.includes('--install');
const bin = (name) => join(root, 'node_modules', '.bin', name);
const folder = mkdtempSync(join(tmpdir(), 'skein-test-'));
const resultsFile = join(folder, 'results.json');
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** @returns whether the command succeeded */
function run(title, command, args) {
  const started = performance.now();
  console.log(`\n== ${title}`);
  const env = mayInstall ? { ...process.env, SKEIN_TEST_INSTALL: '1' } : process.env;
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', env, shell: process.platform === 'win32' });
  const passed = result.status === 0;
  console.log(`-- ${title}: ${passed ? 'ok' : 'FAILED'} (${seconds(started)})`);
  return passed;
}

/** Programs that some tests need. */
const TOOLS = [
  { command: 'nginx', asks: '-v', package: 'nginx-light', untested: 'the example with it is not tested' },
  { command: 'chromium', asks: '--version', package: 'chromium', untested: 'the dashboard is not tested' },
  { command: 'stunnel', asks: '-version', package: 'stunnel4', untested: 'clients through stunnel are not tested' },
  { command: 'promtool', asks: '--version', package: 'prometheus', untested: 'the rules of Prometheus are not tested' },
];

function ensureTools() {
  const isPresent = (command, asks) => spawnSync(command, [asks], { stdio: 'ignore' }).error === undefined;
  const missing = TOOLS.filter(({ command, asks }) => !isPresent(command, asks));
  if (missing.length === 0) return;
  if (!mayInstall || process.getuid?.() !== 0 || !isPresent('apt-get', '--version')) {
    for (const { command, untested } of missing)
      console.log(`${command} is not here: ${untested} (npm test -- --install)`);
    return;
  }
  const packages = missing.map((tool) => tool.package).join(' ');
  console.log(`installing ${packages} …`);
  const install = `DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${packages}`;
  spawnSync('sh', ['-c', `apt-get update -qq && ${install}`], { stdio: ['ignore', 'ignore', 'inherit'] });
}

const checks = [
  run('format and lint', bin('biome'), ['ci', '--error-on-warnings', '.']),
  run('configuration grammar', process.execPath, ['scripts/generate-config-parser.mjs']),
  run('types', bin('tsc'), ['--noEmit']),
  run('types of the dashboard', bin('tsc'), ['--noEmit', '-p', 'dashboard']),
  run('import rule', bin('depcruise'), [
    '--config',
    '.dependency-cruiser.cjs',
    ...['engine', 'workers', 'client', 'cli', 'daemon', 'dashboard', 'bench', 'examples', 'index.ts'],
  ]),
  run('dead files, exports and dependencies', bin('knip'), []),
  run('dead members', process.execPath, ['scripts/dead-members.mjs']),
  run('undocumented exports', bin('typedoc'), ['--emit', 'none']),
];

ensureTools();
const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${resultsFile}`];
const testsRan = run('unit, property, interop traces, simulation, end to end', bin('vitest'), ['run', ...reporters]);

let results = { numPassedTests: 0, numFailedTests: 0, numFailedTestSuites: 0 };
try {
  results = JSON.parse(readFileSync(resultsFile, 'utf8'));
} catch (error) {
  console.error(`no test results: ${error.message}`);
}
rmSync(folder, { recursive: true });
const passed = checks.filter((check) => check).length + results.numPassedTests;
// A suite that cannot be loaded fails without a failing test.
const broken = testsRan || results.numFailedTests > 0 ? 0 : 1;
const failed = checks.filter((check) => !check).length + results.numFailedTests + broken;
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
