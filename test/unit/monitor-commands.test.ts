import { describe, expect, it } from 'vitest';
import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import { FlowControl, windowsProblem } from '../../engine/ring/flow-control.ts';
import { COMMAND_TRAILER_LENGTH } from '../../engine/wire/layout/command-trailer.ts';
import { MONITOR_HEADER_LENGTH } from '../../engine/wire/layout/monitor-header.ts';
import { decodeAnswer, encodeAnswer, VERDICTS } from '../../engine/wire/monitor-answer.ts';
import { decodeCommand, encodeCommand, type MonitorCommand } from '../../engine/wire/monitor-commands.ts';
import { decodeExtension, EXTENSION_COUNTERS, encodeExtension } from '../../engine/wire/monitor-extension.ts';
import { readMonitorRequest } from '../../engine/wire/monitor-header.ts';
import { NO_TICKET, TICKET_LENGTH } from '../../engine/wire/monitor-trailer.ts';
import { MAX_CREDIT, Token } from '../../engine/wire/ring-token.ts';
import { CommandGuard } from '../../workers/network/command-guard.ts';
import { openMonitorDatagram, sealMonitorDatagram } from '../../workers/network/command-seal.ts';
import { TICKET_GOOD_FOR_MS } from '../../workers/network/command-tickets.ts';
import { changedWindows, withoutEffect } from '../../workers/network/flow-command.ts';

const MONITOR = { address: 0x7f00_0001, port: 6543 };
const DAEMON = { node: 1, daemonCount: 3, address: 0x7f00_0002 };
const PARTITION: MonitorCommand = { kind: 'partition', components: [1, 2, 2] };

const clusterKey = (id: number, fill: number): ClusterKey => ({ id, key: Buffer.alloc(32, fill).toString('base64') });
const KEY = clusterKey(1, 7);

function decoded(request: Uint8Array, node = DAEMON.node): MonitorCommand | null {
  const { type, bodyLength, littleEndian } = readMonitorRequest(request)!;
  return decodeCommand(request, type, bodyLength, littleEndian, node, DAEMON.daemonCount);
}

describe('commands', () => {
  it.each<MonitorCommand>([
    PARTITION,
    { kind: 'terminate' },
    { kind: 'flow', window: 100, personalWindow: null, acceleratedWindow: 0 },
    { kind: 'flow', window: null, personalWindow: 32_767, acceleratedWindow: null },
  ])('come out as they went in: %j', (command) => {
    expect(decoded(encodeCommand(command, DAEMON, MONITOR))).toEqual(command);
  });

  it('have the layout of the original', () => {
    const request = encodeCommand(
      { kind: 'flow', window: 100, personalWindow: 10, acceleratedWindow: 5 },
      DAEMON,
      MONITOR,
    );
    const view = new DataView(request.buffer);
    expect(request.length).toBe(40 + 512);
    expect([view.getUint32(0, true), view.getUint32(28, true), view.getUint16(32, true)]).toEqual([
      0x8400_0080, 1100, 512,
    ]);
    expect([2, 3, 6].map((index) => view.getInt16(40 + index * 2, true))).toEqual([10, 5, 100]);
    expect([0, 1, 4, 5, 7, 255].map((index) => view.getInt16(40 + index * 2, true))).toEqual([-1, -1, -1, -1, -1, -1]);
  });

  it('stop only the daemon they name', () => {
    const request = encodeCommand({ kind: 'terminate' }, DAEMON, MONITOR);
    expect(decoded(request, 0)).toEqual({ kind: 'partition', components: [0, -1, 0] });
  });

  it('are also read from big-endian monitors', () => {
    const request = Buffer.from(encodeCommand(PARTITION, DAEMON, MONITOR));
    request.subarray(0, 32).swap32();
    request.subarray(32).swap16();
    // A set flag means little-endian, in either byte order.
    request[0]! &= 0x7f;
    request[3]! &= 0x7f;
    expect(decoded(request)).toEqual(PARTITION);
  });

  it('are not recognized when type or length are wrong', () => {
    const request = encodeCommand(PARTITION, DAEMON, MONITOR);
    const { type, bodyLength } = readMonitorRequest(request)!;
    expect(decodeCommand(request, type, bodyLength - 2, true, 1, 3)).toBeNull();
    expect(decodeCommand(request, 0x0800_0000, bodyLength, true, 1, 3)).toBeNull();
    expect(decodeCommand(request.subarray(0, 100), type, bodyLength, true, 1, 3)).toBeNull();
    expect(readMonitorRequest(request.subarray(0, 39))).toBeNull();
  });

  it('refuse values beyond 16 bits', () => {
    expect(() => encodeCommand({ kind: 'partition', components: [40_000] }, DAEMON, MONITOR)).toThrow('40000');
    const full = { ...DAEMON, daemonCount: 128 };
    const command = { kind: 'flow', window: 5, personalWindow: null, acceleratedWindow: null } as const;
    expect(() => encodeCommand(command, full, MONITOR)).toThrow('no room for the window');
  });
});

