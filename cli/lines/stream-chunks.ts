import { once } from 'node:events';
import type { Readable } from 'node:stream';

/**
 * Yields the chunks of a stream until it ends or the signal comes. Bytes that this process had read before the signal are still yielded,
 * because they can no longer be read from the stream.
 * @throws (rejects) the error of the stream
 */
export async function* streamChunks(stream: Readable, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  let failure: Error | null = null;
  let ended = false;
  const done = new AbortController();
  stream.on('error', (error) => {
    failure = error;
    done.abort();
  });
  const finish = (): void => {
    ended = true;
    done.abort();
  };
  stream.once('end', finish);
  stream.once('close', finish);
  const wake = AbortSignal.any([signal, done.signal]);
  for (;;) {
    if (signal.aborted) {
      const rest = stream.readableLength > 0 ? (stream.read(stream.readableLength) as Buffer | null) : null;
      if (rest !== null) yield rest;
      return;
    }
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) yield chunk;
    else if (failure !== null) throw failure;
    else if (ended) return;
    else await once(stream, 'readable', { signal: wake }).catch(() => undefined);
  }
}
