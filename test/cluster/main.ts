/** `npm run cluster`: daemons in network namespaces, or with `--proxy` on loopback behind a proxy; see docs/clusters.md. */
import { join } from 'node:path';
import { main as inNamespaces } from './namespaces/main.ts';
import { main as behindProxy } from './proxy/main.ts';

const PROXY_FLAG = '--proxy';

/**
 * @param root the repository, built
 * @returns the exit code: 1 when a property is violated or a daemon ended unexpectedly
 */
export function main(root: string, args: readonly string[]): Promise<number> {
  if (!args.includes(PROXY_FLAG)) return inNamespaces(join(root, 'dist', 'cli.js'), args);
  return behindProxy(
    root,
    args.filter((word) => word !== PROXY_FLAG),
  );
}
