import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { Service, Session, Target } from '../client/index.ts';
import { fileReason } from '../daemon/file-reason.ts';
import { MAX_CLIENT_BODY_LENGTH, NAME_FIELD_LENGTH } from '../engine/wire/limits.ts';
import { integer, messageType, SERVICES, targetNames } from './arguments.ts';
import { addConnectionOptions, type ConnectionFlags, lost, openSession } from './connection.ts';
import { CliError, describeFailure, ExitCode } from './exit.ts';
import { followLines, NotAFileError } from './lines/follow-lines.ts';
import { LineNotes, withoutCarriageReturns } from './lines/line-notes.ts';
import { LineSplitter, LineTooLongError, LONG_LINE_POLICIES, type LongLinePolicy } from './lines/line-splitter.ts';
import { streamChunks } from './lines/stream-chunks.ts';
import { Pacer } from './pacer.ts';
import { Progress } from './progress.ts';
import { PublishMarks } from './publish-marks.ts';
import { printError } from './standard-output.ts';
import { aborted, stopSignal } from './stop-signal.ts';
import { counted, grouped, seconds } from './text.ts';

interface PublishFlags extends ConnectionFlags {
  readonly file?: string;
  readonly follow?: string;
  readonly sinceNow?: true;
  readonly longLines: LongLinePolicy;
  readonly crlf?: true;
  readonly service: Service;
  readonly type: number;
  readonly rate?: number;
  readonly batch: number;
  readonly json?: true;
  readonly quiet?: true;
}

const HELP = `
Each line is one message, without its newline. Lines are read no faster than the
daemon accepts them. A line that is too long for a message is skipped, with a
warning; --long-lines changes that.

With --follow the file is read as it grows, until SIGINT. It may be rotated, by
renaming or truncation, and may be missing for a while.

The first SIGINT or SIGTERM ends the reading. The exit code is 0 when the daemon
has confirmed all lines that were read, otherwise 1.

Examples:
  echo hello | skein publish news
  skein publish news archive --file events.txt --rate 1000
  skein publish web.access --follow /var/log/nginx/access.log --since-now`;

