/**
 * One network namespace for each daemon, all on one bridge, so that daemons communicate through veth pairs with a real MTU. The load generator
 * is outside and reaches them over the bridge. Needs root and iproute2.
 */
import { execFileSync } from 'node:child_process';
import { onExit } from '../clean-up.ts';
import { outputOf } from './child.ts';

const BRIDGE = 'skbench0';
const NETWORK = '10.213.77';

export interface Namespace {
  readonly name: string;
  readonly address: string;
}

const ip = (...args: readonly string[]): void => {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
};

/** Why namespaces cannot be used, or null. */
export async function namespacesUnavailable(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  return (await outputOf('ip', ['-V'])) === null ? 'iproute2 is not installed' : null;
}

export const namespaceBroadcast = `${NETWORK}.255`;

let forget = (): void => {};

export function createNamespaces(count: number): readonly Namespace[] {
  removeNamespaces(count);
  forget = onExit(() => removeNamespaces(count));
  ip('link', 'add', BRIDGE, 'type', 'bridge');
  ip('addr', 'add', `${NETWORK}.254/24`, 'broadcast', namespaceBroadcast, 'dev', BRIDGE);
  ip('link', 'set', BRIDGE, 'up');
  return Array.from({ length: count }, (_, i) => {
    const name = `skbench${i + 1}`;
    const address = `${NETWORK}.${i + 1}`;
    ip('netns', 'add', name);
    ip('link', 'add', `skv${i + 1}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    ip('link', 'set', `skv${i + 1}`, 'master', BRIDGE, 'up');
    ip('-n', name, 'addr', 'add', `${address}/24`, 'broadcast', namespaceBroadcast, 'dev', 'eth0');
    ip('-n', name, 'link', 'set', 'eth0', 'up');
    ip('-n', name, 'link', 'set', 'lo', 'up');
    return { name, address };
  });
}

/** Removes what `createNamespaces` made; missing parts are no error. */
export function removeNamespaces(count: number): void {
  const quietly = (...args: readonly string[]): void => {
    try {
      ip(...args);
    } catch {
      // It did not exist.
    }
  };
  for (let i = 1; i <= count; i++) quietly('netns', 'del', `skbench${i}`);
  for (let i = 1; i <= count; i++) quietly('link', 'del', `skv${i}`);
  quietly('link', 'del', BRIDGE);
  forget();
}
