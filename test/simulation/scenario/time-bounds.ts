/** The time bounds of ring-protocol.md 3.9, from the timeouts of a scenario. */
import type { TimeBounds } from '../trace/trace.ts';
import type { Scenario } from './scenario.ts';

/** Rotations that recovery may take, generously. */
const RECOVERY_ROTATIONS = 12;

export function timeBounds({ timeouts, network, nodeCount, segmentOf }: Scenario): TimeBounds {
  const apart = new Set(segmentOf).size > 1 ? network.segmentDelayMs : 0;
  const hopMs = network.delayMs + 3 * network.jitterMs + apart + 1;
  const recoveryMs = RECOVERY_ROTATIONS * nodeCount * hopMs;
  const attemptMs = timeouts.tokenLossMs + timeouts.gatherMaxMs + timeouts.commitMs;
  const detectMs = attemptMs + recoveryMs;
  return {
    detectMs,
    convergeMs: timeouts.probeIdleMs + 16 * timeouts.mergeNotBeforeMs + 4 * attemptMs + 2 * recoveryMs,
    drainMs: 4 * attemptMs + 40 * recoveryMs,
  };
}