export function registerPublish(program: Command): void {
  const command = program
    .command('publish')
    .description('send lines to groups')
    .argument('<group...>', 'groups or private names; each line goes once to all of them', targetNames)
    .option('-f, --file <file>', 'read lines from a file (default: standard input)')
    .addOption(new Option('--follow <file>', 'read lines from a growing file').conflicts('file'))
    .addOption(
      new Option('--long-lines <what>', 'how to treat a line that is too long for a message')
        .choices(LONG_LINE_POLICIES)
        .default('skip'),
    )
    .option('--crlf', 'remove a CR at the end of a line')
    .option('--since-now', 'with --follow: skip the present content of the file')
    .addOption(new Option('--service <service>', 'order and reliability').choices(SERVICES).default('agreed'))
    .addOption(new Option('--type <n>', 'message type').argParser(messageType).default(0))
    .option('--rate <n>', 'send at most N lines a second', integer(1, 10_000_000))
    .addOption(
      new Option('--batch <n>', 'put up to N waiting lines into one message').argParser(integer(1, 100_000)).default(1),
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

/** How long a stopped command waits for the daemon to confirm what was sent. */
const STOP_PATIENCE_MS = 5000;

async function publish(groups: readonly string[], flags: PublishFlags): Promise<void> {
  if (flags.sinceNow === true && flags.follow === undefined)
    throw new CliError('--since-now needs --follow: it skips the present content of a growing file', ExitCode.Usage);
  const stop = stopSignal();
  const session = await openSession(flags, { membership: false, signal: stop });
  const marks = new PublishMarks(session);
  const target = session.target(groups, { service: flags.service, type: flags.type });
  const maxBytes = MAX_CLIENT_BODY_LENGTH - NAME_FIELD_LENGTH * groups.length;
  const totals: Totals = { lines: 0, messages: 0, bytes: 0 };
  const progress = new Progress();
  const warn = (text: string): void => {
    progress.clear();
    printError(`skein: ${text}`);
  };
  const notes = new LineNotes(flags.longLines, maxBytes, warn);
  const startedMs = performance.now();
  const published = sendAll(session, target, lineSource(flags, maxBytes, notes, warn, stop), {
    maxBytes,
    batch: flags.batch,
    pacer: flags.rate === undefined ? null : new Pacer(flags.rate),
    totals,
    notes,
    stop,
    sent: () => {
      marks.sent(totals.lines);
      progress.update(() => `${counted(totals.lines, 'line')} sent`);
    },
  }).then(() => marks.confirm(totals.lines));
  let failure: unknown = null;
  try {
    await Promise.race([published, lost(session), overdue(stop)]);
  } catch (error) {
    failure = error;
  }
  progress.clear();
  // Lines that were sent are confirmed even if the rest cannot be read, within the same time limit.
  if (failure !== null && marks.confirmed < totals.lines && !session.closed)
    await Promise.race([marks.confirm(totals.lines), lost(session), delay(STOP_PATIENCE_MS)]).catch(() => undefined);
  if (stop.aborted && marks.confirmed < totals.lines) session.destroy();
  await session.close();
  if (failure === null) report(totals, notes, performance.now() - startedMs, flags);
  else throw asFailure(failure, totals, marks, notes);
}

/** Rejects when the daemon has not confirmed everything within the time limit after a stop. */
async function overdue(stop: AbortSignal): Promise<never> {
  await aborted(stop);
  await delay(STOP_PATIENCE_MS, undefined, { ref: false });
  throw new CliError(`stopped, but the daemon did not accept everything within ${STOP_PATIENCE_MS / 1000} s`);
}

/** The failure, with the number of lines sent and confirmed. */
function asFailure(failure: unknown, { lines }: Totals, marks: PublishMarks, notes: LineNotes): Error {
  const isUsage =
    failure instanceof NotAFileError || (failure instanceof CliError && failure.exitCode === ExitCode.Usage);
  if (lines === 0) return isUsage ? new CliError(describeFailure(failure), ExitCode.Usage) : (failure as Error);
  const confirmed =
    marks.confirmed === lines ? 'all of them confirmed' : `${grouped(marks.confirmed)} of them confirmed`;
  const parts = [`${counted(lines, 'line')} sent, ${confirmed}`, ...notes.summary()];
  return new CliError(`${describeFailure(failure)}; ${parts.join('; ')}`, ExitCode.Failure, { cause: failure });
}

async function* lineSource(
  flags: PublishFlags,
  maxLineBytes: number,
  notes: LineNotes,
  warn: (text: string) => void,
  signal: AbortSignal,
): AsyncGenerator<readonly Buffer[], void> {
  const splitting = { maxLineBytes, longLines: flags.longLines, onLongLine: (line: number) => notes.longLine(line) };
  const prepared = (lines: readonly Buffer[]): readonly Buffer[] => {
    const own = flags.crlf === true ? withoutCarriageReturns(lines) : lines;
    notes.look(own);
    return own;
  };
  if (flags.follow !== undefined) {
    const path = flags.follow;
    for await (const lines of followLines(path, {
      ...splitting,
      fromEnd: flags.sinceNow === true,
      onNote: (text) => warn(`${path} ${text}`),
      onUnfinished: (bytes) => {
        notes.unfinishedBytes += bytes;
      },
      signal,
    }))
      yield prepared(lines);
    return;
  }
  const splitter = new LineSplitter(splitting);
  const stream = flags.file === undefined ? process.stdin : createReadStream(flags.file, { highWaterMark: 256 * 1024 });
  for await (const chunk of chunksOf(stream, flags.file ?? 'standard input', signal)) {
    yield prepared(splitter.push(chunk));
    splitter.check();
  }
  if (signal.aborted) {
    notes.unfinishedBytes += splitter.restBytes;
    return;
  }
  const rest = splitter.end();
  if (rest !== null) yield prepared([rest]);
}

async function* chunksOf(stream: Readable, name: string, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  try {
    yield* streamChunks(stream, signal);
  } catch (error) {
    if (error instanceof LineTooLongError) throw error;
    throw new CliError(`${name} cannot be read: ${fileReason(error)}`, ExitCode.Failure, { cause: error });
  }
}

interface Sending {
  readonly maxBytes: number;
  readonly batch: number;
  readonly pacer: Pacer | null;
  readonly totals: Totals;
  readonly notes: LineNotes;
  readonly stop: AbortSignal;
  readonly sent: () => void;
}

const NEWLINE = Buffer.from('\n');

/** Sends every line of `source`, at the daemon's pace. */
async function sendAll(
  session: Session,
  target: Target,
  source: AsyncIterable<readonly Buffer[]>,
  { maxBytes, batch, pacer, totals, notes, stop, sent }: Sending,
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
      const waitMs = pacer?.book(count) ?? 0;
      if (waitMs >= 1) {
        await delay(waitMs, undefined, { signal: stop }).catch(() => undefined);
        if (stop.aborted) {
          // A stop must not take hours, and the rate limit still holds: the remaining lines are not sent.
          notes.notSent += count + lines.length - i;
          break;
        }
      }
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

function report({ lines, messages, bytes }: Totals, notes: LineNotes, elapsedMs: number, flags: PublishFlags): void {
  const linesPerSecond = Math.round((lines * 1000) / Math.max(elapsedMs, 1));
  if (flags.json === true) {
    const summary = { lines, messages, bytes, seconds: elapsedMs / 1000, linesPerSecond, ...notes.counts };
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  } else if (flags.quiet !== true) {
    const size = `${counted(messages, 'message')}, ${counted(bytes, 'byte')}`;
    const rate = `in ${seconds(elapsedMs)}, ${grouped(linesPerSecond)} lines/s`;
    const unusual = notes.summary().map((text) => `; ${text}`);
    printError(`skein: published ${counted(lines, 'line')} (${size}) ${rate}${unusual.join('')}`);
  } else if (notes.notSent + notes.unfinishedBytes > 0) {
    printError(`skein: ${notes.summary().join('; ')}`);
  }
}
