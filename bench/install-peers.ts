import { spawnSync } from 'node:child_process';
import { allSystems } from './peers/all-systems.ts';

/** Installs the peers that Debian packages. Needs root, or sudo without a password. */
export function installPeers(): void {
  const packages = [...new Set(allSystems.flatMap((system) => system.debianPackages))];
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    const [command, ...rest] = [...prefix, 'apt-get', '-q', ...args];
    const { status, error } = spawnSync(command, rest, {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (error !== undefined) throw new Error(`${command}: ${error.message} (peers come from Debian's packages)`);
    if (status !== 0) throw new Error(`apt-get ${args[0]} ended with code ${status}`);
  }
}
