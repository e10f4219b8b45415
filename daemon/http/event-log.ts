/** The last hundred things that an operator follows: membership, slow consumers, sessions that the daemon ended. In memory only. */
import type { DaemonEvent } from '../../workers/daemon-event.ts';
import { MAX_EVENTS } from './http-limits.ts';
import type { EventKind, LoggedEvent } from './status-types.ts';

type Unnumbered<T> = T extends unknown ? Omit<T, 'id' | 'at'> : never;
export type NewEvent = Unnumbered<LoggedEvent>;

export class EventLog {
  readonly #events: LoggedEvent[] = [];
  readonly #listeners = new Set<(event: LoggedEvent) => void>();
  readonly #totals = new Map<EventKind, number>();
  #lastId = 0;
  #members: readonly string[] = [];

  add(event: NewEvent): void {
    const logged = { id: ++this.#lastId, at: Date.now(), ...event } as LoggedEvent;
    this.#events.push(logged);
    if (this.#events.length > MAX_EVENTS) this.#events.shift();
    this.#totals.set(event.kind, (this.#totals.get(event.kind) ?? 0) + 1);
    for (const listener of this.#listeners) listener(logged);
  }

  /** What an agent told. */
  told(event: DaemonEvent): void {
    if (event.kind === 'session-ended') {
      const { name, peer, cause, reason, waitingBytes, waitingMessages } = event.session;
      this.add({ kind: 'session-ended', session: name, peer, cause, reason, waitingBytes, waitingMessages });
      return;
    }
    const { ringSeq, members } = event;
    const before = this.#members;
    this.#members = members;
    const joined = members.filter((name) => !before.includes(name));
    const left = before.filter((name) => !members.includes(name));
    this.add({ kind: 'membership', ringSeq, members, joined, left });
  }

  /** Oldest first. @param after only those with a higher number */
  list(after = 0): readonly LoggedEvent[] {
    return this.#events.filter(({ id }) => id > after);
  }

  /** Those a client has not seen. @param id of the last that it has; one of another run is higher than ours, or means nothing */
  listAfter(id: number): readonly LoggedEvent[] {
    return this.list(id > this.#lastId ? 0 : id);
  }

  /** Since the start, with those that are forgotten. */
  total(kind: EventKind): number {
    return this.#totals.get(kind) ?? 0;
  }

  /** @returns how to end it */
  listen(listener: (event: LoggedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
