/** Normal operation of a ring of several daemons, seen from outside: what is sent and delivered, and when. */

import { describe, expect, it } from 'vitest';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import { DATA_ROUND_OFFSET, DATA_SEQUENCE_OFFSET } from '../../engine/wire/layout/data-packet.ts';
import {
  RING_HEADER_FLAGS_OFFSET,
  RING_HEADER_ORIGIN_OFFSET,
  RING_HEADER_TYPE_OFFSET,
} from '../../engine/wire/layout/ring-header.ts';
import { readU16, readU48 } from '../../engine/wire/ring-bytes.ts';
import { FLAG_POST_TOKEN, FLAG_RETRANSMISSION, PacketType } from '../../engine/wire/ring-header.ts';
import { AGREED_MESS, RELIABLE_MESS, SAFE_MESS } from '../../engine/wire/service.ts';
import { Cluster, type ClusterOptions, opaqueRecord, type TestNode } from './ring-cluster.ts';

interface Sent {
  readonly from: number;
  readonly to: number;
  readonly type: number;
  readonly flags: number;
  readonly origin: number;
  readonly seq: number;
  readonly round: number;
}

function describeDatagram(from: number, to: number, bytes: Uint8Array): Sent {
  const isData = bytes[RING_HEADER_TYPE_OFFSET] === PacketType.Data;
  return {
    from,
    to,
    type: bytes[RING_HEADER_TYPE_OFFSET]!,
    flags: readU16(bytes, RING_HEADER_FLAGS_OFFSET),
    origin: readU16(bytes, RING_HEADER_ORIGIN_OFFSET),
    seq: isData ? readU48(bytes, DATA_SEQUENCE_OFFSET) : 0,
    round: isData ? readU16(bytes, DATA_ROUND_OFFSET) : 0,
  };
}

/** A formed, idle ring, with a record of everything sent on it from then on. */
function formed(options: ClusterOptions): {
  cluster: Cluster;
  sent: Sent[];
  lose: (rule: (sent: Sent) => boolean) => void;
} {
  const cluster = new Cluster(options);
  cluster.start();
  cluster.runUntil(() => cluster.isWhole(), 2000);
  cluster.run(20);
  const sent: Sent[] = [];
  let rule: (sent: Sent) => boolean = () => false;
  cluster.drop = (from, to, bytes) => {
    const datagram = describeDatagram(from, to, bytes);
    sent.push(datagram);
    return rule(datagram);
  };
  return {
    cluster,
    sent,
    lose: (next) => {
      rule = next;
    },
  };
}

const fullPacket = (name: string, service = AGREED_MESS): Uint8Array => opaqueRecord(name.padEnd(1320, '.'), service);

function queueFull(node: TestNode, count: number, service = AGREED_MESS): void {
  for (let i = 0; i < count; i++) node.queue.push(fullPacket(`${node.index}/${i}`, service));
}

describe('accelerated ring', () => {
  it('sends the last packets of a visit after the token, marked', () => {
    const { cluster, sent } = formed({ size: 3, windows: { personalWindow: 20, acceleratedWindow: 15 } });
    const node = cluster.nodes[0]!;
    queueFull(node, 18);
    node.node.wake(cluster.nowMs);
    const toSuccessor = sent.filter(({ from, to }) => from === 0 && to === 1);
    expect(toSuccessor.map(({ type }) => type)).toEqual([
      ...Array.from({ length: 3 }, () => PacketType.Data),
      PacketType.Token,
      ...Array.from({ length: 15 }, () => PacketType.Data),
    ]);
    const marks = toSuccessor
      .filter(({ type }) => type === PacketType.Data)
      .map(({ flags }) => flags & FLAG_POST_TOKEN);
    expect(marks).toEqual([
      ...Array.from({ length: 3 }, () => 0),
      ...Array.from({ length: 15 }, () => FLAG_POST_TOKEN),
    ]);
    expect(new Set(toSuccessor.filter(({ seq }) => seq > 0).map(({ round }) => round)).size).toBe(1);
  });

  it('sends all before the token when acceleration is off', () => {
    const { cluster, sent } = formed({ size: 3, windows: { acceleratedRing: false } });
    queueFull(cluster.nodes[0]!, 12);
    cluster.nodes[0]!.node.wake(cluster.nowMs);
    const types = sent.filter(({ from, to }) => from === 0 && to === 1).map(({ type }) => type);
    expect(types).toEqual([...Array.from({ length: 12 }, () => PacketType.Data), PacketType.Token]);
  });
});

