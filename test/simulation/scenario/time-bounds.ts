/** The time bounds of ring-protocol.md 3.9, from the timeouts of a scenario. */
import type { TimeBounds } from '../trace/trace.ts';
import type { Scenario } from './scenario.ts';

/** Rotations that recovery may take, generously. */
const RECOVERY_ROTATIONS = 12;

/** Idle probe periods for which an incarnation of a daemon must be silent before an earlier one is listened to (3.11). */
const IDENTITY_PENALTY_PROBES = 3;

export function timeBounds({ timeouts, network, nodeCount, segmentOf, faults, keepsState }: Scenario): TimeBounds {
  const apart = new Set(segmentOf).size > 1 ? network.segmentDelayMs : 0;
  const hopMs = network.delayMs + 3 * network.jitterMs + apart + 1;
  const recoveryMs = RECOVERY_ROTATIONS * nodeCount * hopMs;
  const attemptMs = timeouts.tokenLossMs + timeouts.gatherMaxMs + timeouts.commitMs;
  const detectMs = attemptMs + recoveryMs;
  // A run that draws its number may have drawn a lower one than the run before.
  const incarnationsCompete = !keepsState || faults.some(({ kind }) => kind === 'duplicate');
  const penaltyMs = incarnationsCompete ? IDENTITY_PENALTY_PROBES * timeouts.probeIdleMs + attemptMs : 0;
  return {
    detectMs,
    convergeMs: timeouts.probeIdleMs + 16 * timeouts.mergeNotBeforeMs + 4 * attemptMs + 2 * recoveryMs + penaltyMs,
    drainMs: 4 * attemptMs + 40 * recoveryMs,
  };
}
