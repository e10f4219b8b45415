/** The wire version of packets between daemons is read in one place, which decides where a packet goes. */
import { expect, it } from 'vitest';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import { RING_HEADER_LENGTH, RING_HEADER_VERSION_OFFSET } from '../../engine/wire/layout/ring-header.ts';
import { isUnderstoodVersion, RING_WIRE_VERSION, wireVersionOf } from '../../engine/wire/ring-version.ts';
import { Cluster } from './ring-cluster.ts';
import { productFiles, read } from './support/source-files.ts';

it('is that of the packet, or the own one for bytes shorter than a header', () => {
  const bytes = new Uint8Array(100);
  bytes[60 + RING_HEADER_VERSION_OFFSET] = 7;
  expect(wireVersionOf(bytes, 60, RING_HEADER_LENGTH)).toBe(7);
  expect(wireVersionOf(bytes, 60, RING_HEADER_LENGTH - 1)).toBe(RING_WIRE_VERSION);
  expect([0, 1, 2, 255].filter(isUnderstoodVersion)).toEqual([RING_WIRE_VERSION]);
});

it('keeps packets of other versions from the ring, which are counted', () => {
  const cluster = new Cluster({ size: 2 });
  cluster.drop = (_from, _to, bytes) => {
    bytes[RING_HEADER_VERSION_OFFSET] = RING_WIRE_VERSION + 1;
    return false;
  };
  cluster.start();
  cluster.run(500);
  for (const { node, log } of cluster.nodes) {
    expect(node.counters[RingCounter.Malformed]).toBeGreaterThan(0);
    expect(log.filter((entry) => entry.startsWith('reg('))).toHaveLength(1);
  }
});

it('is read in one place', () => {
  const readers = productFiles().filter((file) => /RING_HEADER_VERSION_OFFSET\]/.test(read(file)));
  expect(readers.sort()).toEqual(['engine/wire/ring-header.ts', 'engine/wire/ring-version.ts']);
  expect(read('engine/wire/ring-header.ts')).toMatch(/template\[RING_HEADER_VERSION_OFFSET\] = RING_WIRE_VERSION/);
});
