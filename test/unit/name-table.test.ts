/** Lookup of groups and private names by hash and field, also when different names share a hash. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalName, hashNameWords, nameWords } from '../../engine/wire/name-hash.ts';
import type { ClientSession } from '../../workers/delivery/client-session.ts';
import { NameTable } from '../../workers/delivery/name-table.ts';

/** The table only stores sessions; it never reads them. */
const session = (handle: number): ClientSession => ({ handle }) as unknown as ClientSession;

function fieldOf(name: string, garbage = 0): DataView {
  const bytes = Buffer.alloc(32, garbage);
  bytes.write(`${name}\0`, 'latin1');
  return new DataView(bytes.buffer, bytes.byteOffset, 32);
}

/**
 * Words with equal hashes: the state after the first four bytes is `imul(h0 ^ word, k)` mixed by an invertible shift, so for
 * any other first word there is one second word that brings the hash back to where it was.
 */
function collidingWords(words: Int32Array, firstWord: number): Int32Array {
  const step = (hash: number, word: number): number => {
    const mixed = Math.imul(hash ^ word, 0x85eb_ca6b);
    return mixed ^ (mixed >>> 15);
  };
  const start = 0x811c_9dc5 | 0;
  const before = step(start, words[0]!);
  const other = step(start, firstWord);
  const result = Int32Array.from(words);
  result[0] = firstWord;
  result[1] = words[1]! ^ before ^ other;
  return result;
}

/** Other names (without a NUL inside) with the same hash. */
function colliding(words: Int32Array, count: number): readonly Int32Array[] {
  const found: Int32Array[] = [];
  for (let first = 0x6161_6161; found.length < count; first++) {
    const other = collidingWords(words, first);
    const canonical = new Int32Array(other.length);
    canonicalName(fieldOfWords(other), 0, canonical, 0);
    if (canonical.every((word, w) => word === other[w])) found.push(other);
  }
  return found;
}

const fieldOfWords = (words: Int32Array): DataView => new DataView(words.buffer, words.byteOffset, 32);

it('distinguishes names with the same hash, whatever is added and removed', () => {
  const words = nameWords('a-group-with-a-rather-long-name');
  const chain = [words, ...colliding(words, 3)];
  const hash = hashNameWords(words, 0);
  for (const one of chain) expect(hashNameWords(one, 0)).toBe(hash);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: chain.length - 1 }), fc.boolean()), { maxLength: 40 }), (steps) => {
      const table = new NameTable();
      const members = chain.map((_, i) => session(i));
      const counts = chain.map(() => 0);
      for (const [name, adds] of steps) {
        if (adds) table.add(chain[name]!, members[name]!);
        else table.remove(chain[name]!, members[name]!);
        counts[name] = Math.max(0, counts[name]! + (adds ? 1 : -1));
        for (const [i, one] of chain.entries()) {
          const found = table.find(fieldOfWords(one), 0, hash);
          expect(found?.members.length ?? null).toBe(counts[i] === 0 ? null : counts[i]);
          if (found !== null) expect(found.members.every((member) => member === members[i])).toBe(true);
        }
      }
    }),
  );
});

it('compares the bytes up to the NUL, and treats the 32nd byte as NUL', () => {
  const table = new NameTable();
  table.add(nameWords('room'), session(1));
  table.add(nameWords('x'.repeat(31)), session(2));
  expect(table.findField(fieldOf('room', 0xff), 0)?.members).toHaveLength(1);
  expect(table.find(fieldOf('room', 0x41), 0, hashNameWords(nameWords('room'), 0))?.members).toHaveLength(1);
  expect(table.findField(fieldOf('ROOM'), 0)).toBe(null);
  expect(table.findField(fieldOf('rooms'), 0)).toBe(null);
  const full = Buffer.alloc(32, 'x');
  expect(table.findField(new DataView(full.buffer, full.byteOffset, 32), 0)?.members).toHaveLength(1);
});

it('does not find a group that lost its last member, although it was the last one looked up', () => {
  const table = new NameTable();
  const words = nameWords('room');
  const alice = session(1);
  table.add(words, alice);
  expect(table.findField(fieldOf('room'), 0)).not.toBe(null);
  table.remove(words, alice);
  expect(table.findField(fieldOf('room'), 0)).toBe(null);
  table.add(words, session(2));
  expect(table.findField(fieldOf('room'), 0)?.members.map((member) => Number(member.handle))).toEqual([2]);
});
