import { type ConnectOptions, type ResolvedOptions, resolveConnectOptions } from './connect-options.ts';
import { connectToOne } from './connect-to-one.ts';
import type { SkeinError } from './errors.ts';
import { NodeTransport } from './node-transport.ts';
import type { Session } from './session.ts';

/** Where a daemon could run and does not. */
const nextStep = (failures: readonly SkeinError[]): string =>
  failures.every(({ reason }) => reason === 'nobody-listens')
    ? 'Start a daemon there (skein start), or give the address of one that runs'
    : '';

/**
 * Opens a session with a daemon.
 *
 *     const session = await connect({ address: '4803@localhost', name: 'alice' });
 *
 * Without `address`, `host`, `port`, `path` and `socketDirectory` it looks for a daemon at the Unix socket `/tmp/4803`,
 * and when no daemon listens there at TCP port 4803 of `localhost`.
 *
 * Rejects with a SkeinError: ILLEGAL_SPREAD for a bad address or unknown host, COULD_NOT_CONNECT when no daemon listens
 * or time runs out, the daemon's own REJECT_* code, CONNECTION_CLOSED when it hangs up in the middle, ILLEGAL_PARAM
 * for an option that is unknown, of the wrong type or out of range; and with the signal's reason when aborted.
 */
export async function connect(options: ConnectOptions = {}): Promise<Session> {
  return connectWith(resolveConnectOptions(options));
}

/** The same with options that are checked already. */
export function connectWith(resolved: ResolvedOptions): Promise<Session> {
  const { addresses, daemonTimeoutMs, tls } = resolved;
  return connectToOne(
    resolved,
    addresses.map((address) => () => new NodeTransport(address, daemonTimeoutMs, tls)),
    nextStep,
  );
}
