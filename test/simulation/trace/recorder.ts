/** Writes one process's trace from what passes between the engine and its host. */
import type { Configuration } from '../../../engine/host/configuration.ts';
import { RecordKind } from '../../../engine/wire/record.ts';
import { ringLeaderOf, ringSeqOf, sequenceOf } from '../network/wire-view.ts';
import { forEachMessage, type MetMessage } from '../node/records.ts';
import { configurationName } from './names.ts';
import type { GroupOperation, MessageId, ProcessTrace, SendEvent } from './trace.ts';

/**
 * The groups layer's own records carry no mark: they are known by originating process and content. Shared by all processes.
 */
export class UnmarkedMessages {
  readonly #byContent = new Map<string, MessageId[]>();

  add(process: number, contentHash: number, message: MessageId): void {
    const key = `${process}:${contentHash}`;
    const list = this.#byContent.get(key);
    if (list === undefined) this.#byContent.set(key, [message]);
    else list.push(message);
  }

  /** The first one of that content that `seen` does not hold yet. */
  find(process: number, contentHash: number, seen: ReadonlySet<MessageId>): MessageId {
    const list = this.#byContent.get(`${process}:${contentHash}`) ?? [];
    return list.find((message) => !seen.has(message)) ?? list.at(-1) ?? 0;
  }
}

/** What the recorder asks of the run it belongs to. */
export interface RecorderContext {
  nowMs(): number;
  /** The process that is or was this incarnation of the node; -1 when there was none. */
  processOf(node: number, incarnation: number): number;
  readonly unmarked: UnmarkedMessages;
}

export class Recorder {
  readonly trace: ProcessTrace;
  readonly #context: RecorderContext;
  readonly #nextMessage: () => MessageId;
  /** Deliveries and sends in the current regular configuration; for telling when all is quiet. */
  sentHere = 0;
  deliveredHere = 0;
  regularId = '';
  memberCount = 0;
  /** Of the members of the current regular configuration. */
  #incarnations: ReadonlyMap<number, number> = new Map();
  #ringSeq = 0;
  #leader = -1;
  /** Sends whose packet was not seen yet: one list for each packet, in the order of their numbers. */
  #unseenPackets: SendEvent[][] = [];
  #highestSeen = 0;
  #singleSequence = 0;
  /** Message whose first part was sent and whose last part was not. */
  #partial: MessageId = 0;
  readonly #unmarkedSeen = new Set<MessageId>();
  /** Ids of the groups layer's own records in the send queue, in order. */
  readonly #queuedUnmarked: MessageId[] = [];
  /** Content of what is in the send queue: a message sent in parts is hashed as a whole. */
  readonly #queuedHash = new Map<MessageId, number>();

  constructor(trace: ProcessTrace, context: RecorderContext, nextMessage: () => MessageId) {
    this.trace = trace;
    this.#context = context;
    this.#nextMessage = nextMessage;
  }

  /** @param leaderOnWire node index that datagrams of it name as the leader */
  configuration(configuration: Configuration, leaderOnWire: number): void {
    const { id, members } = configuration;
    const regular = id.kind === 'regular';
    const name = configurationName(id);
    this.trace.events.push({
      kind: 'configuration',
      atMs: this.#context.nowMs(),
      regular,
      id: name,
      ringSeq: id.ringSeq,
      members: members.map((m) => ({ node: m.node, incarnation: m.incarnation })),
    });
    if (!regular) return;
    this.regularId = name;
    this.#incarnations = new Map(members.map((m) => [m.node, m.incarnation]));
    this.memberCount = members.length;
    this.#ringSeq = id.ringSeq;
    this.#leader = leaderOnWire;
    this.#unseenPackets = [];
    this.#highestSeen = 0;
    this.#singleSequence = 0;
    this.#partial = 0;
    this.sentHere = 0;
    this.deliveredHere = 0;
  }

