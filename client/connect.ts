import { setTimeout as delay } from 'node:timers/promises';
import { type ConnectOptions, type ResolvedOptions, resolveConnectOptions } from './connect-options.ts';
import { SkeinError } from './errors.ts';
import { performHandshake } from './handshake.ts';
import { Session } from './session.ts';
import { HandshakeChannel, Transport } from './transport.ts';

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
export async function connectWith(resolved: ResolvedOptions): Promise<Session> {
  const { attempts, delayMs } = resolved.retryNameInUse;
  for (let attempt = 1; ; attempt++) {
    try {
      return await connectToFirst(resolved);
    } catch (error) {
      const taken = error instanceof SkeinError && error.code === 'REJECT_NOT_UNIQUE';
      if (!taken || attempt >= attempts) throw error;
    }
    await pause(delayMs, resolved.signal);
  }
}

/** Waits, but not beyond an abort, which the next attempt reports. */
async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) await delay(delayMs);
  else await delay(delayMs, undefined, { signal }).catch(() => undefined);
}

/** One attempt: the first address at which a daemon listens. Once one has answered, no other address is tried. */
async function connectToFirst(options: ResolvedOptions): Promise<Session> {
  const { addresses, signal, connectTimeoutMs } = options;
  signal?.throwIfAborted();
  let transport: Transport | undefined;
  let given: { readonly reason: unknown } | undefined;
  const giveUp = (reason: unknown): void => {
    given ??= { reason };
    transport?.destroy(reason);
  };
  const timeout = setTimeout(() => {
    const message = `no session at ${transport?.description} within connectTimeoutMs ${connectTimeoutMs}`;
    giveUp(new SkeinError('COULD_NOT_CONNECT', message));
  }, connectTimeoutMs);
  const onAbort = (): void => giveUp(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const failures: SkeinError[] = [];
  try {
    for (const address of addresses) {
      transport = new Transport(address, options.daemonTimeoutMs);
      try {
        return await openSession(transport, options);
      } catch (error) {
        if (given !== undefined) throw given.reason;
        if (!(error instanceof SkeinError) || error.code !== 'COULD_NOT_CONNECT') throw error;
        failures.push(error);
      }
    }
  } finally {
    clearTimeout(timeout);
    signal?.removeEventListener('abort', onAbort);
  }
  throw nobodyListens(failures);
}

async function openSession(transport: Transport, options: ResolvedOptions): Promise<Session> {
  try {
    await transport.connected();
    const accepted = await performHandshake(new HandshakeChannel(transport), options);
    return new Session(transport, accepted, options);
  } catch (error) {
    transport.destroy(error);
    throw error;
  }
}

/** The error of the only address, or one that names all addresses, with the error of the last as cause. */
function nobodyListens(failures: readonly SkeinError[]): SkeinError {
  if (failures.length === 1) return failures[0]!;
  const message = failures.map((failure) => failure.message).join('; ');
  return new SkeinError('COULD_NOT_CONNECT', message, { cause: failures.at(-1)?.cause });
}
