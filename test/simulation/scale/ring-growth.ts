/** How the ring grows with the number of daemons: rotation time, packets per message, time to recover. */
import { ringEngine } from '../engines.ts';
import { client, FAST_TIMEOUTS, LAN, plainScenario, stretched } from '../scenario/profile.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { Simulation } from '../simulation.ts';

const SIZES = [2, 4, 8, 16, 32, 64, 128] as const;
/** Of one way over the network, with the mean of the random part. */
const HOP_MS = LAN.delayMs + LAN.jitterMs;
const SENDERS = 10;
/** Mean time between two messages of a sender. */
const INTERVAL_MS = 5;
/** Messages of a sender that fit into one datagram: 1,400 bytes, and 200 of a message with its headers on average. */
const MESSAGES_IN_PACKET = 6;
/** Passes of COMMIT, rotations of RECOVER and INSTALL between the decision and the last installation. */
const RECOVERY_ROTATIONS = 5;

interface Figures {
  readonly nodeCount: number;
  readonly together: boolean;
  readonly rotationMs: number;
  readonly packetsPerMessage: number;
  readonly lawPackets: number;
  readonly joins: number;
  readonly recoveryMs: number;
  readonly lawRecoveryMs: number;
}

/** Larger rings get longer timeouts, so that a rotation fits into the loss timeout many times over. */
const stretchOf = (nodeCount: number): number => Math.max(1, nodeCount / 32);
const measureAtMs = (nodeCount: number): number => 1_500 * stretchOf(nodeCount);
const crashAtMs = (nodeCount: number): number => measureAtMs(nodeCount) + 500;

/** At most `SENDERS` daemons have a client, so that the load does not grow with the ring; then one daemon crashes. */
function scaleScenario(nodeCount: number): Scenario {
  const timeouts = stretched(FAST_TIMEOUTS, stretchOf(nodeCount));
  return plainScenario('scale', 1, nodeCount, {
    timeouts,
    startMs: Array.from({ length: nodeCount }, () => 0),
    clients: Array.from({ length: Math.min(SENDERS, nodeCount) }, (_, i) =>
      client(i, `c${i}`, { intervalMs: INTERVAL_MS, services: ['agreed'], burst: 1, churn: 0, reconnect: 0 }),
    ),
    faults: [
      {
        kind: 'crash',
        trigger: { kind: 'time', atMs: crashAtMs(nodeCount) },
        node: nodeCount - 1,
        restartAfterMs: null,
        wallStepSeconds: 0,
      },
    ],
    faultsEndMs: crashAtMs(nodeCount) + 1,
    workAfterMs: 600,
    groups: false,
  });
}

function figuresOf(nodeCount: number): Figures {
  const scenario = scaleScenario(nodeCount);
  const { trace, traffic } = new Simulation(scenario, ringEngine).run();
  const fromMs = measureAtMs(nodeCount);
  const untilMs = crashAtMs(nodeCount);
  const inside = (ms: number): boolean => ms >= fromMs && ms < untilMs;
  let messages = 0;
  let recoveredMs = untilMs;
  let together = true;
  for (const process of trace.processes) {
    const before = process.events.findLast((e) => e.kind === 'configuration' && e.regular && e.atMs < fromMs);
    together &&= before?.kind === 'configuration' && before.members.length === nodeCount;
    for (const event of process.events) {
      if (event.kind === 'send' && inside(event.atMs)) messages++;
      if (event.kind === 'configuration' && event.regular) recoveredMs = Math.max(recoveredMs, event.atMs);
    }
  }
  const { tokenLossMs, gatherMaxMs } = scenario.timeouts;
  // While clients send, each token datagram is one hop.
  const rotationMs = ((untilMs - fromMs) / traffic.tokenAtMs.filter(inside).length) * nodeCount;
  return {
    nodeCount,
    together,
    rotationMs,
    packetsPerMessage: traffic.dataAtMs.filter(inside).length / messages,
    lawPackets: packetsLaw(nodeCount * HOP_MS),
    joins: traffic.joins,
    recoveryMs: recoveredMs - untilMs,
    lawRecoveryMs: tokenLossMs + gatherMaxMs + RECOVERY_ROTATIONS * nodeCount * HOP_MS,
  };
}

/**
 * What a sender has when the token comes is a Poisson number with mean `rotation / interval`; it leaves in as few packets as hold it.
 */
function packetsLaw(rotationMs: number): number {
  const mean = rotationMs / INTERVAL_MS;
  let packets = 0;
  let chance = Math.exp(-mean);
  for (let n = 1; n < 100; n++) {
    chance *= mean / n;
    packets += chance * Math.ceil(n / MESSAGES_IN_PACKET);
  }
  return packets / mean;
}

export function printScale(): void {
  console.log(`one hop takes ${HOP_MS} ms on average; at most ${SENDERS} senders; then the last daemon crashes`);
  console.log('timeouts are those of the tests, from 64 daemons on stretched by N/32');
  console.log('daemons | rotation ms  law N*hop | packets per message   law | JOINs | crash to new ring ms   law');
  for (const nodeCount of SIZES) {
    const f = figuresOf(nodeCount);
    const cells = [
      String(f.nodeCount).padStart(7),
      `${f.rotationMs.toFixed(2).padStart(11)} ${(f.nodeCount * HOP_MS).toFixed(2).padStart(10)}`,
      `${f.packetsPerMessage.toFixed(2).padStart(19)} ${f.lawPackets.toFixed(2).padStart(5)}`,
      String(f.joins).padStart(5),
      `${f.recoveryMs.toFixed(0).padStart(20)} ${f.lawRecoveryMs.toFixed(0).padStart(5)}`,
    ];
    console.log(cells.join(' | ') + (f.together ? '' : '   not one ring when measured'));
  }
  console.log(
    'laws: rotation = N*hop, and up to 2 ms where the leader rests the token of a small ring; crash to new ring = token loss + gather + 5*N*hop; packets per message: what a sender',
  );
  console.log('has when the token comes, N*hop/interval on average, leaves in as few packets as hold it');
}
