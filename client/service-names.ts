/** The six services by name (client-protocol.md, sections 3.1 and 3.3). */
import {
  AGREED_MESS,
  CAUSAL_MESS,
  FIFO_MESS,
  REGULAR_MESS,
  RELIABLE_MESS,
  SAFE_MESS,
  UNRELIABLE_MESS,
} from '../engine/wire/service.ts';
import { illegal } from './check.ts';

/**
 * - `unreliable`: may be lost, no order
 * - `reliable`: not lost, no order promised
 * - `fifo`: in the order each sender sent
 * - `causal`: and never before a message it may depend on
 * - `agreed`: one total order over all groups and daemons
 * - `safe`: agreed, and delivered only once every daemon of the membership has it
 */
export type Service = 'unreliable' | 'reliable' | 'fifo' | 'causal' | 'agreed' | 'safe';

const BIT_OF: Readonly<Record<Service, number>> = {
  unreliable: UNRELIABLE_MESS,
  reliable: RELIABLE_MESS,
  fifo: FIFO_MESS,
  causal: CAUSAL_MESS,
  agreed: AGREED_MESS,
  safe: SAFE_MESS,
};

/** The service bit, or ILLEGAL_SERVICE for a name that is none of the six. */
export function serviceBit(service: Service): number {
  if (typeof service !== 'string' || !Object.hasOwn(BIT_OF, service))
    throw illegal('service', service, `one of ${Object.keys(BIT_OF).join(', ')}`, 'ILLEGAL_SERVICE');
  return BIT_OF[service];
}

/** The strongest service among the bits of `type`; frames of well-behaved clients have exactly one. */
export function serviceOf(type: number): Service | undefined {
  const bits = type & REGULAR_MESS;
  if ((bits & SAFE_MESS) !== 0) return 'safe';
  if ((bits & AGREED_MESS) !== 0) return 'agreed';
  if ((bits & CAUSAL_MESS) !== 0) return 'causal';
  if ((bits & FIFO_MESS) !== 0) return 'fifo';
  if ((bits & RELIABLE_MESS) !== 0) return 'reliable';
  return (bits & UNRELIABLE_MESS) !== 0 ? 'unreliable' : undefined;
}
