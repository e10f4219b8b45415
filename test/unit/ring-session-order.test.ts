/** Messages of one session take effect in the order sent, at every daemon, although RELIABLE and weaker ones may be delivered early. */

import { describe, expect, it } from 'vitest';
import { PacketClass } from '../../engine/ring/packet-class.ts';
import { SentBySession } from '../../engine/ring/sent-by-session.ts';
import { DATA_HEADER_LENGTH, DATA_SEQUENCE_OFFSET } from '../../engine/wire/layout/data-packet.ts';
import { RING_HEADER_TYPE_OFFSET } from '../../engine/wire/layout/ring-header.ts';
import { RECORD_AFTER_OFFSET, RecordKind } from '../../engine/wire/record.ts';
import { readU32, readU48 } from '../../engine/wire/ring-bytes.ts';
import { PacketType } from '../../engine/wire/ring-header.ts';
import { AGREED_MESS, RELIABLE_MESS, SAFE_MESS, UNRELIABLE_MESS } from '../../engine/wire/service.ts';
import { Cluster, sessionRecord, type TestNode } from './ring-cluster.ts';

/** More than half of a datagram, so that no other record shares its packet. */
const ALONE_BYTES = 1200;
const WEAK = { RELIABLE: RELIABLE_MESS, UNRELIABLE: UNRELIABLE_MESS };

interface Ring {
  readonly cluster: Cluster;
  /** The sending daemon, and the one that loses packets. */
  readonly a: TestNode;
  readonly b: TestNode;
  /** By sequence number: the number that the packet's first record waits for. */
  readonly after: Map<number, number>;
  /** Packets with these numbers do not reach `b`. */
  readonly lost: Set<number>;
}

/** A formed, idle ring of three. */
function formed(): Ring {
  const cluster = new Cluster({ size: 3 });
  cluster.start();
  cluster.runUntil(() => cluster.isWhole(), 2000);
  cluster.run(20);
  const after = new Map<number, number>();
  const lost = new Set<number>();
  cluster.drop = (_from, to, bytes) => {
    if (bytes[RING_HEADER_TYPE_OFFSET] !== PacketType.Data) return false;
    const seq = readU48(bytes, DATA_SEQUENCE_OFFSET);
    after.set(seq, readU32(bytes, DATA_HEADER_LENGTH + RECORD_AFTER_OFFSET));
    return to === 1 && lost.has(seq);
  };
  return { cluster, a: cluster.nodes[0]!, b: cluster.nodes[1]!, after, lost };
}

const names = (node: TestNode): string[] => node.messages().map((entry) => entry.replaceAll('.', ''));

/** Sends each in its own packet. */
function send(
  { cluster, a }: Ring,
  records: readonly (readonly [session: number, text: string, service: number, kind?: RecordKind])[],
): void {
  for (const [session, text, service, kind] of records)
    a.queue.push(sessionRecord(session, text, service, kind, ALONE_BYTES));
  a.node.wake(cluster.nowMs);
}

describe.each(Object.entries(WEAK))('a session that sends %s', (_name, weak) => {
  const AHEAD = {
    join: [AGREED_MESS, RecordKind.Join],
    leave: [AGREED_MESS, RecordKind.Leave],
    disconnect: [AGREED_MESS, RecordKind.Disconnect],
    'agreed message': [AGREED_MESS, RecordKind.Run],
    'safe message': [SAFE_MESS, RecordKind.Run],
    'reliable message': [RELIABLE_MESS, RecordKind.Run],
    'unreliable message': [UNRELIABLE_MESS, RecordKind.Run],
  } as const;

  it.each(Object.entries(AHEAD))(
    'does not overtake its own %s that got lost; another session does',
    (_what, [service, kind]) => {
      const ring = formed();
      const { cluster, b, lost } = ring;
      lost.add(2);
      send(ring, [
        [8, 'before', weak],
        [7, 'first', service, kind],
        [7, 'second', weak],
        [8, 'other', weak],
      ]);
      cluster.run(50);
      expect(names(b)).toEqual(['0:before', '0:other']);
      lost.clear();
      cluster.run(50);
      expect(names(b)).toEqual(['0:before', '0:other', '0:first', '0:second']);
      expect(names(cluster.nodes[2]!).filter((name) => name !== '0:other' && name !== '0:before')).toEqual([
        '0:first',
        '0:second',
      ]);
    },
  );

  it('waits until its own safe message is stable; another session does not', () => {
    const ring = formed();
    const { cluster, a } = ring;
    // One daemon lacks the safe message, so it is stable nowhere.
    ring.lost.add(1);
    send(ring, [
      [7, 'safe', SAFE_MESS],
      [7, 'mine', weak],
      [8, 'other', weak],
    ]);
    cluster.run(50);
    expect(names(a)).toEqual(['0:other']);
    expect(names(cluster.nodes[2]!)).toEqual(['0:other']);
    ring.lost.clear();
    cluster.run(100);
    for (const node of cluster.nodes) expect(names(node)).toEqual(['0:other', '0:safe', '0:mine']);
  });

  it('overtakes messages that others miss as soon as its own earlier ones are there', () => {
    const ring = formed();
    const { cluster, b, lost } = ring;
    lost.add(1).add(2);
    send(ring, [
      [8, 'other', AGREED_MESS],
      [7, 'first', weak],
      [7, 'second', weak],
      [7, 'third', weak],
    ]);
    cluster.run(50);
    expect(names(b)).toEqual([]);
    lost.delete(2);
    cluster.run(50);
    expect(names(b)).toEqual(['0:first', '0:second', '0:third']);
    lost.clear();
    cluster.run(50);
    expect(names(b)).toEqual(['0:first', '0:second', '0:third', '0:other']);
  });

  it('waits for the messages that any session in its packet waits for', () => {
    const ring = formed();
    const { cluster, a, b, lost } = ring;
    lost.add(1);
    send(ring, [[7, 'join', AGREED_MESS, RecordKind.Join]]);
    for (const session of [8, 7, 9]) a.queue.push(sessionRecord(session, `of ${session}`, weak));
    a.node.wake(cluster.nowMs);
    cluster.run(50);
    expect(names(b)).toEqual([]);
    lost.clear();
    cluster.run(50);
    expect(names(b)).toEqual(['0:join', '0:of 8', '0:of 7', '0:of 9']);
  });

  it('waits for nothing once all daemons have its earlier messages', () => {
    const ring = formed();
    const { cluster, after, lost } = ring;
    send(ring, [[7, 'join', AGREED_MESS, RecordKind.Join]]);
    cluster.run(500);
    lost.add(2);
    send(ring, [
      [8, 'lost', AGREED_MESS],
      [7, 'late', weak],
    ]);
    cluster.run(50);
    expect(after.get(3)).toBe(0);
    expect(names(ring.b)).toEqual(['0:join', '0:late']);
  });

  it('is delivered once, and in order, where the log was full', () => {
    const ring = formed();
    const { cluster, b, lost } = ring;
    b.mayDeliver = false;
    lost.add(1);
    send(ring, [
      [8, 'other', AGREED_MESS],
      [7, 'join', AGREED_MESS, RecordKind.Join],
      [7, 'first', weak],
      [9, 'second', weak],
    ]);
    cluster.run(50);
    expect(names(b)).toEqual([]);
    b.mayDeliver = true;
    b.node.wake(cluster.nowMs);
    expect(names(b)).toEqual(['0:second']);
    lost.clear();
    cluster.run(50);
    expect(names(b)).toEqual(['0:second', '0:other', '0:join', '0:first']);
  });

  it('waits while tables are exchanged, and may be delivered early after that', () => {
    const ring = formed();
    const { cluster, b, lost } = ring;
    b.mayDeliverEarly = false;
    lost.add(1);
    send(ring, [
      [8, 'other', AGREED_MESS],
      [7, 'early', weak],
    ]);
    cluster.run(50);
    expect(names(b)).toEqual([]);
    b.mayDeliverEarly = true;
    b.node.wake(cluster.nowMs);
    expect(names(b)).toEqual(['0:early']);
    lost.clear();
    cluster.run(50);
    expect(names(b)).toEqual(['0:early', '0:other']);
  });
});

