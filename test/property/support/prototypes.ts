/** The library's own part of a chain of prototypes. */
import { EventEmitter } from 'node:events';

/** A prototype and those it inherits from, up to Node's own. */
export function ownPrototypes(prototype: object): readonly object[] {
  const chain: object[] = [];
  for (let own: object = prototype; own !== EventEmitter.prototype && own !== Object.prototype; ) {
    chain.push(own);
    own = Object.getPrototypeOf(own) as object;
  }
  return chain;
}

/** Node's polyfill of a symbol has a name of its own. */
export const nameOf = (key: string | symbol): string =>
  typeof key === 'symbol' ? `[${key === Symbol.asyncDispose ? 'Symbol.asyncDispose' : key.description}]` : key;
