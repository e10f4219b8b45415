/** The kernel's table of connections shows which peers do not answer, and since when. */
import { describe, expect, it } from 'vitest';
import {
  connectionKey,
  isSilenceError,
  keepAliveDelayMs,
  keepAliveEndsMs,
  readTcpTables,
  SilenceTracker,
} from '../../engine/wire/tcp-silence.ts';

const HEADING = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

interface Line {
  readonly ends?: string;
  readonly state?: string;
  readonly unsent?: string;
  readonly timer?: string;
  readonly ofData?: number;
  readonly ofProbes?: number;
}

const ENDS = '0100007F:12C3 0200000A:D431';
const ENDS_6 = '0000000000000000FFFF00000100007F:12C3 B80D0120000000000000000001000000:D431';

const table = (...lines: readonly Line[]): string =>
  HEADING +
  lines
    .map(
      ({ ends = ENDS, state = '01', unsent = '00000010', timer = '01', ofData = 0, ofProbes = 0 }, i) =>
        `${String(i).padStart(4)}: ${ends} ${state} ${unsent}:00000000 ${timer}:0000003C ${ofData
          .toString(16)
          .toUpperCase()
          .padStart(
            8,
            '0',
          )} ${'0'.padStart(5)} ${String(ofProbes).padStart(8)} 120530 1 0000000056a93e5c 20 4 30 10 -1\n`,
    )
    .join('');

const repeatsOf = (line: Line): number => readTcpTables([table(line)]).unanswered.get(line.ends ?? ENDS) ?? 0;

describe('the table', () => {
  it.each([
    ['data repeated', { timer: '01', ofData: 11 }, 11],
    ['data just sent', { timer: '01', ofProbes: 3 }, 0],
    ['a closed window whose probes are not answered', { timer: '04', ofProbes: 2 }, 2],
    ['a closed window whose probes are: a slow reader', { timer: '04', ofData: 5 }, 0],
    ['keep-alive without an answer', { timer: '02', ofProbes: 10, unsent: '00000000' }, 10],
    ['keep-alive that waits', { timer: '02', unsent: '00000000' }, 0],
    ['no timer', { timer: '00', ofData: 4, ofProbes: 4 }, 0],
    ['a peer that closed its side', { state: '08', ofData: 4 }, 4],
    ['an end of ours', { state: '04', ofData: 4 }, 0],
    ['IPv6', { ends: ENDS_6, timer: '04', ofProbes: 2 }, 2],
  ])('%s', (_, line, repeats) => {
    expect(repeatsOf(line)).toBe(repeats);
  });

  it('is read line by line, with the unsent bytes', () => {
    const busy = table({ ofData: 2 }, { ends: ENDS_6, timer: '02', unsent: '00000000', ofProbes: 1 });
    expect([...readTcpTables([busy]).unanswered]).toEqual([
      [ENDS, 2],
      [ENDS_6, 1],
    ]);
    expect(readTcpTables([busy]).hasUnsent).toBe(true);
    expect(readTcpTables([table({ timer: '02', unsent: '00000000' })]).hasUnsent).toBe(false);
    for (const text of ['', HEADING, `${HEADING}   0: `, 'no table\nat all\n']) {
      expect(readTcpTables([text])).toEqual({ unanswered: new Map(), hasUnsent: false });
    }
  });

  it('has the kernel’s form of addresses', () => {
    const local = { address: '127.0.0.1', port: 4803 };
    expect(connectionKey(local, { address: '10.0.0.2', port: 0xd431 }, true)).toBe(ENDS);
    expect(connectionKey(local, { address: '10.0.0.2', port: 0xd431 }, false)).toBe('7F000001:12C3 0A000002:D431');
    const mapped = { address: '::ffff:127.0.0.1', port: 4803 };
    expect(connectionKey(mapped, { address: '2001:db8::1%eth0', port: 0xd431 }, true)).toBe(ENDS_6);
  });
});

describe('silence', () => {
  const look = (tracker: SilenceTracker, repeats: number, nowMs: number): boolean => {
    tracker.look(repeats === 0 ? new Map() : new Map([['x', repeats]]), nowMs);
    return tracker.isOver('x', 8000, nowMs);
  };

  it('must last for the whole time', () => {
    const tracker = new SilenceTracker();
    const over = Array.from({ length: 8 }, (_, i) => look(tracker, i + 1, i * 1000));
    expect(over).toEqual([false, false, false, false, false, false, false, true]);
    expect(tracker.isOver('y', 8000, 60_000)).toBe(false);
  });

  it('starts again with every answer, even between two samples', () => {
    for (const answered of [0, 1]) {
      const tracker = new SilenceTracker();
      for (let i = 0; i < 7; i++) expect(look(tracker, i + 2, i * 1000)).toBe(false);
      expect(look(tracker, answered, 7000)).toBe(false);
      expect(look(tracker, 9, 8000)).toBe(false);
      expect(look(tracker, 9, 13_000)).toBe(false);
      expect(look(tracker, 9, 16_000)).toBe(true);
    }
  });

  it('of idle connections is detected by keep-alive, within its probe times', () => {
    expect([keepAliveDelayMs(60_000), keepAliveEndsMs(60_000)]).toEqual([50_000, 60_000]);
    expect([keepAliveDelayMs(2000), keepAliveEndsMs(2000)]).toEqual([1000, 11_000]);
    expect(['ETIMEDOUT', 'EHOSTUNREACH', 'ECONNRESET', undefined].map(isSilenceError)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
