/** The six services by name, for traces. */
import {
  AGREED_MESS,
  CAUSAL_MESS,
  FIFO_MESS,
  RELIABLE_MESS,
  SAFE_MESS,
  UNRELIABLE_MESS,
} from '../../engine/wire/service.ts';
import type { ServiceName } from './trace-types.ts';

export const SERVICE_BITS: Readonly<Record<ServiceName, number>> = {
  unreliable: UNRELIABLE_MESS,
  reliable: RELIABLE_MESS,
  fifo: FIFO_MESS,
  causal: CAUSAL_MESS,
  agreed: AGREED_MESS,
  safe: SAFE_MESS,
};

/** By its bit. */
export function serviceName(bit: number): ServiceName {
  for (const [name, own] of Object.entries(SERVICE_BITS)) if (own === bit) return name as ServiceName;
  return 'unreliable';
}
