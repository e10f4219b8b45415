/** The package from the registry, a tarball or git is complete, and usable from every module system and bundler. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Consumer, cloneSources, contentsOf, pack, ROOT } from './consumer.ts';
import { bundledModule, commonJs, esModule, typed } from './programs.ts';

const TIMEOUT_MS = 180_000;
/** Tools that are not packages of this project are installed only where the caller allows it: `npm test -- --install`. */
const mayInstall = process.env['SKEIN_TEST_INSTALL'] === '1';

const fromCheckout = (path: string): string => join(ROOT, 'node_modules', path);

let tarball: string;
let clone: string;

beforeAll(() => {
  clone = cloneSources();
  mkdirSync(join(clone, 'dist'));
  writeFileSync(join(clone, 'dist', 'stale.js'), '');
  tarball = pack(clone);
}, TIMEOUT_MS);

describe('the tarball', () => {
  it('contains entries, declarations and documents, and nothing else of the repository', () => {
    const contents = contentsOf(tarball);
    const entries = ['index.js', 'index.cjs', 'index.d.ts', 'index.d.cts', 'cli.js', 'worker.js'];
    const client = ['client.js', 'client.cjs', 'client.d.ts', 'client.d.cts', 'browser.js', 'browser.d.ts'];
    for (const name of [...entries, ...client]) expect(contents).toContain(`dist/${name}`);
    for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md', 'docs/client.md', 'docs/protocol/ring-protocol.md'])
      expect(contents).toContain(name);
    expect(contents.filter((path) => !/^(dist|docs)\/|^[A-Z]+(\.md)?$|^package\.json$/.test(path))).toEqual([]);
  });

  it('contains nothing that an earlier build left behind', () => {
    expect(contentsOf(tarball)).not.toContain('dist/stale.js');
  });
});