describe('answers', () => {
  it.each(VERDICTS)('carry the verdict %s', (verdict) => {
    const answer = encodeAnswer({ verdict, detail: 'window is 0' }, DAEMON.address);
    expect(decodeAnswer(answer)).toEqual({ answer: { verdict, detail: 'window is 0' }, length: answer.length });
  });

  it('never carry control characters for a terminal', () => {
    const answer = encodeAnswer({ verdict: 'wrong-value', detail: 'a\u001b[2J' }, DAEMON.address);
    expect(decodeAnswer(answer)!.answer.detail).toBe('a?[2J');
  });

  it('are not recognized when cut or with an unknown verdict', () => {
    const answer = encodeAnswer({ verdict: 'accepted', detail: 'x' }, DAEMON.address);
    expect(decodeAnswer(answer.subarray(0, -1))).toBeNull();
    answer[MONITOR_HEADER_LENGTH] = VERDICTS.length;
    expect(decodeAnswer(answer)).toBeNull();
  });
});

describe('the extension of the status report', () => {
  const counters = Object.fromEntries(EXTENSION_COUNTERS.map((name, i) => [name, i * 1e10])) as Record<
    (typeof EXTENSION_COUNTERS)[number],
    number
  >;
  const extension = { counters, members: [0x7f00_0001, 0xc0a8_0001], release: '1.2.3-β' };

  it('is decoded as it was encoded', () => {
    expect(decodeExtension(encodeExtension(extension), 0)).toEqual(extension);
  });

  it('may have fewer counters than the reader expects', () => {
    const bytes = encodeExtension({ counters, members: [], release: null }).slice(0, 8 + 2 * 8);
    new DataView(bytes.buffer).setUint16(4, 2, true);
    expect(decodeExtension(bytes, 0)!.counters).toMatchObject({ rotationMicros: 1e10, partitioned: 0 });
  });

  it('may come from a daemon that does not send its release', () => {
    const old = { ...extension, release: null };
    expect(decodeExtension(encodeExtension(old), 0)).toEqual(old);
    // What daemons before it understood does not end where the release begins.
    expect(encodeExtension(extension).subarray(0, encodeExtension(old).length)).toEqual(encodeExtension(old));
  });

  it('is not recognized when cut', () => {
    for (const length of [-1, -'1.2.3-β'.length - 2])
      expect(decodeExtension(encodeExtension(extension).subarray(0, length), 0)).toBeNull();
  });
});

describe('the seal', () => {
  const request = encodeCommand(PARTITION, DAEMON, MONITOR);
  const sealed = sealMonitorDatagram(request, KEY, 1_800_000_000_000);

  it('opens with the key it was made with', () => {
    expect(openMonitorDatagram(sealed, request.length, [clusterKey(2, 1), KEY])).toEqual({
      state: 'sealed',
      key: KEY,
      attempt: 1_800_000_000_000,
      ticket: NO_TICKET,
    });
  });

  it('covers every bit', () => {
    for (let at = 0; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at]! ^= 1;
      expect(openMonitorDatagram(changed, request.length, [KEY]).state, `byte ${at}`).not.toBe('sealed');
    }
  });

  it('distinguishes a missing trailer, an unknown key and a wrong key', () => {
    expect(openMonitorDatagram(request, request.length, [KEY]).state).toBe('unsealed');
    expect(openMonitorDatagram(sealed, request.length, [clusterKey(2, 7)]).state).toBe('unknown-key');
    expect(openMonitorDatagram(sealed, request.length, [clusterKey(1, 8)]).state).toBe('wrong-seal');
  });
});

