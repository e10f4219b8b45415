import { describe, expect, it } from 'vitest';
import { NodeContext } from '../../engine/host/node-context.ts';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import type { RingHost } from '../../engine/host/ring-host.ts';
import { Emitter } from '../../engine/ring/emitter.ts';
import { PathSize } from '../../engine/ring/path-size.ts';
import { RingMembers } from '../../engine/ring/ring-members.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import { RING_HEADER_TYPE_OFFSET } from '../../engine/wire/layout/ring-header.ts';
import { FLAG_ASKS, PacketType, RingHeader } from '../../engine/wire/ring-header.ts';
import { LAN, WINDOWS } from './ring-cluster.ts';

const SHORT = 1400;
const LONG = 16_000;

/** Node 0 of a ring of three; its datagrams are recorded instead of sent. */
function memberOfThree() {
  const sent: { readonly type: number; readonly lengthBytes: number }[] = [];
  const note = (bytes: Uint8Array, offset: number, lengthBytes: number): void => {
    sent.push({ type: bytes[offset + RING_HEADER_TYPE_OFFSET]!, lengthBytes });
  };
  const host = {
    sendTo: (_: number, bytes: Uint8Array, offset: number, length: number) => note(bytes, offset, length),
    sendToAll: note,
  } as unknown as RingHost;
  const self = nodeIndex(0);
  const context = new NodeContext(
    {
      self,
      incarnation: incarnation(1),
      segmentOf: [0, 0, 0],
      clusterHash: new Uint8Array(16),
      windows: WINDOWS,
      timeouts: LAN,
      datagramBytes: SHORT,
      longDatagramBytes: LONG,
      randomSeed: 1,
    },
    host,
  );
  const paths = new PathSize(context, new Emitter(context));
  const members = [0, 1, 2].map((node) => ({ node: nodeIndex(node), incarnation: incarnation(1) }));
  const id = { seq: 1, leader: self, leaderIncarnation: incarnation(1) };
  paths.installed(new RingMembers(id, members, self, 3));
  return {
    context,
    paths,
    sent,
    bytes: () => context.counters[RingCounter.DatagramBytes],
    hear(type: PacketType, from: number, flags = 0): void {
      const header = new RingHeader();
      Object.assign(header, { type, relay: from, flags });
      paths.arrived(header);
    },
    /** Advances to the next deadline. */
    tick(): void {
      context.nowMs = paths.nextDeadlineMs;
      sent.length = 0;
      paths.tick();
    },
    /** Counts `packets` more packets, of which some were requested and some of these arrived twice. */
    receive(packets: number, requested: number, twice: number): void {
      context.counters[RingCounter.PacketsReceived]! += packets;
      context.counters[RingCounter.RequestsSent]! += requested;
      context.counters[RingCounter.Duplicates]! += twice;
      sent.length = 0;
      paths.watch();
    },
  };
}

function longInUse() {
  const member = memberOfThree();
  member.tick();
  for (const other of [1, 2]) {
    member.hear(PacketType.SizeAck, other);
    member.hear(PacketType.SizeReady, other);
  }
  return member;
}

describe('PathSize', () => {
  it('probes with a long datagram, and uses long ones when all have answered and all are ready', () => {
    const member = memberOfThree();
    member.tick();
    expect(member.sent).toEqual([{ type: PacketType.SizeProbe, lengthBytes: LONG }]);
    member.hear(PacketType.SizeAck, 1);
    member.hear(PacketType.SizeReady, 1);
    member.hear(PacketType.SizeReady, 2);
    expect(member.bytes()).toBe(SHORT);
    member.hear(PacketType.SizeAck, 2);
    expect(member.sent.at(-1)?.type).toBe(PacketType.SizeReady);
    expect(member.bytes()).toBe(LONG);
    expect(member.paths.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('answers probes, and the question whether it is ready only when it is', () => {
    const member = memberOfThree();
    member.hear(PacketType.SizeProbe, 1);
    member.hear(PacketType.SizeReady, 1, FLAG_ASKS);
    expect(member.sent.map(({ type }) => type)).toEqual([PacketType.SizeAck]);
  });

  it('goes back to short ones while another member has withdrawn its SIZE_READY', () => {
    const member = longInUse();
    member.hear(PacketType.SizeWithdrawn, 2);
    expect(member.bytes()).toBe(SHORT);
    member.hear(PacketType.SizeReady, 2);
    expect(member.bytes()).toBe(LONG);
  });

  it('withdraws its own SIZE_READY when it misses many, and sends it again a minute later', () => {
    const member = longInUse();
    member.receive(200, 60, 0);
    expect(member.sent.map(({ type }) => type)).toEqual([PacketType.SizeWithdrawn]);
    expect(member.bytes()).toBe(SHORT);
    expect(member.paths.nextDeadlineMs - member.context.nowMs).toBeGreaterThanOrEqual(60_000);
    member.tick();
    expect(member.sent.map(({ type }) => type)).toEqual([PacketType.SizeReady]);
    expect(member.bytes()).toBe(LONG);
  });

  it('does not count a packet as missed that was requested too early and arrived twice', () => {
    const member = longInUse();
    member.receive(200, 60, 55);
    expect(member.sent).toEqual([]);
    expect(member.bytes()).toBe(LONG);
  });
});
