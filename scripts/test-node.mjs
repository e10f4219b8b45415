/**
 * Runs the tests on other releases of Node. Their programs come from the npm package `node` and stay in a cache folder.
 *
 *     npm run test:node -- 22 24 26                                    all tests, on each of the releases
 *     npm run test:node -- 22.12.0 -- --project code test/unit         vitest gets the arguments after the second --
 *
 * A release is a version or its beginning, which means the newest such version in the cache, or else in the registry. Prints one line for
 * each release at the end. Exits non-zero when a test failed, or a release could not be fetched.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { ensureInstalled, root } from './ensure-installed.mjs';

const isWindows = process.platform === 'win32';
// In node_modules, because some tests start daemons as another user, who must be able to run the program.
const cache = join(root, 'node_modules', '.cache', 'node');

const given = process.argv.slice(2);
const end = given.includes('--') ? given.indexOf('--') : given.length;
const releases = given.slice(0, end);
const vitestArguments = given.slice(end + 1);

if (releases.length === 0 || releases.some((release) => !/^\d+(\.\d+){0,2}$/.test(release))) {
  console.error('usage: npm run test:node -- RELEASE… [-- ARGUMENTS OF VITEST], a release such as 22 or 22.12.0');
  process.exit(2);
}

/** @returns path of the program, which is fetched when it is not in the cache */
function programOf(release) {
  const folder = join(cache, release);
  const program = join(folder, 'node_modules', 'node', 'bin', isWindows ? 'node.exe' : 'node');
  if (existsSync(program)) return program;
  console.log(`fetching Node ${release} …`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const flags = ['--no-audit', '--no-fund', '--no-save', '--loglevel=error', '--ignore-scripts=false'];
  execFileSync('npm', ['install', ...flags, `node@${release}`], { cwd: folder, stdio: 'inherit', shell: isWindows });
  if (!existsSync(program)) throw new Error(`the package node@${release} has no program for this system`);
  return program;
}

/** Runs the tests with `program`, which is also `node` for every process that they start. */
function test(program) {
  const folder = mkdtempSync(join(tmpdir(), 'skein-test-node-'));
  const file = join(folder, 'results.json');
  const started = performance.now();
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${file}`];
  const { status } = spawnSync(
    program,
    [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...reporters, ...vitestArguments],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PATH: `${dirname(program)}${delimiter}${process.env.PATH}` },
    },
  );
  const seconds = Math.round((performance.now() - started) / 1000);
  const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
  rmSync(folder, { recursive: true });
  const passed = status === 0 && results !== null && results.numFailedTests === 0;
  const text =
    results === null
      ? 'no results'
      : `${results.numPassedTests} passed, ${results.numFailedTests} failed, ${results.numPendingTests} skipped`;
  return { passed, text: `${text} (${seconds} s)` };
}

ensureInstalled();
const outcomes = releases.map((release) => {
  try {
    const program = programOf(release);
    const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim();
    console.log(`\n== Node ${version}`);
    const { passed, text } = test(program);
    return { passed, line: `Node ${version}: ${text}${passed ? '' : ', FAILED'}` };
  } catch (error) {
    return { passed: false, line: `Node ${release}: ${error.message}` };
  }
});
console.log(`\n${outcomes.map(({ line }) => line).join('\n')}`);
process.exit(outcomes.every(({ passed }) => passed) ? 0 : 1);
