import type { Message, ReceivedEvent, SendOptions, Session } from '../../client/index.ts';
import { closestWord } from '../../engine/config/did-you-mean.ts';
import { describeFailure } from '../exit.ts';
import { describeEvent } from '../format-event.ts';
import { counted } from '../text.ts';
import { ViewChanges } from '../view-changes.ts';
import type { LineInput } from './line-input.ts';

export const SHELL_COMMANDS = `  j GROUP              join
  l GROUP              leave
  s GROUP...           send the next line
  m GROUP...           send the next lines, up to an empty one
  b GROUP [N [BYTES]]  send a burst: 10 messages of 100 bytes
  r                    receive: print one event, wait for it if need be
  p                    poll: how many events wait
  e, d                 enable or disable printing events as they come
  ?                    this list
  q                    quit`;

/** Events kept for `r` while printing is disabled; further ones wait in the session, then in the daemon. */
const MOST_HELD = 1000;
/** An empty message of this type to the session itself marks the end of what it sent before. */
const MARK_TYPE = -32_768;
const LONGEST_WAIT_FOR_MARK_MS = 5000;
const BURST = { count: 10, bytes: 100, maxCount: 1_000_000, maxBytes: 100_000 };

/** Spread's interactive client: commands in, events out. */
export class CommandShell {
  readonly #session: Session;
  readonly #input: LineInput;
  readonly #options: SendOptions;
  readonly #held: ReceivedEvent[] = [];
  readonly #changes = new ViewChanges();
  #printing = true;
  #wanted = 0;
  /** Continues the receive loop, which waits while it holds too many events. */
  #roomMade: (() => void) | null = null;
  #marked: (() => void) | null = null;

  constructor(session: Session, input: LineInput, options: SendOptions) {
    this.#session = session;
    this.#input = input;
    this.#options = options;
  }

  /** Resolves when the user quits or input ends; rejects when the connection is lost. */
  async run(): Promise<void> {
    const receiving = this.#receive();
    this.#input.print(`connected as ${this.#session.privateName}; ? lists the commands`);
    await Promise.race([this.#readCommands(), receiving]);
  }

  async #readCommands(): Promise<void> {
    for (;;) {
      const line = await this.#input.next('skein> ');
      if (line === null) break;
      const [command = '', ...words] = line.trim().split(/\s+/);
      if (command === 'q') break;
      try {
        await this.#execute(command, words);
      } catch (error) {
        if (this.#session.closed) throw error;
        this.#input.print(`error: ${describeFailure(error)}`);
      }
    }
    await this.#untilDelivered();
  }

  async #execute(command: string, words: readonly string[]): Promise<void> {
    switch (command) {
      case '':
        return;
      case 'j':
        return this.#session.join(oneGroup(command, words));
      case 'l':
        return this.#session.leave(oneGroup(command, words));
      case 's':
        return this.#send(someGroups(command, words));
      case 'm':
        return this.#sendLines(someGroups(command, words));
      case 'b':
        return this.#sendBurst(words);
      case 'r':
        this.#wanted++;
        return this.#handOut();
      case 'p':
        this.#input.print(`${counted(this.#held.length, 'event')} waiting`);
        return;
      case 'e':
      case 'd':
        this.#printing = command === 'e';
        return this.#handOut();
      case '?':
      case 'h':
        this.#input.print(SHELL_COMMANDS);
        return;
      default: {
        const meant = closestWord(command, Object.keys(WORDS));
        const hint = meant === null ? '? lists the commands' : `did you mean "${WORDS[meant]}"?`;
        throw new Error(`unknown command "${command}"; ${hint}`);
      }
    }
  }

  async #send(groups: readonly string[]): Promise<void> {
    const text = await this.#input.next('message: ');
    if (text !== null) await this.#multicast(groups, text);
  }

  async #sendLines(groups: readonly string[]): Promise<void> {
    const lines: string[] = [];
    for (let line = await this.#input.next('message, end with an empty line: '); line !== null && line !== ''; ) {
      lines.push(line);
      line = await this.#input.next('');
    }
    if (lines.length > 0) await this.#multicast(groups, `${lines.join('\n')}\n`);
  }

  async #sendBurst([group, countText, bytesText]: readonly string[]): Promise<void> {
    const groups = someGroups('b', group === undefined ? [] : [group]);
    const count = burstNumber('N', countText, BURST.count, BURST.maxCount);
    const bytes = burstNumber('BYTES', bytesText, BURST.bytes, BURST.maxBytes);
    for (let i = 1; i <= count; i++) {
      await this.#multicast(groups, `burst ${i} `.padEnd(bytes, '.').slice(0, bytes));
    }
  }

  async #multicast(groups: readonly string[], text: string): Promise<void> {
    if (!this.#session.multicast(groups, text, this.#options)) await this.#session.drained();
  }

  async #receive(): Promise<void> {
    for await (const event of this.#session) {
      if (event.kind === 'message' && this.#isMark(event)) {
        this.#marked?.();
        continue;
      }
      this.#held.push(event);
      this.#handOut();
      if (this.#held.length >= MOST_HELD) {
        await new Promise<void>((resolve) => {
          this.#roomMade = resolve;
        });
      }
    }
  }

  #handOut(): void {
    while (this.#held.length > 0 && (this.#printing || this.#wanted > 0)) {
      if (this.#wanted > 0) this.#wanted--;
      this.#print(this.#held.shift()!);
    }
    if (this.#held.length >= MOST_HELD) return;
    this.#roomMade?.();
    this.#roomMade = null;
  }

  #print(event: ReceivedEvent): void {
    this.#input.print(describeEvent(event, this.#changes));
    if (event.kind === 'selfLeave') this.#changes.forget(event.group);
  }

  /** Waits for a message to the session itself, which is delivered after everything that was sent before. */
  async #untilDelivered(): Promise<void> {
    this.#printing = true;
    this.#handOut();
    const delivered = new Promise<void>((resolve) => {
      this.#marked = resolve;
    });
    this.#session.multicast(this.#session.privateName, '', { service: 'safe', type: MARK_TYPE });
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LONGEST_WAIT_FOR_MARK_MS);
    });
    await Promise.race([delivered, tooLate]);
    clearTimeout(timer);
  }

  #isMark({ sender, type, data, groups }: Message): boolean {
    const own = this.#session.privateName;
    return sender === own && type === MARK_TYPE && data.length === 0 && groups.length === 1 && groups[0] === own;
  }
}

/** Words that people may type instead of the letters. */
const WORDS: Readonly<Record<string, string>> = {
  join: 'j',
  leave: 'l',
  send: 's',
  multiline: 'm',
  burst: 'b',
  receive: 'r',
  poll: 'p',
  enable: 'e',
  disable: 'd',
  help: '?',
  quit: 'q',
  exit: 'q',
};

function oneGroup(command: string, words: readonly string[]): string {
  if (words.length !== 1) throw new Error(`${command} needs one group, has ${words.length}`);
  return words[0]!;
}

function someGroups(command: string, words: readonly string[]): readonly string[] {
  if (words.length === 0) throw new Error(`${command} needs a group`);
  return words;
}

function burstNumber(field: string, text: string | undefined, absent: number, max: number): number {
  if (text === undefined) return absent;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 1 && value <= max)) throw new Error(`${field} ${text}: must be an integer from 1 to ${max}`);
  return value;
}
