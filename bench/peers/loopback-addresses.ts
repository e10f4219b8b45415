/**
 * Adds 127.0.0.2 and up to the loopback interface. All of 127.0.0.0/8 works without that, but daemons of Spread 5 end when no interface has
 * their address. Needs root and iproute2; without them it does nothing.
 */
import { execFileSync } from 'node:child_process';
import { onExit } from '../clean-up.ts';

function ip(...args: readonly string[]): boolean {
  try {
    execFileSync('ip', args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** @returns a function that removes them again, except those that existed before */
export function addLoopbackAddresses(count: number): () => void {
  if (process.getuid?.() !== 0) return () => {};
  const added = Array.from({ length: count - 1 }, (_, i) => `127.0.0.${i + 2}/8`).filter((address) =>
    ip('addr', 'add', address, 'dev', 'lo'),
  );
  const remove = (): void => {
    for (const address of added.splice(0)) ip('addr', 'del', address, 'dev', 'lo');
  };
  const forget = onExit(remove);
  return () => {
    forget();
    remove();
  };
}
