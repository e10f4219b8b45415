/** Listeners of both kinds of session: which events there are, and what taking all of them away leaves working. */
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { FlushSession, type Session, SkeinError } from '../../client/index.ts';
import { type FakeDaemon, openPair, type Peer, turn, until } from './client-fake-daemon.ts';
import { message, viewFrame } from './client-frames.ts';

const ADDING = ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'] as const;
const REMOVING = ['off', 'removeListener'] as const;
type Method = (typeof ADDING)[number] | (typeof REMOVING)[number];
type AnyEmitter = Readonly<Record<Method, (event: unknown, listener: unknown) => unknown>>;

const opened: { readonly session: Session; readonly daemon: FakeDaemon }[] = [];
afterEach(async () => {
  for (const { session, daemon } of opened.splice(0)) {
    session.destroy();
    await daemon.stop();
  }
});

async function pair(): Promise<{ readonly session: Session; readonly peer: Peer }> {
  const { session, peer, daemon } = await openPair();
  opened.push({ session, daemon });
  return { session, peer };
}

const KINDS = {
  Session: {
    wrap: (session: Session) => session,
    events: ['message', 'membership', 'transition', 'selfLeave', 'reject'],
  },
  FlushSession: {
    wrap: (session: Session) => new FlushSession(session),
    events: ['message', 'view', 'flushRequest', 'transition', 'selfLeave'],
  },
} as const;
const COMMON = ['error', 'close', 'newListener', 'removeListener'];

describe.each(['Session', 'FlushSession'] as const)('%s', (kind) => {
  const { wrap, events } = KINDS[kind];
  const emitter = async (): Promise<AnyEmitter> => wrap((await pair()).session) as unknown as AnyEmitter;

  it.each([...ADDING, ...REMOVING])(
    '%s takes the events there are and names them when it is given another',
    async (method) => {
      const session = await emitter();
      for (const event of [...events, ...COMMON, Symbol('own')]) session[method](event, () => undefined);
      expect(() => session[method]('mesage', () => undefined)).toThrow(
        `event "mesage": must be one of ${[...events, 'error', 'close'].join(', ')}; did you mean "message"?`,
      );
      for (const event of ['Message', 'data', '', undefined, 5, {}])
        expect(() => session[method](event, () => undefined)).toThrow(SkeinError);
      expect(() => session[method]('message', undefined)).toThrow('listener of message undefined: must be a function');
    },
  );

  it('lets Node wait for an event, and tells Node of a wrong one', async () => {
    const session = await emitter();
    await expect(once(session as unknown as FlushSession, 'closed')).rejects.toThrow(/did you mean "close"\?/);
  });

  it('keeps the ways of receiving apart, also after all listeners were taken away', async () => {
    const session = wrap((await pair()).session);
    (session as unknown as AnyEmitter).on('message', () => undefined);
    session.removeAllListeners();
    const next = session.receive();
    next.catch(() => undefined);
    for (const method of ADDING) {
      const add = (session as unknown as AnyEmitter)[method].bind(session);
      for (const event of events)
        expect(() => add(event, () => undefined)).toThrow(expect.objectContaining({ code: 'ILLEGAL_STATE' }));
      add('close', () => undefined);
    }
  });
});

it('gives what waited to the next listener, also after all listeners were taken away', async () => {
  const { session, peer } = await pair();
  session.removeAllListeners();
  peer.write(message('waited'));
  for (let i = 0; i < 20; i++) await turn();
  const seen: string[] = [];
  session.on('message', ({ data }) => seen.push(data.toString()));
  await until(() => seen.length === 1);
  expect(seen).toEqual(['waited']);
});

it('gives what waited to the next listener of a flush session, also after all listeners were taken away', async () => {
  const { session, peer } = await pair();
  const flush = new FlushSession(session);
  flush.removeAllListeners();
  void flush.join('room').catch(() => undefined);
  const members = ['#alice#localhost'];
  peer.write(Buffer.concat([message('to alice', '#bob#localhost', members), viewFrame({ group: 'room', members })]));
  for (let i = 0; i < 20; i++) await turn();
  const seen: string[] = [];
  flush.on('message', ({ data }) => seen.push(data.toString()));
  await until(() => seen.length === 1);
  expect(seen).toEqual(['to alice']);
});

describe.each(['Session', 'FlushSession'] as const)('a listener of a %s that throws', (kind) => {
  it('is an uncaught exception, and the next message comes all the same', async () => {
    const { session, peer } = await pair();
    const receiving = KINDS[kind].wrap(session);
    const handlers = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const thrown: unknown[] = [];
    process.on('uncaughtException', (error) => thrown.push(error));
    const seen: string[] = [];
    const listener = ({ data }: { readonly data: Buffer }): never => {
      seen.push(data.toString());
      throw new Error(`listener of ${data.toString()}`);
    };
    (receiving as unknown as AnyEmitter).on('message', listener);
    const own = ['#alice#localhost'];
    peer.write(Buffer.concat([message('a', '#bob#localhost', own), message('b', '#bob#localhost', own)]));
    await until(() => thrown.length === 2);
    process.removeAllListeners('uncaughtException');
    for (const handler of handlers) process.on('uncaughtException', handler);
    expect(seen).toEqual(['a', 'b']);
  });
});
