import { AGREED_MESS, CAUSAL_MESS, REGULAR_MESS, SAFE_MESS, SELF_DISCARD } from '../../../engine/wire/service.ts';
import { mix } from '../driver/frame-hash.ts';
import type { EpochTrace } from '../messages.ts';
import {
  BLOCK_HEADER_WORDS,
  BlockFlag,
  listKey,
  RECEIVED_WORDS,
  Received,
  Requested,
  SESSION_ENDS,
  type SessionEnd,
  VIEW_CAUSES,
} from '../records.ts';
import type { SoakShape } from '../shape.ts';
import {
  type GroupRequest,
  type History,
  type SentMessage,
  type SessionHistory,
  type Stray,
  type View,
  walk,
} from './history.ts';

/** Services with a place in the total order when several daemons may give the weaker ones early (section 3.3). */
const STRONG_SERVICES = CAUSAL_MESS | AGREED_MESS | SAFE_MESS;
const SEQUENCES_PER_SERIAL = 2 ** 31;

interface Block {
  readonly serial: number;
  readonly name: number;
  readonly membership: boolean;
  readonly started: boolean;
  readonly end: SessionEnd;
  readonly received: Int32Array;
  readonly requested: Int32Array;
}

interface Draft {
  readonly message: Omit<SentMessage, 'certain'>;
  certain: boolean;
}

interface ViewDraft extends View {
  members: readonly number[] | null;
  id: View['id'];
  hash: number;
  wellFormedSets: boolean;
  cause: View['cause'];
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Makes histories of the traces of successive epochs; remembers between them which groups each session is in. */
export class HistoryBuilder {
  readonly #shape: SoakShape;
  readonly #daemons: number;
  #joined = new Map<number, ReadonlyMap<number, View | null>>();
  #epoch = 0;

  constructor(shape: SoakShape, daemons: number) {
    this.#shape = shape;
    this.#daemons = daemons;
  }

  /** `traces` has what each driver handed over at the end of one epoch. */
  next(traces: readonly EpochTrace[]): History {
    const assembly = new Assembly(traces, this.#shape, this.#daemons, this.#joined, this.#epoch++);
    const history = assembly.history();
    this.#joined = new Map();
    for (const session of history.sessions) {
      if (session.end !== 'alive') continue;
      this.#joined.set(session.serial, joinedAfter(history, session));
    }
    return history;
  }
}

const ignore = (): void => undefined;

/** Groups a session is in at the end of the epoch, by its views or, without the membership flag, its requests. */
function joinedAfter(history: History, session: SessionHistory): ReadonlyMap<number, View | null> {
  if (session.membership) return walk(history, session, { message: ignore, view: ignore, selfLeave: ignore });
  const joined = new Map(session.joinedBefore);
  for (const { kind, group } of session.requests) {
    if (kind === 'join') joined.set(group, null);
    else joined.delete(group);
  }
  return joined;
}

class Assembly {
  readonly #shape: SoakShape;
  readonly #daemons: number;
  readonly #epoch: number;
  readonly #joinedBefore: ReadonlyMap<number, ReadonlyMap<number, View | null>>;
  readonly #blocks: Block[] = [];
  readonly #lists = new Map<number, readonly number[]>();
  readonly #drafts: Draft[] = [];
  /** By serial and sequence number. */
  readonly #messageIndex = new Map<number, number>();
  /** The drafts of each session, in the order sent. */
  readonly #bySender = new Map<number, Draft[]>();
  readonly #views: Mutable<ViewDraft>[] = [];
  readonly #viewIndex = new Map<string, number>();
  /** Views in which a name goes out of a witnessed group, by name and group. */
  readonly #departures = new Map<number, number[]>();
  readonly #strays: Stray[] = [];

  constructor(
    traces: readonly EpochTrace[],
    shape: SoakShape,
    daemons: number,
    joinedBefore: ReadonlyMap<number, ReadonlyMap<number, View | null>>,
    epoch: number,
  ) {
    this.#shape = shape;
    this.#daemons = daemons;
    this.#joinedBefore = joinedBefore;
    this.#epoch = epoch;
    for (const trace of traces) {
      this.#readLists(trace.lists);
      this.#readBlocks(trace.words);
    }
  }

