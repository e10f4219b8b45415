/** The way from what is ordered to a client's socket: LogOutput, ordered log, LogConsumer, SessionOutput, as in a daemon. */

import { ControlWords, createControlWords } from '../../../engine/buffers/control-words.ts';
import { createCounters, deliveryCounters, ringCounters } from '../../../engine/buffers/counters.ts';
import { createOrderedLog } from '../../../engine/buffers/ordered-log.ts';
import { OrderedLogReader } from '../../../engine/buffers/ordered-log-reader.ts';
import { OrderedLogWriter } from '../../../engine/buffers/ordered-log-writer.ts';
import { writeRecordHeader } from '../../../engine/buffers/spsc-queue.ts';
import { nodeIndex, type SessionHandle, sessionHandle } from '../../../engine/wire/ids.ts';
import { FRAME_HEADER_LENGTH } from '../../../engine/wire/layout/frame-header.ts';
import { RECORD_HEADER_LENGTH } from '../../../engine/wire/layout/record-header.ts';
import { NAME_FIELD_LENGTH } from '../../../engine/wire/limits.ts';
import { nameWords } from '../../../engine/wire/name-hash.ts';
import { RecordKind } from '../../../engine/wire/record.ts';
import { ServerHandshake } from '../../../engine/wire/server-handshake.ts';
import { AGREED_MESS } from '../../../engine/wire/service.ts';
import { ClientSession } from '../../../workers/delivery/client-session.ts';
import type { SlowConsumerLimits } from '../../../workers/delivery/delivery-settings.ts';
import { KeptBytes } from '../../../workers/delivery/kept-bytes.ts';
import { LiveValue } from '../../../workers/delivery/live.ts';
import { LogConsumer } from '../../../workers/delivery/log-consumer.ts';
import { NameTable } from '../../../workers/delivery/name-table.ts';
import { QueueCap } from '../../../workers/delivery/queue-cap.ts';
import { SessionOutput } from '../../../workers/delivery/session-output.ts';
import { SlowConsumers, type SlowReason } from '../../../workers/delivery/slow-consumers.ts';
import { LogOutput } from '../../../workers/ring/log-output.ts';
import { FakeTransport } from '../../unit/fake-transport.ts';

const SELF = nodeIndex(0);
const NO_LIMITS: SlowConsumerLimits = { maxSessionMessages: 1e9, maxSessionBytes: 1e12, policy: 'disconnect' };

export interface ChainShape {
  readonly termBytes: number;
  readonly termBufferCount: number;
  readonly indexEntries: number;
  readonly limits?: SlowConsumerLimits;
  readonly maxQueuedBytes?: number;
}

/** One client: what was ordered for it, and what its socket got. */
export interface ChainClient {
  readonly handle: SessionHandle;
  readonly socket: FakeTransport;
  readonly session: ClientSession;
  readonly expected: Buffer[];
}

export class DeliveryChain {
  readonly writer: OrderedLogWriter;
  readonly reader: OrderedLogReader;
  readonly output: LogOutput;
  readonly ringCounters: Float64Array;
  readonly deliveryCounters: Float64Array;
  readonly clients: ChainClient[] = [];
  readonly slow: SlowConsumers;
  readonly store: KeptBytes;
  readonly reasons: SlowReason[] = [];
  readonly ended: ClientSession[] = [];
  readonly #consumer: LogConsumer;
  readonly #logBytes: Buffer;
  readonly #sessions = new Map<number, ClientSession>();
  readonly #names = new NameTable();
  readonly #dirty = new Set<ClientSession>();

