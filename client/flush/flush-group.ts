/**
 * The flush state machine of one group (client-protocol.md, sections 8.4 to 8.6). Pure: its inputs are deliveries of Spread and requests of
 * the application; its outputs, deliveries and sends, go to a sink. The comments number the steps of section 8.5.
 */
import type { ViewId } from '../../engine/wire/membership-decode.ts';
import { SkeinError } from '../errors.ts';
import type { Membership } from '../events.ts';
import type { Service } from '../service-names.ts';
import type { FlushEvent, FlushMessage } from './flush-events.ts';
import { controlSend, FLUSH_OK, FLUSH_RECV, type SpreadSend } from './flush-wire.ts';
import { changeOf, type InstalledView, leaversOf, PendingChange, soleMemberView } from './view-change.ts';

/** Where the state machine's results go, in order. */
export interface FlushSink {
  deliver(event: FlushEvent): void;
  send(send: SpreadSend): void;
}

export type MemberState = 'joining' | 'joined' | 'leaving';
/**
 * `steady`: nothing is changing. `authorize`: the application was asked to flush. `agree`: it has; FLUSH_OKs are
 * collected. `verify`: the view is installed; FLUSH_RECVs are collected.
 */
export type ViewState = 'steady' | 'authorize' | 'agree' | 'verify';

/** After this many other messages a missing membership message is given up (step 4). */
const MAX_PENDING_AGE = 200;

export class FlushGroup {
  readonly #group: string;
  readonly #sink: FlushSink;
  #memberState: MemberState = 'joining';
  #viewState: ViewState = 'agree';
  #installed: InstalledView;
  /** Members of the latest Spread view. */
  #spreadMembers: readonly string[] = [];
  readonly #pending = new Map<string, PendingChange>();
  /** Changes whose membership message arrived, oldest first. */
  #queue: PendingChange[] = [];
  /** The change being agreed on: the head of the queue, or none. */
  #current: PendingChange | undefined;
  /** Vulnerable messages sent in the view being agreed on by members that have it already. */
  #postponed: FlushMessage[] = [];
  #flushRecvs = new Set<string>();

  constructor(self: string, group: string, sink: FlushSink) {
    this.#group = group;
    this.#sink = sink;
    this.#installed = soleMemberView(self);
  }

  get memberState(): MemberState {
    return this.#memberState;
  }

  get viewState(): ViewState {
    return this.#viewState;
  }

  /** The installed view's members, for checks of receivers. */
  get members(): readonly string[] {
    return this.#installed.members;
  }

  /** The id of the installed view; undefined before the first. */
  get viewId(): ViewId | undefined {
    return this.#installed.viewId;
  }

