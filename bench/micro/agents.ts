/** The daemon's agents without threads and clients, driven one duty cycle at a time. */

import { createDaemonSpec } from '../../daemon/create-daemon-spec.ts';
import { loadOptions } from '../../daemon/options-load.ts';
import type { DaemonOptions } from '../../daemon/options-schema.ts';
import type { AccessRules } from '../../engine/access/access-rules.ts';
import { deliveryCounters } from '../../engine/buffers/counters.ts';
import { LogEntry, LogKind } from '../../engine/buffers/ordered-log.ts';
import { OrderedLogReader } from '../../engine/buffers/ordered-log-reader.ts';
import { OrderedLogWriter } from '../../engine/buffers/ordered-log-writer.ts';
import { SpscQueueConsumer, SpscQueueProducer, writeRecordHeader } from '../../engine/buffers/spsc-queue.ts';
import { nodeIndex, sessionHandle } from '../../engine/wire/ids.ts';
import { RECORD_HEADER_LENGTH } from '../../engine/wire/layout/record-header.ts';
import { nameWords } from '../../engine/wire/name-hash.ts';
import { RECORD_FIRST, RECORD_LAST, RecordKind } from '../../engine/wire/record.ts';
import { AGREED_MESS } from '../../engine/wire/service.ts';
import type { Agent } from '../../workers/agent.ts';
import { createDaemonMemory, type DaemonMemory } from '../../workers/daemon-memory.ts';
import { AccessControl } from '../../workers/delivery/access-control.ts';
import type { ClientSession } from '../../workers/delivery/client-session.ts';
import { FramePump } from '../../workers/delivery/frame-pump.ts';
import { LiveValue } from '../../workers/delivery/live.ts';
import { LogConsumer } from '../../workers/delivery/log-consumer.ts';
import { MonitorRequests } from '../../workers/delivery/monitor-requests.ts';
import { NameTable } from '../../workers/delivery/name-table.ts';
import { RateLimits } from '../../workers/delivery/rate-limits.ts';
import { SubmitPort } from '../../workers/delivery/submit-port.ts';
import { createLog, LogThreshold } from '../../workers/log.ts';
import { setUpThread, type ThreadAgents } from '../../workers/thread-setup.ts';
import { planThreads } from '../../workers/threading.ts';
import { freePort } from '../peers/child.ts';
import { GROUP, GROUP_HASH } from './frames.ts';
import { createSession } from './sessions.ts';

/** The other daemon of a network agent's cluster. */
const PEER = nodeIndex(1);
const LIMITS = { maxSessionMessages: 100_000, maxSessionBytes: 64 * 1024 * 1024, policy: 'disconnect' } as const;
const SETTINGS = new LiveValue({ limits: LIMITS, maxSessionGroups: Number.POSITIVE_INFINITY, rights: null });
const SESSIONS = 64;

const refuse = (): never => {
  throw new Error('not expected here');
};

interface Workshop {
  readonly memory: DaemonMemory;
  readonly network: Agent;
  readonly ring: Agent;
  readonly delivery: Agent;
  readonly threads: ThreadAgents;
}

/** The agents of a daemon, built as the daemon builds them, all in this thread. Nothing runs them. */
async function buildAgents(options: DaemonOptions): Promise<Workshop> {
  const resolved = await loadOptions({ maxSessions: SESSIONS, volatile: true, logLevel: 'error', ...options });
  const { spec } = await createDaemonSpec(resolved);
  const plan = planThreads('inline', 1, { cores: 1, nodeVersion: process.versions.node });
  const memory = createDaemonMemory(plan.deliveryWorkers, plan.threads.length);
  const threads = setUpThread({
    tell: () => {},
    report: () => {},
    spec,
    plan,
    memory,
    thread: 0,
    wake: () => {},
    log: ({ message }) => process.stderr.write(`${message}\n`),
    schedule: () => {},
    requestStop: () => {},
  });
  const byName = (name: string): Agent => threads.agents.find((agent) => agent.name === name) ?? refuse();
  return {
    memory,
    network: byName('network'),
    ring: byName('ring'),
    delivery: byName('delivery-0'),
    threads,
  };
}

/** The ring agent of a lone daemon. `submit` and `takeDelivered` replace clients and delivery agent. */
export class LoneRingAgent {
  readonly #agent: Agent;
  readonly #submit: SubmitPort;
  readonly #log: OrderedLogReader;
  #nowMs = 1000;

  private constructor({ ring, memory }: Workshop) {
    this.#agent = ring;
    this.#submit = new SubmitPort(memory.submit[0], memory.requests[0]);
    this.#log = new OrderedLogReader(memory.log, 0);
  }

  static async create(): Promise<LoneRingAgent> {
    const lone = new LoneRingAgent(await buildAgents({}));
    // Until it has found out that it is alone.
    for (let i = 0; i < 2000; i++) lone.cycle(10);
    lone.takeDelivered();
    return lone;
  }

  cycle(passMs = 0.01): number {
    this.#nowMs += passMs;
    return this.#agent.doWork(this.#nowMs);
  }