describe('the guard', () => {
  const NOW = 100_000;
  const guard = (enabled = true): CommandGuard => new CommandGuard(enabled, DAEMON.address);
  const command = (ticket = NO_TICKET, { target = DAEMON, from = MONITOR } = {}): Uint8Array =>
    sealMonitorDatagram(encodeCommand(PARTITION, target, from), KEY, 7, ticket);

  const judge = (by: CommandGuard, datagram: Uint8Array, now = NOW, keys: readonly ClusterKey[] | null = [KEY]) =>
    by.judge(readMonitorRequest(datagram)!, datagram, keys, now);

  /** Requests a ticket as a monitor does. */
  function ticketFrom(by: CommandGuard, now = NOW, from = MONITOR): Uint8Array {
    const { verdict, seal } = judge(by, command(NO_TICKET, { from }), now);
    expect(verdict).toBe('ticket');
    expect(seal).toMatchObject({ key: KEY, attempt: 7 });
    return seal!.ticket!;
  }

  it('accepts a sealed command with its own ticket', () => {
    const one = guard();
    expect(judge(one, command(ticketFrom(one)))).toEqual({
      verdict: 'accepted',
      seal: { key: KEY, attempt: 7, ticket: null },
    });
  });

  it('gives the reason of a refusal', () => {
    const one = guard();
    const ticket = ticketFrom(one);
    const why = (by: CommandGuard, datagram: Uint8Array, keys: readonly ClusterKey[] | null = [KEY]): string =>
      judge(by, datagram, NOW, keys).verdict;
    expect(why(guard(false), command())).toBe('disabled');
    expect(why(one, command(ticket), null)).toBe('no-keys');
    expect(why(one, command(ticket), [clusterKey(9, 7)])).toBe('unknown-key');
    expect(why(one, command(ticket), [clusterKey(1, 9)])).toBe('wrong-seal');
    expect(why(one, command(ticket, { target: { ...DAEMON, address: 1 } }))).toBe('wrong-target');
    expect(why(one, encodeCommand(PARTITION, DAEMON, MONITOR))).toBe('unsealed');
    // None of these used the ticket up.
    expect(why(one, command(ticket))).toBe('accepted');
  });

  it('refuses a replayed command at once and later, and still gives a real monitor a ticket', () => {
    const one = guard();
    const recorded = command(ticketFrom(one));
    expect(judge(one, recorded).verdict).toBe('accepted');
    for (let now = NOW; now < NOW + 10 * TICKET_GOOD_FOR_MS; now += 1000)
      expect(judge(one, recorded, now).verdict, `after ${now - NOW} ms`).toBe('replayed');
    const { ticket } = judge(one, recorded).seal!;
    expect(judge(one, command(ticket!)).verdict).toBe('accepted');
  });

  it('refuses commands recorded from an earlier incarnation of the daemon, at any time', () => {
    const before = guard();
    const used = command(ticketFrom(before));
    const unused = command(ticketFrom(before));
    expect(judge(before, used).verdict).toBe('accepted');
    const after = guard();
    for (const now of [0, NOW - 1, NOW, NOW + 1, NOW + TICKET_GOOD_FOR_MS])
      for (const recorded of [used, unused]) expect(judge(after, recorded, now).verdict).toBe('replayed');
  });

  it('accepts a ticket for a limited time', () => {
    const one = guard();
    expect(judge(one, command(ticketFrom(one)), NOW + TICKET_GOOD_FOR_MS).verdict).toBe('accepted');
    expect(judge(one, command(ticketFrom(one)), NOW + TICKET_GOOD_FOR_MS + 1).verdict).toBe('replayed');
  });

  it('accepts a ticket only from the monitor that received it, and only unchanged', () => {
    const one = guard();
    const ticket = ticketFrom(one);
    const other = { address: 0x7f00_0009, port: 1 };
    expect(judge(one, command(ticket, { from: other })).verdict).toBe('replayed');
    for (let bit = 0; bit < TICKET_LENGTH * 8; bit++) {
      const changed = Uint8Array.from(ticket);
      changed[bit >>> 3]! ^= 1 << (bit & 7);
      expect(judge(one, command(changed)).verdict, `bit ${bit}`).toBe('replayed');
    }
    expect(judge(one, command(ticket)).verdict).toBe('accepted');
  });

  it('gives each monitor its own tickets, however often others ask', () => {
    const one = guard();
    const ticket = ticketFrom(one);
    const others = Array.from({ length: 500 }, () => Buffer.from(ticketFrom(one)).toString('hex'));
    expect(new Set(others).size).toBe(others.length);
    expect(judge(one, command(ticket)).verdict).toBe('accepted');
  });

  it('has the trailer outside of data_len, so that the original ignores it', () => {
    const datagram = command();
    expect(datagram.length).toBe(
      MONITOR_HEADER_LENGTH + readMonitorRequest(datagram)!.bodyLength + COMMAND_TRAILER_LENGTH,
    );
  });
});

