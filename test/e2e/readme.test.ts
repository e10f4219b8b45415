/** The README's programs and commands run as printed; only addresses and ports are filled in. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startDaemon } from '../../daemon/start-daemon.ts';
import { freePort } from './support/daemons.ts';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

/** The first block of code after a text. */
function blockBehind(text: string): string {
  const from = readme.indexOf(text);
  const block = /```\w*\n([\s\S]*?)```/.exec(readme.slice(from))?.[1];
  if (from < 0 || block === undefined) throw new Error(`README.md has no block of code behind "${text}"`);
  return block;
}

it('prints the message that alice sent to the room', async () => {
  const taste = blockBehind('## A taste');
  expect(taste.trim().split('\n')).toHaveLength(6);
  expect(taste).toContain("connect({ name: 'alice' })");
  const daemon = await startDaemon({ port: 0, logLevel: 'silent', unixSocketDir: null });
  // Inside the package, so that the import of its own name resolves.
  const program = fileURLToPath(new URL(`dist/readme-taste-${process.pid}.mjs`, root));
  try {
    writeFileSync(program, taste.replace("name: 'alice'", `name: 'alice', address: '${daemon.port}@127.0.0.1'`));
    const { stdout } = await promisify(execFile)(process.execPath, [program]);
    expect(stdout).toBe('#alice#localhost: hello\n');
  } finally {
    rmSync(program, { force: true });
    await daemon.stop();
  }
});

it('forms a ring of three with the printed commands', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skein-readme-'));
  const ports = [await freePort(), await freePort(), await freePort()];
  const cli = fileURLToPath(new URL('dist/cli.js', root));
  const printed = blockBehind('A ring of three, here all on one machine:')
    .replace(/48[012]3/g, (port) => String(ports[(Number(port) - 4803) / 10]))
    // A non-interactive shell continues before the daemons are ready, and must end them.
    .replace(
      /^skein monitor .*$/m,
      (line) => `until ${line} | grep -q 'of 3, led by one: one two three'; do sleep 0.2; done`,
    )
    .replace(/^skein subscribe .*&$/m, (line) => `${line.replace(' &', ' --count 1 &')}\nreader=$!\nsleep 1`);
  writeFileSync(join(folder, 'skein'), `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`, { mode: 0o755 });
  const script = `trap 'kill $(jobs -p)' EXIT\n${printed}\nwait $reader\n`;
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` };
  try {
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: folder, env });
    expect(stdout).toContain('hello from one\n');
    for (const name of ['one', 'two', 'three']) expect(stdout).toContain(`daemon ${name} ready`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
