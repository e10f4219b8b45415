import { describe, expect, it } from 'vitest';
import type { DaemonStatus } from '../../cli/monitor/ask-status.ts';
import { readStatusReport, type StatusReport, statusRequest } from '../../cli/monitor/status-protocol.ts';
import { statusTable, uptime } from '../../cli/monitor/status-table.ts';
import { EXTENSION_COUNTERS, type ExtensionCounter } from '../../engine/wire/monitor-extension.ts';
import { readCapture } from '../interop/capture-file.ts';

const [request, reply] = readCapture(['60-monitor-status-udp']).map((line) => line.bytes!);

/** A report as a big-endian daemon writes it. */
function swapped(report: Buffer): Buffer {
  const copy = Buffer.from(report);
  copy.subarray(0, 32).swap32();
  copy.subarray(32, 36).swap16();
  copy.subarray(40, 112).swap32();
  copy.subarray(112, 136).swap16();
  // The flag says little-endian when set, wherever the bytes stand.
  copy[0]! &= 0x7f;
  copy[3]! &= 0x7f;
  return copy;
}

describe('the status exchange of a genuine daemon', () => {
  it('asks in the bytes the original monitor sent', () => {
    expect(Buffer.from(statusRequest(0x7f00_0001, 6543)).toString('hex')).toBe(request!.toString('hex'));
  });

  const expected: Partial<StatusReport> = {
    uptimeSeconds: 685,
    state: 'operational',
    groupsState: 'operational',
    packetsSent: 139,
    packetsReceived: 0,
    packetsDelivered: 139,
    aru: 139,
    ownAru: 139,
    highestSequence: 139,
    daemon: '127.0.0.1',
    leader: '127.0.0.1',
    tokenHurries: 1428,
    tokenRounds: 1839,
    messagesDelivered: 34,
    membershipChanges: 1,
    daemons: 1,
    segments: 1,
    window: 160,
    personalWindow: 20,
    acceleratedRing: false,
    acceleratedWindow: 15,
    sessions: 0,
    groups: 0,
    version: '4.4.0',
  };

  it('reads its report', () => {
    expect(readStatusReport(reply!)).toMatchObject(expected);
  });

  it('reads the report of a big-endian daemon', () => {
    expect(readStatusReport(swapped(reply!))).toEqual(readStatusReport(reply!));
  });

  it('takes nothing else for a report', () => {
    expect(readStatusReport(request!)).toBeNull();
    expect(readStatusReport(reply!.subarray(0, 135))).toBeNull();
    const otherType = Buffer.from(reply!);
    otherType[3] = 0x82;
    expect(readStatusReport(otherType)).toBeNull();
  });
});

describe('the table', () => {
  const report = readStatusReport(reply!)!;
  const status = (changes: Partial<StatusReport> | null): DaemonStatus => ({
    name: 'a',
    address: '127.0.0.1',
    port: 4803,
    report: changes === null ? null : { ...report, ...changes },
  });
  const row = (now: DaemonStatus, earlier: readonly DaemonStatus[]): readonly string[] =>
    statusTable([now], earlier).split('\n')[1]!.split(/ {2,}/);

  it('says who does not answer', () => {
    expect(row(status(null), [])).toEqual(['a 127.0.0.1:4803', 'no answer']);
  });

  it('says what a daemon of the original is', () => {
    expect(row(status({}), []).at(-1)).toBe('Spread 4.4.0');
  });

  it('counts messages since the last look, also when the counter wrapped', () => {
    const earlier = status({ uptimeSeconds: 100, messagesDelivered: 0x7fff_ffff });
    expect(row(status({ uptimeSeconds: 102, messagesDelivered: -0x7fff_ffff }), [earlier])).toContain('1');
    expect(row(status({ uptimeSeconds: 5, messagesDelivered: 7 }), [earlier])).not.toContain('-1');
  });

  it('shows the groups while they exchange state', () => {
    expect(row(status({ groupsState: 'gather' }), [])).toContain('gather');
  });

  it('names the members of the ring, and what was ignored', () => {
    const counters = Object.fromEntries(EXTENSION_COUNTERS.map((name) => [name, 0])) as Record<
      ExtensionCounter,
      number
    >;
    const ring = {
      ...counters,
      ...{ otherConfiguration: 3, otherVersion: 4, sealsRefused: 50, otherSeal: 5, partitioned: 1 },
      ...{ handshakesCrowdedOut: 300, passwordsBusy: 21 },
      members: ['127.0.0.1', '127.0.0.2', '127.0.0.3'],
      release: '1.2.3',
    };
    const silent = { name: 'b', address: '127.0.0.2', port: 4803, report: null };
    const cells = statusTable([status({ ring }), silent], [])
      .split('\n')[1]!
      .split(/ {2,}/);
    expect(cells).toEqual(
      expect.arrayContaining(['a b 127.0.0.3', '7', '55', '321', 'operational, partitioned', '1.2.3']),
    );
    expect(row(status({ ring, daemons: 3 }), [])).not.toContain('a b 127.0.0.3');
  });

  it('writes times of days', () => {
    expect([uptime(59), uptime(3661), uptime(273_906)]).toEqual(['0:00:59', '1:01:01', '3d 4:05:06']);
  });
});