  history(): History {
    const requests = this.#blocks.map((block, index) => this.#readRequests(block, index));
    for (const block of this.#blocks) this.#readViews(block);
    for (const indexes of this.#departures.values())
      indexes.sort((a, b) => (this.#views[a].id?.index ?? 0) - (this.#views[b].id?.index ?? 0));
    const sessions = this.#blocks.map((block, index) => this.#session(block, index, requests[index]));
    this.#settleCertainty();
    return {
      epoch: this.#epoch,
      sessions,
      messages: this.#drafts.map(({ message, certain }) => ({ ...message, certain })),
      views: this.#views,
      strays: this.#strays,
      witnessedGroups: this.#shape.witnessedGroups,
      daemons: this.#daemons,
    };
  }

  #readLists(words: Int32Array): void {
    for (let at = 0; at < words.length; ) {
      const count = words[at + 2];
      this.#lists.set(listKey(words[at], words[at + 1]), Array.from(words.subarray(at + 3, at + 3 + count)));
      at += 3 + count;
    }
  }

  #readBlocks(words: Int32Array): void {
    for (let at = 0; at < words.length; ) {
      const [serial, name, flags, end, receivedLength, requestedLength] = words.subarray(at, at + BLOCK_HEADER_WORDS);
      const received = at + BLOCK_HEADER_WORDS;
      const requested = received + receivedLength;
      this.#blocks.push({
        serial,
        name,
        membership: (flags & BlockFlag.Membership) !== 0,
        started: (flags & BlockFlag.Started) !== 0,
        end: SESSION_ENDS[end],
        received: words.subarray(received, requested),
        requested: words.subarray(requested, requested + requestedLength),
      });
      at = requested + requestedLength;
    }
  }

  #readRequests(block: Block, sender: number): GroupRequest[] {
    const requests: GroupRequest[] = [];
    const sent: Draft[] = [];
    const words = block.requested;
    for (let at = 0; at < words.length; ) {
      if (words[at] !== Requested.Send) {
        requests.push({ kind: words[at] === Requested.Join ? 'join' : 'leave', group: words[at + 1] });
        at += 2;
        continue;
      }
      const [, sequence, bits, hash, open, count] = words.subarray(at, at + 6);
      const targets = words.subarray(at + 6, at + 6 + count);
      const message = {
        sender,
        sequence,
        serviceBits: bits & REGULAR_MESS,
        selfDiscard: (bits & SELF_DISCARD) !== 0,
        open: open === 1,
        hash,
        groups: Array.from(targets.filter((target) => target >= 0)),
        names: Array.from(
          targets.filter((target) => target < 0),
          (target) => -1 - target,
        ),
        ordered: this.#daemons === 1 || (bits & STRONG_SERVICES) !== 0,
      };
      const draft = { message, certain: block.end === 'alive' || block.end === 'closed' };
      this.#messageIndex.set(block.serial * SEQUENCES_PER_SERIAL + sequence, this.#drafts.length);
      this.#drafts.push(draft);
      sent.push(draft);
      at += 6 + count;
    }
    this.#bySender.set(sender, sent);
    return requests;
  }

  #readViews(block: Block): void {
    const words = block.received;
    for (let at = 0; at < words.length; at += RECEIVED_WORDS[words[at]]) {
      if (words[at] === Received.View) this.#addView(words, at);
    }
  }

  /** The views of a witnessed group are told apart by their ids; those of a free one by who joined or went, once in an epoch. */
  #keyOf(group: number, id: string, cause: number, changed: number): string {
    if (group < this.#shape.witnessedGroups) return `${group} ${id}`;
    return `${group} ${cause === 0 ? 'join' : cause === 3 ? id : 'left'} ${changed}`;
  }

