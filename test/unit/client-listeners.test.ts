/** Listeners of both kinds of session: the events, and what still works after all listeners are removed. */
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
const COMMON = ['drain', 'error', 'close', 'newListener', 'removeListener'];

describe.each(['Session', 'FlushSession'] as const)('%s', (kind) => {
  const { wrap, events } = KINDS[kind];
  const emitter = async (): Promise<AnyEmitter> => wrap((await pair()).session) as unknown as AnyEmitter;

  it.each([...ADDING, ...REMOVING])(
    '%s accepts the known events and lists them when it is given another',
    async (method) => {
      const session = await emitter();
      for (const event of [...events, ...COMMON, Symbol('own')]) session[method](event, () => undefined);
      expect(() => session[method]('mesage', () => undefined)).toThrow(
        `event "mesage": must be one of ${[...events, 'drain', 'error', 'close'].join(', ')}; did you mean "message"?`,
      );
      for (const event of ['Message', 'data', '', undefined, 5, {}])
        expect(() => session[method](event, () => undefined)).toThrow(SkeinError);
      expect(() => session[method]('message', undefined)).toThrow('listener of message undefined: must be a function');
    },
  );

  it('works with events.once of Node, which rejects a wrong event', async () => {
    const session = await emitter();
    await expect(once(session as unknown as FlushSession, 'closed')).rejects.toThrow(/did you mean "close"\?/);
  });

  it('allows one way of receiving at a time, also after all listeners were removed', async () => {
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

it('delivers waiting events to the next listener, also after all listeners were removed', async () => {
  const { session, peer } = await pair();
  session.removeAllListeners();
  peer.write(message('waited'));
  for (let i = 0; i < 20; i++) await turn();
  const seen: string[] = [];
  session.on('message', ({ data }) => seen.push(data.toString()));
  await until(() => seen.length === 1);
  expect(seen).toEqual(['waited']);
});

it('delivers waiting events to the next listener of a flush session, also after all listeners were removed', async () => {
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

/** The uncaught exceptions that the program would see during `action`. */
async function uncaught(action: (thrown: readonly unknown[]) => Promise<void>): Promise<readonly unknown[]> {
  const handlers = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const thrown: unknown[] = [];
  process.on('uncaughtException', (error) => thrown.push(error));
  try {
    await action(thrown);
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const handler of handlers) process.on('uncaughtException', handler);
  }
  return thrown;
}

describe.each(['Session', 'FlushSession'] as const)('the end of a %s', (kind) => {
  type Listening = { on(event: string, listener: (value: never) => void): void };
  const own = ['#alice#localhost'];
  const wrapped = async (): Promise<{ readonly session: Session; readonly peer: Peer; readonly on: Listening }> => {
    const { session, peer } = await pair();
    return { session, peer, on: KINDS[kind].wrap(session) as unknown as Listening };
  };

  it('emits close although the listener of error throws, and both exceptions are uncaught exceptions', async () => {
    const { peer, on } = await wrapped();
    const seen: string[] = [];
    const thrown = await uncaught(async (soFar) => {
      on.on('message', () => undefined);
      on.on('error', () => {
        seen.push('error');
        throw new Error('of error');
      });
      on.on('close', () => {
        seen.push('close');
        throw new Error('of close');
      });
      peer.socket.destroy();
      await until(() => soFar.length === 2);
    });
    expect(seen).toEqual(['error', 'close']);
    expect(thrown.map((error) => (error as Error).message)).toEqual(['of error', 'of close']);
  });

  it('is an uncaught exception without a listener of error, and still emits close', async () => {
    const { peer, on } = await wrapped();
    let closes = 0;
    const thrown = await uncaught(async (soFar) => {
      on.on('message', () => undefined);
      on.on('close', () => closes++);
      peer.socket.destroy();
      await until(() => soFar.length === 1 && closes === 1);
    });
    expect(thrown).toEqual([expect.objectContaining({ code: 'CONNECTION_CLOSED' })]);
  });

  it('comes after waiting events for a listener that is added as the connection is lost', async () => {
    const { peer, on, session } = await wrapped();
    const seen: string[] = [];
    peer.socket.end(Buffer.concat([message('a', '#bob#localhost', own), message('b', '#bob#localhost', own)]));
    await new Promise((resolve) => session.once('close', resolve));
    on.on('message', (({ data }: { readonly data: Buffer }) => seen.push(data.toString())) as never);
    on.on('error', () => seen.push('error'));
    await until(() => seen.includes('b'));
    expect(seen.filter((what) => what !== 'error')).toEqual(['a', 'b']);
    expect(seen.indexOf('error') === -1 || seen.indexOf('error') === 2).toBe(true);
  });

  it('by close within a listener stops further events', async () => {
    const { peer, on, session } = await wrapped();
    const seen: string[] = [];
    on.on('message', (({ data }: { readonly data: Buffer }) => {
      seen.push(data.toString());
      session.destroy();
    }) as never);
    on.on('close', () => seen.push('close'));
    peer.write(Buffer.concat([message('a', '#bob#localhost', own), message('b', '#bob#localhost', own)]));
    await until(() => seen.includes('close'));
    for (let i = 0; i < 5; i++) await turn();
    expect(seen).toEqual(['a', 'close']);
  });
});

describe('a session that is lost while its listeners are paused', () => {
  async function lost(): Promise<{ readonly session: Session; readonly seen: string[] }> {
    const { session, peer } = await pair();
    const seen: string[] = [];
    session.on('message', ({ data }) => {
      seen.push(data.toString());
      session.pause();
    });
    session.on('error', () => seen.push('error'));
    session.on('close', () => seen.push('close'));
    const broken = message('x');
    broken.writeInt32LE(-1, 36);
    peer.write(Buffer.concat([message('a'), message('b'), broken]));
    await until(() => seen.length === 1);
    for (let i = 0; i < 5; i++) await turn();
    expect(seen).toEqual(['a']);
    return { session, seen };
  }

  it.each<readonly [string, (session: Session) => unknown]>([
    ['destroys it', (session) => session.destroy()],
    ['closes it', (session) => session.close()],
    ['takes all listeners of messages away', (session) => session.removeAllListeners('message')],
    [
      'takes its listener away',
      (session) =>
        session.off('message', session.listeners('message')[0] as Parameters<Session['off']>[1] & (() => void)),
    ],
  ])('tells of the end when the program %s', async (_, act) => {
    const { session, seen } = await lost();
    act(session);
    await until(() => seen.includes('close'));
    expect(seen).toEqual(['a', 'error', 'close']);
  });
});

describe.each(['Session', 'FlushSession'] as const)('a listener of a %s that throws', (kind) => {
  it('is an uncaught exception, and the next message still arrives', async () => {
    const { session, peer } = await pair();
    const receiving = KINDS[kind].wrap(session);
    const seen: string[] = [];
    const listener = ({ data }: { readonly data: Buffer }): never => {
      seen.push(data.toString());
      throw new Error(`listener of ${data.toString()}`);
    };
    (receiving as unknown as AnyEmitter).on('message', listener);
    const own = ['#alice#localhost'];
    await uncaught(async (thrown) => {
      peer.write(Buffer.concat([message('a', '#bob#localhost', own), message('b', '#bob#localhost', own)]));
      await until(() => thrown.length === 2);
    });
    expect(seen).toEqual(['a', 'b']);
  });
});
