import type { DaemonAddress } from './address.ts';
import { type ConnectOptions, type ResolvedOptions, resolveConnectOptions } from './connect-options.ts';
import { connectToOne } from './connect-to-one.ts';
import type { SkeinError } from './errors.ts';
import { NodeTransport } from './node-transport.ts';
import type { Session } from './session.ts';

/** What to do when no daemon listens at these addresses. */
function nextStep(addresses: readonly DaemonAddress[], failures: readonly SkeinError[]): string {
  if (!failures.every(({ reason }) => reason === 'nobody-listens')) return '';
  // `4803` alone is a Unix socket, which surprises people whose daemon serves TCP only.
  const port =
    addresses.length === 1 && 'path' in addresses[0]! ? /\/(\d{1,5})$/.exec(addresses[0].path)?.[1] : undefined;
  const tcp = port === undefined ? '' : ` (over TCP: ${port}@localhost)`;
  return `Start a daemon there (skein start), or give the address of one that runs${tcp}`;
}

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
    (failures) => nextStep(addresses, failures),
  );
}
