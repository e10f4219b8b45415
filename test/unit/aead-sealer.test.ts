import { createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MAX_INCARNATIONS, type PeerIncarnations } from '../../engine/seal/peer-incarnations.ts';
import { REPLAY_WINDOW, ReplayWindow } from '../../engine/seal/replay-window.ts';
import { FOR_ANY, LAST_COUNTER, SealRefusal } from '../../engine/seal/seal-trailer.ts';
import { SEAL_TRAILER_LENGTH } from '../../engine/wire/layout/seal-trailer.ts';
import { PacketType } from '../../engine/wire/ring-header.ts';
import { AeadSealer } from '../../workers/ring/aead-sealer.ts';

const key = (id: number): { id: number; key: string } => ({ id, key: randomBytes(32).toString('base64') });
const HEADER = 40;
const A = key(1);
const B = key(2);
const HASH = Uint8Array.from({ length: 16 }, (_, i) => 3 * i);
const RECEIVER = 0;
const NODES = 5;

interface Incarnation {
  readonly node: number;
  readonly incarnation: number;
  readonly sealer: AeadSealer;
}

const incarnationOf = (node: number, incarnation: number, keys = [A], clusterHash = HASH): Incarnation => ({
  node,
  incarnation,
  sealer: new AeadSealer(keys, { self: node, nodeCount: NODES, incarnation, clusterHash }),
});
const receiver = (keys = [A], clusterHash = HASH): AeadSealer => incarnationOf(RECEIVER, 1, keys, clusterHash).sealer;

/** Proves the incarnation, as an answer to the receiver's question does. @returns the receiver */
function believes(sealer: AeadSealer, ...incarnations: readonly Incarnation[]): AeadSealer {
  for (const { node, incarnation, sealer: other } of incarnations)
    sealer.peers.prove(node, incarnation, other.salt, other.counter);
  return sealer;
}

/** A datagram as a ring node hands it over, with room for the trailer. */
function datagram({ node, incarnation }: Incarnation, text: string, type: number = PacketType.Data): Buffer {
  const bytes = Buffer.alloc(HEADER + text.length + SEAL_TRAILER_LENGTH);
  bytes[5] = type;
  bytes.writeUInt16LE(node, 12);
  bytes.writeUIntLE(incarnation, 16, 6);
  bytes.write(text, HEADER);
  return bytes;
}

function sealed(from: Incarnation, text: string, to = FOR_ANY, type: number = PacketType.Data): Uint8Array {
  const bytes = datagram(from, text, type);
  return bytes.subarray(0, from.sealer.seal(bytes, 0, bytes.length - SEAL_TRAILER_LENGTH, to));
}

/** The text, or why it was refused. */
const opened = (sealer: AeadSealer, bytes: Uint8Array): string | number => {
  const copy = Uint8Array.from(bytes);
  const length = sealer.open(copy, 0, copy.length);
  return length < 0 ? -length : Buffer.from(copy.subarray(HEADER, length)).toString();
};

