/**
 * A replicated log: a state machine that appends the messages of a group in their agreed order. Replicas that stay together get the same
 * messages in the same order, so they stay equal without another protocol.
 *
 * Two rules make it survive crashes and partitions:
 * - Only a majority appends. A replica in a minority misses what the others append, so its log is out of date.
 * - A replica that is out of date and enters a majority asks its peers for the log as it was at that view. A view has the same place in the
 *   order at all members, so the peer's log up to the view and the messages after it are the whole log.
 */
import { createHash } from 'node:crypto';
import { connect, type Membership, type Message, type Session } from '../../index.ts';
import { NAMES } from './daemons.ts';

export const LOG_GROUP = 'log';
const MAJORITY = Math.floor(NAMES.length / 2) + 1;

/** Message types. */
const ENTRY = 0;
const ASK = 1;
const STATE = 2;
const STATE_END = 3;
/** Part of a log in one message to a peer; well below the longest message. */
const CHUNK_CHARACTERS = 32_000;

export class Replica {
  /** Members of the last view. */
  members: readonly string[] = [];
  readonly #session: Session;
  readonly #told: (line: string) => void;
  #entries: string[] = [];
  /** Whether the log has everything that the majority appended. */
  #isCurrent: boolean;
  /** Whether there was a majority before. Until then the founders' empty logs are complete. */
  #hasBegun = false;
  /** Length of the log at each view, for peers that ask for the log at that view. */
  readonly #lengthAt = new Map<string, number>();
  /** The view whose log this replica has requested; null: none. Entries since then wait. */
  #awaited: string | null = null;
  #since: string[] = [];
  /** By peer: the part of its log that has arrived. */
  readonly #parts = new Map<string, string>();
  readonly #watchers = new Set<() => void>();

  /** @param isFounder one of the replicas that begin together with an empty log; others request the log */
  private constructor(session: Session, isFounder: boolean, told: (line: string) => void) {
    this.#session = session;
    this.#isCurrent = isFounder;
    this.#told = told;
  }

  static async start(address: string, isFounder: boolean, told: (line: string) => void): Promise<Replica> {
    const session = await connect({ address, name: 'replica' });
    const replica = new Replica(session, isFounder, told);
    session.on('membership', (view) => replica.#view(view));
    session.on('message', (message) => replica.#message(message));
    session.on('transition', () => told('signal: the network is changing'));
    session.on('error', (error) => told(`connection lost (${error.code})`));
    await session.join(LOG_GROUP);
    return replica;
  }

  get isCurrent(): boolean {
    return this.#isCurrent;
  }

  get length(): number {
    return this.#entries.length;
  }

  has(entry: string): boolean {
    return this.#entries.includes(entry);
  }

  hash(): string {
    return createHash('sha256').update(this.#entries.join('\n')).digest('hex');
  }

  /** Resolves when the condition holds. It is checked after each event. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    });
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #view(view: Membership): void {
    const id = String(view.viewId);
    this.members = view.members;
    this.#told(`view ${id} by ${view.cause}: ${view.members.map(daemonOf).join(' ')}`);
    const isMajority = view.members.length >= MAJORITY;
    if (isMajority) this.#hasBegun = true;
    else if (this.#hasBegun) this.#isCurrent = false;
    if (this.#isCurrent) this.#lengthAt.set(id, this.#entries.length);
    else if (isMajority) this.#ask(id, view.members);
    else this.#told('in a minority: appends nothing');
    this.#changed();
  }

  #message(message: Message): void {
    const text = message.data.toString();
    if (message.type === ENTRY) this.#append(`${message.sender} ${text}`);
    else if (message.type === ASK) this.#answer(message.sender, text);
    else this.#state(text, message.type === STATE_END);
    this.#changed();
  }

  #append(entry: string): void {
    if (this.#isCurrent) {
      if (this.members.length >= MAJORITY) this.#entries.push(entry);
    } else this.#since.push(entry);
  }

  #ask(view: string, members: readonly string[]): void {
    const peers = members.filter((member) => member !== this.#session.privateName);
    this.#told(`out of date: asks ${peers.map(daemonOf).join(' and ')} for the log`);
    this.#awaited = view;
    this.#since = [];
    this.#session.multicast(peers, view, { service: 'fifo', type: ASK });
  }

  #answer(peer: string, view: string): void {
    const length = this.#lengthAt.get(view);
    if (!this.#isCurrent || length === undefined) return;
    const text = JSON.stringify({ view, entries: this.#entries.slice(0, length) });
    this.#told(`sends ${length} entries to ${daemonOf(peer)}`);
    for (let from = 0; from < text.length; from += CHUNK_CHARACTERS) {
      const type = from + CHUNK_CHARACTERS < text.length ? STATE : STATE_END;
      // The sender's name tells the chunks of different peers apart.
      const chunk = { from: this.#session.privateName, text: text.slice(from, from + CHUNK_CHARACTERS) };
      this.#session.multicast(peer, JSON.stringify(chunk), { service: 'fifo', type });
    }
  }

  #state(chunk: string, isLast: boolean): void {
    const { from, text } = JSON.parse(chunk) as { readonly from: string; readonly text: string };
    const whole = (this.#parts.get(from) ?? '') + text;
    this.#parts.set(from, isLast ? '' : whole);
    if (!isLast || this.#isCurrent) return;
    const { view, entries } = JSON.parse(whole) as { readonly view: string; readonly entries: string[] };
    if (view !== this.#awaited) return;
    this.#entries = [...entries, ...this.#since];
    this.#told(`rebuilt: ${entries.length} entries from ${daemonOf(from)} and ${this.#since.length} since that view`);
    this.#isCurrent = true;
    this.#awaited = null;
    this.#since = [];
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** `#replica#d2` is `d2`'s. */
const daemonOf = (member: string): string => member.slice(member.lastIndexOf('#') + 1);
