/** Builds the agents of one thread and connects them to shared memory. The same for a worker thread and for `inline`. */

import { ControlWords } from '../engine/buffers/control-words.ts';
import { AgentCounter, deliveryCounters, networkCounters, ringCounters } from '../engine/buffers/counters.ts';
import { DoorbellRinger } from '../engine/buffers/doorbell.ts';
import { OrderedLogReader } from '../engine/buffers/ordered-log-reader.ts';
import type { Agent } from './agent.ts';
import type { DaemonEvent } from './daemon-event.ts';
import type { DaemonMemory } from './daemon-memory.ts';
import type { DaemonSpec } from './daemon-spec.ts';
import type { BoundAddress, ListenAddress, ListenerOptions } from './delivery/client-listener.ts';
import { ClientListeners } from './delivery/sockets/client-listeners.ts';
import { DeliveryAgent } from './delivery-agent.ts';
import type { ThreadInspection } from './inspection.ts';
import { together } from './inspector.ts';
import { clientListenFailure } from './listen-failure.ts';
import { createLog, type LogRecord, LogThreshold } from './log.ts';
import { logReaders } from './log-readers.ts';
import { NetworkAgent } from './network-agent.ts';
import { AeadSealer } from './ring/aead-sealer.ts';
import { checksumSealer } from './ring/checksum-sealer.ts';
import { RingAgent } from './ring-agent.ts';
import type { PrepareSettings } from './settings/settings-desk.ts';
import { FIRST_GENERATION, type SettingsSnapshot } from './settings/settings-snapshot.ts';
import type { AgentRole, ThreadingPlan } from './threading.ts';
import type { WatchOrder, WatchReport } from './watch/watch-messages.ts';

export interface ThreadContext {
  readonly spec: DaemonSpec;
  readonly plan: ThreadingPlan;
  readonly memory: DaemonMemory;
  /** Index into `plan.threads`. */
  readonly thread: number;
  /** Wakes another thread that sleeps in its event loop. */
  readonly wake: (thread: number) => void;
  readonly log: (record: LogRecord) => void;
  /** Takes what an operator follows. */
  readonly tell: (event: DaemonEvent) => void;
  /** Takes what those need who look at the daemon. */
  readonly report: (report: WatchReport) => void;
  /** Asks this thread for a duty cycle. */
  readonly schedule: () => void;
  /** Asks the supervisor's owner for the daemon's orderly end. */
  readonly requestStop: () => void;
}

export interface ThreadAgents {
  readonly agents: readonly Agent[];
  /** What of it concerns the thread's agents. */
  readonly prepare: PrepareSettings;
  /** What is asked for those who look at the daemon. @param role an agent of this thread */
  order(role: AgentRole, order: WatchOrder): void;
  /** What its agents know of sessions and groups, one by one. */
  inspect(): ThreadInspection;
  /**
   * Opens this thread's sockets.
   * @param clientPort where the daemon listens for clients already, 0 when nowhere yet
   * @throws (rejects) ListenFailure
   */
  listen(addresses: readonly ListenAddress[], reusePort: boolean, clientPort: number): Promise<readonly BoundAddress[]>;
}

/** Milliseconds of a clock that threads have in common: that of agents begins anew in each thread. */
const sharedNow = (): number => performance.timeOrigin + performance.now();

/** Monotonic milliseconds, the clock of all agents. */
export const monotonicNow = (): number => performance.now();

export function setUpThread(context: ThreadContext): ThreadAgents {
  const { spec, memory, plan } = context;
  const agents: Agent[] = [];
  const threshold = new LogThreshold(spec.logLevel);
  let network: NetworkAgent | null = null;
  let ring: RingAgent | null = null;
  const delivery = new Map<AgentRole, DeliveryAgent>();
  for (const role of plan.threads[context.thread]!.roles) {
    if (role === 'network') {
      network = new NetworkAgent(spec.network, {
        inbound: memory.inbound,
        outbound: memory.outbound,
        ringDoorbell: doorbell(context, 'ring'),
        counters: networkCounters(memory.counters),
        allCounters: memory.counters,
        logger: createLog('network', threshold, context.log),
        schedule: context.schedule,
        now: monotonicNow,
        wallMs: Date.now,
        clusterKeys: spec.clusterKeys,
        requestStop: context.requestStop,
      });
      agents.push(network);
    } else if (role === 'ring') {
      ring = ringAgent(context, ringSealer(spec), threshold);
      agents.push(ring);
    } else {
      const agent = deliveryAgent(context, role, threshold);
      delivery.set(role, agent);
      agents.push(agent);
    }
  }
  for (const { counters } of agents) counters[AgentCounter.SettingsGeneration] = FIRST_GENERATION;
  return {
    agents,
    prepare: (snapshot) =>
      prepareAgents(
        [...(ring === null ? [] : [ring]), ...(network === null ? [] : [network]), ...delivery.values()],
        threshold,
        snapshot,
      ),
    order: (role, order) => {
      if (role === 'ring') ring?.order(order);
      else delivery.get(role)?.order(order);
    },
    inspect: () =>
      together([...(ring === null ? [] : [ring.inspect()]), ...[...delivery.values()].map((agent) => agent.inspect())]),
    async listen(addresses, reusePort, clientPort) {
      const bound: BoundAddress[] = [];
      for (const agent of delivery.values()) {
        // One event loop cannot wait twice for one descriptor: without the kernel's help the first agent of a thread has all clients.
        if (bound.length > 0 && !reusePort) break;
        for (const address of addresses)
          bound.push(
            await openFor(agent, withPort(address, bound), {
              backlog: spec.listenBacklog,
              reusePort,
            }),
          );
      }
      if (network !== null) await network.listen(tcpPort(bound) ?? clientPort);
      return bound;
    },
  };
}