  #addView(words: Int32Array, at: number): void {
    const [, group, memberId, time, index, cause, changed, hashA, hashB, single] = words.subarray(at, at + 10);
    const key = this.#keyOf(group, `${memberId} ${time} ${index}`, cause, changed);
    const known = this.#viewIndex.get(key);
    if (known !== undefined) {
      if (single === 0) this.#views[known].wellFormedSets = false;
      return;
    }
    const position = this.#views.length;
    this.#viewIndex.set(key, position);
    this.#views.push({
      group,
      id: { memberId, time, index },
      cause: VIEW_CAUSES[cause],
      changed,
      members: this.#lists.get(listKey(hashA, hashB)) ?? null,
      hash: observedHash(words, at),
      wellFormedSets: single === 1,
    });
    if (cause === 1 || cause === 2) {
      const departures = this.#departures.get(changed * this.#shape.groups + group);
      if (departures === undefined) this.#departures.set(changed * this.#shape.groups + group, [position]);
      else departures.push(position);
    }
  }

  #session(block: Block, index: number, requests: readonly GroupRequest[]): SessionHistory {
    const events: number[] = [];
    const hashes: number[] = [];
    const joinedBefore = this.#joinedBefore.get(block.serial) ?? new Map<number, View | null>();
    const lastIndex = new Map<number, number>();
    for (const [group, view] of joinedBefore) lastIndex.set(group, view?.id?.index ?? 0);
    const words = block.received;
    for (let at = 0; at < words.length; at += RECEIVED_WORDS[words[at]]) {
      const kind = words[at];
      if (kind === Received.Message) {
        const message = this.#messageIndex.get(words[at + 1] * SEQUENCES_PER_SERIAL + words[at + 2]);
        if (message === undefined) {
          const detail = `message ${words[at + 2]} of session ${words[at + 1]}`;
          this.#strays.push({ session: index, kind: 'unsent', detail });
          continue;
        }
        this.#drafts[message].certain = true;
        events.push(message);
        hashes.push(words[at + 3]);
      } else if (kind === Received.View) {
        const [, group, memberId, time, viewIndex, cause, changed] = words.subarray(at, at + 7);
        const view = this.#viewIndex.get(this.#keyOf(group, `${memberId} ${time} ${viewIndex}`, cause, changed)) ?? 0;
        lastIndex.set(group, viewIndex);
        events.push(this.#drafts.length + view);
        hashes.push(observedHash(words, at));
      } else if (kind === Received.SelfLeave) {
        const group = words[at + 1];
        const view = this.#departure(group, block.name, lastIndex.get(group) ?? 0);
        events.push(-1 - (this.#drafts.length + view));
        hashes.push(0);
      } else {
        const isTransition = kind === Received.Transition;
        const detail = isTransition ? `group ${words[at + 1]}` : `type 0x${(words[at + 1] >>> 0).toString(16)}`;
        this.#strays.push({ session: index, kind: isTransition ? 'transition' : 'frame', detail });
      }
    }
    return {
      serial: block.serial,
      name: block.name,
      membership: block.membership,
      fromStart: !block.started,
      end: block.end,
      joinedBefore,
      requests,
      events: Int32Array.from(events),
      hashes: Int32Array.from(hashes),
    };
  }

  /** The view in which `name` went out of `group`, having last seen the view with `lastIndex`; made up when nobody got it. */
  #departure(group: number, name: number, lastIndex: number): number {
    const views = this.#departures.get(name * this.#shape.groups + group) ?? [];
    const isFree = group >= this.#shape.witnessedGroups;
    for (const view of views) if (isFree || (this.#views[view].id?.index ?? 0) > lastIndex) return view;
    const position = this.#views.length;
    this.#views.push({
      group,
      id: null,
      cause: 'leave',
      changed: name,
      members: null,
      hash: 0,
      wellFormedSets: true,
    });
    return position;
  }

  /** What a crashed session sent reached the daemon at least up to the last message that anybody got. */
  #settleCertainty(): void {
    for (const drafts of this.#bySender.values()) {
      const last = drafts.findLastIndex((draft) => draft.certain);
      for (let i = 0; i < last; i++) drafts[i].certain = true;
    }
  }
}

/** Over everything a receiver of a view learns, apart from vs sets. */
function observedHash(words: Int32Array, at: number): number {
  let hash = 0;
  for (let i = 1; i < 9; i++) hash = mix(hash, words[at + i]);
  return hash;
}
