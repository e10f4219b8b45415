import { describe, expect, it } from 'vitest';
import { NetworkCounter } from '../../engine/buffers/counters.ts';
import { SealRefusal } from '../../engine/seal/seal-trailer.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import { RING_HEADER_LENGTH } from '../../engine/wire/layout/ring-header.ts';
import { SEAL_TRAILER_LENGTH } from '../../engine/wire/layout/seal-trailer.ts';
import { NO_RING, PacketType, RingHeaderWriter } from '../../engine/wire/ring-header.ts';
import { RingGate, type Sender } from '../../workers/network/ring-gate.ts';
import { OnceAMinute } from '../../workers/once-a-minute.ts';

const CLUSTER = 0x1234_5678;
const A: Sender = { address: '10.0.0.1', port: 4803 };
const B: Sender = { address: '10.0.0.2', port: 4803 };
const TRAILER_BYTES = 4;

/** The gate of daemon d0 of three, with its log. */
function testGate(sealed = false) {
  const warnings: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[] = [];
  const errors: typeof warnings = [];
  const introduced: Sender[] = [];
  const clock = { nowMs: 0 };
  const counters = new Float64Array(64);
  const silent = (): void => {};
  const gate = new RingGate(
    { self: 0, daemonNames: ['d0', 'd1', 'd2'], incarnation: 1000, cluster: CLUSTER, sealed },
    {
      counters,
      logger: {
        debug: silent,
        info: silent,
        warn: (fields, message) => warnings.push({ fields, message }),
        error: (fields, message) => errors.push({ fields, message }),
      },
      now: () => clock.nowMs,
      introduce: (to) => introduced.push(to),
    },
  );
  return { gate, warnings, errors, introduced, clock, counters };
}

function datagram(
  node: number,
  { run = 1, cluster = CLUSTER, version = 1, trailerBytes = TRAILER_BYTES } = {},
): Buffer {
  const bytes = Buffer.alloc(RING_HEADER_LENGTH + trailerBytes);
  const writer = new RingHeaderWriter(nodeIndex(node), incarnation(run), cluster);
  writer.write(bytes, 0, PacketType.Join, 0, RING_HEADER_LENGTH, NO_RING);
  bytes[4] = version;
  return bytes;
}

describe('a packet that is let through', () => {
  it('belongs to the ring', () => {
    const { gate, warnings } = testGate();
    expect(gate.admits(datagram(1), A)).toBe(true);
    expect(gate.admits(datagram(1), A)).toBe(true);
    expect(warnings).toEqual([]);
  });

  it('is not of another configuration, which is logged once a minute for each peer', () => {
    const { gate, warnings, introduced, clock, counters } = testGate();
    for (let i = 0; i < 3; i++) expect(gate.admits(datagram(1, { cluster: 1 }), A)).toBe(false);
    expect(gate.admits(datagram(1, { cluster: 1 }), B)).toBe(false);
    expect(warnings.map(({ fields }) => fields['peer'])).toEqual(['10.0.0.1:4803', '10.0.0.2:4803']);
    expect(warnings[0]!.message).toContain('another configuration');
    expect(introduced).toEqual([A, B]);
    expect(counters[NetworkCounter.OtherConfiguration]).toBe(4);
    clock.nowMs = 60_000;
    gate.admits(datagram(1, { cluster: 1 }), A);
    expect(warnings.length).toBe(3);
  });

  it('is not of another version', () => {
    const { gate, warnings, counters } = testGate();
    expect(gate.admits(datagram(1, { version: 2 }), A)).toBe(false);
    expect(warnings[0]).toMatchObject({ fields: { peer: '10.0.0.1:4803', version: 2, ourVersion: 1 } });
    expect(counters[NetworkCounter.OtherVersion]).toBe(1);
  });

  it.each([
    [false, SEAL_TRAILER_LENGTH, 'seals its traffic'],
    [true, 4, 'does not seal its traffic'],
  ])('is sealed as here (%s)', (sealed, trailerBytes, text) => {
    const { gate, warnings, counters } = testGate(sealed);
    expect(gate.admits(datagram(1, { trailerBytes }), A)).toBe(false);
    expect(warnings[0]!.message).toContain(text);
    expect(counters[NetworkCounter.OtherSeal]).toBe(1);
  });

  it('is of the own component until the partition is healed', () => {
    const { gate, counters } = testGate();
    expect(gate.partition([1, 1, 2])).toBe(true);
    expect([1, 2].map((node) => gate.admits(datagram(node), A))).toEqual([true, false]);
    expect(counters[NetworkCounter.PartitionDropped]).toBe(1);
    gate.heal();
    expect(gate.admits(datagram(2), A)).toBe(true);
    expect(gate.partition([3, 3, 3])).toBe(false);
  });

  it('may be malformed, so that the ring counts it', () => {
    const { gate } = testGate();
    expect(gate.admits(datagram(1).subarray(0, 20), A)).toBe(true);
    expect(gate.admits(datagram(77), A)).toBe(true);
  });
});

