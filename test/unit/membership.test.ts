/** Daemon membership in single situations: which configurations are installed, in which order with messages, and how soon. */

import { describe, expect, it } from 'vitest';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import { RING_HEADER_TYPE_OFFSET } from '../../engine/wire/layout/ring-header.ts';
import { PacketType } from '../../engine/wire/ring-header.ts';
import { Cluster, type ClusterOptions, type TestNode } from './ring-cluster.ts';

function formed(options: ClusterOptions): Cluster {
  const cluster = new Cluster(options);
  cluster.start();
  cluster.runUntil(() => cluster.isWhole(), 3000);
  cluster.run(20);
  return cluster;
}

const configurations = (node: TestNode): string[] => node.log.filter((entry) => entry.includes('('));

/** Cuts all links between the two sets. */
function partition(cluster: Cluster, left: readonly number[]): void {
  cluster.drop = (from, to) => left.includes(from) !== left.includes(to);
}

const isIn = (node: TestNode, members: string): boolean => configurations(node).at(-1) === `reg(${members})`;

describe('start', () => {
  it('installs a ring of one at once, without a transitional configuration', () => {
    const cluster = new Cluster({ size: 3 });
    cluster.nodes[1]!.node.start(cluster.nowMs, 1_700_000_000);
    expect(cluster.nodes[1]!.log).toEqual(['reg(1)']);
    expect(cluster.nodes[1]!.configurations[0]!.id.ringSeq).toBe(1_700_000_000);
  });

  it('delivers messages of a lone daemon, in spans as they were sent', () => {
    const cluster = new Cluster({ size: 1 });
    cluster.start();
    cluster.nodes[0]!.send('a');
    cluster.nodes[0]!.send('b');
    expect(cluster.nodes[0]!.log).toEqual(['reg(0)', '0:a', '0:b']);
    expect(cluster.sent).toBe(0);
    expect(cluster.nodes[0]!.node.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('waits with messages while the ordered log is full', () => {
    const cluster = new Cluster({ size: 1 });
    cluster.start();
    const node = cluster.nodes[0]!;
    node.mayDeliver = false;
    node.send('a');
    expect(node.messages()).toEqual([]);
    node.mayDeliver = true;
    node.node.wake(cluster.nowMs);
    expect(node.messages()).toEqual(['0:a']);
  });

  it('brings all daemons into one ring in one change', () => {
    const cluster = formed({ size: 8 });
    for (const node of cluster.nodes) {
      expect(configurations(node)).toEqual([`reg(${node.index})`, `trans(${node.index})`, 'reg(0,1,2,3,4,5,6,7)']);
    }
    const ids = new Set(cluster.nodes.map((node) => JSON.stringify(node.configurations.at(-1)!.id)));
    expect(ids.size).toBe(1);
  });

  it('starts its ring numbers above the highest an earlier incarnation used', () => {
    const restarted = new Cluster({ size: 1, ringSeqFloor: 2_000_000_000 });
    restarted.start();
    expect(restarted.nodes[0]!.configurations[0]!.id.ringSeq).toBe(2_000_000_001);
  });
});

describe('time bounds of the LAN profile (3.9)', () => {
  it('installs a configuration without a crashed daemon within 1.5 s', () => {
    const cluster = formed({ size: 3 });
    cluster.nodes[0]!.alive = false;
    expect(cluster.runUntil(() => cluster.isWhole(), 5000)).toBeLessThanOrEqual(1500);
  });

  it('installs a configuration without one that left in order within 300 ms', () => {
    const cluster = formed({ size: 3 });
    cluster.nodes[1]!.node.leave(cluster.nowMs);
    cluster.nodes[1]!.alive = false;
    expect(cluster.runUntil(() => cluster.isWhole(), 5000)).toBeLessThanOrEqual(300);
  });

  it('merges within 3 s after a partition healed', () => {
    const cluster = formed({ size: 5 });
    partition(cluster, [0, 1]);
    cluster.runUntil(() => isIn(cluster.nodes[0]!, '0,1') && isIn(cluster.nodes[4]!, '2,3,4'), 3000);
    cluster.run(3000);
    cluster.drop = () => false;
    expect(cluster.runUntil(() => cluster.isWhole(), 6000)).toBeLessThanOrEqual(3000);
  });
});

describe('a partition and a merge', () => {
  it('gives each side a transitional configuration of its own, both times', () => {
    const cluster = formed({ size: 4 });
    partition(cluster, [0, 3]);
    cluster.runUntil(() => isIn(cluster.nodes[0]!, '0,3') && isIn(cluster.nodes[1]!, '1,2'), 3000);
    cluster.nodes[0]!.send('left');
    cluster.nodes[2]!.send('right');
    cluster.run(1500);
    cluster.drop = () => false;
    cluster.runUntil(() => cluster.isWhole(), 6000);
    const since = (node: TestNode): string[] => node.log.slice(node.log.indexOf('reg(0,1,2,3)') + 1);
    for (const i of [0, 3]) {
      expect(since(cluster.nodes[i]!)).toEqual(['trans(0,3)', 'reg(0,3)', '0:left', 'trans(0,3)', 'reg(0,1,2,3)']);
    }
    for (const i of [1, 2]) {
      expect(since(cluster.nodes[i]!)).toEqual(['trans(1,2)', 'reg(1,2)', '2:right', 'trans(1,2)', 'reg(0,1,2,3)']);
    }
  });

  it('delivers messages that waited in the send queue in the new ring', () => {
    const cluster = formed({ size: 3 });
    partition(cluster, [0]);
    cluster.run(650);
    cluster.nodes[1]!.send('late');
    cluster.run(3000);
    expect(cluster.nodes[2]!.log.slice(-2)).toEqual(['reg(1,2)', '1:late']);
  });

  it('sends a half-sent message again from its start', () => {
    const cluster = formed({ size: 3, windows: { personalWindow: 2, window: 4, acceleratedWindow: 1 } });
    const long = 'half'.repeat(20_000);
    cluster.nodes[1]!.send(long);
    cluster.runUntil(() => cluster.nodes[1]!.filler.midMessage, 10);
    cluster.run(1);
    expect(cluster.nodes[1]!.filler.midMessage).toBe(true);
    partition(cluster, [0]);
    cluster.run(3000);
    for (const i of [1, 2]) expect(cluster.nodes[i]!.messages()).toEqual([`1:${long}`]);
    expect(cluster.nodes[0]!.messages()).toEqual([]);
  });
});

describe('daemons that hear only some of the others', () => {
  it('form rings of daemons that all hear each other', () => {
    const cluster = new Cluster({ size: 3 });
    cluster.drop = (from, to) => Math.abs(from - to) === 2;
    cluster.start();
    cluster.run(8000);
    const before = cluster.nodes.map((node) => configurations(node).length);
    for (const node of cluster.nodes) {
      const members = node.configurations.at(-1)!.members.map((member) => Number(member.node));
      expect(members.includes(0) && members.includes(2)).toBe(false);
    }
    expect(before.every((count) => count < 40)).toBe(true);
  });

  it('do not merge over a one-way link', () => {
    const cluster = new Cluster({ size: 2 });
    cluster.drop = (from) => from === 1;
    cluster.start();
    cluster.run(20_000);
    for (const node of cluster.nodes) expect(configurations(node)).toEqual([`reg(${node.index})`]);
  });
});

describe('a member that does not receive data', () => {
  it('is excluded by the others after twice the loss timeout, and not before', () => {
    const cluster = formed({ size: 3 });
    cluster.drop = (_from, to, bytes) => to === 2 && bytes[RING_HEADER_TYPE_OFFSET] === PacketType.Data;
    for (let i = 0; i < 110; i++) {
      cluster.nodes[0]!.send(`m${i}`);
      cluster.run(10);
    }
    expect(cluster.isWhole()).toBe(true);
    cluster.runUntil(() => isIn(cluster.nodes[0]!, '0,1') && isIn(cluster.nodes[1]!, '0,1'), 1500);
    const exclusions = cluster.nodes.map(({ node }) => node.counters[RingCounter.Exclusions]!);
    expect(exclusions[0]! + exclusions[1]!).toBeGreaterThan(0);
    expect(cluster.nodes[1]!.messages()).toHaveLength(110);
  });
});

describe('a pause', () => {
  it('shorter than the loss timeout of the others changes nothing', () => {
    const cluster = formed({ size: 3 });
    cluster.nodes[1]!.alive = false;
    cluster.run(450);
    cluster.nodes[1]!.alive = true;
    cluster.run(3000);
    expect(cluster.isWhole()).toBe(true);
    expect(cluster.nodes.map(({ node }) => node.counters[RingCounter.Gathers])).toEqual([1, 1, 1]);
  });

  it('is detected by the daemon that paused before it evaluates its timers', () => {
    const cluster = formed({ size: 2 });
    const node = cluster.nodes[1]!;
    node.alive = false;
    cluster.run(2500);
    const gathers = node.node.counters[RingCounter.Gathers];
    node.node.tick(cluster.nowMs, 1_700_000_010);
    expect(node.node.counters[RingCounter.Pauses]).toBe(1);
    expect(node.node.counters[RingCounter.Gathers]).toBe(gathers);
    node.node.tick(cluster.nowMs + 5, 1_700_000_010);
    expect(node.node.counters[RingCounter.Gathers]).toBe(gathers! + 1);
  });
});

describe('a COMMIT longer than a datagram', () => {
  it('is sent in parts, and a lost part is sent again', () => {
    let commits = 0;
    const cluster = new Cluster({ size: 12, datagramBytes: 300 });
    cluster.drop = (_from, _to, bytes) => bytes[RING_HEADER_TYPE_OFFSET] === PacketType.Commit && ++commits % 16 === 3;
    cluster.start();
    expect(cluster.runUntil(() => cluster.isWhole(), 5000)).toBeLessThan(400);
    expect(commits).toBeGreaterThan(2 * 12 * 2);
  });
});

describe('leaving', () => {
  it('makes the node silent', () => {
    const cluster = formed({ size: 3 });
    const { node } = cluster.nodes[2]!;
    node.leave(cluster.nowMs);
    cluster.runUntil(() => isIn(cluster.nodes[0]!, '0,1'), 1000);
    expect(node.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
    const sent = cluster.sent;
    node.tick(cluster.nowMs + 1000, 1_700_000_100);
    node.wake(cluster.nowMs + 1000);
    expect(cluster.sent).toBe(sent);
  });
});
