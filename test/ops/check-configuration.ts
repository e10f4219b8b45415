/** The result of `skein conf check` on a configuration in `ops/`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** The warning, with the lines it quotes, that the file is for another machine than this one. */
const OTHER_MACHINE = /^warning: .* which this machine does not have .*\n(?: .*\n)*/m;

const skein = (...args: readonly string[]) => spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });

/**
 * Checks the file as on a host with the files of `/etc/skein` that it names.
 *
 * @param text of a `spread.conf`
 * @param files path under `/etc/skein` to content; a null content is a new cluster key
 * @param name of the daemon's entry
 * @returns exit code, and what it printed about the file
 */
export function checkConfiguration(
  text: string,
  files: Readonly<Record<string, string | null>>,
  name: string,
): { readonly code: number | null; readonly said: string } {
  const folder = mkdtempSync(join(tmpdir(), 'skein-ops-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (content === null) skein('keygen', join(folder, path));
    else writeFileSync(join(folder, path), content, { mode: 0o600 });
  }
  const file = join(folder, 'spread.conf');
  writeFileSync(file, text.replaceAll('/etc/skein/', `${folder}/`));
  const { status, stderr } = skein('conf', 'check', '--name', name, file);
  rmSync(folder, { recursive: true });
  return { code: status, said: stderr.replaceAll(`${folder}/`, '/etc/skein/').replace(OTHER_MACHINE, '') };
}