  constructor(shape: ChainShape) {
    const memory = createOrderedLog({ ...shape, readers: 1 });
    const counters = createCounters(1);
    const settings = new LiveValue({
      limits: shape.limits ?? NO_LIMITS,
      maxQueuedBytes: shape.maxQueuedBytes ?? 1e12,
    });
    this.ringCounters = ringCounters(counters);
    this.deliveryCounters = deliveryCounters(counters, 0);
    this.writer = new OrderedLogWriter(memory);
    this.reader = new OrderedLogReader(memory, 0);
    this.#logBytes = Buffer.from(memory.data);
    this.output = new LogOutput({
      log: this.writer,
      counters: this.ringCounters,
      events: {
        sessionEnded: () => {},
        sendGroups: () => {},
        blockClients: () => {},
        exchangeFault: () => {},
        frameTooLong: () => {},
      },
      room: { entries: shape.indexEntries, bytes: shape.termBytes },
    });
    this.store = new KeptBytes(shape.termBytes);
    const cap = new QueueCap(settings, 0, new ControlWords(createControlWords(1)), this.deliveryCounters);
    this.slow = new SlowConsumers(
      settings,
      this.deliveryCounters,
      this.reader,
      this.store,
      cap,
      (session, _frames, _bytes, reason) => {
        this.reasons.push(reason);
        this.end(session);
      },
    );
    this.#consumer = new LogConsumer(this.reader, this.#sessions, this.#names, settings, this.deliveryCounters, {
      markDirty: (session) => this.#dirty.add(session),
      tooSlow: (session) => this.end(session),
      nameAccepted: () => {},
      nameRefused: () => {},
      sessionEnded: () => {},
      clientsBlocked: () => {},
    });
  }

  /** @param room bytes its socket takes at first */
  client(room: number): ChainClient {
    const handle = sessionHandle(this.clients.length + 1);
    const socket = new FakeTransport(room);
    const output = new SessionOutput(this.reader, this.#logBytes, this.store, socket, () => {
      this.slow.unblocked(session);
      this.#dirty.add(session);
    });
    const handshake = new ServerHandshake({ allowed: [], required: [] });
    const session = new ClientSession(handle, socket, output, handshake);
    session.state = 'open';
    session.wantsMembership = true;
    session.privateName = `#s${handle}#test`;
    this.#sessions.set(handle, session);
    this.#names.add(nameWords(session.privateName), session);
    const client = { handle, socket, session, expected: [] };
    this.clients.push(client);
    return client;
  }

  end(session: ClientSession): void {
    if (session.state !== 'open') return;
    session.state = 'closing';
    session.output.abandon();
    session.transport.destroy();
    session.output.discard();
    this.slow.unblocked(session);
    this.ended.push(session);
  }

  /** A run of one frame from a stranger to `group`. */
  run(group: string, frame: Buffer, targetHash: number): void {
    const record = Buffer.alloc(RECORD_HEADER_LENGTH + frame.length);
    const view = new DataView(record.buffer, record.byteOffset, record.length);
    view.setUint32(0, record.length, true);
    writeRecordHeader(view, 0, RecordKind.Run, AGREED_MESS, 0, 0, 1, targetHash);
    frame
      .fill(0, FRAME_HEADER_LENGTH, FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH)
      .write(group, FRAME_HEADER_LENGTH, 'latin1');
    frame.copy(record, RECORD_HEADER_LENGTH);
    this.output.run(record, view, 0, SELF, false);
  }

  markDirty(client: ChainClient): void {
    this.#dirty.add(client.session);
  }

  /** What a delivery agent does in one duty cycle. @returns entries read */
  cycle(): number {
    this.writer.publish();
    const read = this.#consumer.consume();
    this.slow.logAdvanced(this.#consumer.term);
    for (const session of [...this.#dirty]) {
      this.#dirty.delete(session);
      if (session.state !== 'open') continue;
      session.output.flush();
      if (session.output.blocked) this.slow.blocked(session);
    }
    this.slow.enforceCap();
    this.reader.finish();
    return read;
  }

  /** Cycles until all that was ordered is in the log and read; sockets as they are. @returns whether it got so far */
  settle(): boolean {
    for (let idle = 0, rounds = 0; idle < 3; rounds++) {
      if (rounds > 10_000) return false;
      this.output.hasRoom();
      idle = this.cycle() === 0 && this.output.hasRoom() ? idle + 1 : 0;
      for (const { socket } of this.clients) socket.tick();
      if (rounds > 100 && idle === 0 && !this.output.hasRoom() && this.cycle() === 0) return false;
    }
    return true;
  }
}
