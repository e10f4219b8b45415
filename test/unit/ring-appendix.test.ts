/** The worked examples of ring-protocol.md, Appendix A. */

import { describe, expect, it } from 'vitest';
import { NodeContext } from '../../engine/host/node-context.ts';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import type { RingNodeOptions } from '../../engine/host/ring-options.ts';
import { blockOf, type Holdings, mergeBlock } from '../../engine/membership/commit.ts';
import { classifyRecords } from '../../engine/ring/packet-class.ts';
import { PacketDelivery } from '../../engine/ring/packet-delivery.ts';
import { PacketStore } from '../../engine/ring/packet-store.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import { DATA_SEQUENCE_OFFSET } from '../../engine/wire/layout/data-packet.ts';
import { RING_HEADER_TYPE_OFFSET } from '../../engine/wire/layout/ring-header.ts';
import { readU48 } from '../../engine/wire/ring-bytes.ts';
import { PacketType } from '../../engine/wire/ring-header.ts';
import { hasBit, type RecoveryBlock } from '../../engine/wire/ring-membership.ts';
import { readToken, Token } from '../../engine/wire/ring-token.ts';
import { AGREED_MESS, SAFE_MESS } from '../../engine/wire/service.ts';
import { Cluster, LAN, opaqueRecord, type TestNode, WINDOWS } from './ring-cluster.ts';

const CRC_BYTES = 4;
/** Text that makes one record fill one packet of 1,400 bytes to the last byte. */
const packetText = (name: string): string => name.padEnd(1320, '.');

interface Visit {
  readonly node: number;
  readonly seq: number;
  readonly aru: number;
  readonly holder: number;
  readonly requests: readonly number[];
  stable: number;
}

/** Records the outgoing token of every visit; the visitor's stable number is recorded with the next token. */
function watchVisits(cluster: Cluster, lose: (from: number, to: number, seq: number) => boolean): Visit[] {
  const visits: Visit[] = [];
  cluster.drop = (from, to, bytes) => {
    if (bytes[RING_HEADER_TYPE_OFFSET] === PacketType.Data) return lose(from, to, readU48(bytes, DATA_SEQUENCE_OFFSET));
    if (bytes[RING_HEADER_TYPE_OFFSET] !== PacketType.Token) return false;
    const token = new Token(cluster.nodes.length);
    expect(readToken(token, bytes, 0, bytes.length - CRC_BYTES)).toBe(true);
    const last = visits.at(-1);
    if (last !== undefined) last.stable = cluster.nodes[last.node]!.node.counters[RingCounter.Aru]!;
    const requests = Array.from({ length: token.requestCount }, (_, i) => token.requestFrom[i]!);
    visits.push({ node: from, seq: token.seq, aru: token.aru, holder: token.aruHolder, requests, stable: -1 });
    return false;
  };
  return visits;
}

const namesOf = (node: TestNode): string[] => node.messages().map((entry) => entry.replaceAll('.', '').slice(2));

describe('A1: aru and stability', () => {
  function run(lossAtB: boolean): { visits: Visit[]; deliveredAt: number[] } {
    const cluster = new Cluster({ size: 3, windows: { acceleratedRing: false } });
    cluster.start();
    cluster.runUntil(() => cluster.isWhole(), 1000);
    cluster.run(50);
    let lost = false;
    const visits = watchVisits(cluster, (_from, to, seq) => {
      if (!lossAtB || lost || to !== 1 || seq !== 2) return false;
      lost = true;
      return true;
    });
    const a = cluster.nodes[0]!;
    a.queue.push(opaqueRecord(packetText('1')));
    a.queue.push(opaqueRecord(packetText('2')));
    a.queue.push(opaqueRecord(packetText('3'), SAFE_MESS));
    a.node.wake(cluster.nowMs);
    const deliveredAt = cluster.nodes.map(() => 0);
    for (let i = 0; i < 400 && visits.length < 12; i++) {
      cluster.run(0.01);
      cluster.nodes.forEach((node, index) => {
        if (deliveredAt[index] === 0 && namesOf(node).length === 3) deliveredAt[index] = visits.length;
      });
    }
    return { visits, deliveredAt };
  }

  it('follows the table when b misses packet 2', () => {
    const { visits, deliveredAt } = run(true);
    const table = visits.slice(0, 10).map(({ node, aru, holder, stable }) => [node, aru, holder, stable]);
    expect(table).toEqual([
      [0, 3, 0, 0],
      [1, 1, 1, 0],
      [2, 1, 1, 0],
      [0, 1, 1, 1],
      [1, 3, 1, 1],
      [2, 3, 2, 1],
      [0, 3, 0, 1],
      [1, 3, 1, 3],
      [2, 3, 2, 3],
      [0, 3, 0, 3],
    ]);
    expect(visits.map(({ requests }) => requests).slice(0, 4)).toEqual([[], [2], [], []]);
    expect(deliveredAt).toEqual([10, 8, 9]);
  });

  it('delivers SAFE at a in its second visit when nothing is lost', () => {
    expect(run(false).deliveredAt[0]).toBe(4);
  });
});

