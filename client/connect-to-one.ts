/** Opens a session over the first of several ways to a daemon, whatever they are made of. */
import { SkeinError } from './errors.ts';
import { performHandshake } from './handshake.ts';
import { HandshakeChannel } from './handshake-channel.ts';
import { Session } from './session.ts';
import type { SessionSettings } from './session-options.ts';
import type { Transport } from './transport.ts';

/** @param failures one for each way that was tried */
type NextStep = (failures: readonly SkeinError[]) => string;

/**
 * @param places ways to the daemon, tried in this order until a daemon listens
 * @param nextStep what to do when none of them led to a daemon, to follow the error; may be empty
 */
export async function connectToOne(
  resolved: SessionSettings,
  places: readonly (() => Transport)[],
  nextStep: NextStep,
): Promise<Session> {
  const { attempts, delayMs } = resolved.retryNameInUse;
  for (let attempt = 1; ; attempt++) {
    try {
      return await connectToFirst(resolved, places, nextStep);
    } catch (error) {
      const taken = error instanceof SkeinError && error.code === 'REJECT_NOT_UNIQUE';
      if (!taken || attempt >= attempts) throw error;
    }
    await pause(delayMs, resolved.signal);
  }
}

/** Waits, but not beyond an abort, which the next attempt reports. */
function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    if (signal?.aborted === true) done();
    else signal?.addEventListener('abort', done, { once: true });
  });
}

/** One attempt: the first address at which a daemon listens. Once one has answered, no other address is tried. */
async function connectToFirst(
  options: SessionSettings,
  places: readonly (() => Transport)[],
  nextStep: NextStep,
): Promise<Session> {
  const { signal, connectTimeoutMs } = options;
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
    for (const open of places) {
      transport = open();
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
  throw nobodyListens(failures, nextStep);
}

async function openSession(transport: Transport, options: SessionSettings): Promise<Session> {
  try {
    await transport.connected();
    const accepted = await performHandshake(new HandshakeChannel(transport), options);
    return new Session(transport, accepted, options);
  } catch (error) {
    transport.destroy(error);
    throw error;
  }
}

/** One error that names all addresses, with the error of the last as cause. */
function nobodyListens(failures: readonly SkeinError[], nextStep: NextStep): SkeinError {
  const message = failures.map((failure) => failure.message).join('; ');
  const { cause, reason } = failures.at(-1)!;
  const step = nextStep(failures);
  const hint = step === '' ? '' : `. ${step}`;
  return new SkeinError('COULD_NOT_CONNECT', `${message}${hint}`, {
    cause,
    ...(reason === undefined ? {} : { reason }),
  });
}