describe('a command for flow control', () => {
  const now = { window: 160, personalWindow: 20, acceleratedWindow: 15, acceleratedRing: false };
  const flow = (acceleratedWindow: number | null) =>
    ({ kind: 'flow', window: null, personalWindow: 10, acceleratedWindow }) as const;

  it('is refused when it changes the accelerated window of a ring that is not accelerated', () => {
    expect(withoutEffect(now, flow(5))).toBe(
      'acceleratedWindow is 5; it has no effect, because the ring is not accelerated',
    );
    expect(withoutEffect({ ...now, acceleratedRing: true }, flow(5))).toBeNull();
    expect([withoutEffect(now, flow(null)), withoutEffect(now, flow(15))]).toEqual([null, null]);
  });

  it('reduces windows that were not given when they no longer fit', () => {
    expect(changedWindows(now, flow(null))).toEqual({ ...now, personalWindow: 10, acceleratedWindow: 10 });
  });
});

describe('windows at run time', () => {
  const configured = { window: 100, personalWindow: 20, acceleratedWindow: 10, acceleratedRing: true };

  it.each([
    [{ window: 101 }, 'window is 101; it must be an integer from 1 to 100'],
    [{ window: 0 }, 'window is 0'],
    [{ window: 50, personalWindow: 51 }, 'personalWindow is 51; it must be an integer from 1 to 50'],
    [{ acceleratedWindow: 21 }, 'acceleratedWindow is 21; it must be an integer from 0 to 20'],
    [{ acceleratedRing: false, acceleratedWindow: 0 }, 'cannot change at run time'],
  ])('are refused: %j', (change, text) => {
    expect(windowsProblem({ ...configured, ...change }, configured)).toContain(text);
  });

  it('bound what the next visit of the token may send', () => {
    const flow = new FlowControl(configured);
    const allowed = (): number => {
      const token = new Token(3);
      token.creditBefore = MAX_CREDIT;
      token.creditSoFar = MAX_CREDIT;
      flow.beginVisit(token, Number.POSITIVE_INFINITY);
      return flow.allowance(token, 0, 1000);
    };
    expect(allowed()).toBe(20);
    flow.setWindows({ ...configured, personalWindow: 5 });
    expect(allowed()).toBe(5);
    flow.setWindows({ ...configured, window: 3, personalWindow: 3, acceleratedWindow: 0 });
    expect(allowed()).toBe(3);
    flow.setWindows(configured);
    // The window grows back by one with each visit, as after a loss.
    expect([allowed(), allowed()]).toEqual([4, 5]);
  });

  it('may be anything up to the configured ones', () => {
    expect(windowsProblem({ ...configured, personalWindow: 100, acceleratedWindow: 100 }, configured)).toBeNull();
    expect(
      windowsProblem({ ...configured, window: 1, personalWindow: 1, acceleratedWindow: 0 }, configured),
    ).toBeNull();
  });
});
