import { describe, expect, it } from 'vitest';
import type { DaemonStatus } from '../../cli/monitor/ask-status.ts';
import { silenceHint } from '../../cli/monitor/silence.ts';
import { readStatusReport, type StatusReport, statusRequest } from '../../cli/monitor/status-protocol.ts';
import { statusTable, uptime } from '../../cli/monitor/status-table.ts';
import { compact } from '../../cli/text.ts';
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
  // A set flag means little-endian, in either byte order.
  copy[0]! &= 0x7f;
  copy[3]! &= 0x7f;
  return copy;
}

describe('the status exchange of a genuine daemon', () => {
  it('sends the bytes of the original monitor', () => {
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

  it('accepts nothing else as a report', () => {
    expect(readStatusReport(request!)).toBeNull();
    expect(readStatusReport(reply!.subarray(0, 135))).toBeNull();
    const otherType = Buffer.from(reply!);
    otherType[3] = 0x82;
    expect(readStatusReport(otherType)).toBeNull();
  });
});

describe('the table', () => {
  const report = readStatusReport(reply!)!;
  const noCounts = Object.fromEntries(EXTENSION_COUNTERS.map((name) => [name, 0])) as Record<ExtensionCounter, number>;
  const ring = { ...noCounts, ringSequence: 7, members: ['127.0.0.1', '127.0.0.2', '127.0.0.3'], release: '1.2.3' };
  const status = (changes: Partial<StatusReport> | null, name = 'a', address = '127.0.0.1'): DaemonStatus => ({
    name,
    address,
    port: 4803,
    report: changes === null ? null : { ...report, daemon: address, ...changes },
  });
  const row = (now: DaemonStatus, earlier: readonly DaemonStatus[]): readonly string[] =>
    statusTable([now], earlier).split('\n')[1]!.split(/ {2,}/);
  const below = (...statuses: readonly DaemonStatus[]): readonly string[] =>
    statusTable(statuses, []).split('\n\n')[1]!.split('\n');

  it('names daemons that do not answer, with the address used', () => {
    expect(row(status(null), [])).toEqual(['a', 'no answer']);
    expect(below(status(null))).toEqual(['a: no answer at 127.0.0.1:4803']);
  });

  it('names the release of each daemon, and of the original', () => {
    expect(row(status({}), []).at(-1)).toBe('Spread 4.4.0');
    expect(row(status({ ring }), []).at(-1)).toBe('1.2.3');
  });

  it('counts messages since the last report, also when the counter wrapped', () => {
    const earlier = status({ uptimeSeconds: 100, messagesDelivered: 0x7fff_ffff });
    expect(row(status({ uptimeSeconds: 102, messagesDelivered: -0x7fff_ffff }), [earlier])).toContain('1');
    expect(row(status({ uptimeSeconds: 5, messagesDelivered: 7 }), [earlier])).not.toContain('-1');
  });

  it('shows the groups while they exchange state', () => {
    expect(row(status({ groupsState: 'gather' }), [])).toContain('exchange');
    expect(below(status({ groupsState: 'gather' }))).toContain('a: groups gather');
  });

  it('shows a daemon that drains, whatever its ring does', () => {
    for (const state of ['operational', 'gather'] as const)
      expect(row(status({ state, ring: { ...ring, draining: 1 } }), [])).toContain('draining');
    expect(row(status({ ring: { ...ring, draining: 0 } }), [])).toContain('operational');
  });

  it('has a line for each ring, with the names of its members', () => {
    const a = status({ ring, daemons: 3 });
    const b = status({ ring, daemons: 3 }, 'b', '127.0.0.2');
    expect(below(a, b)).toEqual(['ring 7 of 3, led by a: a b 127.0.0.3']);
    const alone = status(
      { ring: { ...ring, ringSequence: 8, members: ['127.0.0.2'] }, leader: '127.0.0.2' },
      'b',
      '127.0.0.2',
    );
    expect(below(a, alone)).toEqual(['ring 7 of 3, led by a: a b 127.0.0.3', 'ring 8 of 1, led by b: b']);
  });

  it.each([
    ['foreign 7', { otherConfiguration: 3, otherVersion: 4 }],
    ['refused 55', { sealsRefused: 50, otherSeal: 5 }],
    [
      'unsent 21',
      {
        sendsUnreachable: 1,
        sendsForbidden: 2,
        sendsTooLong: 3,
        sendsWrongAddress: 4,
        sendsNoBuffers: 5,
        sendsFailedOtherwise: 6,
      },
    ],
    ['slow 1,234', { slowConsumersEnded: 1234 }],
    ['busy 321', { handshakesCrowdedOut: 300, passwordsBusy: 21 }],
    ['queued 12.3MB', { queuedBytes: 12_345_678 }],
    ['partitioned by a monitor', { partitioned: 1 }],
  ])('notes %s', (note, counts) => {
    expect(below(status({ ring: { ...ring, ...counts }, daemons: 3 }))).toContain(`a: ${note}`);
    expect(statusTable([status({ ring })], [])).not.toContain(note.split(' ')[0]!);
  });

  it('fits 80 columns for any report', () => {
    const counters = Object.fromEntries(EXTENSION_COUNTERS.map((name) => [name, 4_294_967_295])) as Record<
      ExtensionCounter,
      number
    >;
    const members = Array.from({ length: 128 }, (_, i) => `192.168.100.${i + 1}`);
    const crowded: Partial<StatusReport> = {
      state: 'represented',
      groupsState: 'gather-transitional',
      sessions: 32_767,
      groups: -1,
      messagesDelivered: -1,
      retransmissions: -1,
      uptimeSeconds: 2 ** 31 - 1,
      daemons: 128,
    };
    const statuses = [
      status(
        { ...crowded, ring: { ...counters, members, release: '10.20.30-beta' } },
        'a-name-of-19-letters',
        '192.168.100.1',
      ),
      status(crowded, 'another', '192.168.100.2'),
      status(null, 'silent', '192.168.100.200'),
    ];
    const earlier = [status({ uptimeSeconds: 1, messagesDelivered: 0 }), status({}), status(null)];
    for (const text of [statusTable(statuses, []), statusTable(statuses, earlier)])
      expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('writes times of days', () => {
    expect([uptime(59), uptime(3661), uptime(273_906)]).toEqual(['0:00:59', '1:01:01', '3d 4h']);
  });

  it('writes large numbers short', () => {
    expect([0, 999, 999.6, 1234, 999_499, 999_500, 12_345_678].map(compact)).toEqual([
      '0',
      '999',
      '1.00k',
      '1.23k',
      '999k',
      '1.00M',
      '12.3M',
    ]);
  });
});

describe('a daemon that does not answer', () => {
  const daemon = { name: 'a', address: '127.0.0.1', port: 4803 };

  it('gives a message with the source address, which --from changes', async () => {
    expect(await silenceHint(daemon, undefined, false)).toBe(
      '; it is not running, or its configuration does not have 127.0.0.1, where the answer goes (--from ADDRESS chooses another)',
    );
    expect(await silenceHint(daemon, '10.0.0.9', true)).toBe(
      '; it is not running, or its configuration does not have 10.0.0.9, where the answer goes',
    );
  });
});