describe('two daemons of one name', () => {
  it('are distinguished from one that restarted', () => {
    const { gate, warnings, errors, clock } = testGate();
    gate.admits(datagram(1, { run: 5 }), A);
    gate.admits(datagram(1, { run: 6 }), A);
    // A packet of the earlier incarnation that waited in a socket.
    clock.nowMs = 500;
    gate.admits(datagram(1, { run: 5 }), A);
    gate.admits(datagram(1, { run: 6 }), A);
    clock.nowMs = 100_000;
    gate.admits(datagram(1, { run: 7 }), A);
    expect(warnings).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('are logged when both continue', () => {
    const { gate, errors, clock, counters } = testGate();
    for (; clock.nowMs < 5000; clock.nowMs += 500) {
      gate.admits(datagram(1, { run: 5 }), A);
      gate.admits(datagram(1, { run: 6 }), B);
    }
    expect(errors[0]).toMatchObject({
      fields: { peerName: 'd1', peer: '10.0.0.1:4803', otherPeer: '10.0.0.2:4803' },
    });
    expect(counters[NetworkCounter.IdentityConflicts]).toBeGreaterThan(1);
    expect(errors.length).toBe(2);
  });

  it('are logged when one is this daemon', () => {
    const { gate, errors } = testGate();
    gate.admits(datagram(0, { run: 1000 }), B);
    expect(errors).toEqual([]);
    gate.admits(datagram(0, { run: 999 }), B);
    expect(errors[0]).toMatchObject({ fields: { peerName: 'd0', peer: '10.0.0.2:4803', otherPeer: 'this daemon' } });
  });
});

describe('seals that are not believed', () => {
  const admitted = (gate: RingGate): void => void gate.admits(datagram(1, { trailerBytes: SEAL_TRAILER_LENGTH }), A);

  it.each([
    [SealRefusal.Short, 3, 'without the form'],
    [SealRefusal.WrongKey, 3, 'our keys do not open'],
    [SealRefusal.Replayed, 20, 'repeated sealed datagrams'],
    [SealRefusal.UnknownIncarnation, 50, 'unproven incarnation'],
    [SealRefusal.Misdirected, 3, 'for another daemon'],
  ])('cause %i is said from %i in a minute on, with the daemon it names', (cause, from, text) => {
    const { gate, warnings } = testGate(true);
    admitted(gate);
    for (let count = 1; count < from; count++) gate.sealsRefused(cause, count, 1);
    expect(warnings).toEqual([]);
    for (let count = from; count < 3 * from; count++) gate.sealsRefused(cause, count, 1);
    expect(warnings).toMatchObject([{ fields: { peer: '10.0.0.1:4803', peerName: 'd1', refusals: from } }]);
    expect(warnings[0]!.message).toContain(text);
  });

  it('are logged again after a minute while they continue', () => {
    const { gate, warnings, clock } = testGate(true);
    for (let second = 0; second < 150; second++) {
      clock.nowMs = second * 1000;
      gate.sealsRefused(SealRefusal.WrongKey, 10 * (second + 1), 1);
    }
    expect(warnings.length).toBe(3);
  });

  it('are not logged when they are few, however long the daemon runs', () => {
    const { gate, warnings, clock } = testGate(true);
    for (let count = 1; count < 200; count++) {
      clock.nowMs += 40_000;
      gate.sealsRefused(SealRefusal.WrongKey, count, 1);
      gate.sealsRefused(SealRefusal.UnknownIncarnation, 10 * count, 0xffff);
    }
    expect(warnings).toEqual([]);
  });

  it('are logged without a daemon when they name none', () => {
    const { gate, warnings } = testGate(true);
    gate.sealsRefused(SealRefusal.Short, 3, 0xffff);
    expect(warnings).toMatchObject([{ fields: { peer: null, peerName: null } }]);
  });
});

describe('OnceAMinute', () => {
  it('forgets old entries and has bounded memory', () => {
    const once = new OnceAMinute();
    const said = Array.from({ length: 100 }, (_, i) => once.allows(`thing ${i}`, 0));
    expect(said.filter(Boolean).length).toBe(32);
    expect(once.allows('thing 99', 59_999)).toBe(false);
    expect(once.allows('thing 99', 60_000)).toBe(true);
    expect(once.allows('thing 99', 60_000)).toBe(false);
  });
});