type SettableAgent = Agent & { prepare(snapshot: SettingsSnapshot): () => void };

/** @throws the reason of the first agent that cannot go by it, with its name */
function prepareAgents(
  agents: readonly SettableAgent[],
  threshold: LogThreshold,
  snapshot: SettingsSnapshot,
): () => void {
  const { generation, logLevel } = snapshot;
  const applications = agents.map((agent) => {
    try {
      return agent.prepare(snapshot);
    } catch (error) {
      throw new Error(`agent ${agent.name}: ${(error as Error).message}`, { cause: error });
    }
  });
  return () => {
    threshold.set(logLevel);
    for (const apply of applications) apply();
    for (const { counters } of agents) counters[AgentCounter.SettingsGeneration] = generation;
  };
}

const openFor = (agent: DeliveryAgent, address: ListenAddress, options: ListenerOptions): Promise<BoundAddress> =>
  agent.listen(address, options).catch((error: unknown) => {
    throw clientListenFailure(address, error);
  });

/** Several addresses with any free port get the same one: it is the daemon's name for clients. */
function withPort(address: ListenAddress, bound: readonly BoundAddress[]): ListenAddress {
  const port = tcpPort(bound);
  return address.kind === 'tcp' && address.port === 0 && port !== null ? { ...address, port } : address;
}

/** The first TCP port among addresses; null when there is none. */
export function tcpPort(bound: readonly BoundAddress[]): number | null {
  for (const { address } of bound) if (address.kind === 'tcp') return address.port;
  return null;
}

/** Each incarnation of a daemon makes one, and with it draws its salt. */
function ringSealer({ clusterKeys, ring: { ring } }: DaemonSpec): AeadSealer | null {
  if (clusterKeys === null) return null;
  const { self, incarnation, clusterHash, segmentOf } = ring;
  return new AeadSealer(clusterKeys, { self, incarnation, clusterHash, nodeCount: segmentOf.length });
}

function ringAgent(context: ThreadContext, sealer: AeadSealer | null, threshold: LogThreshold): RingAgent {
  const { spec, memory, plan } = context;
  const ring = { ...spec.ring.ring, sealer: sealer ?? checksumSealer };
  return new RingAgent(
    { ...spec.ring, ring },
    {
      log: memory.log,
      submit: memory.submit,
      requests: memory.requests,
      inbound: memory.inbound,
      outbound: memory.outbound,
      logDoorbells: logReaders(plan).map((role) => doorbell(context, role)),
      networkDoorbell: doorbell(context, 'network'),
      counters: ringCounters(memory.counters),
      words: new ControlWords(memory.words),
      logger: createLog('ring', threshold, context.log),
      tell: context.tell,
      report: context.report,
      now: monotonicNow,
      wallSeconds: () => Date.now() / 1000,
      sealer,
      clusterKeys: spec.clusterKeys,
    },
  );
}

function deliveryAgent(context: ThreadContext, worker: number, threshold: LogThreshold): DeliveryAgent {
  const { spec, memory, plan } = context;
  const counters = deliveryCounters(memory.counters, worker);
  return new DeliveryAgent(
    {
      worker,
      workers: plan.deliveryWorkers,
      daemonName: spec.name,
      drainTargets: spec.drainTargets,
    },
    spec.delivery,
    {
      log: new OrderedLogReader(memory.log, logReaders(plan).indexOf(worker)),
      submit: memory.submit[worker]!,
      requests: memory.requests[worker]!,
      ringDoorbell: doorbell(context, 'ring'),
      counters,
      words: new ControlWords(memory.words),
      logger: createLog(`delivery-${worker}`, threshold, context.log),
      tell: context.tell,
      report: context.report,
      rates: memory.rates,
      sharedNow,
      createListener: (host) => new ClientListeners(host),
      schedule: context.schedule,
      now: monotonicNow,
    },
  );
}

/** How this thread wakes the one that hosts `role`; itself by scheduling a cycle. */
function doorbell(context: ThreadContext, role: AgentRole): DoorbellRinger {
  const { plan, memory, thread } = context;
  const target = plan.threads.findIndex((candidate) => candidate.roles.includes(role));
  const word = memory.threads[target]!.doorbell;
  if (target === thread) return new DoorbellRinger(word, context.schedule);
  return new DoorbellRinger(word, plan.threads[target]!.blocking ? null : () => context.wake(target));
}