describe('a lightly loaded ring', () => {
  const tokens = (sent: readonly Sent[]): number => sent.filter(({ type }) => type === PacketType.Token).length;

  it('sends its few packets before the token, though acceleration is on', () => {
    const { cluster, sent } = formed({ size: 3 });
    queueFull(cluster.nodes[0]!, 2);
    cluster.nodes[0]!.node.wake(cluster.nowMs);
    const types = sent.filter(({ from, to }) => from === 0 && to === 1).map(({ type }) => type);
    expect(types).toEqual([PacketType.Data, PacketType.Data, PacketType.Token]);
  });

  it('rotates on demand: two rotations for a message, then it stops', () => {
    const { cluster, sent } = formed({ size: 3 });
    for (let i = 0; i < 20; i++) {
      cluster.nodes[i % 3]!.send(`${i}`);
      cluster.run(3.5);
    }
    expect(cluster.nodes[1]!.messages()).toHaveLength(20);
    expect(tokens(sent)).toBeLessThanOrEqual(20 * 3 * 2);
  });

  it('does not keep the token from a SAFE message', () => {
    const { cluster } = formed({ size: 3 });
    cluster.nodes[2]!.send('safe', SAFE_MESS);
    // A HURRY, the token's way to the sender, and two rotations until all know that all have it.
    const hops = 1 + 2 + 3 * 3;
    cluster.run(hops * 0.1 + 0.01);
    for (const node of cluster.nodes) expect(node.messages()).toEqual(['2:safe']);
  });

  it('works with daemons of different datagram sizes', () => {
    const { cluster } = formed({ size: 3, datagramBytes: [8000, 1400, 60_000] });
    for (const node of cluster.nodes) node.send(`${node.index}`.padEnd(20_000, '.'));
    cluster.run(50);
    expect(cluster.nodes[0]!.messages()).toHaveLength(3);
    for (const node of cluster.nodes) expect(node.messages()).toEqual(cluster.nodes[0]!.messages());
  });
});

