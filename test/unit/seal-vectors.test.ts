/** The seal byte by byte: other implementations and later releases must produce the same. The file is never regenerated. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KeyedSealer } from '../../engine/seal/keyed-sealer.ts';
import { AeadCipher } from '../../workers/ring/aead-cipher.ts';

interface Vector {
  readonly what: string;
  readonly keyId: number;
  readonly key: string;
  readonly clusterHash: string;
  readonly node: number;
  readonly incarnation: number;
  readonly salt: string;
  readonly counterBefore: number;
  readonly to: number;
  readonly plain: string;
  readonly sealed: string;
}

const vectors = JSON.parse(
  readFileSync(new URL('../fixtures/seal/vectors.json', import.meta.url), 'utf8'),
) as readonly Vector[];
const NODES = 200;
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

function sealerOf(vector: Vector, node: number, salt: Uint8Array): KeyedSealer {
  const cipher = new AeadCipher([{ id: vector.keyId, key: vector.key }], bytesOf(vector.clusterHash));
  return new KeyedSealer({ self: node, nodeCount: NODES, incarnation: vector.incarnation }, cipher, () => salt);
}

describe('vectors of the seal', () => {
  it.each(vectors)('$what', (vector) => {
    const salt = bytesOf(vector.salt);
    const sender = sealerOf(vector, vector.node, salt);
    sender.skipTo(vector.counterBefore);
    const plain = bytesOf(vector.plain);
    const bytes = new Uint8Array(plain.length + sender.trailerBytes);
    bytes.set(plain);
    const length = sender.seal(bytes, 0, plain.length, vector.to);
    expect(Buffer.from(bytes.subarray(0, length)).toString('hex')).toBe(vector.sealed);

    const receiver = sealerOf(vector, vector.to === 0xffff ? NODES - 1 : vector.to, new Uint8Array(16));
    receiver.peers.prove(vector.node, vector.incarnation, salt, vector.counterBefore);
    const opened = bytesOf(vector.sealed);
    expect(receiver.open(opened, 0, opened.length)).toBe(plain.length);
    expect(Buffer.from(opened.subarray(0, plain.length)).toString('hex')).toBe(vector.plain);
  });
});