  /** One run of `frameCount` frames. */
  submit(frames: Uint8Array, frameCount: number): void {
    if (!this.#submit.run(sessionHandle(0), AGREED_MESS, 0, frameCount, GROUP_HASH, frames, 0, frames.length)) refuse();
    this.#submit.publish();
  }

  /** @returns number of new entries in the log */
  takeDelivered(): number {
    let entries = 0;
    while (this.#log.next()) entries++;
    this.#log.finish();
    return entries;
  }
}

/** The input side of a delivery agent: from the bytes of one client to runs in the submit queue. */
export class Intake {
  readonly #memory = createDaemonMemory(1, 1);
  readonly #port = new SubmitPort(this.#memory.submit[0], this.#memory.requests[0]);
  readonly #pump: FramePump;
  readonly #session = createSession(0);
  readonly #submitted = new SpscQueueConsumer(this.#memory.submit[0]);

  /** @param rights to check the client's messages against; null: none */
  constructor(rights: AccessRules | null = null) {
    const counters = deliveryCounters(this.#memory.counters, 0);
    const access = new AccessControl(counters, createLog('bench', new LogThreshold('error'), refuse), refuse);
    const monitor = new MonitorRequests({
      worker: 0,
      daemonName: 'bench',
      sessions: new Map(),
      settings: SETTINGS,
      counters,
      logger: createLog('bench', new LogThreshold('error'), refuse),
      now: refuse,
      report: refuse,
      markDirty: refuse,
    });
    const none = { sessions: 0, messages: 0, bytes: 0 };
    const noRates = new LiveValue({ rates: { user: none, address: none, timeoutMs: 0 } });
    const rates = new RateLimits(noRates, this.#memory.rates, new Map(), counters, refuse, {
      goOn: refuse,
      end: refuse,
      isShortOfMemory: refuse,
    });
    this.#pump = new FramePump(
      this.#port,
      access,
      monitor,
      rates,
      counters,
      new LiveValue({ ...SETTINGS.current, rights }),
      {
        endSession: refuse,
        stalled: refuse,
        markDirty: refuse,
      },
    );
  }

  read(bytes: Buffer, view: DataView): void {
    if (!this.#pump.read(this.#session, bytes, view, 0, bytes.length)) refuse();
    this.#port.publish();
    // In place of the ring agent, which takes everything.
    while (this.#submitted.peek(bytes.length)) this.#submitted.release(this.#submitted.lengthBytes);
  }
}

/** The output side of a delivery agent: from entries of the log to writes of sessions whose sockets take everything. */
export class Output {
  readonly #memory = createDaemonMemory(1, 1);
  readonly #writer = new OrderedLogWriter(this.#memory.log);
  readonly #entry = new LogEntry();
  readonly #reader = new OrderedLogReader(this.#memory.log, 0);
  readonly #consumer: LogConsumer;
  readonly #dirty: ClientSession[] = [];

  /** @param receivers sessions in the group of `makeFrames` */
  constructor(receivers: number) {
    const names = new NameTable();
    const sessions = new Map<number, ClientSession>();
    for (let i = 0; i < receivers; i++) {
      const session = createSession(i, this.#reader);
      sessions.set(i, session);
      names.add(nameWords(GROUP), session);
    }
    this.#consumer = new LogConsumer(
      this.#reader,
      sessions,
      names,
      SETTINGS,
      deliveryCounters(this.#memory.counters, 0),
      {
        markDirty: (session) => {
          if (!session.dirty) this.#dirty.push(session);
          session.dirty = true;
        },
        tooSlow: refuse,
        nameAccepted: refuse,
        nameRefused: refuse,
        sessionEnded: refuse,
        clientsBlocked: refuse,
      },
    );
  }

  /** Delivers `runs` log entries of `frames` each. @returns number of socket writes */
  deliver(frames: Uint8Array, frameCount: number, runs: number): number {
    for (let i = 0; i < runs; i++) {
      if (!this.#writer.hasRoom(1, frames.length)) refuse();
      const at = this.#writer.reserve(frames.length);
      this.#writer.bytes.set(frames, at);
      const entry = this.#entry.begin(LogKind.Run);
      entry.count = frameCount;
      entry.service = AGREED_MESS;
      entry.targetHash = GROUP_HASH;
      this.#writer.append(entry, at, frames.length);
    }
    this.#writer.publish();
    this.#consumer.consume();
    let writes = 0;
    for (let i = 0; i < this.#dirty.length; i++) {
      const session = this.#dirty[i];
      session.dirty = false;
      session.output.flush();
      writes += session.output.writes;
      session.output.writes = 0;
    }
    this.#dirty.length = 0;
    this.#reader.finish();
    return writes;
  }
}

/** A delivery agent without clients. */
export const idleDeliveryAgent = async (): Promise<Agent> => (await buildAgents({})).delivery;

/** A network agent with its sockets. It sends to a UDP port that nobody needs to read. */
export class SendingNetworkAgent {
  readonly agent: Agent;
  readonly #outbound: SpscQueueProducer;

  private constructor({ network, memory }: Workshop) {
    this.agent = network;
    this.#outbound = new SpscQueueProducer(memory.outbound);
  }

  static async open(peerPort: number): Promise<SendingNetworkAgent> {
    const configText = [
      `Spread_Segment 127.0.0.1:${await freePort()} { self 127.0.0.1 }`,
      `Spread_Segment 127.0.0.2:${peerPort} { peer 127.0.0.2 }`,
    ].join('\n');
    const workshop = await buildAgents({ configText, name: 'self' });
    await workshop.threads.listen([], false, 0);
    return new SendingNetworkAgent(workshop);
  }

  /** Queues `count` datagrams and lets the agent send them. */
  send(datagram: Uint8Array, count: number): void {
    const ring = this.#outbound;
    for (let i = 0; i < count; i++) {
      const at = ring.claim(RECORD_HEADER_LENGTH + datagram.length);
      if (at === -1) refuse();
      writeRecordHeader(ring.view, at, RecordKind.Datagram, 0, RECORD_FIRST | RECORD_LAST, PEER, 0, 0);
      ring.bytes.set(datagram, at + RECORD_HEADER_LENGTH);
    }
    ring.publish();
    // A cycle ends where the queue's buffer ends.
    for (let sent = 0; sent < count; ) sent += this.agent.doWork(0) || refuse();
  }
}