describe('flow control', () => {
  it('sends at most the personal window in a visit, and the ring window in a rotation', () => {
    const { cluster, sent } = formed({ size: 4, windows: { window: 30, personalWindow: 10, acceleratedWindow: 5 } });
    for (const node of cluster.nodes) queueFull(node, 100);
    for (const { node } of cluster.nodes) node.wake(cluster.nowMs);
    cluster.run(10);
    const data = sent.filter(({ type, from, to }) => type === PacketType.Data && to === (from + 1) % 4);
    const perVisit = new Map<string, number>();
    const perHop = new Map<number, number>();
    for (const { from, round } of data) {
      perVisit.set(`${from}@${round}`, (perVisit.get(`${from}@${round}`) ?? 0) + 1);
      perHop.set(round, (perHop.get(round) ?? 0) + 1);
    }
    expect(Math.max(...perVisit.values())).toBe(10);
    const hops = [...perHop.keys()];
    for (const hop of hops) {
      const rotation = [0, 1, 2, 3].reduce((sum, k) => sum + (perHop.get(hop + k) ?? 0), 0);
      expect(rotation).toBeLessThanOrEqual(30);
    }
    expect(data.length).toBeGreaterThan(100);
  });

  it('shares the window by backlog, so that no daemon starves', () => {
    const { cluster } = formed({ size: 3, windows: { window: 12, personalWindow: 12, acceleratedWindow: 6 } });
    for (const node of cluster.nodes) queueFull(node, 200);
    for (const { node } of cluster.nodes) node.wake(cluster.nowMs);
    cluster.run(8);
    const shares = cluster.nodes.map(({ node }) => node.counters[RingCounter.PacketsSent]!);
    expect(Math.min(...shares)).toBeGreaterThan(0.5 * Math.max(...shares));
    cluster.run(500);
    for (const node of cluster.nodes) expect(node.messages()).toHaveLength(600);
  });

  it('slows the whole ring while one ordered log is full, and loses nothing', () => {
    const { cluster } = formed({ size: 3, windows: { window: 20, personalWindow: 10, acceleratedWindow: 5 } });
    const [a, b, slow] = cluster.nodes as [TestNode, TestNode, TestNode];
    slow.mayDeliver = false;
    for (const node of [a, b]) {
      queueFull(node, 400);
      node.node.wake(cluster.nowMs);
    }
    cluster.run(3000);
    expect(slow.messages()).toHaveLength(0);
    expect(a.messages().length).toBeLessThan(100);
    expect(cluster.isWhole()).toBe(true);
    slow.mayDeliver = true;
    slow.node.wake(cluster.nowMs);
    cluster.run(1000);
    for (const node of cluster.nodes) expect(node.messages()).toHaveLength(800);
    expect(cluster.nodes.map(({ node }) => node.counters[RingCounter.Exclusions])).toEqual([0, 0, 0]);
  });
});

describe('retransmission', () => {
  it('goes to the daemon that lacks the packet, or to all when several do', () => {
    const { cluster, sent, lose } = formed({ size: 3, windows: { acceleratedRing: false } });
    const answers = (): (readonly [number, number])[] =>
      sent.filter(({ flags }) => (flags & FLAG_RETRANSMISSION) !== 0).map(({ from, to }) => [from, to] as const);
    lose(({ seq, to, flags }) => seq === 1 && to === 1 && flags === 0);
    queueFull(cluster.nodes[0]!, 1);
    cluster.nodes[0]!.node.wake(cluster.nowMs);
    cluster.run(20);
    expect(answers()).toEqual([[2, 1]]);
    sent.length = 0;
    lose(({ seq, flags }) => seq === 2 && flags === 0);
    queueFull(cluster.nodes[0]!, 1);
    cluster.nodes[0]!.node.wake(cluster.nowMs);
    cluster.run(20);
    expect(answers()).toEqual([
      [0, 1],
      [0, 2],
    ]);
    for (const node of cluster.nodes) expect(node.messages()).toHaveLength(2);
  });

  it('comes from another daemon when the first one cannot reach the requester', () => {
    const { cluster, sent, lose } = formed({ size: 4, windows: { acceleratedRing: false } });
    // 1 never gets data of 0 and of 2, which always answers first.
    lose(({ type, from, to }) => type === PacketType.Data && to === 1 && (from === 0 || from === 2));
    queueFull(cluster.nodes[0]!, 3);
    cluster.nodes[0]!.node.wake(cluster.nowMs);
    cluster.run(200);
    expect(cluster.nodes[1]!.messages()).toHaveLength(3);
    expect(sent.some(({ from, to, flags }) => from === 3 && to === 1 && flags === FLAG_RETRANSMISSION)).toBe(true);
    expect(cluster.nodes.map(({ node }) => node.counters[RingCounter.Gathers])).toEqual([1, 1, 1, 1]);
  });
});

