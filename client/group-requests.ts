import { SkeinError } from './errors.ts';
import type { ReceivedEvent } from './events.ts';

interface Request {
  readonly kind: 'join' | 'leave';
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

interface GroupRecord {
  /** Whether this session is a member once all requests sent so far took effect. */
  wanted: boolean;
  /** Requests whose effect has not been seen, in the order sent. */
  readonly pending: Request[];
}

/**
 * Joins and leaves of one session. The daemon never answers a request as such (client-protocol.md, section 3.4): what
 * tells of a join is the first view of the group, of a leave the self-leave, and a redundant request is ignored
 * without a word. So requests are matched here with what arrives, which is in the order they were sent. Without the
 * membership flag nothing arrives, and a request counts as done when it is written.
 */
export class GroupRequests {
  readonly #confirmed: boolean;
  readonly #send: (kind: 'join' | 'leave', group: string) => Promise<void>;
  readonly #records = new Map<string, GroupRecord>();
  readonly #joined = new Set<string>();
  #pendingCount = 0;

  /** @param confirmed whether the session has the membership flag */
  constructor(confirmed: boolean, send: (kind: 'join' | 'leave', group: string) => Promise<void>) {
    this.#confirmed = confirmed;
    this.#send = send;
  }

  /** Groups this session is known to be in; without the membership flag, those it asked to join. */
  get joined(): ReadonlySet<string> {
    return this.#joined;
  }

  get hasPending(): boolean {
    return this.#pendingCount > 0;
  }

  join(group: string): Promise<void> {
    return this.#request('join', group);
  }

  leave(group: string): Promise<void> {
    return this.#request('leave', group);
  }

  /** Takes in a frame that is not a message. */
  observe(event: ReceivedEvent): void {
    switch (event.kind) {
      case 'membership': {
        const record = this.#records.get(event.group);
        if (record?.pending[0]?.kind !== 'join') return;
        this.#joined.add(event.group);
        this.#settle(event.group, record);
        return;
      }
      case 'selfLeave': {
        this.#joined.delete(event.group);
        const record = this.#records.get(event.group);
        if (record?.pending[0]?.kind === 'leave') this.#settle(event.group, record);
        return;
      }
      case 'reject': {
        const group = event.groups[0];
        if (group !== undefined && event.request !== 'multicast') this.#refused(event.request, group);
      }
    }
  }

  /** The session ended: what is pending will not happen. */
  abandon(reason: SkeinError): void {
    for (const { pending } of this.#records.values()) for (const request of pending) request.reject(reason);
    this.#records.clear();
    this.#pendingCount = 0;
  }

  #request(kind: 'join' | 'leave', group: string): Promise<void> {
    const record = this.#records.get(group) ?? { wanted: false, pending: [] };
    const wanted = kind === 'join';
    if (record.wanted === wanted) return record.pending.at(-1)?.promise ?? Promise.resolve();
    const written = this.#send(kind, group);
    record.wanted = wanted;
    this.#records.set(group, record);
    if (!this.#confirmed) {
      if (wanted) this.#joined.add(group);
      else this.#joined.delete(group);
      this.#forgetIfIdle(group, record);
      return written;
    }
    const request = newRequest(kind);
    record.pending.push(request);
    this.#pendingCount++;
    return request.promise;
  }

  #settle(group: string, record: GroupRecord): void {
    record.pending.shift()!.resolve();
    this.#pendingCount--;
    this.#forgetIfIdle(group, record);
  }

  #refused(kind: 'join' | 'leave', group: string): void {
    const record = this.#records.get(group);
    if (record?.pending[0]?.kind !== kind) return;
    const request = record.pending.shift()!;
    this.#pendingCount--;
    if (record.pending.length === 0) record.wanted = this.#joined.has(group);
    this.#forgetIfIdle(group, record);
    request.reject(
      new SkeinError(
        'REJECT_AUTH',
        `${kind} of group "${group}": refused by the daemon: its access control, or a limit such as MaxSessionGroups`,
      ),
    );
  }

  #forgetIfIdle(group: string, record: GroupRecord): void {
    if (!record.wanted && record.pending.length === 0) this.#records.delete(group);
  }
}

function newRequest(kind: 'join' | 'leave'): Request {
  let resolve: Request['resolve'] = () => undefined;
  let reject: Request['reject'] = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // A program that does not wait for the promise learns of the session's end by other ways.
  promise.catch(() => undefined);
  return { kind, promise, resolve, reject };
}
