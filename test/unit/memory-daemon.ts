/**
 * A daemon's ring agent and one delivery agent with client connections in memory: all in this thread, one duty cycle at a time, on the
 * test's clock.
 */
import { expect } from 'vitest';
import { createDaemonSpec } from '../../daemon/create-daemon-spec.ts';
import { loadOptions } from '../../daemon/options-load.ts';
import type { DaemonOptions } from '../../daemon/options-schema.ts';
import { ControlWords } from '../../engine/buffers/control-words.ts';
import { DeliveryCounter, deliveryCounters } from '../../engine/buffers/counters.ts';
import { DoorbellRinger } from '../../engine/buffers/doorbell.ts';
import { OrderedLogReader } from '../../engine/buffers/ordered-log-reader.ts';
import { CONNECT_WANTS_MEMBERSHIP } from '../../engine/wire/connect-flags.ts';
import type { Agent } from '../../workers/agent.ts';
import { createDaemonMemory, type DaemonMemory } from '../../workers/daemon-memory.ts';
import type { DaemonSpec } from '../../workers/daemon-spec.ts';
import type { TransportPeer } from '../../workers/delivery/client-transport.ts';
import { DeliveryAgent } from '../../workers/delivery-agent.ts';
import { createLog, type LogRecord, LogThreshold } from '../../workers/log.ts';
import { RingAgent } from '../../workers/ring-agent.ts';
import { setUpThread } from '../../workers/thread-setup.ts';
import { planThreads } from '../../workers/threading.ts';
import type { WatchOrder, WatchReport } from '../../workers/watch/watch-messages.ts';
import { authChoice, connectWithFlags } from '../e2e/support/wire-client.ts';
import { AGREED, decodeFrame, encodeFrame, frameLength, type IncomingFrame, JOIN } from '../e2e/support/wire-frames.ts';
import { MemoryListener, type MemoryTransport } from './memory-transport.ts';

const DAEMON = 'd';

export class MemoryClient {
  readonly transport: MemoryTransport;
  readonly #daemon: MemoryDaemon;
  readonly privateName: string;
  #taken = 0;

  constructor(daemon: MemoryDaemon, transport: MemoryTransport, name: string) {
    this.#daemon = daemon;
    this.transport = transport;
    this.privateName = `#${name}#${DAEMON}`;
  }

