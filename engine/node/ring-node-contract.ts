/** The shape of a ring node as its surroundings see it: the ring worker and the simulator hold one each. */
import type { RingHost } from '../host/ring-host.ts';
import type { RingNodeOptions } from '../host/ring-options.ts';

/**
 * Pure: it has no clock, socket or timer. Its host calls `receive` for every datagram, `tick` no later than
 * `nextDeadlineMs`, and `wake` when the send queue stopped being empty. `nowMs` is monotonic, `wallSeconds` is unix time.
 *
 * Calls do not nest: inside a host's callback only `wake` may be called.
 *
 * A deadline that is not after the present asks for `tick` as soon as the datagrams that wait in the sockets are handled:
 * a token that would overtake its data waits for this (ring-protocol.md, 2.5).
 */
export interface RingNodeContract {
  start(nowMs: number, wallSeconds: number): void;
  receive(nowMs: number, bytes: Uint8Array, offset: number, lengthBytes: number): void;
  tick(nowMs: number, wallSeconds: number): void;
  readonly nextDeadlineMs: number;
  /** Records wait in the send queue, or the ordered log has room again. May be called from inside a host's callback. */
  wake(nowMs: number): void;
  /** The cluster's keys have changed: incarnations that a removed key may have proven must prove themselves again. */
  keysChanged(nowMs: number): void;
  /** Nothing that this daemon has sent could be lost with it. False during a change of membership. */
  readonly isSettled: boolean;
  /** Polite stop: sends LEAVE; the node sends nothing afterwards. */
  leave(nowMs: number): void;
  /** Gauges and totals by `RingCounter`, updated in place; read only for everyone else. */
  readonly counters: Float64Array;
}

export type RingNodeFactory = (options: RingNodeOptions, host: RingHost) => RingNodeContract;
