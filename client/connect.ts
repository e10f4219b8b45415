import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from './errors.ts';
import { performHandshake } from './handshake.ts';
import { type ConnectOptions, type ResolvedOptions, resolveOptions } from './options.ts';
import { Session } from './session.ts';
import { HandshakeChannel, Transport } from './transport.ts';

/**
 * Opens a session with a daemon.
 *
 *     const session = await connect({ address: '4803@localhost', name: 'alice' });
 *
 * Rejects with a SkeinError: ILLEGAL_SPREAD for a bad address or unknown host, COULD_NOT_CONNECT when nobody listens
 * or time runs out, the daemon's own REJECT_* code, CONNECTION_CLOSED when it hangs up in the middle, ILLEGAL_PARAM
 * for an option that is unknown, of the wrong type or out of range; and with the signal's reason when aborted.
 */
export async function connect(options: ConnectOptions = {}): Promise<Session> {
  return connectWith(resolveOptions(options));
}

/** The same with options that are checked already. */
export async function connectWith(resolved: ResolvedOptions): Promise<Session> {
  const { attempts, delayMs } = resolved.retryNameInUse;
  for (let attempt = 1; ; attempt++) {
    try {
      return await connectOnce(resolved);
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

async function connectOnce(options: ResolvedOptions): Promise<Session> {
  const { signal, connectTimeoutMs } = options;
  signal?.throwIfAborted();
  const transport = new Transport(options.address, options.daemonTimeoutMs);
  const timeout = setTimeout(() => {
    const message = `no session at ${transport.description} within connectTimeoutMs ${connectTimeoutMs}`;
    transport.destroy(new SkeinError('COULD_NOT_CONNECT', message));
  }, connectTimeoutMs);
  const onAbort = (): void => transport.destroy(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await transport.connected();
    const accepted = await performHandshake(new HandshakeChannel(transport), options);
    return new Session(transport, accepted, options);
  } catch (error) {
    transport.destroy(error);
    throw error;
  } finally {
    clearTimeout(timeout);
    signal?.removeEventListener('abort', onAbort);
  }
}
