/** Checks of subscriptions: an event nobody emits is a typing error, and what is no function can listen to nothing. */
import { EventEmitter } from 'node:events';
import { suggestion } from '../engine/config/did-you-mean.ts';
import { checkFunction, illegal, reading, wrongThis } from './check.ts';

const METHODS = [
  'on',
  'addListener',
  'once',
  'prependListener',
  'prependOnceListener',
  'off',
  'removeListener',
] as const;

/** Node's own, which every emitter has. */
const NODE_EVENTS: readonly string[] = ['newListener', 'removeListener'];

type Method = (this: unknown, event: unknown, listener: unknown) => unknown;

/** Puts the checks in front of Node's methods; they throw ILLEGAL_PARAM. Symbols are left to the code that made them. */
export function guardListeners(prototype: EventEmitter, events: readonly string[]): void {
  const known = [...events, ...NODE_EVENTS];
  for (const name of METHODS) {
    const original = EventEmitter.prototype[name] as Method;
    const guarded: Method = function (event, listener) {
      if (!reading('session', () => this instanceof EventEmitter)) throw wrongThis(name, 'session');
      if (typeof event === 'string' ? !known.includes(event) : typeof event !== 'symbol') {
        const hint = typeof event === 'string' ? suggestion(event.slice(0, 60), known) : '';
        throw illegal('event', event, `one of ${events.join(', ')}${hint}`);
      }
      checkFunction(`listener of ${String(event)}`, listener);
      // Node reads this field; a revoked Proxy throws there, which is told like any argument that cannot be read.
      reading(`listener of ${String(event)}`, () => (listener as { readonly listener?: unknown }).listener);
      return original.call(this, event, listener);
    };
    Object.defineProperty(prototype, name, { value: guarded, writable: true, configurable: true });
  }
}