describe('AeadSealer', () => {
  it('opens what another daemon sealed with the key, and hides the content', () => {
    const sender = incarnationOf(3, 77);
    const other = believes(receiver(), sender);
    const bytes = sealed(sender, 'the token');
    expect(Buffer.from(bytes).includes('token')).toBe(false);
    expect(opened(other, bytes)).toBe('the token');
  });

  it.each([
    ['a datagram', PacketType.Data],
    ['a greeting', PacketType.Greeting],
  ])('refuses any change of %s, in header, body or trailer, and any shorter one', (_what, type) => {
    const sender = incarnationOf(3, 77);
    const bytes = sealed(sender, 'the token', RECEIVER, type);
    const fresh = (): AeadSealer => {
      const sealer = receiver();
      sealer.peers.prove(3, 77, sender.sealer.salt, 0);
      return sealer;
    };
    expect(opened(fresh(), bytes)).toBe('the token');
    for (let i = 0; i < bytes.length * 8; i++) {
      const changed = Uint8Array.from(bytes);
      changed[i >>> 3]! ^= 1 << (i & 7);
      expect(opened(fresh(), changed), `bit ${i}`).toBeTypeOf('number');
    }
    for (let length = 0; length < bytes.length; length++)
      expect(opened(fresh(), bytes.subarray(0, length))).toBeTypeOf('number');
  });

  it('reports and counts the reason of a refusal', () => {
    const sender = incarnationOf(3, 77);
    const own = incarnationOf(RECEIVER, 1);
    const { sealer } = own;
    believes(sealer, sender);
    const once = sealed(sender, 'x');
    expect(opened(sealer, once)).toBe('x');
    const wrong = receiver([{ ...B, id: A.id }]);
    const believed = incarnationOf(3, 78);
    wrong.peers.prove(3, 78, believed.sealer.salt, 0);
    expect(opened(sealer, new Uint8Array(60))).toBe(SealRefusal.Short);
    expect(opened(sealer, once)).toBe(SealRefusal.Replayed);
    expect(opened(sealer, sealed(incarnationOf(3, 77), 'x'))).toBe(SealRefusal.UnknownIncarnation);
    expect(opened(sealer, sealed(incarnationOf(3, 77, [B]), 'x'))).toBe(SealRefusal.WrongKey);
    expect(opened(sealer, sealed(sender, 'x', 4))).toBe(SealRefusal.Misdirected);
    expect(opened(sealer, sealed(own, 'x'))).toBe(SealRefusal.Misdirected);
    expect(opened(sealer, sealed(incarnationOf(3, 77), 'x', FOR_ANY, PacketType.Greeting))).toBe(
      SealRefusal.Misdirected,
    );
    expect(opened(sealer, sealed({ ...incarnationOf(1, 1), node: NODES }, 'x'))).toBe(SealRefusal.WrongKey);
    expect(opened(wrong, sealed(believed, 'x'))).toBe(SealRefusal.WrongKey);
    expect(Array.from(sealer.byCause)).toEqual([1, 2, 1, 1, 3]);
    expect(sealer.total).toBe(8);
    expect(Array.from(sealer.lastFrom)).toEqual([0xffff, NODES, 3, 3, 3]);
  });

  it('opens no datagram twice, and accepts datagrams out of order', () => {
    const sender = incarnationOf(3, 77);
    const other = believes(receiver(), sender);
    const first = sealed(sender, 'one');
    const second = sealed(sender, 'two');
    expect(opened(other, second)).toBe('two');
    expect(opened(other, first)).toBe('one');
    expect(opened(other, second)).toBe(SealRefusal.Replayed);
    expect(opened(other, first)).toBe(SealRefusal.Replayed);
  });

  it('opens nothing that an incarnation sealed before it was proven', () => {
    const sender = incarnationOf(3, 77);
    const before = sealed(sender, 'before');
    const other = believes(receiver(), sender);
    expect(opened(other, before)).toBe(SealRefusal.Replayed);
    expect(opened(other, sealed(sender, 'after'))).toBe('after');
    const between = sealed(sender, 'between');
    other.peers.putBack(3);
    expect(opened(other, between)).toBe(SealRefusal.UnknownIncarnation);
    believes(other, sender);
    expect(opened(other, between)).toBe(SealRefusal.Replayed);
  });

  it('demands a new proof of a daemon’s other incarnations when one is proven', () => {
    const earlier = incarnationOf(3, 78);
    const later = incarnationOf(3, 77);
    const other = believes(receiver(), earlier);
    expect(opened(other, sealed(earlier, 'earlier'))).toBe('earlier');
    const unheard = sealed(earlier, 'unheard');
    believes(other, later);
    expect(opened(other, unheard)).toBe(SealRefusal.UnknownIncarnation);
    expect(opened(other, sealed(later, 'later'))).toBe('later');
    // Two machines with one id: both continue.
    believes(other, earlier);
    expect(opened(other, unheard)).toBe(SealRefusal.Replayed);
    expect(opened(other, sealed(earlier, 'again'))).toBe('again');
    expect(opened(other, sealed(later, 'still'))).toBe('still');
  });

  it('remembers a bounded number of incarnations of each daemon', () => {
    const other = receiver();
    const incarnations = Array.from({ length: 3 * MAX_INCARNATIONS }, (_, i) => incarnationOf(3, i));
    believes(other, ...incarnations);
    const known = incarnations.filter((each) => isRemembered(other.peers, each));
    expect(known).toEqual(incarnations.slice(-MAX_INCARNATIONS));
  });

  it('never reuses a key and a nonce, although a start time repeats', () => {
    const seen = new Set<string>();
    for (let start = 0; start < 20; start++)
      for (const { node, incarnation } of [incarnationOf(1, 5), incarnationOf(1, 5), incarnationOf(2, 5)]) {
        const one = incarnationOf(node, incarnation);
        for (let i = 0; i < 3; i++) {
          // The same text: a reused key and nonce would give the same bytes.
          seen.add(Buffer.from(sealed(one, 'the same in each datagram')).toString('hex', HEADER, HEADER + 25));
        }
      }
    expect(seen.size).toBe(20 * 3 * 3);
  });

  it('derives other keys in another configuration', () => {
    const sender = incarnationOf(
      3,
      77,
      [A],
      Uint8Array.from(HASH, (byte) => byte + 1),
    );
    expect(opened(believes(receiver(), sender), sealed(sender, 'x'))).toBe(SealRefusal.WrongKey);
    expect(opened(receiver(), sealed(sender, 'x', RECEIVER, PacketType.Greeting))).toBe(SealRefusal.WrongKey);
  });

  it('rotates: both keys open while both are listed; the old one stops when it is removed', () => {
    const sender = incarnationOf(3, 77);
    const other = believes(receiver([A, B]), sender);
    const byA = sealed(sender, 'by A');
    const lateByA = sealed(sender, 'late by A');
    expect(opened(other, byA)).toBe('by A');
    sender.sealer.prepareKeys([B, A])();
    expect(opened(other, sealed(sender, 'by B'))).toBe('by B');
    expect(opened(other, byA)).toBe(SealRefusal.Replayed);
    other.prepareKeys([B])();
    expect(opened(other, lateByA)).toBe(SealRefusal.WrongKey);
    expect(opened(other, sealed(sender, 'again'))).toBe('again');
    expect(other.peers.hasDoubted(3)).toBe(true);
    sender.sealer.prepareKeys([A])();
    expect(opened(other, sealed(sender, 'old'))).toBe(SealRefusal.WrongKey);
  });

  it('never reuses a key and a nonce when a key is listed again', () => {
    const sender = incarnationOf(3, 77);
    const texts = [A, B, A, B].map((each) => {
      sender.sealer.prepareKeys([each])();
      return Buffer.from(sealed(sender, 'the same')).toString('hex', HEADER, HEADER + 8);
    });
    expect(new Set(texts).size).toBe(4);
  });

  it('recovers from false claims about an incarnation by the holder of a removed key', () => {
    const sender = incarnationOf(3, 77, [B]);
    const other = receiver([A, B]);
    other.peers.prove(3, 77, sender.sealer.salt, 2 ** 40);
    expect(opened(other, sealed(sender, 'x'))).toBe(SealRefusal.Replayed);
    other.prepareKeys([B])();
    believes(other, sender);
    expect(opened(other, sealed(sender, 'x'))).toBe('x');
  });

  it('continues with the next key of the incarnation, also out of order around the change', () => {
    const sender = incarnationOf(3, 77);
    sender.sealer.skipTo(2 ** 24 - 3);
    const other = believes(receiver(), sender);
    const texts = ['a', 'b', 'c', 'd', 'e'];
    const all = texts.map((text) => sealed(sender, text));
    for (const i of [3, 0, 4, 1, 2]) expect(opened(other, all[i]!)).toBe(texts[i]);
    for (const bytes of all) expect(opened(other, bytes)).toBe(SealRefusal.Replayed);
  });

  it('derives no keys for a counter far ahead', () => {
    const sender = incarnationOf(3, 77);
    const other = believes(receiver(), sender);
    sender.sealer.skipTo(2 ** 25);
    const far = sealed(sender, 'far');
    expect(opened(other, far)).toBe(SealRefusal.UnknownIncarnation);
    believes(other, sender);
    expect(opened(other, sealed(sender, 'near'))).toBe('near');
  });

  it('is a new incarnation when its counters are used up', () => {
    const sender = incarnationOf(3, 77);
    const before = sender.sealer.salt;
    sender.sealer.skipTo(LAST_COUNTER - 1);
    const other = believes(receiver(), sender);
    expect(opened(other, sealed(sender, 'last'))).toBe('last');
    const next = sealed(sender, 'next');
    expect(Buffer.from(sender.sealer.salt).equals(before)).toBe(false);
    expect(opened(other, next)).toBe(SealRefusal.UnknownIncarnation);
    believes(other, sender);
    expect(opened(other, sealed(sender, 'goes on'))).toBe('goes on');
    expect(sender.sealer.counter).toBe(2);
  });

  it('has the documented format', () => {
    const clusterKey = Buffer.from(A.key, 'base64');
    const sender = incarnationOf(3, 77);
    const bytes = Buffer.from(sealed(sender, 'plain', 2));
    const trailer = bytes.subarray(bytes.length - SEAL_TRAILER_LENGTH);
    expect(trailer.subarray(0, 16).toString('hex')).toBe(
      `01000200${Buffer.from(sender.sealer.salt.subarray(0, 6)).toString('hex')}010000000000`,
    );
    const who = Buffer.from('000000004d000000000003' + '00', 'hex');
    const info = Buffer.concat([Buffer.from('skein ring datagram 2'), HASH, who]);
    const incarnationKey = Buffer.from(hkdfSync('sha256', clusterKey, sender.sealer.salt, info, 32));
    const decipher = createDecipheriv('aes-256-gcm', incarnationKey, Buffer.from('010000000000000000000000', 'hex'));
    decipher.setAAD(Buffer.concat([bytes.subarray(0, HEADER), trailer.subarray(0, 16)]));
    decipher.setAuthTag(trailer.subarray(16));
    const body = bytes.subarray(HEADER, bytes.length - SEAL_TRAILER_LENGTH);
    expect(Buffer.concat([decipher.update(body), decipher.final()]).toString()).toBe('plain');
  });
});

