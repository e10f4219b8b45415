import { createInterface } from 'node:readline';
import { type Command, Option } from 'commander';
import type { Service } from '../client/index.ts';
import { messageType, SERVICES } from './arguments.ts';
import { addConnectionOptions, type ConnectionFlags, openSession } from './connection.ts';
import { stopSignal } from './stop-signal.ts';
import { CommandShell, SHELL_COMMANDS } from './user/command-shell.ts';
import { LineInput } from './user/line-input.ts';

interface UserFlags extends ConnectionFlags {
  readonly service: Service;
  readonly type: number;
}

const HELP = `
Commands, as of Spread's spuser:
${SHELL_COMMANDS}

With commands from a pipe there are no prompts, and the program ends when
everything it sent has been delivered.

Examples:
  skein user -u alice
  printf 'j news\\ns news\\nhello\\n' | skein user`;

export function registerUser(program: Command): void {
  const command = program
    .command('user')
    .description('talk to a daemon by hand')
    .addOption(new Option('--service <service>', 'order and reliability').choices(SERVICES).default('safe'))
    .addOption(new Option('--type <n>', 'message type').argParser(messageType).default(1))
    .addHelpText('after', HELP);
  addConnectionOptions(command).action(user);
}

async function user(flags: UserFlags): Promise<void> {
  const stop = stopSignal();
  const session = await openSession(flags, { membership: true, signal: stop });
  const isTerminal = process.stdin.isTTY === true;
  const reader = createInterface({
    input: process.stdin,
    ...(isTerminal ? { output: process.stdout } : {}),
    completer: (line: string) => [completions(line, session.groups), line],
  });
  const input = new LineInput(reader, isTerminal);
  // At a terminal, readline gets Ctrl-C first.
  reader.on('SIGINT', () => reader.close());
  stop.addEventListener('abort', () => reader.close());
  const shell = new CommandShell(session, input, { service: flags.service, type: flags.type });
  try {
    await shell.run();
  } finally {
    reader.close();
    await session.close();
  }
}

/** Completes the last word of a command with the groups of the session. */
function completions(line: string, groups: ReadonlySet<string>): readonly string[] {
  const lastWord = line.lastIndexOf(' ') + 1;
  if (lastWord === 0) return [];
  return [...groups].map((group) => line.slice(0, lastWord) + group).filter((whole) => whole.startsWith(line));
}
