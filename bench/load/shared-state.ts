/**
 * Memory that the coordinating thread and the load threads of one run share.
 *
 * Words (Int32): PHASE, READY and DONE; then `received[receiver][sender]`, the messages that a receiver has got in order from a sender (written
 * by that receiver only, read by the sender for its window); then `sent[sender][group]` (written by that sender only). Times (Float64, monotonic
 * ms): when to begin sending, and the measured interval.
 */
export const PHASE = 0;
export const READY = 1;
export const DONE = 2;
/** Senders sleep on this word with a timeout, which is more precise than a timer. Nobody notifies it. */
export const SLEEP = 3;
const FIRST_COUNTER = 16;

export const PHASE_CONNECT = 0;
export const PHASE_RUN = 1;
export const PHASE_CLOSE = 2;

export const TIME_START = 0;
export const TIME_FROM = 1;
export const TIME_TO = 2;

export interface Topology {
  readonly senders: number;
  readonly receivers: number;
  /** Receivers are spread over the groups, each in one. */
  readonly groups: number;
}

export interface SharedState {
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly times: Float64Array<SharedArrayBuffer>;
  readonly topology: Topology;
}

export function createSharedState(topology: Topology): SharedState {
  const counters = topology.receivers * topology.senders + topology.senders * topology.groups;
  return {
    words: new Int32Array(new SharedArrayBuffer((FIRST_COUNTER + counters) * 4)),
    times: new Float64Array(new SharedArrayBuffer(4 * 8)),
    topology,
  };
}

/** Index in `words` of the count of `receiver` for sender 0; the other senders follow. */
export const receivedAt = (topology: Topology, receiver: number): number => FIRST_COUNTER + receiver * topology.senders;

/** Index in `words` of the count of `sender` for group 0; the other groups follow. */
export const sentAt = (topology: Topology, sender: number): number =>
  FIRST_COUNTER + topology.receivers * topology.senders + sender * topology.groups;

export const groupOfReceiver = (topology: Topology, receiver: number): number => receiver % topology.groups;

/** Deliveries that are still missing. */
export function outstanding(state: SharedState): number {
  const { topology, words } = state;
  let missing = 0;
  for (let receiver = 0; receiver < topology.receivers; receiver++) {
    const group = groupOfReceiver(topology, receiver);
    for (let sender = 0; sender < topology.senders; sender++) {
      const sent = Atomics.load(words, sentAt(topology, sender) + group);
      missing += sent - Atomics.load(words, receivedAt(topology, receiver) + sender);
    }
  }
  return missing;
}