describe('delivery', () => {
  it('holds an agreed message back until an earlier safe one is stable', () => {
    const { cluster, lose } = formed({ size: 3 });
    const [a, b] = cluster.nodes as [TestNode, TestNode];
    // 2 gets no data: nothing becomes stable, while 1 has everything.
    lose(({ type, to }) => type === PacketType.Data && to === 2);
    a.queue.push(fullPacket('agreed before'));
    a.queue.push(fullPacket('safe', SAFE_MESS));
    a.queue.push(fullPacket('agreed behind'));
    a.node.wake(cluster.nowMs);
    cluster.run(100);
    const names = (node: TestNode): string[] => node.messages().map((entry) => entry.replaceAll('.', ''));
    expect(names(b)).toEqual(['0:agreed before']);
    lose(() => false);
    cluster.run(100);
    for (const node of cluster.nodes) expect(names(node)).toEqual(['0:agreed before', '0:safe', '0:agreed behind']);
  });

  it('delivers a reliable message before a gap in the order is filled, and only once', () => {
    const { cluster, lose } = formed({ size: 3 });
    const a = cluster.nodes[0]!;
    lose(({ seq, to }) => seq === 1 && to === 1);
    a.queue.push(fullPacket('agreed'));
    a.queue.push(fullPacket('reliable', RELIABLE_MESS));
    a.node.wake(cluster.nowMs);
    cluster.run(50);
    const names = (node: TestNode): string[] => node.messages().map((entry) => entry.replaceAll('.', ''));
    expect(names(cluster.nodes[1]!)).toEqual(['0:reliable']);
    lose(() => false);
    cluster.run(50);
    expect(names(cluster.nodes[1]!)).toEqual(['0:reliable', '0:agreed']);
    expect([...names(cluster.nodes[2]!)].sort()).toEqual(['0:agreed', '0:reliable']);
  });
});

describe('an idle ring', () => {
  it('keeps the token at the leader, and sends HURRY when another daemon has work', () => {
    const { cluster, sent } = formed({ size: 5 });
    cluster.run(2000);
    sent.length = 0;
    cluster.run(1000);
    expect(sent.length).toBeLessThan(5 * 12);
    const before = cluster.nowMs;
    cluster.nodes[3]!.send('work');
    cluster.runUntil(() => cluster.nodes.every((node) => node.messages().length === 1), 100);
    expect(cluster.nowMs - before).toBeLessThanOrEqual(3);
    expect(sent.filter(({ type }) => type === PacketType.Hurry)).toHaveLength(1);
  });

  it('sends HURRY again when it is lost', () => {
    const { cluster, sent, lose } = formed({ size: 3 });
    cluster.run(2000);
    sent.length = 0;
    let lost = 0;
    lose(({ type }) => type === PacketType.Hurry && ++lost <= 3);
    cluster.nodes[2]!.send('work');
    cluster.runUntil(() => cluster.nodes.every((node) => node.messages().length === 1), 60);
    expect(sent.filter(({ type }) => type === PacketType.Hurry)).toHaveLength(4);
  });
});

describe('a lost token', () => {
  it('is sent again by the daemon that lost it, without a membership change', () => {
    const { cluster, lose } = formed({ size: 3 });
    let lost = 0;
    lose(({ type, from }) => type === PacketType.Token && from === 1 && ++lost <= 3);
    cluster.nodes[0]!.send('work');
    cluster.runUntil(() => cluster.nodes.every((node) => node.messages().length === 1), 500);
    cluster.run(50);
    expect(lost).toBeGreaterThanOrEqual(4);
    expect(cluster.nodes.map(({ node }) => node.counters[RingCounter.Gathers])).toEqual([1, 1, 1]);
  });
});

describe('messages longer than a packet', () => {
  it('arrive whole, between others', () => {
    const { cluster } = formed({ size: 3 });
    const long = 'long'.repeat(25_000);
    cluster.nodes[1]!.send('before');
    cluster.nodes[1]!.send(long);
    cluster.nodes[1]!.send('after');
    cluster.nodes[2]!.send(long);
    cluster.run(200);
    for (const node of cluster.nodes) {
      const own = node.messages().filter((entry) => entry.startsWith('1:'));
      expect(own).toEqual(['1:before', `1:${long}`, '1:after']);
      expect(node.messages()).toContain(`2:${long}`);
    }
  });
});