  /** Bytes received since the last call. */
  take(): Buffer {
    const bytes = this.transport.received.subarray(this.#taken);
    this.#taken += bytes.length;
    return bytes;
  }

  frames(): readonly IncomingFrame[] {
    this.#daemon.settle();
    const frames: IncomingFrame[] = [];
    let rest = this.transport.received.subarray(this.#taken);
    for (let length = frameLength(rest); length > 0; length = frameLength(rest)) {
      frames.push(decodeFrame(rest.subarray(0, length)));
      rest = rest.subarray(length);
      this.#taken += length;
    }
    return frames;
  }

  join(group: string): void {
    this.transport.send(encodeFrame({ type: JOIN, sender: this.privateName, groups: [group] }));
  }

  message(group: string, data: Buffer | string): Buffer {
    return encodeFrame({ type: AGREED, sender: this.privateName, groups: [group], data });
  }
}

export class MemoryDaemon {
  readonly memory: DaemonMemory;
  readonly spec: DaemonSpec;
  readonly delivery: DeliveryAgent;
  readonly ring: RingAgent;
  readonly counters: Float64Array;
  readonly lines: LogRecord[] = [];
  /** For tests that inspect the daemon. */
  readonly reports: WatchReport[] = [];
  /** As the thread that starts a daemon. */
  readonly orderRing: (order: WatchOrder) => void;
  listener!: MemoryListener;
  readonly #agents: Agent[];
  readonly #clients: MemoryTransport[] = [];
  #nowMs = 1000;

  private constructor(spec: DaemonSpec, otherReaders: number) {
    this.spec = spec;
    const plan = planThreads('shared-network', 1, { cores: 4, nodeVersion: process.versions.node });
    this.memory = createDaemonMemory(1, plan.threads.length, 1 + otherReaders);
    const { memory } = this;
    const log = (line: LogRecord): void => void this.lines.push(line);
    const tell = (): void => {};
    const context = {
      spec,
      plan,
      memory,
      thread: 0,
      wake: () => {},
      log,
      tell,
      report: (report: WatchReport): void => void this.reports.push(report),
      schedule: () => {},
      requestStop: () => {},
    };
    this.counters = deliveryCounters(memory.counters, 0);
    this.delivery = new DeliveryAgent(
      { worker: 0, workers: 1, daemonName: spec.name, drainTargets: spec.drainTargets },
      spec.delivery,
      {
        log: new OrderedLogReader(memory.log, 0),
        submit: memory.submit[0]!,
        requests: memory.requests[0]!,
        ringDoorbell: new DoorbellRinger(memory.threads[0]!.doorbell, null),
        counters: this.counters,
        rates: memory.rates,
        words: new ControlWords(memory.words),
        logger: createLog('delivery-0', new LogThreshold('debug'), log),
        tell,
        report: context.report,
        createListener: (host) => {
          this.listener = new MemoryListener(host);
          return this.listener;
        },
        schedule: () => {},
        now: () => this.#nowMs,
      },
    );
    const ring = setUpThread(context).agents.find((agent) => agent instanceof RingAgent)!;
    this.ring = ring;
    this.orderRing = (order) => ring.order(order);
    this.#agents = [ring, this.delivery];
  }

  /** @param otherReaders number of reader positions on the ordered log besides the delivery worker's */
  static async start(options: DaemonOptions = {}, otherReaders = 0): Promise<MemoryDaemon> {
    const configText = `Spread_Segment 127.0.0.255:4803 { ${DAEMON} 127.0.0.1 }`;
    const { spec } = await createDaemonSpec(
      await loadOptions({ configText, name: DAEMON, volatile: true, clientTimeout: 0, ...options }),
    );
    const daemon = new MemoryDaemon(spec, otherReaders);
    // It first has to detect that it is alone.
    for (let i = 0; i < 2000; i++) daemon.#cycle(10);
    return daemon;
  }

  connect(name: string, room?: number, from?: Partial<TransportPeer>): MemoryClient {
    const transport = this.listener.connect(`memory:${name}`, room, from);
    this.#clients.push(transport);
    return new MemoryClient(this, transport, name);
  }

  /** Adds an agent to the duty cycle. */
  host(agent: Agent): void {
    this.#agents.push(agent);
  }

  /** A client that has finished the handshake. */
  login(name: string, room?: number, from?: Partial<TransportPeer>, flags = CONNECT_WANTS_MEMBERSHIP): MemoryClient {
    const client = this.connect(name, room, from);
    client.transport.send(connectWithFlags(name, flags));
    this.settle();
    expect(client.take().toString('latin1')).toBe('\u0005NULL ');
    client.transport.send(authChoice('NULL'));
    this.settle();
    const accepted = client.take();
    expect([accepted[0], accepted.subarray(5).toString('latin1')]).toEqual([1, client.privateName]);
    return client;
  }

  count(counter: keyof typeof DeliveryCounter): number {
    return this.counters[DeliveryCounter[counter]]!;
  }

  /** Runs until nothing changes any more. */
  settle(): void {
    for (let idle = 0; idle < 5; ) idle = this.#cycle(0.1) ? 0 : idle + 1;
  }

  pass(ms: number): void {
    for (const endMs = this.#nowMs + ms; this.#nowMs < endMs; ) this.#cycle(10);
  }

  #cycle(passMs: number): boolean {
    this.#nowMs += passMs;
    let work = 0;
    for (const agent of this.#agents) work += agent.doWork(this.#nowMs);
    for (const client of this.#clients) client.tick();
    return work > 0;
  }
}
