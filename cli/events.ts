import { setTimeout as delay } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { EventKind, LoggedEvent } from '../daemon/http/status-types.ts';
import { printError } from './standard-output.ts';
import { stopSignal } from './stop-signal.ts';
import { stopText } from './stop-text.ts';
import { compactly, printable } from './text.ts';
import { addWatchOptions, type WatchFlags, watchedDaemon } from './watch/watch-flags.ts';
import type { WatchedDaemon } from './watch/watched-daemon.ts';

interface EventsFlags extends WatchFlags {
  readonly kind?: readonly EventKind[];
  readonly follow: boolean;
  readonly json?: true;
}

const KINDS: readonly EventKind[] = ['membership', 'slow', 'recovered', 'session-ended', 'daemon'];
const RETRY_MS = 2000;

const HELP = `
Prints the events that the daemon remembers, at most a hundred, and those that
come, one a line: changes of the membership, clients that read too slowly and
recover, sessions that the daemon ends. It reconnects after a lost connection,
and continues where it was.

Examples:
  skein events
  skein events --kind slow session-ended --json
  skein events --no-follow`;

export function registerEvents(program: Command): void {
  addWatchOptions(
    program
      .command('events')
      .description('follow membership, slow clients and ended sessions of a daemon')
      .addOption(new Option('--kind <kinds...>', 'only these').choices(KINDS))
      .option('--no-follow', 'print what is remembered, and end')
      .option('--json', 'print each event as a line of JSON'),
  )
    .addHelpText('after', HELP)
    .action(events);
}

async function events(flags: EventsFlags, command: Command): Promise<void> {
  const daemon = await watchedDaemon(flags, command);
  try {
    await follow(daemon, flags);
  } finally {
    await daemon.close();
  }
}

async function follow(daemon: WatchedDaemon, flags: EventsFlags): Promise<void> {
  const print = (event: LoggedEvent): void => {
    if (flags.kind !== undefined && !flags.kind.includes(event.kind)) return;
    process.stdout.write(`${flags.json === true ? JSON.stringify(event) : eventText(event)}\n`);
  };
  if (!flags.follow) {
    for (const event of (await daemon.status()).events) print(event);
    return;
  }
  const stop = stopSignal();
  let after = '0';
  let run = '';
  let isFirst = true;
  while (!stop.aborted) {
    try {
      for await (const { id, kind, data } of daemon.events(after, stop)) {
        if (kind === 'hello') {
          // A restarted daemon numbers its events from 1, and none of them has been printed.
          const { startedAt } = (JSON.parse(data) as { readonly daemon: { readonly startedAt: number } }).daemon;
          const isAnother = run !== '' && run !== String(startedAt);
          run = String(startedAt);
          if (isAnother && after !== '0') {
            after = '0';
            break;
          }
          continue;
        }
        after = id;
        print(JSON.parse(data) as LoggedEvent);
      }
    } catch (error) {
      // Retry only after a first success: a wrong address must be an error.
      if (isFirst) throw error;
    }
    if (stop.aborted) return;
    if (after !== '0') printError(`skein: connection to ${daemon.label} lost; trying again`);
    isFirst = false;
    await delay(RETRY_MS, undefined, { signal: stop }).catch(() => undefined);
  }
}

/** `2026-11-27T12:31:44.123Z membership ring 7 of 2: berlin paris; left: tokyo`. */
function eventText(event: LoggedEvent): string {
  return `${new Date(event.at).toISOString()} ${event.kind.padEnd(13)} ${printable(describe(event))}`;
}

function describe(event: LoggedEvent): string {
  switch (event.kind) {
    case 'membership': {
      const { ringSeq, members, joined, left } = event;
      const changes = [
        ...(joined.length === 0 ? [] : [`; joined: ${joined.join(' ')}`]),
        ...(left.length === 0 ? [] : [`; left: ${left.join(' ')}`]),
      ];
      return `ring ${ringSeq} of ${members.length}: ${members.join(' ')}${changes.join('')}`;
    }
    case 'slow':
      return `${event.session} (${event.peer}) reads too slowly: ${compactly(event.waitingBytes, 'byte')} waiting`;
    case 'recovered':
      return `${event.session} (${event.peer}) has caught up`;
    case 'session-ended':
      return `${event.session} (${event.peer}): ${event.reason}; ${compactly(event.waitingBytes, 'byte')} waited`;
    case 'daemon':
      if (event.what === 'started') return 'the daemon started';
      return event.what === 'stopped'
        ? `the daemon stopped: ${stopText(event.report)}`
        : 'the daemon drains, and will end';
  }
}
