/** Networks that refuse a daemon's datagrams: the daemon serves its clients, counts, and logs the errno for each address. */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readStatusReport, type StatusReport, statusRequest } from '../../cli/monitor/status-protocol.ts';
import { startDaemon } from '../../daemon/start-daemon.ts';
import { eventually, freePort } from './support/daemons.ts';

const LOOPBACK = 0x7f00_0001;
const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const IN_NAMESPACE = ['-rn'];
const hasNamespaces =
  spawnSync('unshare', [...IN_NAMESPACE, 'sh', '-c', 'ip link set lo up && ip addr add 10.77.0.1/32 dev lo']).status ===
  0;

interface LogLine {
  readonly msg: string;
  readonly errno?: string;
  readonly cause?: string;
  readonly from?: string;
  readonly to?: string;
  readonly failed?: number;
}

async function status(port: number): Promise<StatusReport | null> {
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const answer = new Promise<Buffer>((resolve) => socket.once('message', resolve));
  socket.send(statusRequest(LOOPBACK, socket.address().port, true), port, '127.0.0.1');
  return readStatusReport(await answer);
}

describe('a daemon whose own name stands for a loopback address, as on Debian', () => {
  it('logs that nothing it sends leaves the machine, and the monitor shows it', async () => {
    const port = await freePort();
    const log: LogLine[] = [];
    const logger = pino({ base: {} }, { write: (line: string) => void log.push(JSON.parse(line)) });
    const daemon = await startDaemon({
      configText: `Spread_Segment 192.0.2.255:${port} { here 127.0.0.1 there 192.0.2.9 }\nTransport = unicast\n`,
      name: 'here',
      logger,
      threadingMode: 'inline',
      unixSocketDir: null,
      volatile: true,
    });
    onTestFinished(() => daemon.stop({ drainTimeoutMs: 100 }));
    const said = (): LogLine | undefined => log.find(({ errno }) => errno === 'EINVAL');
    await eventually(
      () => said() !== undefined,
      () => JSON.stringify(log),
    );
    expect(said()).toMatchObject({ cause: 'wrongAddress', from: '127.0.0.1', to: '192.0.2.9 (there)' });
    const ring = (await status(port))!.ring!;
    expect(ring.sendsWrongAddress).toBeGreaterThan(0);
    // The answer to the monitor is sent after the report is made.
    expect(ring.datagramsSent).toBe(0);
  });
});

/** `skein start` in a network namespace of its own that has nothing but 10.77.0.1. */
function daemonInNamespace(configText: string, prepare: string) {
  const folder = mkdtempSync(join(tmpdir(), 'skein-net-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'spread.conf');
  writeFileSync(file, configText);
  const start = `exec "${process.execPath}" "${CLI}" start -c "${file}" -n here --no-unix-socket`;
  const child = spawn('unshare', [...IN_NAMESPACE, 'sh', '-c', `ip link set lo up && ${prepare} && ${start}`]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const log: LogLine[] = [];
  let rest = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) log.push(line.startsWith('{') ? JSON.parse(line) : { msg: line });
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { log, ended };
}

/** Long enough for a process to start on a busy machine. */
const START_MS = 60_000;

async function eventuallySaid(log: readonly LogLine[], isMeant: (line: LogLine) => boolean): Promise<LogLine> {
  for (const untilMs = performance.now() + START_MS; ; await delay(20)) {
    const line = log.find(isMeant);
    if (line !== undefined) return line;
    if (performance.now() > untilMs) throw new Error(`not said: ${JSON.stringify(log)}`);
  }
}

describe.skipIf(!hasNamespaces)('in a network namespace', { timeout: 2 * START_MS }, () => {
  const address = 'ip addr add 10.77.0.1/32 dev lo';

  it('a missing route to the others is logged', async () => {
    const { log } = daemonInNamespace(
      'Spread_Segment 10.77.0.255:4803 { here 10.77.0.1 there 10.78.0.1 far 10.79.0.1 }\nTransport = unicast\n',
      address,
    );
    const line = await eventuallySaid(log, ({ errno }) => errno === 'ENETUNREACH');
    expect(line).toMatchObject({ cause: 'unreachable', from: '10.77.0.1', to: '10.78.0.1 (there), 10.79.0.1 (far)' });
  });

  it('a route that prohibits is logged as EACCES with its meaning', async () => {
    const { log } = daemonInNamespace(
      'Spread_Segment 10.77.0.255:4803 { here 10.77.0.1 there 10.78.0.1 }\nTransport = unicast\n',
      `${address} && ip route add prohibit 10.78.0.0/24`,
    );
    expect(await eventuallySaid(log, ({ cause }) => cause === 'forbidden')).toMatchObject({
      errno: 'EACCES',
      to: '10.78.0.1 (there)',
    });
  });

  it.each([
    ['blackhole', 'EINVAL', 'wrongAddress'],
    ['unreachable', 'EHOSTUNREACH', 'unreachable'],
  ])('with a %s route it is %s', async (kind, errno, cause) => {
    const { log } = daemonInNamespace(
      'Spread_Segment 10.77.0.255:4803 { here 10.77.0.1 there 10.78.0.1 }\nTransport = unicast\n',
      `${address} && ip route add ${kind} 10.78.0.0/24`,
    );
    expect(await eventuallySaid(log, (line) => line.errno !== undefined)).toMatchObject({
      errno,
      cause,
      to: '10.78.0.1 (there)',
    });
  });

  it('an address that the machine does not have keeps the daemon from starting, and is named with its socket', async () => {
    const { log, ended } = daemonInNamespace(
      'Spread_Segment 10.77.0.255:4803 { here 10.77.0.2 there 10.77.0.3 }\nTransport = unicast\n',
      address,
    );
    expect(await ended).toBe(1);
    expect(log.at(-1)!.msg).toMatch(
      /skein: Spread_Segment: cannot open the UDP socket for data and monitors of daemon here \(segment 10\.77\.0\.255:4803\) at 10\.77\.0\.2:4803: EADDRNOTAVAIL, it is not an address of this machine/,
    );
  });
});