const isRemembered = (peers: PeerIncarnations, { node, sealer }: Incarnation): boolean =>
  peers.find(node, sealer.salt, 0) !== null;

describe('ReplayWindow', () => {
  it('agrees with a set of everything seen, within its width', () => {
    const window = new ReplayWindow();
    const seen = new Set<number>();
    let highest = 0;
    for (let i = 0; i < 60_000; i++) {
      const counter = 1 + ((i * 7919) % (2 * REPLAY_WINDOW)) + Math.floor(i / 3);
      const fresh = !seen.has(counter) && counter > highest - REPLAY_WINDOW;
      expect(window.isFresh(counter), `counter ${counter}`).toBe(fresh);
      if (!fresh) continue;
      window.accept(counter);
      seen.add(counter);
      highest = Math.max(highest, counter);
    }
  });

  it.each([0, 1, 30, 31, 32, 63, 8191, 8192, 2 ** 40 + 31])('begins behind %i', (floor) => {
    const window = new ReplayWindow();
    window.accept(5);
    window.reset(floor);
    for (let below = 0; below < 100 && below <= floor; below++) expect(window.isFresh(floor - below)).toBe(false);
    for (const ahead of [40, 1, 33, 32, 31, 2]) {
      expect(window.isFresh(floor + ahead)).toBe(true);
      window.accept(floor + ahead);
      expect(window.isFresh(floor + ahead)).toBe(false);
    }
    expect(window.isFresh(floor)).toBe(false);
    expect(window.isFresh(floor + 3)).toBe(true);
  });

  it('forgets nothing by jumping ahead', () => {
    const window = new ReplayWindow();
    window.accept(1);
    window.accept(1 + 50 * REPLAY_WINDOW);
    expect(window.isFresh(1)).toBe(false);
    expect(window.isFresh(50 * REPLAY_WINDOW)).toBe(true);
    expect(window.isFresh(2 + 49 * REPLAY_WINDOW)).toBe(true);
  });
});