describe('A2: accelerated request delay', () => {
  it('requests a packet only when the token of one rotation ago had its number', () => {
    const cluster = new Cluster({ size: 3, windows: { acceleratedWindow: 2 } });
    cluster.start();
    cluster.runUntil(() => cluster.isWhole(), 1000);
    const a = cluster.nodes[0]!;
    const send = (names: readonly string[]): void => {
      for (const name of names) a.queue.push(opaqueRecord(packetText(name)));
      a.node.wake(cluster.nowMs);
    };
    send(['1', '2', '3', '4']);
    cluster.run(200);
    let lost = false;
    const visits = watchVisits(cluster, (_from, to, seq) => {
      if (lost || to !== 1 || seq !== 7) return false;
      lost = true;
      return true;
    });
    send(['5', '6', '7', '8']);
    cluster.run(2);
    const ofB = visits.filter(({ node }) => node === 1);
    expect(ofB[0]).toMatchObject({ seq: 8, requests: [] });
    expect(ofB[1]).toMatchObject({ seq: 8, requests: [7] });
    expect(namesOf(cluster.nodes[1]!)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
  });
});

/** One daemon in a membership change, reduced to the packets it holds and delivers. */
class Survivor implements Holdings {
  readonly oldRing = { seq: 1, leader: nodeIndex(0), leaderIncarnation: incarnation(1) };
  readonly store = new PacketStore(64, 64);
  readonly log: string[] = [];
  obligations: ReadonlySet<ReturnType<typeof nodeIndex>>;
  readonly #delivery: PacketDelivery;
  readonly #self: ReturnType<typeof nodeIndex>;

  constructor(self: number, packets: readonly Packet[], held: readonly number[], stable: number) {
    this.#self = nodeIndex(self);
    this.obligations = new Set([this.#self]);
    for (const packet of packets) if (held.includes(packet.seq)) this.receive(packet);
    this.store.stable = stable;
    const options: RingNodeOptions = {
      self: this.#self,
      incarnation: incarnation(1),
      segmentOf: [0, 0, 0, 0],
      clusterHash: new Uint8Array(16),
      windows: WINDOWS,
      timeouts: LAN,
      datagramBytes: 1400,
      randomSeed: 1,
    };
    const refuse = (): never => {
      throw new Error('not in a membership change');
    };
    this.#delivery = new PacketDelivery(
      new NodeContext(options, {
        fillPacket: refuse,
        borrowRecords: refuse,
        releaseRecords: refuse,
        queuedBytes: refuse,
        recordRefused: refuse,
        canDeliver: () => true,
        canDeliverEarly: () => true,
        configurationChanged: refuse,
        sendTo: refuse,
        sendToAll: refuse,
        deliverRecords: (_origin, bytes, offset) => this.log.push(String.fromCharCode(bytes[offset + 24]!)),
      }),
    );
    this.#delivery.deliver(this.store);
  }

  receive({ seq, origin, service }: Packet): void {
    const record = opaqueRecord(String(seq), service);
    const packetClass = classifyRecords(record, 0, record.length);
    this.store.put(seq, nodeIndex(origin), packetClass, record, 0, record.length);
  }

  get stable(): number {
    return this.store.stable;
  }

  get high(): number {
    return this.store.highSeq;
  }

  get aru(): number {
    return this.store.myAru;
  }

  get reach(): number {
    return this.store.discarded + this.store.capacity;
  }

  has(seq: number): boolean {
    return this.store.has(seq);
  }

  block(): RecoveryBlock {
    return blockOf(this.#self, this);
  }

  /** Delivers by the recovery block, with a bar for the transitional configuration. */
  install(block: RecoveryBlock): string {
    this.#delivery.deliverOldRing(this.store, block, () => this.log.push('|'));
    return this.log.join(' ');
  }
}

interface Packet {
  readonly seq: number;
  readonly origin: number;
  readonly service: number;
}

const [A, B, C, D] = [0, 1, 2, 3] as const;
const agreed = (seq: number, origin: number): Packet => ({ seq, origin, service: AGREED_MESS });
const PACKETS: readonly Packet[] = [
  agreed(1, A),
  agreed(2, D),
  { seq: 3, origin: B, service: SAFE_MESS },
  agreed(4, D),
  agreed(5, A),
  agreed(6, D),
  agreed(7, B),
  agreed(8, D),
];
const packet = (seq: number): Packet => PACKETS[seq - 1]!;

function blockFor(...survivors: Survivor[]): RecoveryBlock {
  const block = survivors[0]!.block();
  for (const other of survivors.slice(1)) mergeBlock(block, other.block());
  return block;
}

const missingOf = ({ stable, high, missing }: RecoveryBlock): number[] =>
  Array.from({ length: high - stable }, (_, i) => i)
    .filter((bit) => hasBit(missing, bit))
    .map((bit) => stable + 1 + bit);

const a3 = (): { a: Survivor; b: Survivor; c: Survivor } => ({
  a: new Survivor(A, PACKETS, [1, 2, 3, 5, 6, 7], 1),
  b: new Survivor(B, PACKETS, [1, 2, 3, 5, 7], 2),
  c: new Survivor(C, PACKETS, [1, 2, 3, 5, 7], 1),
});

describe('A3: recovery with a hole', () => {
  it('delivers 1 2 | 3 5 7 at all three', () => {
    const { a, b, c } = a3();
    const block = blockFor(a, b, c);
    expect(block).toMatchObject({ stable: 2, high: 7 });
    expect(missingOf(block)).toEqual([4]);
    expect([...block.obliged]).toEqual([A, B, C]);
    b.receive(packet(6));
    c.receive(packet(6));
    for (const survivor of [a, b, c]) expect(survivor.install(block)).toBe('1 2 | 3 5 7');
  });

  it('follows the block even at a daemon that has received the lost packet since', () => {
    const { a, b, c } = a3();
    const block = blockFor(a, b, c);
    b.receive(packet(4));
    b.receive(packet(6));
    expect(b.install(block)).toBe('1 2 | 3 5 7');
  });
});

describe('A4: obligation', () => {
  function afterFailedAttempt(): { b: Survivor; c: Survivor } {
    const { a, b, c } = a3();
    const block = blockFor(a, b, c);
    for (const survivor of [b, c]) {
      survivor.receive(packet(6));
      survivor.obligations = block.obliged;
    }
    expect(a.install(block)).toBe('1 2 | 3 5 7');
    return { b, c };
  }

  it('is met when d joins and brings 4 and 8', () => {
    const { b, c } = afterFailedAttempt();
    const d = new Survivor(D, PACKETS, [1, 2, 3, 4, 8], 1);
    const block = blockFor(b, c, d);
    expect(missingOf(block)).toEqual([]);
    expect([...block.obliged].sort()).toEqual([A, B, C, D]);
    for (const survivor of [b, c]) for (const seq of [4, 8]) survivor.receive(packet(seq));
    for (const seq of [5, 6, 7]) d.receive(packet(seq));
    for (const survivor of [b, c, d]) expect(survivor.install(block)).toBe('1 2 | 3 4 5 6 7 8');
  });

  it('holds for b alone, which still owes what a may have delivered', () => {
    const { b } = afterFailedAttempt();
    expect(b.install(blockFor(b))).toBe('1 2 | 3 5 7');
  });
});

describe('A5: early end of a sender', () => {
  it('delivers the packets sent before the holes, and none after', () => {
    const packets = Array.from({ length: 11 }, (_, i) => ({ seq: i + 1, origin: A, service: AGREED_MESS }));
    const survivors = [B, C].map((node) => {
      const survivor = new Survivor(node, packets, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], 9);
      survivor.store.highSeq = 14;
      return survivor;
    });
    const block = blockFor(...survivors);
    expect(block).toMatchObject({ stable: 9, high: 14 });
    expect(missingOf(block)).toEqual([12, 13, 14]);
    for (const survivor of survivors) {
      expect(survivor.store.delivered).toBe(11);
      const before = survivor.log.length;
      survivor.install(block);
      expect(survivor.log.slice(before)).toEqual(['|']);
    }
  });
});
