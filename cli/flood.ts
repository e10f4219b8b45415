import { type Command, Option } from 'commander';
import type { Service } from '../client/index.ts';
import { MAX_CLIENT_BODY_LENGTH, NAME_FIELD_LENGTH } from '../engine/wire/limits.ts';
import { byteCount, duration, groupName, integer, SERVICES } from './arguments.ts';
import { addConnectionOptions, type ConnectionFlags, openSession } from './connection.ts';
import { CliError, ExitCode } from './exit.ts';
import { type FloodResult, FloodRun, STAMP_BYTES } from './flood/flood-run.ts';
import { Progress } from './progress.ts';
import { aborted, stopSignal } from './stop-signal.ts';
import { counted, grouped, seconds } from './text.ts';

interface FloodFlags extends ConnectionFlags {
  readonly senders: number;
  readonly receivers: number;
  readonly size: number;
  readonly count?: number;
  readonly duration?: number;
  readonly service: Service;
  readonly window: number;
  readonly rate?: number;
  readonly group?: string;
  readonly json?: true;
}

const DEFAULT_COUNT = 100_000;

const HELP = `
All senders send to one group, which all receivers join. No sender is more than
--window messages ahead of the slowest receiver, so the daemon ends none of
them. Latency is the time from just before sending to just after receiving. With
a large window it is mostly queueing; --window 1 or --rate show the path itself.
For comparisons use the benchmarks (npm run bench).

Examples:
  skein flood
  skein flood --senders 4 --receivers 4 --size 1K --duration 10s
  skein flood --rate 1000 --count 5000 --service safe --json`;

export function registerFlood(program: Command): void {
  const maxSize = MAX_CLIENT_BODY_LENGTH - NAME_FIELD_LENGTH;
  const command = program
    .command('flood')
    .description('send as fast as the daemon accepts, and report the rate')
    .addOption(new Option('--senders <n>', 'sessions that send').argParser(integer(1, 200)).default(1))
    .addOption(new Option('--receivers <n>', 'sessions that receive').argParser(integer(1, 200)).default(1))
    .addOption(
      new Option('--size <bytes>', 'size of a message').argParser(byteCount(STAMP_BYTES, maxSize)).default(1000),
    )
    .option('--count <n>', `messages of each sender (default: ${DEFAULT_COUNT})`, integer(1, 2 ** 32 - 1))
    .addOption(
      new Option('--duration <time>', 'time to send, instead of --count').argParser(duration).conflicts('count'),
    )
    .addOption(new Option('--service <service>', 'order and reliability').choices(SERVICES).default('agreed'))
    .addOption(
      new Option('--window <n>', 'limit of messages that the slowest receiver has not received yet')
        .argParser(integer(1, 100_000))
        .default(512),
    )
    .option('--rate <n>', 'messages a second of each sender (default: as fast as possible)', integer(1, 1_000_000))
    .option('-g, --group <group>', 'group to send to (default: one of its own)', groupName)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP);
  addConnectionOptions(command).action(flood);
}

async function flood(flags: FloodFlags): Promise<void> {
  if (flags.name !== undefined)
    throw new CliError('--name: flood opens several sessions and takes no name', ExitCode.Usage);
  const stop = stopSignal();
  const group = flags.group ?? `flood-${process.pid}`;
  const run = new FloodRun({
    group,
    service: flags.service,
    sizeBytes: flags.size,
    countEach: flags.duration === undefined ? (flags.count ?? DEFAULT_COUNT) : Number.POSITIVE_INFINITY,
    durationMs: flags.duration ?? Number.POSITIVE_INFINITY,
    windowEach: Math.max(1, Math.floor(flags.window / flags.senders)),
    ratePerSecond: flags.rate ?? null,
  });
  const progress = new Progress();
  try {
    for (let i = 0; i < flags.receivers; i++) {
      await run.addReceiver(await openSession(flags, { membership: true, signal: stop }));
    }
    for (let i = 0; i < flags.senders; i++) {
      run.addSender(await openSession(flags, { membership: false, signal: stop }));
    }
    aborted(stop).then(() => run.stopSending());
    const result = await run.run((sent, delivered) =>
      progress.update(() => `${counted(sent, 'message')} sent, ${grouped(delivered)} delivered`),
    );
    progress.clear();
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(asJson(result, flags, group))}\n` : asText(result, flags, group),
    );
  } finally {
    progress.clear();
    await run.close();
  }
}

function asJson(result: FloodResult, { senders, receivers, size, service, window }: FloodFlags, group: string): object {
  return { senders, receivers, sizeBytes: size, service, window, group, ...result };
}

function asText(result: FloodResult, flags: FloodFlags, group: string): string {
  const { sent, delivered, elapsedMs, sentPerSecond, deliveredPerSecond, bytesPerSecond, latencyMs, lost } = result;
  const setup = `${counted(flags.senders, 'sender')}, ${counted(flags.receivers, 'receiver')}, ${counted(flags.size, 'byte')}, ${flags.service}, group ${group}, window ${flags.window}`;
  const { p50, p90, p99, p999, max } = latencyMs;
  return [
    setup,
    `sent       ${counted(sent, 'message')} in ${seconds(elapsedMs)}: ${grouped(sentPerSecond)} messages/s`,
    `delivered  ${counted(delivered, 'message')}: ${grouped(deliveredPerSecond)} messages/s, ${(bytesPerSecond / 1e6).toFixed(1)} MB/s`,
    ...(lost > 0 ? [`lost       ${counted(lost, 'message')}`] : []),
    `latency    p50 ${ms(p50)}  p90 ${ms(p90)}  p99 ${ms(p99)}  p99.9 ${ms(p999)}  max ${ms(max)}`,
    '',
  ].join('\n');
}

const ms = (value: number): string => `${value < 10 ? value.toFixed(3) : value.toFixed(1)} ms`;
