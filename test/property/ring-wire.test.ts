import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import { crcSealer } from '../../engine/seal/crc-sealer.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import { RING_HEADER_LENGTH } from '../../engine/wire/layout/ring-header.ts';
import { BodyReader, BodyWriter, type RingMember } from '../../engine/wire/ring-body.ts';
import { PacketType, type RingId } from '../../engine/wire/ring-header.ts';
import {
  bitmapLength,
  type CommitMessage,
  decodeCommit,
  decodeJoin,
  decodeProbe,
  encodeCommit,
  encodeJoin,
  encodeProbe,
  type JoinMessage,
  type ProbeMessage,
} from '../../engine/wire/ring-membership.ts';
import { readToken, Token, TokenPhase, writeToken } from '../../engine/wire/ring-token.ts';
import { Cluster } from '../unit/ring-cluster.ts';

const NODES = 20;
const MAX_GAP = 500;
const HASH = Uint8Array.from({ length: 16 }, (_, i) => i);

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const u48 = fc.maxSafeNat().map((n) => n % 2 ** 48);
const node = fc.nat(NODES - 1).map(nodeIndex);
const ring: fc.Arbitrary<RingId> = fc.record({ seq: u32, leader: node, leaderIncarnation: u48.map(incarnation) });
const members: fc.Arbitrary<RingMember[]> = fc
  .uniqueArray(fc.record({ node, incarnation: u48.map(incarnation) }), { selector: (m) => m.node, minLength: 2 })
  .map((list) => list.sort((a, b) => a.node - b.node));

const join: fc.Arbitrary<JoinMessage> = fc.record({
  attempt: u32,
  maxRingSeq: u32,
  oldRing: ring,
  merge: fc.array(ring, { maxLength: 4 }),
  failed: fc.array(node, { maxLength: 4 }),
  hears: members,
});
const probe: fc.Arbitrary<ProbeMessage> = fc.record({ ring, target: ring, members, nonce: u32 });
const block = fc
  .record({
    oldRing: ring,
    stable: u48.map((n) => Math.min(n, 2 ** 48 - 1 - MAX_GAP)),
    gap: fc.nat(MAX_GAP),
    obliged: fc.array(node).map((nodes) => new Set(nodes)),
    fill: fc.nat(255),
  })
  .map(({ oldRing, stable, gap, obliged, fill }) => ({
    oldRing,
    stable,
    high: stable + gap,
    missing: new Uint8Array(bitmapLength(gap)).fill(fill),
    obliged,
  }));
const commit: fc.Arbitrary<CommitMessage> = fc
  .record({
    ring,
    pass: fc.constantFrom(1 as const, 2 as const),
    members,
    blocks: fc.array(block, { minLength: 1, maxLength: 4 }),
  })
  .chain(({ members: list, blocks, ...rest }) =>
    fc
      .array(fc.record({ attempt: u32, block: fc.integer({ min: -1, max: blocks.length - 1 }) }), {
        minLength: list.length,
        maxLength: list.length,
      })
      .map((extra) => ({ ...rest, blocks, members: list.map((member, i) => ({ ...member, ...extra[i]! })) })),
  );

const EMPTY_JOIN = {
  attempt: 1,
  maxRingSeq: 2,
  oldRing: { seq: 1, leader: nodeIndex(0), leaderIncarnation: incarnation(1) },
  merge: [],
};

function roundTrip<T>(
  message: T,
  encode: (writer: BodyWriter, hash: Uint8Array, message: T) => void,
  decode: (reader: BodyReader) => T | null,
): T | null {
  const writer = new BodyWriter();
  encode(writer, HASH, message);
  const reader = new BodyReader();
  reader.open(writer.bytes, 0, writer.lengthBytes);
  expect(reader.equals(HASH)).toBe(true);
  return decode(reader);
}

describe('membership messages', () => {
  it('JOIN round trip', () => {
    fc.assert(
      fc.property(join, (m) => {
        expect(roundTrip(m, encodeJoin, (r) => decodeJoin(r, NODES))).toEqual(m);
      }),
    );
  });

  it('PROBE round trip', () => {
    fc.assert(
      fc.property(probe, (m) => {
        expect(roundTrip(m, encodeProbe, (r) => decodeProbe(r, NODES))).toEqual(m);
      }),
    );
  });

  it('COMMIT round trip', () => {
    const decode = (reader: BodyReader): CommitMessage | null => decodeCommit(reader, NODES, MAX_GAP);
    fc.assert(
      fc.property(commit, (m) => {
        expect(roundTrip(m, encodeCommit, decode)).toEqual(m);
      }),
    );
  });

  it('survive the growth of the buffer they are written into, wherever it happens', () => {
    const list = Array.from({ length: 400 }, (_, i) => ({
      node: nodeIndex(i),
      incarnation: incarnation(1_000_000 + i),
    }));
    for (let before = 0; before < 40; before++) {
      const message = { ...EMPTY_JOIN, failed: list.slice(0, before).map((member) => member.node), hears: list };
      expect(roundTrip(message, encodeJoin, (reader) => decodeJoin(reader, 400))).toEqual(message);
    }
  });

  it('gives null, never an exception, for any other bytes and for every truncation', () => {
    const reader = new BodyReader();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const decode of [
          () => decodeJoin(reader, NODES),
          () => decodeProbe(reader, NODES),
          () => decodeCommit(reader, NODES, MAX_GAP),
        ]) {
          reader.open(bytes, 0, bytes.length);
          decode();
        }
      }),
    );
    fc.assert(
      fc.property(join, fc.nat(), (message, cut) => {
        const writer = new BodyWriter();
        encodeJoin(writer, HASH, message);
        reader.open(writer.bytes, HASH.length, cut % (writer.lengthBytes - HASH.length));
        expect(decodeJoin(reader, NODES)).toBeNull();
      }),
    );
  });
});

