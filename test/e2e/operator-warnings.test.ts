/** Daemons that cannot work together log it, each with the other's address; unauthenticated commands are refused. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type CommandResult, sendCommand } from '../../cli/monitor/send-command.ts';
import { readStatusReport, statusRequest } from '../../cli/monitor/status-protocol.ts';
import { startDaemon } from '../../daemon/start-daemon.ts';
import { NetworkCounter, networkCounters } from '../../engine/buffers/counters.ts';
import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import { encodeCommand } from '../../engine/wire/monitor-commands.ts';
import { eventually, freePort } from './support/daemons.ts';

const LOOPBACK = 0x7f00_0001;

interface LogLine {
  readonly msg: string;
  readonly peer?: string;
  readonly daemon?: string;
  readonly reason?: string;
}

/** A daemon in this thread; `log` is what it has logged so far. */
async function loggingDaemon(configText: string, name: string) {
  const log: LogLine[] = [];
  const logger = pino({ base: {} }, { write: (line: string) => void log.push(JSON.parse(line)) });
  const options = { configText, name, logger, threadingMode: 'inline', unixSocketDir: null, volatile: true } as const;
  const daemon = await startDaemon(options);
  onTestFinished(() => daemon.stop({ drainTimeoutMs: 100 }));
  return { daemon, log };
}

/** Daemons on loopback that probe for each other five times as often as by default. */
const segments = (ports: readonly number[]): string =>
  `${ports.map((port, i) => `Spread_Segment 127.0.0.255:${port} { d${i + 1} 127.0.0.${i + 1} }\n`).join('')}TimeScale = 0.2\n`;

function keyFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'skein-keys-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'keys');
  writeFileSync(file, `1:${randomBytes(32).toString('base64')}\n`);
  return file;
}

/** Runs two daemons of the same segments with different options until each has logged its `text` about the other. */
async function bothSay(optionsOf: readonly [string, string], texts: readonly [string, string]): Promise<void> {
  const ports = [await freePort(), await freePort()];
  const one = await loggingDaemon(`${segments(ports)}${optionsOf[0]}`, 'd1');
  const other = await loggingDaemon(`${segments(ports)}${optionsOf[1]}`, 'd2');
  const said = ({ log }: typeof one, text: string, peer: string): boolean =>
    log.some((line) => line.msg.includes(text) && line.peer === peer);
  await eventually(
    () => said(one, texts[0], `127.0.0.2:${ports[1]}`) && said(other, texts[1], `127.0.0.1:${ports[0]}`),
    () => JSON.stringify([one.log, other.log]),
  );
}

describe('daemons that cannot work together', () => {
  it('with another configuration are named on both sides', () =>
    bothSay(['AcceleratedRing = yes\n', 'AcceleratedRing = no\n'], ['another configuration', 'another configuration']));

  it('with another configuration are named even where they are not configured', async () => {
    const ports = [await freePort(), await freePort()];
    const alone = await loggingDaemon(segments(ports.slice(0, 1)), 'd1');
    const both = await loggingDaemon(segments(ports), 'd2');
    const isNamed = ({ log }: typeof alone): boolean => log.some(({ msg }) => msg.includes('another configuration'));
    await eventually(
      () => isNamed(alone) && isNamed(both),
      () => JSON.stringify([alone.log, both.log]),
    );
  });

  it('of which only one seals are named on both sides', () =>
    bothSay([`ClusterKeyFile = ${keyFile()}\n`, ''], ['does not seal its traffic', 'a daemon that seals its traffic']));

  it('with other keys are named on both sides', () =>
    bothSay(
      [`ClusterKeyFile = ${keyFile()}\n`, `ClusterKeyFile = ${keyFile()}\n`],
      ['our keys do not open', 'our keys do not open'],
    ));
});

describe('commands without proof', () => {
  const key: ClusterKey = { id: 1, key: randomBytes(32).toString('base64') };

  async function kill(port: number): Promise<CommandResult> {
    const target = { node: 0, daemonCount: 1, address: LOOPBACK };
    const daemon = { name: 'd1', address: '127.0.0.1', port, target };
    return sendCommand({ kind: 'terminate' }, daemon, [key], '127.0.0.1', 5000);
  }

  it.each([
    ['DangerousMonitor = no', 'disabled'],
    ['', 'disabled'],
    ['DangerousMonitor = yes', 'no-keys'],
  ])('are refused with %j', async (option, verdict) => {
    const port = await freePort();
    const { log } = await loggingDaemon(`${segments([port])}${option}\n`, 'd1');
    expect(await kill(port)).toMatchObject({ verdict });
    await eventually(() => log.some(({ msg }) => msg === 'command of a monitor refused'), 'the refusal in the log');
    // The daemon keeps running, and everyone may ask for the status.
    expect(await status(port)).toBe('operational');
  });

  it('are refused also with keys, and get no answer', async () => {
    const port = await freePort();
    const options = `DangerousMonitor = yes\nClusterKeyFile = ${keyFile()}\n`;
    const { daemon, log } = await loggingDaemon(`${segments([port])}${options}`, 'd1');
    const target = { node: 0, daemonCount: 1, address: LOOPBACK };
    send(encodeCommand({ kind: 'terminate' }, target, { address: LOOPBACK, port: 9 }), port);
    send(encodeCommand({ kind: 'terminate' }, target, { address: 0x0a00_0001, port: 9 }), port);
    const refused = (): number => networkCounters(daemon.counters)[NetworkCounter.CommandsRefused]!;
    await eventually(
      () => refused() === 2,
      () => String(refused()),
    );
    const reasons = log.flatMap(({ reason }) => reason ?? []);
    expect(reasons).toEqual(['the command is not authenticated', 'its host is not in the configuration']);
    expect(await status(port)).toBe('operational');
  });
});

function send(datagram: Uint8Array, port: number): void {
  const socket = createSocket('udp4');
  socket.send(datagram, port, '127.0.0.1', () => socket.close());
}

/** As a monitor of the original asks. */
async function status(port: number): Promise<string | undefined> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const answer = new Promise<Buffer>((resolve) => socket.once('message', resolve));
    socket.send(statusRequest(LOOPBACK, socket.address().port), port, '127.0.0.1');
    const report = readStatusReport(await answer);
    expect(report?.ring).toBeNull();
    return report?.state;
  } finally {
    socket.close();
  }
}
