/** Byte streams of attackers: noise, handshakes and frames, partly valid, changed anywhere. */
import fc from 'fast-check';
import { authChoice, connectBytes, type Target, WireSocket } from '../../e2e/support/wire-client.ts';
import { encodeFrame } from '../../e2e/support/wire-frames.ts';

export interface Attack {
  /** The stream, for a client that gives itself this name. */
  readonly bytes: (name: string) => Buffer;
  /** Lengths of the pieces it is sent in, taken in turns. */
  readonly pieces: readonly number[];
  readonly ending: 'end' | 'destroy' | 'reset';
}

interface Change {
  readonly kind: 'replace' | 'insert' | 'remove' | 'repeat';
  /** Share of the stream, so that changes fall everywhere in short and long ones. */
  readonly position: number;
  readonly bytes: Uint8Array;
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('replace', 'replace', 'replace', 'insert', 'remove', 'repeat'),
  position: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    fc.constantFrom(Uint8Array.of(0xff, 0xff, 0xff, 0x7f), Uint8Array.of(0, 0, 0, 0x80), Uint8Array.of(0xff)),
  ),
});

function apply(stream: Buffer, { kind, position, bytes }: Change): Buffer {
  const at = Math.floor(stream.length * position);
  const front = stream.subarray(0, at);
  switch (kind) {
    case 'replace':
      return Buffer.concat([front, bytes, stream.subarray(at + bytes.length)]);
    case 'insert':
      return Buffer.concat([front, bytes, stream.subarray(at)]);
    case 'remove':
      return Buffer.concat([front, stream.subarray(at + bytes.length)]);
    case 'repeat':
      return Buffer.concat([front, stream.subarray(Math.max(0, at - bytes.length * 16))]);
  }
}

const group = fc.constantFrom('fuzz-1', 'fuzz-2', '#nobody#localhost', '#x', '', 'a b', 'z'.repeat(31));
const frame = fc.record({
  type: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x50, 0x4000_0010) },
    { weight: 4, arbitrary: fc.constantFrom(0x1_0000, 0x1_0000, 0x2_0000, 0x4_0000) },
    { weight: 1, arbitrary: fc.integer() },
  ),
  groups: fc.oneof(
    { weight: 8, arbitrary: fc.array(group, { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.array(group, { minLength: 95, maxLength: 101 }) },
  ),
  data: fc.oneof(
    { weight: 8, arbitrary: fc.nat({ max: 300 }) },
    { weight: 1, arbitrary: fc.constantFrom(60_000, 143_920, 143_952, 144_100) },
  ),
  order: fc.constantFrom('little' as const, 'big' as const),
});

export const attack: fc.Arbitrary<Attack> = fc
  .record({
    start: fc.oneof(
      { weight: 6, arbitrary: fc.constant('handshake' as const) },
      { weight: 1, arbitrary: fc.constant('connect' as const) },
      { weight: 2, arbitrary: fc.constant('noise' as const) },
    ),
    membership: fc.boolean(),
    frames: fc.array(frame, { maxLength: 12 }),
    noise: fc.uint8Array({ maxLength: 200 }),
    changes: fc.array(change, { maxLength: 3 }),
    /** Changes fall behind the handshake, so that many streams become sessions. */
    handshakeStays: fc.boolean(),
    pieces: fc.array(fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 500, max: 100_000 })), {
      maxLength: 8,
    }),
    ending: fc.constantFrom('end' as const, 'destroy' as const, 'reset' as const),
  })
  .map(({ start, membership, frames, noise, changes, handshakeStays, pieces, ending }) => ({
    pieces,
    ending,
    bytes: (name) => {
      if (start === 'noise') return Buffer.from(noise);
      const connect = connectBytes(name, membership);
      const handshake = start === 'connect' ? connect : Buffer.concat([connect, authChoice('NULL')]);
      const sender = `#${name}#localhost`;
      const body = Buffer.concat([
        ...frames.map((one) => encodeFrame({ ...one, sender, data: Buffer.alloc(one.data, name) })),
        noise,
      ]);
      if (handshakeStays) return Buffer.concat([handshake, changes.reduce(apply, body)]);
      return changes.reduce(apply, Buffer.concat([handshake, body]));
    },
  }));

/** Thousands of pieces of one byte would only be slow. */
const MOST_PIECES = 60;

/** ACCEPT is longer than any answer before it. */
const ACCEPT_BYTES = 20;
const PATIENCE_MS = 25;

/** Sends the stream and disconnects, mostly after the daemon has read some of it. */
export async function launch(target: Target, { bytes, pieces, ending }: Attack, name: string): Promise<void> {
  const client = new WireSocket(target);
  const stream = bytes(name);
  for (let at = 0, piece = 0; at < stream.length && !client.ended; piece++) {
    const length = piece < MOST_PIECES && pieces.length > 0 ? pieces[piece % pieces.length]! : stream.length;
    client.send(stream.subarray(at, at + length));
    at += length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (ending !== 'destroy') {
    const answered = client.until(() => client.ended || client.gather().length >= ACCEPT_BYTES, 'an answer');
    await Promise.race([answered.catch(() => {}), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  }
  if (ending === 'end') client.socket.end();
  else if (ending === 'reset') client.socket.resetAndDestroy();
  else client.close();
  await client.takeToEnd();
}