describe('token', () => {
  const request = fc.record({ ref: fc.nat(255), attempt: fc.nat(255), requester: u16, from: u48, length: u16 });

  it('round trip', () => {
    const fields = fc.record({
      hop: u48,
      copy: fc.nat(255),
      phase: fc.constantFrom(TokenPhase.Operational, TokenPhase.Recover, TokenPhase.Install),
      seq: u48,
      aruHolder: u16,
      flow: u16,
      backlog: u32,
      creditBefore: u16,
      creditSoFar: u16,
    });
    fc.assert(
      fc.property(
        fields,
        fc.nat(1000),
        fc.uint8Array({ minLength: 3, maxLength: 3 }),
        fc.array(request, { maxLength: 96 }),
        (values, lag, done, requests) => {
          const written = new Token(NODES);
          Object.assign(written, values, { aru: Math.max(0, values.seq - lag) });
          written.done.set(done);
          for (const r of requests) written.addRequest(r.ref, r.attempt, r.requester, r.from, r.length);
          const bytes = new Uint8Array(1500);
          const length = writeToken(bytes, 0, written);
          const read = new Token(NODES);
          expect(readToken(read, bytes, 0, length)).toBe(true);
          expect(read).toEqual(written);
          expect(readToken(read, bytes, 0, length - 1)).toBe(false);
        },
      ),
    );
  });

  it('keeps the order of the other requests when one is removed', () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 20 }), fc.nat(), (requests, pick) => {
        const token = new Token(NODES);
        for (const r of requests) token.addRequest(r.ref, r.attempt, r.requester, r.from, r.length);
        const removed = pick % requests.length;
        token.removeRequest(removed);
        const left = Array.from(token.requestFrom.subarray(0, token.requestCount));
        expect(left).toEqual(requests.filter((_, i) => i !== removed).map(({ from }) => from));
      }),
    );
  });
});

describe('a ring node and hostile datagrams (EVS-23)', () => {
  /** A ring of three with traffic, and everything that was sent on it. */
  function recorded(): { cluster: Cluster; datagrams: Uint8Array[] } {
    const cluster = new Cluster({ size: 3 });
    const datagrams: Uint8Array[] = [];
    cluster.drop = (_from, _to, bytes) => {
      datagrams.push(bytes.slice());
      return false;
    };
    cluster.start();
    cluster.runUntil(() => cluster.isWhole(), 1000);
    cluster.nodes[0]!.send('a');
    cluster.nodes[1]!.send('b');
    cluster.run(20);
    return { cluster, datagrams };
  }

  it('drops damaged datagrams by their checksum', () => {
    const { cluster, datagrams } = recorded();
    const { node } = cluster.nodes[0]!;
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (pick, bit) => {
        const bytes = datagrams[pick % datagrams.length]!.slice();
        const at = bit % (bytes.length * 8);
        bytes[at >>> 3]! ^= 1 << (at & 7);
        const before = node.counters[RingCounter.Malformed]!;
        node.receive(cluster.nowMs, bytes, 0, bytes.length);
        expect(node.counters[RingCounter.Malformed]).toBe(before + 1);
      }),
    );
  });

  it('survives every body behind a good header and a good checksum', () => {
    const { cluster, datagrams } = recorded();
    const headers = datagrams.map((bytes) => bytes.slice(0, RING_HEADER_LENGTH));
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(15),
        fc.uint8Array({ maxLength: 200 }),
        fc.boolean(),
        (pick, type, body, keepsType) => {
          const bytes = new Uint8Array(RING_HEADER_LENGTH + body.length + 4);
          bytes.set(headers[pick % headers.length]!);
          if (!keepsType) bytes[5] = type;
          // A LEAVE consists of a header only, so it would be accepted.
          if (bytes[5] === PacketType.Leave) bytes[5] = PacketType.Join;
          bytes[8] = (RING_HEADER_LENGTH + body.length) & 0xff;
          bytes[9] = (RING_HEADER_LENGTH + body.length) >>> 8;
          bytes.set(body, RING_HEADER_LENGTH);
          const length = crcSealer.seal(bytes, 0, RING_HEADER_LENGTH + body.length);
          for (const { node } of cluster.nodes) node.receive(cluster.nowMs, bytes, 0, length);
        },
      ),
      { numRuns: 2000 },
    );
    cluster.run(100);
    expect(cluster.isWhole()).toBe(true);
  });
});
