/** A faulty member writes one wrong field into one token: the ring continues without a change of membership. */

import { describe, expect, it } from 'vitest';
import { crcSealer } from '../../engine/seal/crc-sealer.ts';
import { RING_HEADER_TYPE_OFFSET } from '../../engine/wire/layout/ring-header.ts';
import { PacketType } from '../../engine/wire/ring-header.ts';
import { readToken, Token, writeToken } from '../../engine/wire/ring-token.ts';
import { Cluster, opaqueRecord } from './ring-cluster.ts';

const SIZE = 3;
const LIAR = 2;
const WINDOW = 160;
const PACKETS = 300;

const LIES: Readonly<Record<string, (token: Token) => void>> = {
  'flow 65535': (token) => (token.flow = 0xffff),
  'flow of a window': (token) => (token.flow = WINDOW),
  'flow 0': (token) => (token.flow = 0),
  'backlog 2^32 - 1': (token) => (token.backlog = 0xffff_ffff),
  'backlog 100,000': (token) => (token.backlog = 100_000),
  'credit 0': (token) => (token.creditBefore = token.creditSoFar = 0),
  'aru 0 of a daemon that there is not': (token) => {
    token.aru = 0;
    token.aruHolder = 0xffff;
  },
  'aru 0 of another member': (token) => {
    token.aru = 0;
    token.aruHolder = 1;
  },
  'phase recover': (token) => (token.phase = 1),
  'phase install': (token) => (token.phase = 2),
  'copy 255': (token) => (token.copy = 255),
};

/** Writes the wrong field into a sealed datagram in place. */
function lieIn(bytes: Uint8Array, lie: (token: Token) => void): void {
  const length = crcSealer.open(bytes, 0, bytes.length);
  const token = new Token(SIZE);
  expect(readToken(token, bytes, 0, length)).toBe(true);
  lie(token);
  writeToken(bytes, 0, token);
  crcSealer.seal(bytes, 0, length);
}

function formed(): Cluster {
  const cluster = new Cluster({ size: SIZE, windows: { window: WINDOW, personalWindow: 60, acceleratedWindow: 30 } });
  cluster.start();
  cluster.runUntil(() => cluster.isWhole(), 2000);
  cluster.run(20);
  return cluster;
}

const delivered = (cluster: Cluster): number => Math.min(...cluster.nodes.map((node) => node.messages().length));

/** Has all members send `PACKETS` packets each. @returns the time until all are delivered everywhere */
function load(cluster: Cluster): number {
  const target = delivered(cluster) + SIZE * PACKETS;
  for (const node of cluster.nodes) {
    for (let i = 0; i < PACKETS; i++) node.queue.push(opaqueRecord(`${node.index}/${i}`.padEnd(1320, '.')));
    node.node.wake(cluster.nowMs);
  }
  return cluster.runUntil(() => delivered(cluster) >= target, 2000);
}

const honestMs = load(formed());

describe.each(Object.entries(LIES))('%s', (_, lie) => {
  it.each(['an idle', 'a loaded'])('on %s ring has no lasting effect', (ring) => {
    const cluster = formed();
    let lies = 0;
    cluster.drop = (from, _to, bytes) => {
      if (from !== LIAR || lies > 0 || bytes[RING_HEADER_TYPE_OFFSET] !== PacketType.Token) return false;
      lieIn(bytes, lie);
      lies++;
      return false;
    };
    const before = cluster.nodes.map(({ configurations }) => configurations.length);
    if (ring === 'an idle') {
      cluster.nodes[0]!.send('wake');
      cluster.run(500);
    } else load(cluster);
    expect(lies).toBe(1);
    cluster.run(50);
    expect(load(cluster)).toBeLessThanOrEqual(2 * honestMs + 2);
    expect(cluster.nodes.map(({ configurations }) => configurations.length)).toEqual(before);
  });
});
