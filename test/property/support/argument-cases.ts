/** For every function of the package: how to call it with whatever a program may pass. */
import type { EventEmitter } from 'node:events';
import { expect } from 'vitest';
import { CONNECT_OPTION_NAMES } from '../../../client/connect-options.ts';
import type { AuthChannel, ConnectOptions, Data, SendOptions } from '../../../client/index.ts';
import {
  ConfigError,
  connect,
  FlushSession,
  formatConfigError,
  passwordAuth,
  Session,
  SkeinError,
  scramAuth,
  startDaemon,
  ViewId,
} from '../../../index.ts';
import { type Call, type ErrorClass, type LibraryFixture, outcome } from './library-fixture.ts';

export type Args = readonly unknown[];

export interface Case {
  /** Random arguments tried; a default otherwise. */
  readonly runs?: number;
  readonly run: (args: Args) => Promise<void>;
}

/** Cases by the name of the function; `use` gives what they are tried on, when they run. */
export function argumentCases(use: () => LibraryFixture): ReadonlyMap<string, Case> {
  const junk =
    (call: Call, errors: readonly ErrorClass[] = [SkeinError]) =>
    async (args: Args): Promise<void> => {
      await outcome(() => call(...args), errors);
      await use().works();
    };

  /** For calls that end what they are called on: each gets its own. */
  const once = (make: () => Promise<object>, method: string | symbol) => ({
    runs: 8,
    run: async (args: Args): Promise<void> => {
      const own = await make();
      await outcome(() => (own as Record<string | symbol, Call>)[method]!(...args), [SkeinError]);
      (own as { destroy?: () => void }).destroy?.();
      await use().works();
    },
  });

  const onSession = (method: string | symbol) =>
    junk((...args) => (use().session as unknown as Record<string | symbol, Call>)[method]!(...args));
  const onFlush = (method: string | symbol) =>
    junk((...args) => (use().flush as unknown as Record<string | symbol, Call>)[method]!(...args));
  const onBatch = (method: string) =>
    junk((...args) => (use().batch as unknown as Record<string, Call>)[method]!(...args));

  /** Listeners that were taken are taken away again, or hostile functions would be called with what comes. */
  const subscribing = (owner: () => Session | FlushSession, method: string) =>
    junk((event, listener, ...rest) => {
      const emitter = owner() as unknown as Record<string, Call>;
      emitter[method]!(event, listener, ...rest);
      emitter['removeListener']!(event, listener);
    });
  /** The listeners of the fixture are put back. */
  const removingAll = (owner: () => Session | FlushSession) =>
    junk((event) => {
      const emitter = owner() as EventEmitter;
      const kept = emitter.eventNames().map((name) => [name, emitter.listeners(name)] as const);
      try {
        (emitter.removeAllListeners as Call).call(emitter, event);
      } finally {
        for (const [name, listeners] of kept) {
          emitter.removeAllListeners(name);
          for (const listener of listeners) emitter.on(name, listener as () => void);
        }
      }
    });
  /** A session whose events are pulled must give out the next one whatever its functions are called with. */
  const pulling =
    (method: 'receive' | typeof Symbol.asyncIterator) =>
    async (args: Args): Promise<void> => {
      const call = use().puller as unknown as Record<string | symbol, Call>;
      const next =
        method === 'receive'
          ? call['receive']!(...args)
          : (call[Symbol.asyncIterator]!(...args) as AsyncIterator<unknown, unknown, unknown>).next(args[0]);
      use().puller.multicast(use().puller.privateName, 'next');
      expect(await next).toBeDefined();
    };

  async function connecting(
    by: (options: ConnectOptions) => Promise<{ close(): Promise<void> }>,
    args: Args,
  ): Promise<void> {
    const [value, pick] = args;
    const name =
      CONNECT_OPTION_NAMES[
        typeof pick === 'number' && Number.isInteger(pick) ? Math.abs(pick) % CONNECT_OPTION_NAMES.length : 0
      ]!;
    const base: ConnectOptions = { port: use().daemon.port!, connectTimeoutMs: 200 };
    await outcome(async () => {
      const opened = await by({ ...base, [name]: value } as ConnectOptions);
      await opened.close();
    }, [SkeinError]);
    await outcome(async () => {
      if (value === undefined || (typeof value === 'object' && value !== null)) return;
      await by(value as ConnectOptions);
    }, [SkeinError]);
    await use().works();
  }

  /** Never with defaults: a daemon would open the port everybody uses. */
  const startingDaemon = {
    runs: 40,
    run: async ([value, other]: Args): Promise<void> => {
      const names = [
        'logger',
        'name',
        'port',
        'listen',
        'maxSessions',
        'configText',
        'debugFlags',
        'nonsense',
      ] as const;
      const name = names[typeof other === 'string' ? other.length % names.length : 0]!;
      await outcome(async () => {
        const base = { port: 0, logLevel: 'silent', unixSocketDir: null, threadingMode: 'inline', listen: '127.0.0.1' };
        const started = await startDaemon({ ...base, [name]: value } as never);
        await started.stop({ drainTimeoutMs: 0 });
      }, [ConfigError]);
      if (value !== undefined && (typeof value !== 'object' || value === null))
        await outcome(() => startDaemon(value as never), [ConfigError]);
    },
  };

  const stoppingDaemon = {
    runs: 25,
    run: async ([value]: Args): Promise<void> => {
      const own = await startDaemon({ port: 0, logLevel: 'silent', unixSocketDir: null, threadingMode: 'inline' });
      await outcome(() => own.stop({ drainTimeoutMs: value } as never), [ConfigError]);
      await outcome(() => own.stop(value as never), [ConfigError]);
      await own.stop({ drainTimeoutMs: 0 });
    },
  };

  const drainingDaemon = {
    runs: 25,
    run: async ([value]: Args): Promise<void> => {
      const own = await startDaemon({ port: 0, logLevel: 'silent', unixSocketDir: null, threadingMode: 'inline' });
      await outcome(() => own.drain({ drainTimeMs: value } as never), [ConfigError]);
      await outcome(() => own.drain({ drainTimeoutMs: value } as never), [ConfigError]);
      await outcome(() => own.drain(value as never), [ConfigError]);
      await own.stop({ drainTimeoutMs: 0 });
    },
  };

  const authenticating = {
    runs: 60,
    run: async ([value]: Args): Promise<void> => {
      // What is legal here would hang, or break the handshake.
      if (typeof value === 'number' && Number.isInteger(value)) return;
      await outcome(
        () =>
          use().open({
            connectTimeoutMs: 200,
            auth: {
              name: 'NULL',
              exchange: async (channel: AuthChannel) => {
                await outcome(() => channel.read(value as number), [SkeinError]);
                await outcome(() => channel.write(value as Uint8Array), [SkeinError]);
                throw new SkeinError('REJECT_AUTH', 'enough');
              },
            },
          }),
        [SkeinError],
      );
      await use().works();
    },
  };

  const both = (cases: Readonly<Record<string, ((args: Args) => Promise<void>) | Case>>): ReadonlyMap<string, Case> =>
    new Map(Object.entries(cases).map(([name, entry]) => [name, typeof entry === 'function' ? { run: entry } : entry]));

  const emitterCases = (owner: string, of: () => Session | FlushSession) =>
    Object.fromEntries(
      ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener', 'off', 'removeListener'].map((method) => [
        `${owner}.prototype.${method}`,
        subscribing(of, method),
      ]),
    );

  return both({
    connect: { runs: 300, run: (args) => connecting(connect, args) },
    passwordAuth: junk((value, other) => {
      passwordAuth(value as never);
      passwordAuth({ user: other, password: value } as never);
    }),
    scramAuth: junk((value, other) => {
      scramAuth(value as never);
      scramAuth({ user: other, password: value } as never);
    }),
    formatConfigError: junk((value) => formatConfigError(value as never), [ConfigError]),
    startDaemon: startingDaemon,
    'Daemon.drain': drainingDaemon,
    'Daemon.stop': stoppingDaemon,
    'Daemon.[Symbol.asyncDispose]': stoppingDaemon,
    'Daemon.reload': {
      runs: 5,
      run: async () =>
        void (await use()
          .daemon.reload()
          .catch(() => undefined)),
    },
    'Daemon.reopenLog': junk((...args) => (use().daemon.reopenLog as Call)(...args)),
    'Daemon.logStatus': junk((...args) => (use().daemon.logStatus as Call)(...args)),
    'Session.prototype.removeAllListeners': removingAll(() => use().session),
    'FlushSession.prototype.removeAllListeners': removingAll(() => use().flush),
    'AuthChannel.read': authenticating,
    'AuthChannel.write': authenticating,
    'FlushSession.connect': { runs: 100, run: (args) => connecting(FlushSession.connect, args) },
    'new Session': junk((...args) => Reflect.construct(Session, args)),
    'new FlushSession': junk((value, other) => {
      Reflect.construct(FlushSession, [value, other]);
    }),
    'new ViewId': junk((...args) => Reflect.construct(ViewId, args)),
    'ViewId.prototype.equals': junk((value) => new ViewId(1, 2, 3).equals(value as never)),
    'ViewId.prototype.toString': junk((...args) => (new ViewId(1, 2, 3).toString as Call)(...args)),
    'Target.prototype.send': junk((value) => use().target.send(value as Data)),
    'Session.prototype.multicast': {
      runs: 500,
      run: async ([a, b, c]) => {
        await junk(() => use().session.multicast(a as string, b as Data, c as SendOptions))([]);
        await junk(() => use().session.multicast('room', b as Data))([]);
        await junk(() => use().session.multicast('room', 'data', c as SendOptions))([]);
        await junk(() => use().session.multicast(['room', a as string], [b as Data, 'x', c as Data]))([]);
      },
    },
    'Session.prototype.target': {
      runs: 300,
      run: async ([a, b, c]) => {
        await junk(() =>
          use()
            .session.target(a as string, b as SendOptions)
            .send(c as Data),
        )([]);
        await junk(() => use().session.target(['room', a as string], { type: b, service: c } as never))([]);
      },
    },
    'Session.prototype.join': onSession('join'),
    'Session.prototype.leave': onSession('leave'),
    'Session.prototype.drained': onSession('drained'),
    'Session.prototype.flushed': onSession('flushed'),
    'Session.prototype.onBatch': async (args) => {
      const own = await use().open();
      await outcome(() => (own.onBatch as Call).apply(own, [...args])?.toString(), [SkeinError]);
      own.destroy();
      await use().works();
    },
    'Session.prototype.receive': pulling('receive'),
    'Session.prototype.[Symbol.asyncIterator]': pulling(Symbol.asyncIterator),
    'Session.prototype.pause': junk((...args) => {
      (use().session.pause as Call).apply(use().session, args);
      use().session.resume();
    }),
    'Session.prototype.resume': onSession('resume'),
    'Session.prototype.close': once(() => use().open(), 'close'),
    'Session.prototype.[Symbol.asyncDispose]': once(() => use().open(), Symbol.asyncDispose),
    'Session.prototype.destroy': once(() => use().open(), 'destroy'),
    ...emitterCases('Session', () => use().session),
    'FlushSession.prototype.join': onFlush('join'),
    'FlushSession.prototype.leave': junk((group) =>
      group === 'room' ? undefined : use().flush.leave(group as string),
    ),
    'FlushSession.prototype.flush': onFlush('flush'),
    'FlushSession.prototype.multicast': {
      runs: 300,
      run: async ([a, b, c]) => {
        await onFlush('multicast')([a, b, c]);
        await onFlush('multicast')(['room', b, c]);
        await onFlush('multicast')(['room', 'data', a]);
      },
    },
    'FlushSession.prototype.subgroupMulticast': {
      runs: 200,
      run: async ([a, b, c]) => {
        await onFlush('subgroupMulticast')([a, b, c]);
        await onFlush('subgroupMulticast')(['room', b, c, a]);
        await onFlush('subgroupMulticast')(['room', [use().flush.privateName], c, b]);
      },
    },
    'FlushSession.prototype.unicast': {
      runs: 200,
      run: async ([a, b, c]) => {
        await onFlush('unicast')([a, b, c]);
        await onFlush('unicast')(['room', a, b, c]);
        await onFlush('unicast')(['room', use().flush.privateName, b, c]);
      },
    },
    'FlushSession.prototype.drained': onFlush('drained'),
    'FlushSession.prototype.flushed': onFlush('flushed'),
    'FlushSession.prototype.receive': onFlush('receive'),
    'FlushSession.prototype.[Symbol.asyncIterator]': onFlush(Symbol.asyncIterator),
    'FlushSession.prototype.close': once(() => FlushSession.connect({ port: use().daemon.port! }), 'close'),
    'FlushSession.prototype.[Symbol.asyncDispose]': once(
      () => FlushSession.connect({ port: use().daemon.port! }),
      Symbol.asyncDispose,
    ),
    ...emitterCases('FlushSession', () => use().flush),
    'Batch.senderEquals': onBatch('senderEquals'),
    'Batch.group': onBatch('group'),
    'Batch.groupEquals': onBatch('groupEquals'),
    'Batch.data': onBatch('data'),
    'Batch.copy': onBatch('copy'),
    'Batch.event': onBatch('event'),
    'Batch.retain': onBatch('retain'),
  });
}