  /** A whole record was put into the send queue. */
  queued(record: Uint8Array): void {
    forEachMessage(record, 0, record.length, (met) => {
      let message = met.message;
      if (met.kind === RecordKind.Groups) {
        message = this.#nextMessage();
        this.#context.unmarked.add(this.trace.process, met.contentHash, message);
        this.#queuedUnmarked.push(message);
      }
      this.#queuedHash.set(message, met.contentHash);
    });
  }

  /** Messages in the send queue that were not sequenced. */
  get unsent(): number {
    return this.#queuedHash.size;
  }

  /** A packet body was filled: its messages are now sequenced. */
  packetFilled(bytes: Uint8Array, offset: number, lengthBytes: number): void {
    const sends: SendEvent[] = [];
    forEachMessage(bytes, offset, lengthBytes, (met) => {
      if (met.first) this.#partial = met.kind === RecordKind.Groups ? (this.#queuedUnmarked[0] ?? 0) : met.message;
      if (met.last) sends.push(this.#send(this.#partial, met, 0));
    });
    this.#unseenPackets.push(sends);
  }

  /** In a ring of one: records are sequenced and delivered at once. */
  spanSequenced(bytes: Uint8Array, offset: number, lengthBytes: number): void {
    // The reference lends whole records in rings of any size; there they have no numbers.
    const sequence = this.memberCount === 1 ? ++this.#singleSequence : 0;
    forEachMessage(bytes, offset, lengthBytes, (met) => {
      const message = met.kind === RecordKind.Groups ? (this.#queuedUnmarked[0] ?? 0) : met.message;
      this.#send(message, met, sequence);
    });
  }

  #send(message: MessageId, met: MetMessage, sequence: number): SendEvent {
    const event: SendEvent = {
      kind: 'send',
      atMs: this.#context.nowMs(),
      message,
      service: met.service,
      contentHash: this.#queuedHash.get(message) ?? 0,
      configuration: this.regularId,
      sequence,
    };
    if (met.kind === RecordKind.Groups) this.#queuedUnmarked.shift();
    this.#queuedHash.delete(message);
    this.sentHere++;
    this.trace.events.push(event);
    return event;
  }

  /** A DATA packet of this node's own left it for the first time: that tells the number of what was filled. */
  dataSeen(bytes: Uint8Array): void {
    if (ringSeqOf(bytes) !== this.#ringSeq || ringLeaderOf(bytes) !== this.#leader) return;
    const sequence = sequenceOf(bytes);
    if (sequence <= this.#highestSeen) return;
    this.#highestSeen = sequence;
    for (const send of this.#unseenPackets.shift() ?? []) send.sequence = sequence;
  }

  delivered(origin: number, bytes: Uint8Array, offset: number, lengthBytes: number): void {
    forEachMessage(bytes, offset, lengthBytes, (met) => {
      const message = met.kind === RecordKind.Groups ? this.#unmarkedDelivered(origin, met) : met.message;
      this.deliveredHere++;
      this.#deliver(origin, message, met, met.group);
    });
  }

  #unmarkedDelivered(origin: number, met: MetMessage): MessageId {
    const process = this.#context.processOf(origin, this.#incarnations.get(origin) ?? 0);
    const message = this.#context.unmarked.find(process, met.contentHash, this.#unmarkedSeen);
    this.#unmarkedSeen.add(message);
    return message;
  }

  #deliver(origin: number, message: MessageId, met: MetMessage, group: GroupOperation | null): void {
    this.trace.events.push({
      kind: 'deliver',
      atMs: this.#context.nowMs(),
      message,
      service: met.service,
      contentHash: met.contentHash,
      origin,
      session: met.session,
      group,
    });
  }

  failed(reason: string): void {
    this.trace.events.push({ kind: 'failure', atMs: this.#context.nowMs(), reason });
  }

  leftOut(node: number): void {
    this.trace.events.push({ kind: 'left-out', atMs: this.#context.nowMs(), node });
  }

  gauge(bufferedPackets: number, boundPackets: number): void {
    this.trace.events.push({ kind: 'gauge', atMs: this.#context.nowMs(), bufferedPackets, boundPackets });
  }
}
