/** Failed sends are counted by cause and logged once a minute; the errors come from the kernel where it can be made to give them. */
import { createSocket } from 'node:dgram';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NetworkCounter, SEND_CAUSES, type SendCause } from '../../engine/buffers/counters.ts';
import { RingSockets } from '../../workers/network/ring-sockets.ts';
import { SendFailures, sendCause } from '../../workers/network/send-failures.ts';
import { eventually, freePort } from '../e2e/support/daemons.ts';

interface Line {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

function collector() {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (fields: Line['fields'], message: string): void =>
      void lines.push({ level, fields, message });
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

const counterOf = (cause: SendCause): number => NetworkCounter.SendsFailed + SEND_CAUSES.indexOf(cause);

function failures() {
  const { lines, logger } = collector();
  const counters = new Float64Array(64);
  const clock = { nowMs: 0 };
  const names: Readonly<Record<string, string>> = { '10.0.0.2': 'paris', '10.0.0.3': 'berlin madrid' };
  const table = new SendFailures({
    counters,
    logger,
    now: () => clock.nowMs,
    ownAddress: '10.0.0.1',
    namesAt: (address) => names[address] ?? '',
  });
  const tickAt = (nowMs: number): void => {
    clock.nowMs = nowMs;
    table.tick(nowMs);
  };
  return { table, lines, counters, tickAt };
}

describe('the table of causes', () => {
  it.each([
    ['ENETUNREACH', 'unreachable'],
    ['EHOSTUNREACH', 'unreachable'],
    ['ENETDOWN', 'unreachable'],
    ['ECONNREFUSED', 'unreachable'],
    ['EPERM', 'forbidden'],
    ['EACCES', 'forbidden'],
    ['EMSGSIZE', 'tooLong'],
    ['EINVAL', 'wrongAddress'],
    ['EADDRNOTAVAIL', 'wrongAddress'],
    ['EAFNOSUPPORT', 'wrongAddress'],
    ['ENODEV', 'wrongAddress'],
    ['ENOBUFS', 'noBuffers'],
    ['ENOMEM', 'noBuffers'],
    ['EIO', 'other'],
    ['ERR_SOCKET_BAD_PORT', 'other'],
  ] as const)('%s is %s, and counted there only', (errno, cause) => {
    const { table, counters, lines, tickAt } = failures();
    table.failed(errno, '10.0.0.2');
    expect(sendCause(errno)).toBe(cause);
    for (const each of SEND_CAUSES) expect(counters[counterOf(each)]).toBe(each === cause ? 1 : 0);
    tickAt(table.nextDeadlineMs);
    expect(lines).toMatchObject([{ level: 'warn', fields: { errno, cause, failed: 1, to: '10.0.0.2 (paris)' } }]);
  });

  it('has a separate slot for each cause', () => {
    const slots = SEND_CAUSES.map(counterOf);
    const others = Object.entries(NetworkCounter).flatMap(([name, slot]) => (name === 'SendsFailed' ? [] : [slot]));
    expect(slots.filter((slot) => others.some((other) => other === slot))).toEqual([]);
  });
});

describe('the log', () => {
  it('has one line per errno and minute, with all addresses', () => {
    const { table, lines, tickAt } = failures();
    table.failed('ENETUNREACH', '10.0.0.2');
    table.failed('ENETUNREACH', '10.0.0.3');
    table.failed('EPERM', '10.0.0.2');
    tickAt(250);
    expect(lines.map(({ fields }) => [fields['errno'], fields['to'], fields['from']])).toEqual([
      ['ENETUNREACH', '10.0.0.2 (paris), 10.0.0.3 (berlin madrid)', '10.0.0.1'],
      ['EPERM', '10.0.0.2 (paris)', '10.0.0.1'],
    ]);
    for (let i = 0; i < 50; i++) table.failed('ENETUNREACH', '10.0.0.2');
    tickAt(60_000);
    expect(lines).toHaveLength(2);
    tickAt(60_250);
    expect(lines.slice(2)).toMatchObject([
      { level: 'warn', fields: { errno: 'ENETUNREACH', failed: 50, total: 52, to: '10.0.0.2 (paris)' } },
      { level: 'info', fields: { errno: 'EPERM', total: 1 } },
    ]);
    tickAt(120_250);
    expect(lines.at(-1)).toMatchObject({ level: 'info', fields: { errno: 'ENETUNREACH', total: 52 } });
    expect(table.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('is short and has bounded memory, whatever addresses strangers make it send to', () => {
    const { table, lines, counters, tickAt } = failures();
    for (let i = 0; i < 5000; i++) table.failed('EHOSTUNREACH', `10.1.${i >>> 8}.${i & 255}`);
    tickAt(250);
    expect(counters[counterOf('unreachable')]).toBe(5000);
    expect(lines).toHaveLength(1);
    expect(lines[0]!.fields['failed']).toBe(5000);
    expect(String(lines[0]!.fields['to'])).toMatch(/^(10\.1\.0\.\d, ){7}10\.1\.0\.7 and 505 more$/);
  });

  it('names addresses again once it has forgotten the strangers', () => {
    const { table, lines, tickAt } = failures();
    for (let i = 0; i < 5000; i++) table.failed('EHOSTUNREACH', `10.1.${i >>> 8}.${i & 255}`);
    tickAt(250);
    tickAt(60_250);
    expect(table.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
    table.failed('EPERM', '10.0.0.2');
    tickAt(table.nextDeadlineMs);
    expect(lines.at(-1)).toMatchObject({ fields: { errno: 'EPERM', to: '10.0.0.2 (paris)' } });
  });
});

async function openSockets(host: string, options: { readonly alone?: boolean } = {}) {
  const { lines, logger } = collector();
  const counters = new Float64Array(64);
  const received: Buffer[] = [];
  const port = await freePort();
  const keep = (message: Buffer): void => void received.push(message);
  const sockets = await RingSockets.open(
    { host, port, ring: options.alone === true ? null : { segment: null }, owner: 'daemon d1 (segment 127.0.0.255:1)' },
    { counters, logger, now: () => performance.now(), namesAt: () => '', onData: keep, onToken: keep },
  );
  onTestFinished(() => sockets.close());
  return { sockets, port, counters, lines, received };
}

describe('real sockets', () => {
  const bytes = new Uint8Array(70_000);

  it.each([
    ['a datagram that is too long', 70_000, 4803, '127.0.0.1', 'EMSGSIZE', 'tooLong'],
    ['an address that cannot be reached from loopback', 10, 4803, '192.0.2.1', 'EINVAL', 'wrongAddress'],
    ['broadcast without leave', 10, 4803, '127.255.255.255', 'EACCES', 'forbidden'],
    ['a port that is none', 10, 0, '127.0.0.1', 'ERR_SOCKET_BAD_PORT', 'other'],
  ] as const)('count %s as not sent, and say so', async (_, lengthBytes, port, address, errno, cause) => {
    const { sockets, counters, lines } = await openSockets('127.0.0.1');
    for (let i = 0; i < 3; i++) sockets.send(bytes, 0, lengthBytes, port, address);
    await eventually(
      () => counters[counterOf(cause)] === 3,
      () => String(counters),
    );
    expect(counters[NetworkCounter.DatagramsSent]).toBe(0);
    sockets.tick(performance.now() + 1000);
    expect(lines).toMatchObject([
      { level: 'warn', fields: { errno, cause, failed: 3, from: '127.0.0.1', to: address } },
    ]);
  });

  it('count sent datagrams', async () => {
    const { sockets, port, counters, received } = await openSockets('127.0.0.1');
    for (let i = 0; i < 5; i++) sockets.send(bytes, 0, 100, port, '127.0.0.1');
    await eventually(
      () => received.length === 5 && counters[NetworkCounter.DatagramsSent] === 5,
      () => `${received.length} ${counters}`,
    );
    expect(SEND_CAUSES.map((cause) => counters[counterOf(cause)])).toEqual(SEND_CAUSES.map(() => 0));
  });

  it.each([
    ['data', 0],
    ['tokens', 1],
  ])('that cannot be opened say so: %s', async (purpose, above) => {
    const port = await freePort();
    const other = createSocket('udp4');
    await new Promise<void>((resolve) => other.bind(port + above, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { logger } = collector();
    const nothing = (): void => {};
    const links = { counters: new Float64Array(64), logger, now: () => 0, namesAt: () => '' };
    const opened = RingSockets.open(
      { host: '127.0.0.1', port, ring: { segment: null }, owner: 'daemon d1 (segment 127.0.0.255:7)' },
      { ...links, onData: nothing, onToken: nothing },
    );
    await expect(opened).rejects.toThrow(
      new RegExp(
        `^cannot open the UDP socket for ${purpose}.* of daemon d1 \\(segment 127.0.0.255:7\\) at 127.0.0.1:${port + above}: EADDRINUSE, another program uses it`,
      ),
    );
  });

  it('that cannot be opened give an error: an address of another machine, and a multicast group on it', async () => {
    const { logger, lines } = collector();
    const nothing = (): void => {};
    const links = { counters: new Float64Array(64), logger, now: () => 0, namesAt: () => '' };
    const open = (host: string, port: number, address: string, ignoresJoinErrors = false): Promise<RingSockets> =>
      RingSockets.open(
        { host, port, ring: { segment: { kind: 'multicast', address, ignoresJoinErrors } }, owner: 'daemon d1' },
        { ...links, onData: nothing, onToken: nothing },
      );
    await expect(open('192.0.2.1', await freePort(), '239.1.1.1')).rejects.toThrow(
      /data and monitors of daemon d1 at 192\.0\.2\.1:\d+: EADDRNOTAVAIL, it is not an address of this machine/,
    );
    // The first group of the address block is everybody's, and cannot be joined as an address of a host can.
    await expect(open('127.0.0.1', await freePort(), '192.0.2.7')).rejects.toThrow(
      /datagrams for its segment by multicast of daemon d1 at 192\.0\.2\.7:\d+: EADDRNOTAVAIL/,
    );
    // Not a multicast address, so it cannot be joined.
    await expect(open('127.0.0.1', await freePort(), '127.0.0.9')).rejects.toThrow(
      /cannot join the multicast group 127\.0\.0\.9 of the segment on the interface of 127\.0\.0\.1/,
    );
    const sockets = await open('127.0.0.1', await freePort(), '127.0.0.9', true);
    onTestFinished(() => sockets.close());
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringContaining('tried again, because IgnoreMulticastJoinErrors is set'),
    ]);
  });
});
