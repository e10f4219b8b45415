/** The taste in the README runs as printed; only the daemon's address is filled in. */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startDaemon } from '../../daemon/start-daemon.ts';

const root = new URL('../../', import.meta.url);

it('prints the message that alice sent to the room', async () => {
  const readme = readFileSync(new URL('README.md', root), 'utf8');
  const taste = /## A taste\n\n```js\n([\s\S]*?)```/.exec(readme)?.[1];
  if (taste === undefined) throw new Error('README.md has no taste');
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
