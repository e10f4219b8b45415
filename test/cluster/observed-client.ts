/** A client that records everything it sends and receives. A message carries its number, from which its content follows. */
import { connect, type Membership, type ReceivedEvent, type Service, type Session } from '../../client/index.ts';
import type { MessageId } from '../simulation/trace/trace.ts';
import { type ClientRecord, nextMessage, type ProcessRecord, type RunRecord } from './run-record.ts';

const NUMBER_BYTES = 16;
const PRIME = 16_777_619;
/** A client with more unsent bytes than this waits, as a well-behaved program does. */
const MAX_PENDING_BYTES = 256 * 1024;
const BARRIER_TYPE = 7;
const BARRIER_WITHIN_MS = 60_000;

export interface ClientPlace {
  readonly run: RunRecord;
  readonly process: ProcessRecord;
  readonly address: string | { readonly path: string };
}

export class ObservedClient {
  readonly session: Session;
  readonly record: ClientRecord;
  #barriers = 0;
  #passedBarriers = 0;
  readonly #views = new Map<string, { readonly count: number; readonly last: Membership | null }>();
  readonly #watchers = new Set<() => void>();

  private constructor(session: Session, record: ClientRecord) {
    this.session = session;
    this.record = record;
    for (const kind of ['message', 'membership', 'transition', 'selfLeave'] as const)
      session.on(kind, (event: ReceivedEvent) => this.#observe(event));
    session.on('error', () => {});
    session.on('close', () => {
      record.disconnected = true;
      this.#changed();
    });
  }

  static async connect(place: ClientPlace, name: string, isWitness = false): Promise<ObservedClient> {
    const session = await connect({
      address: place.address,
      name,
      connectTimeoutMs: 20_000,
      retryNameInUse: { attempts: 100, delayMs: 100 },
      // The trace is written at once: no event may wait in the client while the test's own process is busy.
      receiveQueueBytes: 64 * 1024 * 1024,
    });
    const record = place.run.connected(place.process, session.privateName, isWitness);
    return new ObservedClient(session, record);
  }

  get name(): string {
    return this.record.member;
  }

  get ended(): boolean {
    return this.record.disconnected;
  }

  join(group: string): Promise<void> {
    this.record.observations.push({ kind: 'join-requested', atMs: performance.now(), group });
    return this.session.join(group);
  }

  leave(group: string): Promise<void> {
    this.record.observations.push({ kind: 'leave-requested', atMs: performance.now(), group });
    return this.session.leave(group);
  }

  /** @returns whether it was sent; false while the daemon does not take what was sent before */
  multicast(
    groups: readonly string[],
    options: { readonly service: Service; readonly lengthBytes?: number; readonly selfDiscard?: boolean },
  ): boolean {
    if (this.session.closed || this.session.pendingBytes > MAX_PENDING_BYTES) return false;
    const { service, selfDiscard = false } = options;
    const message = nextMessage(this.record.process);
    const data = contentOf(message, options.lengthBytes ?? NUMBER_BYTES);
    this.session.multicast(groups, data, { service, selfDiscard });
    this.record.sent.push({
      message,
      atMs: performance.now(),
      groups,
      service,
      selfDiscard,
      contentHash: hashOf(data),
      position: this.record.observations.length,
    });
    return true;
  }

  /** Resolves when everything ordered before this call has reached the client. */
  async barrier(): Promise<void> {
    const wanted = ++this.#barriers;
    this.session.multicast(this.session.privateName, '', { type: BARRIER_TYPE });
    await this.until(() => this.#passedBarriers >= wanted, 'its own barrier', BARRIER_WITHIN_MS);
  }

  /** Rejects when the connection ends or the time is up first. */
  async until(condition: () => boolean, what: string | (() => string), withinMs = 30_000): Promise<void> {
    if (condition()) return;
    const said = (): string => (typeof what === 'string' ? what : what());
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (condition()) finish(resolve);
        else if (this.ended) finish(() => reject(new Error(`${this.name} lost its connection before ${said()}`)));
      };
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        settle();
      };
      const timer = setTimeout(
        () => finish(() => reject(new Error(`${this.name} waited ${withinMs} ms for ${said()}`))),
        withinMs,
      );
      this.#watchers.add(look);
      look();
    });
  }

  /** The members of a group in its latest view; empty before the first view and after leaving. */
  membersOf(group: string): readonly string[] {
    return this.#views.get(group)?.last?.members ?? [];
  }

  /** The latest view of a group; null before the first view and after leaving. */
  lastViewOf(group: string): Membership | null {
    return this.#views.get(group)?.last ?? null;
  }

  /** How many views of a group arrived. */
  viewCount(group: string): number {
    return this.#views.get(group)?.count ?? 0;
  }

  #observe(event: ReceivedEvent): void {
    const atMs = performance.now();
    const { observations } = this.record;
    if (event.kind === 'membership') {
      observations.push({ kind: 'view', atMs, group: event.group, view: event });
      this.#views.set(event.group, { count: this.viewCount(event.group) + 1, last: event });
    } else if (event.kind === 'transition')
      observations.push({ kind: 'transition', atMs, group: event.group, id: event.viewId });
    else if (event.kind === 'selfLeave') {
      observations.push({ kind: 'self-leave', atMs, group: event.group });
      this.#views.set(event.group, { count: this.viewCount(event.group), last: null });
    } else if (event.kind === 'message') {
      if (event.type === BARRIER_TYPE) this.#passedBarriers++;
      else {
        const { sender, groups, service, data } = event;
        const message = Number(data.toString('latin1', 0, NUMBER_BYTES)) as MessageId;
        observations.push({ kind: 'message', atMs, message, sender, groups, service, contentHash: hashOf(data) });
      }
    }
    this.#changed();
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

function contentOf(message: MessageId, lengthBytes: number): Buffer {
  const data = Buffer.alloc(Math.max(NUMBER_BYTES, lengthBytes), message % 251);
  data.write(String(message).padStart(NUMBER_BYTES, '0'), 0, 'latin1');
  return data;
}

/** FNV-1a over all bytes of short data, and over length, head and every 61st byte of longer. */
function hashOf(data: Buffer): number {
  const step = data.length <= 256 ? 1 : 61;
  let hash = 0x811c_9dc5 ^ data.length;
  for (let i = 0; i < NUMBER_BYTES; i++) hash = Math.imul(hash ^ data[i]!, PRIME);
  for (let i = NUMBER_BYTES; i < data.length; i += step) hash = Math.imul(hash ^ data[i]!, PRIME);
  return hash >>> 0;
}
