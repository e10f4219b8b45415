/** Checks of subscriptions: an event that is never emitted is a typing error, and a listener must be a function. */
import { suggestion } from '../engine/config/did-you-mean.ts';
import { checkFunction, illegal, reading } from './check.ts';

/** Node's own, which every emitter has. */
const NODE_EVENTS: readonly string[] = ['newListener', 'removeListener'];

/** Throws ILLEGAL_PARAM for what `checkEvent` refuses, and for a listener that is no function. */
export function checkListener(event: unknown, listener: unknown, events: readonly string[]): void {
  checkEvent(event, events);
  const what = `listener of ${String(event)}`;
  checkFunction(what, listener);
  // Node reads this field; a revoked Proxy throws there, which is reported like any unreadable argument.
  reading(what, () => (listener as { readonly listener?: unknown }).listener);
}

/** Throws ILLEGAL_PARAM for the name of an event that is never emitted. Symbols are left to the code that made them. */
export function checkEvent(event: unknown, events: readonly string[]): void {
  const known = [...events, ...NODE_EVENTS];
  if (typeof event === 'string' ? !known.includes(event) : typeof event !== 'symbol') {
    const hint = typeof event === 'string' ? suggestion(event.slice(0, 60), known) : '';
    throw illegal('event', event, `one of ${events.join(', ')}${hint}`);
  }
}
