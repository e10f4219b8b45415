/**
 * What one daemon does with ordered records, as the daemon itself puts it together: process groups, ordered log, and the delivery
 * agent's walk over it. There is no ring under it, and sockets that take everything: what is measured is the work of the groups.
 */

import { createSession } from '../../../bench/micro/sessions.ts';
import { deliveryCounters, ringCounters } from '../../../engine/buffers/counters.ts';
import { OrderedLogReader } from '../../../engine/buffers/ordered-log-reader.ts';
import { OrderedLogWriter } from '../../../engine/buffers/ordered-log-writer.ts';
import { GroupsLayer } from '../../../engine/groups/groups-layer.ts';
import type { Configuration } from '../../../engine/host/configuration.ts';
import { type NodeIndex, nodeIndex } from '../../../engine/wire/ids.ts';
import { RECORD_KIND_OFFSET } from '../../../engine/wire/layout/record-header.ts';
import type { RecordKind } from '../../../engine/wire/record.ts';
import { createDaemonMemory } from '../../../workers/daemon-memory.ts';
import type { ClientSession } from '../../../workers/delivery/client-session.ts';
import { LiveValue } from '../../../workers/delivery/live.ts';
import { LogConsumer } from '../../../workers/delivery/log-consumer.ts';
import { NameTable } from '../../../workers/delivery/name-table.ts';
import { LogOutput } from '../../../workers/ring/log-output.ts';

const LIMITS = { maxSessionMessages: 1_000_000, maxSessionBytes: 1024 * 1024 * 1024, policy: 'disconnect' } as const;

const refuse = (): never => {
  throw new Error('not expected here');
};

/** Milliseconds of work since the last reset. */
export interface Work {
  /** Of the ring agent: table, views, ordered log. */
  groupsMs: number;
  /** The longest single call of it: for so long the token may wait. */
  longestMs: number;
  /** Of the delivery agent: who gets what, and one write for each client. */
  deliveryMs: number;
}

export class GroupDaemon {
  readonly node: NodeIndex;
  readonly layer: GroupsLayer;
  /** GROUPS bodies it wants ordered. */
  readonly outbox: Uint8Array[] = [];
  readonly work: Work = { groupsMs: 0, longestMs: 0, deliveryMs: 0 };
  /** Frames given to clients. */
  frames = 0;
  readonly #writer: OrderedLogWriter;
  readonly #reader: OrderedLogReader;
  readonly #output: LogOutput;
  readonly #consumer: LogConsumer;
  readonly #dirty: ClientSession[] = [];
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** @param clients its sessions, numbered from 0; all want membership messages */
  constructor(node: number, nodeCount: number, clients: number) {
    this.node = nodeIndex(node);
    const memory = createDaemonMemory(1, 1);
    this.#writer = new OrderedLogWriter(memory.log);
    this.#reader = new OrderedLogReader(memory.log, 0);
    this.#output = new LogOutput({
      log: this.#writer,
      counters: ringCounters(memory.counters),
      events: {
        sessionEnded: refuse,
        sendGroups: (body) => this.outbox.push(body.slice()),
        blockClients: () => {},
        exchangeFault: (fault, node) => {
          throw new Error(`daemon ${node}: ${fault}`);
        },
        frameTooLong: refuse,
      },
    });
    const daemonAddress = Array.from({ length: nodeCount }, (_, i) => 0x0a00_0001 + i);
    this.layer = new GroupsLayer({ self: this.node, daemonAddress }, this.#output);
    const sessions = new Map<number, ClientSession>();
    for (let i = 0; i < clients; i++) {
      const session = createSession(i, this.#reader);
      session.wantsMembership = true;
      sessions.set(i, session);
    }
    const counters = deliveryCounters(memory.counters, 0);
    this.#consumer = new LogConsumer(
      this.#reader,
      sessions,
      new NameTable(),
      new LiveValue({ limits: LIMITS }),
      counters,
      {
        markDirty: (session) => {
          this.frames++;
          if (!session.dirty) this.#dirty.push(session);
          session.dirty = true;
        },
        tooSlow: refuse,
        nameAccepted: refuse,
        nameRefused: refuse,
        sessionEnded: refuse,
        clientsBlocked: () => {},
      },
    );
  }

  configurationChanged(configuration: Configuration): void {
    const startMs = performance.now();
    this.layer.configurationChanged(configuration);
    this.#worked(performance.now() - startMs);
  }

  /** One ordered record. */
  record(origin: NodeIndex, bytes: Uint8Array): void {
    const startMs = performance.now();
    this.layer.record(origin, bytes[RECORD_KIND_OFFSET] as RecordKind, bytes, 0, bytes.length);
    this.#worked(performance.now() - startMs);
  }

  /** An ordered run of client messages, all the way to the sockets; not timed, the caller does that for many at once. */
  run(origin: NodeIndex, bytes: Uint8Array): void {
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer);
    this.#output.run(bytes, this.#view, 0, origin, origin === this.node);
  }

  /** What the delivery agent does with all that is in the log, and with what waits for room in it. */
  deliver(): void {
    const startMs = performance.now();
    let more = true;
    while (more) {
      more = !this.#output.hasRoom();
      this.#writer.publish();
      while (this.#consumer.consume() > 0) this.#flush();
      this.#reader.finish();
    }
    this.work.deliveryMs += performance.now() - startMs;
  }

  resetWork(): void {
    Object.assign(this.work, { groupsMs: 0, longestMs: 0, deliveryMs: 0 });
    this.frames = 0;
  }

  #worked(ms: number): void {
    this.work.groupsMs += ms;
    this.work.longestMs = Math.max(this.work.longestMs, ms);
  }

  #flush(): void {
    for (const session of this.#dirty) {
      session.dirty = false;
      session.output.flush();
    }
    this.#dirty.length = 0;
  }
}
