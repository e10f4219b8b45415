import { createReadStream } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Service, Session, Target } from '../client/index.ts';
import { MAX_CLIENT_BODY_LENGTH, NAME_FIELD_LENGTH } from '../engine/wire/limits.ts';
import { integer, messageType, SERVICES, targetNames } from './arguments.ts';
import { addConnectionOptions, type ConnectionFlags, lost, openSession } from './connection.ts';
import { CliError } from './exit.ts';
import { followLines } from './lines/follow-lines.ts';
import { LineSplitter } from './lines/line-splitter.ts';
import { Pacer } from './pacer.ts';
import { Progress } from './progress.ts';
import { aborted, stopSignal } from './stop-signal.ts';
import { counted, grouped, seconds } from './text.ts';

interface PublishFlags extends ConnectionFlags {
  readonly file?: string;
  readonly follow?: string;
  readonly sinceNow?: true;
  readonly service: Service;
  readonly type: number;
  readonly rate?: number;
  readonly batch: number;
  readonly json?: true;
  readonly quiet?: true;
}

const HELP = `
A line is one message, without its newline. With --follow the file is read as it grows, until SIGINT; a file that is
rotated, by renaming or by truncation, is followed on. The daemon's pace is this command's: it reads no faster than it can send.

Examples:
  echo hello | skein publish news
  skein publish news archive --file events.txt --rate 1000
  skein publish web.access --follow /var/log/nginx/access.log --since-now`;

export function registerPublish(program: Command): void {
  const command = program
    .command('publish')
    .description('send lines to groups')
    .argument('<group...>', 'groups or private names; each line goes to all of them, once', targetNames)
    .option('-f, --file <file>', 'take the lines from a file (default: from standard input)')
    .addOption(new Option('--follow <file>', 'take the lines from a file that grows').conflicts('file'))
    .option('--since-now', 'with --follow: leave out what the file holds already')
    .addOption(new Option('--service <service>', 'order and reliability').choices(SERVICES).default('agreed'))
    .addOption(new Option('--type <n>', 'message type').argParser(messageType).default(0))
    .option('--rate <n>', 'send at most so many lines a second', integer(1, 10_000_000))
    .addOption(
      new Option('--batch <n>', 'put up to so many waiting lines into one message')
        .argParser(integer(1, 100_000))
        .default(1),
    )
    .option('--json', 'print the summary as JSON on standard output')
    .option('-q, --quiet', 'no summary')
    .addHelpText('after', HELP);
  addConnectionOptions(command).action(publish);
}

interface Totals {
  lines: number;
  messages: number;
  bytes: number;
}

async function publish(groups: readonly string[], flags: PublishFlags): Promise<void> {
  if (flags.sinceNow === true && flags.follow === undefined)
    throw new CliError('--since-now needs --follow: only a growing file has a now', 2);
  const stop = stopSignal();
  const session = await openSession(flags, { membership: false, signal: stop });
  // Nothing is expected, and what strangers send to the private name must not fill the queue.
  session.onBatch(() => undefined);
  const target = session.target(groups, { service: flags.service, type: flags.type });
  const maxBytes = MAX_CLIENT_BODY_LENGTH - NAME_FIELD_LENGTH * groups.length;
  const totals: Totals = { lines: 0, messages: 0, bytes: 0 };
  const startedMs = performance.now();
  const progress = new Progress();
  const published = sendAll(session, target, lineSource(flags, maxBytes, stop), {
    maxBytes,
    batch: flags.batch,
    pacer: flags.rate === undefined ? null : new Pacer(flags.rate),
    totals,
    sent: () => progress.update(() => `${counted(totals.lines, 'line')} sent`),
  });
  try {
    // Lines that are at hand when the signal comes still go; standard input may never end.
    await Promise.race([published, lost(session), flags.follow === undefined ? aborted(stop) : published]);
    await session.flushed();
  } finally {
    progress.clear();
    await session.close();
  }
  report(totals, performance.now() - startedMs, flags);
}

async function* lineSource(
  flags: PublishFlags,
  maxLineBytes: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Buffer[], void> {
  if (flags.follow !== undefined) {
    yield* followLines(flags.follow, { fromEnd: flags.sinceNow === true, maxLineBytes, signal });
    return;
  }
  const splitter = new LineSplitter(maxLineBytes);
  const stream = flags.file === undefined ? process.stdin : createReadStream(flags.file, { highWaterMark: 256 * 1024 });
  for await (const chunk of stream) yield splitter.push(chunk as Buffer);
  const rest = splitter.end();
  if (rest !== null) yield [rest];
}

interface Sending {
  readonly maxBytes: number;
  readonly batch: number;
  readonly pacer: Pacer | null;
  readonly totals: Totals;
  readonly sent: () => void;
}

const NEWLINE = Buffer.from('\n');

/** Sends every line of `source`, at the daemon's pace. */
async function sendAll(
  session: Session,
  target: Target,
  source: AsyncIterable<readonly Buffer[]>,
  { maxBytes, batch, pacer, totals, sent }: Sending,
): Promise<void> {
  for await (const lines of source) {
    for (let i = 0; i < lines.length; ) {
      const message = [lines[i++]!];
      let bytes = message[0]!.length;
      let count = 1;
      for (; count < batch && i < lines.length && bytes + 1 + lines[i]!.length <= maxBytes; count++) {
        message.push(NEWLINE, lines[i]!);
        bytes += 1 + lines[i++]!.length;
      }
      const wait = pacer?.waitFor(count);
      if (wait != null) await wait;
      const accepted = target.send(count === 1 ? message[0]! : message);
      totals.lines += count;
      totals.messages++;
      totals.bytes += bytes;
      if (!accepted) {
        sent();
        await session.drained();
      }
    }
    sent();
  }
}

function report({ lines, messages, bytes }: Totals, elapsedMs: number, flags: PublishFlags): void {
  const linesPerSecond = Math.round((lines * 1000) / Math.max(elapsedMs, 1));
  if (flags.json === true) {
    const summary = { lines, messages, bytes, seconds: elapsedMs / 1000, linesPerSecond };
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  } else if (flags.quiet !== true) {
    const size = `${counted(messages, 'message')}, ${counted(bytes, 'byte')}`;
    process.stderr.write(
      `skein: published ${counted(lines, 'line')} (${size}) in ${seconds(elapsedMs)}, ${grouped(linesPerSecond)} lines/s\n`,
    );
  }
}
