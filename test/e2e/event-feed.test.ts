import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findNginx } from '../../examples/event-feed/nginx.ts';

const RUN = fileURLToPath(new URL('../../examples/event-feed/run.mjs', import.meta.url));

/** With `--install` a missing nginx is a failure. */
const isTested = findNginx() !== undefined || process.env['SKEIN_TEST_INSTALL'] === '1';

it.runIf(isTested)('carries every line of a real web server to its consumers', { timeout: 60_000 }, async () => {
  expect(findNginx(), 'nginx could not be installed: apt-get install nginx-light').toBeDefined();
  const { code, stdout, stderr } = await new Promise<{ code: number | null; stdout: string; stderr: string }>(
    (resolve) => {
      const child = execFile(process.execPath, [RUN, '--requests', '802'], (_, out, err) =>
        resolve({ code: child.exitCode, stdout: out, stderr: err }),
      );
    },
  );
  expect(stderr).toBe('');
  expect(stdout).toContain('ok   requests, and lines in the access log: 802 = 802');
  expect(stdout).toContain('ok   of them the same, each once: 802 = 802');
  expect(stdout).toContain('the late joiner knows that it missed');
  expect(stdout).toMatch(/nothing was lost\n$/);
  expect(code).toBe(0);
});