describe('the packets of sessions', () => {
  const stamped = (
    sent: SentBySession,
    session: number,
    seq: number,
    settled = 0,
    packetClass: PacketClass = PacketClass.Early,
  ): number => {
    const record = sessionRecord(session, 'x', packetClass === PacketClass.Early ? RELIABLE_MESS : AGREED_MESS);
    sent.stamp(record, 0, record.length, packetClass, seq, settled);
    return readU32(record, RECORD_AFTER_OFFSET);
  };

  it('are tracked by session, and forgotten once settled', () => {
    const sent = new SentBySession();
    expect(stamped(sent, 0, 5)).toBe(0);
    expect(stamped(sent, 1, 7)).toBe(0);
    expect(stamped(sent, 0, 9)).toBe(4);
    expect(stamped(sent, 0, 9)).toBe(0);
    expect(stamped(sent, 1, 10, 7)).toBe(0);
    expect(stamped(sent, 1, 12, 9)).toBe(2);
    sent.reset();
    expect(stamped(sent, 1, 13)).toBe(0);
  });

  it('are not marked when they are ordered, but still count', () => {
    const sent = new SentBySession();
    expect(stamped(sent, 3, 1, 0, PacketClass.Early)).toBe(0);
    expect(stamped(sent, 3, 2, 0, PacketClass.Ordered)).toBe(0);
    expect(stamped(sent, 3, 4, 0, PacketClass.Safe)).toBe(0);
    expect(stamped(sent, 3, 9)).toBe(5);
  });

  it('begin after the last disconnect, which may have their name', () => {
    const sent = new SentBySession();
    stamped(sent, 2, 3);
    const disconnect = sessionRecord(1, 'x', AGREED_MESS, RecordKind.Disconnect);
    sent.stamp(disconnect, 0, disconnect.length, PacketClass.Ordered, 5, 0);
    expect(stamped(sent, 4, 7)).toBe(2);
    expect(stamped(sent, 2, 8)).toBe(5);
    expect(stamped(sent, 5, 9, 5)).toBe(0);
    sent.reset();
    expect(stamped(sent, 6, 10)).toBe(0);
  });

  it('are kept for a bounded number of recent sessions, whatever their handles', () => {
    const sent = new SentBySession();
    for (let session = 0; session < 1000; session++) stamped(sent, session * 4096, session + 1);
    for (let session = 0; session < 1000; session++) expect(stamped(sent, session * 4096, 1001 + session)).toBe(1000);
    const capacity = sent.capacity;
    expect(capacity).toBeLessThanOrEqual(4096);
    for (let session = 0; session < 100_000; session++)
      stamped(sent, 0xffff_ffff - session, 3000 + session, 2990 + session);
    expect(sent.capacity).toBe(capacity);
  });

  it('survive a ring whose numbers come to their end', () => {
    const sent = new SentBySession();
    const end = 2 ** 48 - 2 ** 24;
    stamped(sent, 1, end - 3);
    expect(stamped(sent, 1, end, end - 4)).toBe(3);
  });
});
