/** Methods taken off their objects, and called from within the handlers of the session. */
import { describe, expect, it } from 'vitest';
import { FlushSession, Session, SkeinError } from '../../client/index.ts';
import { type Call, libraryFixture } from './support/library-fixture.ts';
import { nameOf, ownPrototypes } from './support/prototypes.ts';

const use = libraryFixture();

describe('a method without its object', () => {
  const owners = (): readonly (readonly [string, object])[] => [
    ['Session', Session.prototype],
    ['FlushSession', FlushSession.prototype],
    ['Target', Object.getPrototypeOf(use().target) as object],
  ];

  it('is an error of the library, whatever it is called on', async () => {
    for (const [owner, type] of owners()) {
      for (const prototype of ownPrototypes(type)) {
        for (const key of Reflect.ownKeys(prototype)) {
          const { value } = Object.getOwnPropertyDescriptor(prototype, key)!;
          if (typeof value !== 'function' || key === 'constructor') continue;
          for (const self of [undefined, null, 5, {}, prototype, new Proxy(use().session, {})]) {
            let thrown: unknown = 'nothing';
            try {
              await (value as Call).call(self, 'room', () => undefined);
            } catch (error) {
              thrown = error;
            }
            expect(thrown, `${owner}.${nameOf(key)} on ${typeof self}`).toBeInstanceOf(SkeinError);
          }
        }
      }
    }
    await use().works();
  });
});

describe('re-entrancy', () => {
  it('lets handlers call every method of the session that calls them', async () => {
    const own = await use().open();
    const done = new Promise<void>((resolve) => {
      own.on('message', () => {
        own.multicast('room', 'from a handler');
        own
          .join('room2')
          .then(() => own.leave('room2'))
          .catch(() => undefined);
        own.pause();
        own.resume();
        own.target(['room']).send('x');
        void own
          .flushed()
          .then(() => own.close())
          .then(resolve);
      });
    });
    own.multicast(own.privateName, 'go');
    await done;
    await Promise.all([own.close(), own.close(), own[Symbol.asyncDispose]()]);
    own.destroy();
    expect(() => own.multicast('room', 'x')).toThrow(SkeinError);
    const late = { join: own.join('a'), leave: own.leave('room'), flushed: own.flushed(), receive: own.receive() };
    const results = await Promise.allSettled(Object.values(late));
    expect(
      Object.keys(late).map((method, i) => {
        const result = results[i]!;
        return [method, result.status === 'rejected' ? (result.reason as SkeinError).code : result.status];
      }),
    ).toEqual([
      ['join', 'ILLEGAL_SESSION'],
      ['leave', 'fulfilled'],
      ['flushed', 'fulfilled'],
      ['receive', 'ILLEGAL_STATE'],
    ]);
    await use().works();
  });
});
