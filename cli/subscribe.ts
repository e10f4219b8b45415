import { once } from 'node:events';
import type { Command } from 'commander';
import type { Batch, Session } from '../client/index.ts';
import { groupNames, integer, messageType } from './arguments.ts';
import { addConnectionOptions, type ConnectionFlags, openSession } from './connection.ts';
import { controlLine, eventToJson, isOwnJoin } from './format-event.ts';
import { aborted, stopSignal } from './stop-signal.ts';
import { ViewChanges } from './view-changes.ts';

interface SubscribeFlags extends ConnectionFlags {
  readonly json?: true;
  readonly membership?: true;
  readonly count?: number;
  readonly sinceNow?: true;
  readonly type?: number;
}

const HELP = `
Text output is the data of each message and a newline; views, with --membership,
are lines that begin with "#". JSON output is one object for each line:
  {"kind":"message","groups":[...],"sender":...,"service":...,"type":...,
   "data":...}
on one line, with "dataBase64" instead of "data" when the data is not UTF-8.

Examples:
  skein subscribe news
  skein subscribe web.4xx web.5xx --json | jq -r .data
  skein subscribe news --count 10 --since-now`;

export function registerSubscribe(program: Command): void {
  const command = program
    .command('subscribe')
    .description('print the messages of groups')
    .argument('<group...>', 'groups to join', groupNames)
    .option('--json', 'print JSON, one object for each line')
    .option('--membership', 'also print views (who came, who went), transitional signals and refusals')
    .option('--count <n>', 'end after N messages', integer(1, Number.MAX_SAFE_INTEGER))
    .option('--since-now', 'print nothing from before this session is in all groups')
    .option('--type <n>', 'only messages of this type', messageType)
    .addHelpText('after', HELP);
  addConnectionOptions(command).action(subscribe);
}

async function subscribe(groups: readonly string[], flags: SubscribeFlags): Promise<void> {
  const stop = stopSignal();
  const membership = flags.membership === true || flags.sinceNow === true;
  const session = await openSession(flags, { membership, signal: stop });
  const printer = new EventPrinter(session, groups, flags);
  const ended = Promise.race([printer.done, once(session, 'close').then(() => undefined), aborted(stop)]);
  const failed = new Promise<never>((_, reject) => {
    session.once('error', reject);
  });
  try {
    session.onBatch((batch) => printer.print(batch));
    await Promise.race([Promise.all(groups.map((group) => session.join(group))), ended, failed]);
    await Promise.race([ended, failed]);
  } finally {
    await session.close();
  }
}

const NEWLINE = Buffer.from('\n');

/** Writes each batch to standard output with one write, and pauses the session while the output is full. */
class EventPrinter {
  readonly done: Promise<void>;
  readonly #session: Session;
  readonly #flags: SubscribeFlags;
  /** Groups whose own join has not come yet. `--since-now` drops messages until this is empty. */
  readonly #awaited: Set<string>;
  readonly #changes = new ViewChanges();
  #left: number;
  #finish: () => void = () => undefined;

  constructor(session: Session, groups: readonly string[], flags: SubscribeFlags) {
    this.#session = session;
    this.#flags = flags;
    this.#awaited = new Set(flags.sinceNow === true ? groups : []);
    this.#left = flags.count ?? Number.POSITIVE_INFINITY;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  print(batch: Batch): void {
    const parts: Buffer[] = [];
    while (this.#left > 0 && batch.next()) {
      if (batch.kind === 'message') this.#message(batch, parts);
      else this.#control(batch, parts);
    }
    if (parts.length > 0 && !process.stdout.write(Buffer.concat(parts))) {
      this.#session.pause();
      process.stdout.once('drain', () => this.#session.resume());
    }
    if (this.#left === 0) this.#finish();
  }

  #message(batch: Batch, parts: Buffer[]): void {
    if (this.#awaited.size > 0) return;
    if (this.#flags.type !== undefined && batch.type !== this.#flags.type) return;
    this.#left--;
    if (this.#flags.json === true) parts.push(jsonLine(eventToJson(batch.event(), this.#changes)));
    else parts.push(batch.data(), NEWLINE);
  }

  #control(batch: Batch, parts: Buffer[]): void {
    const event = batch.event();
    if (event.kind === 'message') return;
    if (event.kind === 'membership' && isOwnJoin(event, this.#session)) this.#awaited.delete(event.group);
    if (this.#flags.membership !== true) return;
    if (this.#flags.json === true) parts.push(jsonLine(eventToJson(event, this.#changes)));
    else parts.push(Buffer.from(`${controlLine(event, this.#changes)}\n`));
  }
}

const jsonLine = (value: object): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