describe('an installed package', () => {
  let consumer: Consumer;
  beforeAll(() => {
    consumer = new Consumer(tarball);
    consumer.link('@types/node');
  }, TIMEOUT_MS);

  const expectHello = (result: { readonly output: string }): void => expect(result.output).toContain('got hello');

  it('runs as an ES module', () => {
    expectHello(consumer.node(consumer.write('program.mjs', esModule)));
  });

  it('runs under require', () => {
    expectHello(consumer.node(consumer.write('program.cjs', commonJs)));
  });

  it('has the same classes at both entries', () => {
    const code = "const a = require('skein'), b = require('skein/client'); console.log(a.SkeinError === b.SkeinError)";
    expect(consumer.node('-e', code).output.trim()).toBe('true');
  });

  it('has a command', () => {
    expect(consumer.node('node_modules/.bin/skein', '--version').output).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('has a client that loads without the daemon and its dependencies', () => {
    const away = mkdtempSync(join(tmpdir(), 'skein-away-'));
    const names = ['zod', 'pino', 'commander'];
    for (const name of names) renameSync(join(consumer.folder, 'node_modules', name), join(away, name));
    try {
      for (const args of [
        ['--input-type=module', '-e', "import { connect } from 'skein/client'; console.log(typeof connect)"],
        ['-e', "console.log(typeof require('skein/client').connect)"],
      ])
        expect(consumer.node(...args).output.trim()).toBe('function');
    } finally {
      for (const name of names) renameSync(join(away, name), join(consumer.folder, 'node_modules', name));
    }
  });

  it.each(['esm', 'cjs'])('runs bundled by esbuild (%s)', (format) => {
    const source = consumer.write('bundled.mjs', bundledModule);
    const out = join(consumer.folder, 'out', format === 'esm' ? 'esbuild.mjs' : 'esbuild.cjs');
    const esbuild = fromCheckout('esbuild/bin/esbuild');
    const args = ['--bundle', '--platform=node', `--format=${format}`, `--outfile=${out}`, '--log-level=error'];
    // Dependencies in CommonJS call require, which a bundle in ES modules must provide.
    const banner = "--banner:js=import { createRequire as r } from 'node:module'; const require = r(import.meta.url);";
    execFileSync(esbuild, [source, ...args, ...(format === 'esm' ? [banner] : [])], { stdio: 'pipe' });
    expectHello(consumer.node(out));
  });

  it.each(['NodeNext', 'Bundler'] as const)(
    'has types that compile without skipLibCheck (%s)',
    (resolution) => {
      expect(typeCheck(consumer, fromCheckout('typescript/bin/tsc'), resolution)).toBe('');
    },
    TIMEOUT_MS,
  );
});

/** @returns the compiler's errors */
function typeCheck(consumer: Consumer, tsc: string, resolution: 'NodeNext' | 'Bundler'): string {
  // Bundlers do not distinguish the two kinds of module.
  const extensions = resolution === 'NodeNext' ? (['mts', 'cts'] as const) : (['mts'] as const);
  const files = extensions.map((extension) => consumer.write(`typed.${extension}`, typed(extension)));
  const module = resolution === 'NodeNext' ? 'NodeNext' : 'ESNext';
  const options = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'ES2022', '--types', 'node'];
  return consumer.node(tsc, ...options, '--module', module, '--moduleResolution', resolution, ...files).output;
}

describe.runIf(mayInstall)('with third-party tools', () => {
  const TYPESCRIPTS = { 'typescript-5.4': '5.4.5', 'typescript-5.9': '5.9.3', 'typescript-7': '7.0.2' } as const;
  let consumer: Consumer;
  beforeAll(() => {
    const compilers = Object.entries(TYPESCRIPTS).map(([name, version]) => [name, `npm:typescript@${version}`]);
    consumer = new Consumer(tarball, {
      ...Object.fromEntries(compilers),
      '@types/node': '20.19.43',
      jest: '30.5.2',
      vite: '7.3.1',
      vitest: '4.1.12',
      webpack: '5.113.0',
    });
  }, 2 * TIMEOUT_MS);

  it.each(Object.keys(TYPESCRIPTS))(
    'has types that %s accepts',
    (compiler) => {
      const tsc = join(consumer.folder, 'node_modules', compiler, 'bin/tsc');
      expect(typeCheck(consumer, tsc, 'NodeNext')).toBe('');
    },
    TIMEOUT_MS,
  );

  it(
    'runs bundled by webpack',
    () => {
      consumer.write('bundled.mjs', bundledModule);
      consumer.write(
        'webpack.mjs',
        `import webpack from 'webpack';
       const config = { mode: 'production', target: 'node20', entry: './bundled.mjs', output: { path: process.cwd() + '/out', filename: 'webpack.cjs' } };
       webpack(config, (error, stats) => { const problems = error ?? stats.toString('errors-only'); if (problems) { console.error(String(problems)); process.exitCode = 1; } });`,
      );
      expect(consumer.node('webpack.mjs').output).toBe('');
      expect(consumer.node('out/webpack.cjs').output).toContain('got hello');
    },
    TIMEOUT_MS,
  );

  it(
    'runs bundled by vite',
    () => {
      consumer.write('bundled.mjs', bundledModule);
      consumer.write(
        'vite.config.mjs',
        `export default { logLevel: 'error', ssr: { noExternal: ['skein'] }, build: { ssr: 'bundled.mjs', outDir: 'out/vite' } };`,
      );
      expect(consumer.node('node_modules/vite/bin/vite.js', 'build').status).toBe(0);
      const [bundle] = ['mjs', 'js'].map((extension) => join(consumer.folder, 'out/vite', `bundled.${extension}`));
      expect(consumer.node(bundle!).output).toContain('got hello');
    },
    TIMEOUT_MS,
  );

  it(
    'runs in Jest',
    () => {
      const name = 'jest/hello.test.cjs';
      consumer.write(
        name,
        `const { startDaemon, connect } = require('skein');
       test('a message comes back', async () => {
         const daemon = await startDaemon({ listen: '127.0.0.1', port: 0, unixSocketDir: null, logLevel: 'silent' });
         const session = await connect({ address: daemon.port + '@127.0.0.1', name: 'jest' });
         await session.join('room');
         session.multicast('room', 'hello');
         let got;
         for await (const event of session) if (event.kind === 'message') { got = String(event.data); break; }
         expect(got).toBe('hello');
         await session.close();
         await daemon.stop();
       });`,
      );
      const options = ['--rootDir', 'jest', '--testMatch', '**/*.test.cjs'];
      expect(consumer.node('node_modules/jest/bin/jest.js', ...options).output).toContain('1 passed');
    },
    TIMEOUT_MS,
  );

  it(
    'runs in vitest',
    () => {
      consumer.write(
        'vitest/hello.test.mjs',
        `import { expect, test } from 'vitest';
       import { connect, startDaemon } from 'skein';
       test('a message comes back', async () => {
         const daemon = await startDaemon({ listen: '127.0.0.1', port: 0, unixSocketDir: null, logLevel: 'silent' });
         const session = await connect({ address: daemon.port + '@127.0.0.1', name: 'vitest' });
         await session.join('room');
         await session.close();
         await daemon.stop();
         expect(daemon.name).toBe('localhost');
       });`,
      );
      expect(consumer.node('node_modules/vitest/vitest.mjs', 'run', '--root', 'vitest').status).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    'is the same when it is installed from git',
    () => {
      const git = (...args: string[]): void => {
        execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: clone, stdio: 'pipe' });
      };
      unlinkSync(join(clone, 'node_modules'));
      git('init', '-q');
      git('add', '-A');
      git('commit', '-qm', 'package');
      const project = new Consumer(tarball);
      project.write('package.json', JSON.stringify({ private: true }));
      execFileSync('npm', ['install', '--no-audit', '--no-fund', '--allow-git=all', `git+file://${clone}`], {
        cwd: project.folder,
        stdio: 'pipe',
      });
      expect(project.node(project.write('program.mjs', esModule)).output).toContain('got hello');
    },
    3 * TIMEOUT_MS,
  );
});