  /** Spread's regular membership message. */
  onMembership(membership: Membership): void {
    const change = this.#pendingChange(membership.viewId); // 1
    change.receive(membership);
    const leavers = leaversOf(membership, this.#spreadMembers); // 2
    const shrank = this.#removePresent(leavers); // 3
    this.#agePending(change); // 4
    this.#collapse(leavers, change); // 5
    const head = this.#queue[0] ?? change; // 6
    this.#queue.push(change);
    this.#spreadMembers = membership.members;
    if (head !== this.#current) {
      this.#postponed = [];
      this.#flushRecvs = new Set();
      this.#start(head); // 7
    }
    if (shrank) this.#signalTransition(); // 8
  }

  /** Spread's transitional signal. */
  onTransition(): void {
    this.#signalTransition();
  }

  onFlushOk(sender: string, viewId: ViewId): void {
    const change = this.#pendingChange(viewId);
    change.flushOks.add(sender);
    if (this.#viewState === 'agree' && change === this.#current && change.isAgreed()) this.#install(change);
  }

  onFlushRecv(sender: string, viewId: ViewId): void {
    const verifying = this.#viewState === 'verify' && this.#installed.viewId?.equals(viewId) === true;
    const others = this.#viewState === 'agree' && this.#current?.viewId.equals(viewId) === true;
    if (!verifying && !others) return;
    this.#flushRecvs.add(sender);
    if (verifying && this.#installed.members.every((member) => this.#flushRecvs.has(member)))
      this.#viewState = 'steady';
  }

  /** A user message; `sentIn` is the sender's view if it was sent in vulnerable form. */
  onMessage(message: FlushMessage, sentIn: ViewId | undefined): void {
    const current = this.#current;
    if (sentIn !== undefined && this.#installed.viewId?.equals(sentIn) !== true) {
      // Sent in another view than ours. It belongs to the next one, or to one without us.
      const next = this.#viewState === 'agree' && current?.viewId.equals(sentIn) === true;
      if (next && current.present.has(message.sender)) this.#postponed.push(message);
      return;
    }
    if (this.#installed.present.has(message.sender)) this.#sink.deliver(message);
  }

  /** The application permits the change it was asked for. ILLEGAL_STATE when it was not asked, or is leaving. */
  flush(): void {
    const current = this.#current;
    if (this.#viewState !== 'authorize' || this.#memberState === 'leaving' || current === undefined)
      throw new SkeinError('ILLEGAL_STATE', `group "${this.#group}": there is no flush request to answer`);
    this.#viewState = 'agree';
    this.#sink.send(controlSend(FLUSH_OK, this.#group, current.viewId));
  }

  /** Notes that the application asked to leave. ILLEGAL_GROUP when it is not a member. */
  beginLeave(): void {
    if (this.#memberState !== 'joined')
      throw new SkeinError('ILLEGAL_GROUP', `group "${this.#group}": cannot leave while ${this.#memberState}`);
    this.#memberState = 'leaving';
  }

  /** Throws ILLEGAL_GROUP or ILLEGAL_STATE unless the application may send to the group now. */
  checkMaySend(): void {
    if (this.#memberState !== 'joined')
      throw new SkeinError(
        'ILLEGAL_GROUP',
        `group "${this.#group}": not a member yet or any more (${this.#memberState})`,
      );
    if (this.#viewState === 'agree')
      throw new SkeinError(
        'ILLEGAL_STATE',
        `group "${this.#group}": flushed; sending is possible again in the next view`,
      );
  }

  /** The view a message of this service must carry because it might overtake a view change, if there is one (8.4). */
  vulnerableIn(service: Service): ViewId | undefined {
    if (this.#viewState !== 'authorize' && this.#viewState !== 'verify') return undefined;
    const ordered = service === 'causal' || service === 'agreed' || service === 'safe';
    return ordered ? undefined : this.#installed.viewId;
  }

  #pendingChange(viewId: ViewId): PendingChange {
    const key = viewId.toString();
    let change = this.#pending.get(key);
    if (change === undefined) {
      change = new PendingChange(viewId);
      this.#pending.set(key, change);
    }
    return change;
  }

  #removePresent(leavers: readonly string[]): boolean {
    const before = this.#installed.present.size;
    for (const leaver of leavers) this.#installed.present.delete(leaver);
    return this.#installed.present.size < before;
  }

  #agePending(latest: PendingChange): void {
    for (const [key, change] of this.#pending) {
      if (change === latest || change.received) continue;
      change.age++;
      if (change.age > MAX_PENDING_AGE) this.#pending.delete(key);
    }
  }

  /** Drops queued changes that can never be agreed on: someone left without having agreed. */
  #collapse(leavers: readonly string[], latest: PendingChange): void {
    const kept: PendingChange[] = [];
    let dropped = false;
    for (const change of this.#queue) {
      if (change.loses(leavers)) {
        this.#pending.delete(change.viewId.toString());
        dropped = true;
        continue;
      }
      if (dropped) change.becomeNetwork();
      dropped = false;
      kept.push(change);
    }
    if (dropped) latest.becomeNetwork();
    this.#queue = kept;
  }

  /** Makes `change` the one to agree on, with the application's permission if it has not given it already. */
  #start(change: PendingChange): void {
    this.#current = change;
    if (this.#viewState === 'agree') {
      this.#sink.send(controlSend(FLUSH_OK, this.#group, change.viewId));
      return;
    }
    const asked = this.#viewState === 'authorize';
    this.#viewState = 'authorize';
    // A leaver cannot give permission; its leave drops the change at the others.
    if (!asked && this.#memberState !== 'leaving') this.#sink.deliver({ kind: 'flushRequest', group: this.#group });
  }

  #install(change: PendingChange): void {
    const postponed = this.#postponed;
    const { cause, changed, members, ownIndex } = changeOf(change);
    const along = this.#installed.members.filter((member) => this.#installed.present.has(member));
    const vsSet = changed === undefined ? along : [changed];
    const { viewId } = change;
    this.#sink.deliver({ kind: 'view', group: this.#group, viewId, cause, members, ownIndex, changed, vsSet });
    this.#viewState = 'verify';
    if (this.#memberState === 'joining') this.#memberState = 'joined';
    this.#installed = { viewId, members, present: change.present, inTransition: false };
    this.#queue.shift();
    this.#pending.delete(viewId.toString());
    this.#current = undefined;
    this.#postponed = [];
    const next = this.#queue[0];
    if (next === undefined) {
      this.#sink.send(controlSend(FLUSH_RECV, this.#group, viewId));
    } else {
      this.#flushRecvs = new Set();
      this.#start(next);
    }
    if (change.present.size < members.length) this.#signalTransition();
    for (const message of postponed) this.#sink.deliver(message);
  }

  #signalTransition(): void {
    if (this.#installed.inTransition) return;
    this.#installed.inTransition = true;
    this.#sink.deliver({ kind: 'transition', group: this.#group });
  }
}
