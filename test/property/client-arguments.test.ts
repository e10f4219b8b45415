/**
 * Whatever a program passes to whatever function of the package: it is taken, or refused with an error of the library, and the session
 * still works afterwards. The functions are enumerated from the module and its prototypes, so that a new one cannot be left out.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthChannel, Batch, ConnectOptions, Data, SendOptions, Target } from '../../client/index.ts';
import { OPTION_NAMES } from '../../client/options.ts';
import { type Daemon, startDaemon } from '../../daemon/start-daemon.ts';
import * as library from '../../index.ts';
import { hostileValue, MISLEADING } from './support/hostile-values.ts';

const { connect, FlushSession, Session, SkeinError, ConfigError, ViewId, passwordAuth, formatConfigError } = library;
type Args = readonly unknown[];
type ErrorClass = abstract new (...args: never) => Error;
type Call = (...args: unknown[]) => unknown;

const RUNS = 150;
const SETTLE_MS = 300;

let daemon: Daemon;
let session: library.Session;
let puller: library.Session;
let flush: library.FlushSession;
let target: Target;
let batch: Batch;
const open = (options: ConnectOptions = {}): Promise<library.Session> => connect({ port: daemon.port!, ...options });

beforeAll(async () => {
  daemon = await startDaemon({ port: 0, logLevel: 'silent', unixSocketDir: null, threadingMode: 'shared' });
  session = await open({ name: 'events' });
  session.on('message', ({ data }) => void heard.add(data.toString()));
  session.on('reject', () => undefined);
  puller = await open({ name: 'puller' });
  flush = await FlushSession.connect({ port: daemon.port!, name: 'flush' });
  flush.on('message', ({ data }) => void heard.add(data.toString()));
  flush.on('flushRequest', ({ group }) => flush.flush(group));
  await flush.join('room');
  target = session.target('room');
  batch = await aBatch();
}, 30_000);

afterAll(async () => {
  await Promise.all([session.close(), puller.close(), flush.close()]);
  await daemon.stop({ drainTimeoutMs: 200 });
});

/** A batch kept over one frame. */
async function aBatch(): Promise<Batch> {
  const receiver = await open();
  const kept = new Promise<Batch>((resolve) => receiver.onBatch((arrived) => resolve(arrived.retain())));
  receiver.multicast(receiver.privateName, 'a frame');
  const result = await kept;
  await receiver.close();
  result.next();
  return result;
}

const heard = new Set<string>();
let tokens = 0;

/** A message to itself comes back, and nothing in between has broken the stream. */
async function works(): Promise<void> {
  const own = `token ${++tokens}`;
  session.multicast(session.privateName, own);
  flush.multicast(flush.privateName, `${own} of flush`);
  target.send('still a target');
  const deadlineMs = Date.now() + 5000;
  while (!heard.has(own) || !heard.has(`${own} of flush`)) {
    if (Date.now() > deadlineMs) throw new Error(`the session does not work any more: ${own}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  heard.clear();
}

/** Calls; what it throws or rejects with must be an error of the library. A promise that stays open is let be. */
async function outcome(call: () => unknown, errors: readonly ErrorClass[]): Promise<void> {
  try {
    const result = call();
    if (!(result instanceof Promise)) return;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, SETTLE_MS);
    });
    await Promise.race([result, patience]);
    clearTimeout(timer);
  } catch (error) {
    if (errors.some((type) => error instanceof type)) {
      expect((error as Error).message.length).toBeLessThan(2000);
      return;
    }
    throw new Error(`threw no error of the library but ${String((error as Error)?.stack ?? typeof error)}`, {
      cause: error,
    });
  }
}

const junk =
  (call: Call, errors: readonly ErrorClass[] = [SkeinError]) =>
  async (args: Args): Promise<void> => {
    await outcome(() => call(...args), errors);
    await works();
  };

/** For calls that end what they are called on: each gets its own. */
const once = (make: () => Promise<object>, method: string | symbol) => ({
  runs: 8,
  run: async (args: Args): Promise<void> => {
    const own = await make();
    await outcome(() => (own as Record<string | symbol, Call>)[method]!(...args), [SkeinError]);
    (own as { destroy?: () => void }).destroy?.();
    await works();
  },
});

const onSession = (method: string | symbol) =>
  junk((...args) => (session as unknown as Record<string | symbol, Call>)[method]!(...args));
const onFlush = (method: string | symbol) =>
  junk((...args) => (flush as unknown as Record<string | symbol, Call>)[method]!(...args));
const onBatch = (method: string) => junk((...args) => (batch as unknown as Record<string, Call>)[method]!(...args));

/** Listeners that were taken are taken away again, or hostile functions would be called with what comes. */
const subscribing = (owner: () => Session | library.FlushSession, method: string) =>
  junk((event, listener, ...rest) => {
    const emitter = owner() as unknown as Record<string, Call>;
    emitter[method]!(event, listener, ...rest);
    emitter['removeListener']!(event, listener);
  });
type Session = library.Session;

/** A session whose events are pulled must give out the next one whatever its functions are called with. */
const pulling =
  (method: 'receive' | typeof Symbol.asyncIterator) =>
  async (args: Args): Promise<void> => {
    const call = puller as unknown as Record<string | symbol, Call>;
    const next =
      method === 'receive'
        ? call['receive']!(...args)
        : (call[Symbol.asyncIterator]!(...args) as AsyncIterator<unknown, unknown, unknown>).next(args[0]);
    puller.multicast(puller.privateName, 'next');
    expect(await next).toBeDefined();
  };

async function connecting(
  by: (options: ConnectOptions) => Promise<{ close(): Promise<void> }>,
  args: Args,
): Promise<void> {
  const [value, pick] = args;
  const name =
    OPTION_NAMES[typeof pick === 'number' && Number.isInteger(pick) ? Math.abs(pick) % OPTION_NAMES.length : 0]!;
  const base: ConnectOptions = { port: daemon.port!, connectTimeoutMs: 200 };
  await outcome(async () => {
    const opened = await by({ ...base, [name]: value } as ConnectOptions);
    await opened.close();
  }, [SkeinError]);
  await outcome(async () => {
    if (value === undefined || (typeof value === 'object' && value !== null)) return;
    await by(value as ConnectOptions);
  }, [SkeinError]);
  await works();
}

/** Never with defaults: a daemon would open the port everybody uses. */
const startingDaemon = {
  runs: 40,
  run: async ([value, other]: Args): Promise<void> => {
    const names = ['logger', 'name', 'port', 'listen', 'maxSessions', 'configText', 'debugFlags', 'nonsense'] as const;
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

const authenticating = {
  runs: 60,
  run: async ([value]: Args): Promise<void> => {
    // What is legal here would hang, or break the handshake.
    if (typeof value === 'number' && Number.isInteger(value)) return;
    await outcome(
      () =>
        open({
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
    await works();
  },
};

interface Case {
  readonly runs?: number;
  readonly run: (args: Args) => Promise<void>;
}

const both = (cases: Readonly<Record<string, ((args: Args) => Promise<void>) | Case>>): ReadonlyMap<string, Case> =>
  new Map(Object.entries(cases).map(([name, entry]) => [name, typeof entry === 'function' ? { run: entry } : entry]));

const emitterCases = (owner: string, of: () => Session | library.FlushSession) =>
  Object.fromEntries(
    ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener', 'off', 'removeListener'].map((method) => [
      `${owner}.prototype.${method}`,
      subscribing(of, method),
    ]),
  );

const CASES = both({
  connect: { runs: 300, run: (args) => connecting(connect, args) },
  passwordAuth: junk((value, other) => {
    passwordAuth(value as never);
    passwordAuth({ user: other, password: value } as never);
  }),
  formatConfigError: junk((value) => formatConfigError(value as never), [ConfigError]),
  startDaemon: startingDaemon,
  'Daemon.stop': stoppingDaemon,
  'Daemon.[Symbol.asyncDispose]': stoppingDaemon,
  'Daemon.reloadClusterKeys': {
    runs: 5,
    run: async () => void (await daemon.reloadClusterKeys().catch(() => undefined)),
  },
  'Daemon.reopenLog': junk((...args) => (daemon.reopenLog as Call)(...args)),
  'Daemon.logStatus': junk((...args) => (daemon.logStatus as Call)(...args)),
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
  'Target.prototype.send': junk((value) => target.send(value as Data)),
  'Session.prototype.multicast': {
    runs: 500,
    run: async ([a, b, c]) => {
      await junk(() => session.multicast(a as string, b as Data, c as SendOptions))([]);
      await junk(() => session.multicast('room', b as Data))([]);
      await junk(() => session.multicast('room', 'data', c as SendOptions))([]);
      await junk(() => session.multicast(['room', a as string], [b as Data, 'x', c as Data]))([]);
    },
  },
  'Session.prototype.target': {
    runs: 300,
    run: async ([a, b, c]) => {
      await junk(() => session.target(a as string, b as SendOptions).send(c as Data))([]);
      await junk(() => session.target(['room', a as string], { type: b, service: c } as never))([]);
    },
  },
  'Session.prototype.join': onSession('join'),
  'Session.prototype.leave': onSession('leave'),
  'Session.prototype.drained': onSession('drained'),
  'Session.prototype.flushed': onSession('flushed'),
  'Session.prototype.onBatch': async (args) => {
    const own = await open();
    await outcome(() => (own.onBatch as Call).apply(own, [...args])?.toString(), [SkeinError]);
    own.destroy();
    await works();
  },
  'Session.prototype.receive': pulling('receive'),
  'Session.prototype.[Symbol.asyncIterator]': pulling(Symbol.asyncIterator),
  'Session.prototype.pause': junk((...args) => {
    (session.pause as Call).apply(session, args);
    session.resume();
  }),
  'Session.prototype.resume': onSession('resume'),
  'Session.prototype.close': once(() => open(), 'close'),
  'Session.prototype.[Symbol.asyncDispose]': once(() => open(), Symbol.asyncDispose),
  'Session.prototype.destroy': once(() => open(), 'destroy'),
  ...emitterCases('Session', () => session),
  'FlushSession.prototype.join': onFlush('join'),
  'FlushSession.prototype.leave': junk((group) => (group === 'room' ? undefined : flush.leave(group as string))),
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
      await onFlush('subgroupMulticast')(['room', [flush.privateName], c, b]);
    },
  },
  'FlushSession.prototype.unicast': {
    runs: 200,
    run: async ([a, b, c]) => {
      await onFlush('unicast')([a, b, c]);
      await onFlush('unicast')(['room', a, b, c]);
      await onFlush('unicast')(['room', flush.privateName, b, c]);
    },
  },
  'FlushSession.prototype.drained': onFlush('drained'),
  'FlushSession.prototype.flushed': onFlush('flushed'),
  'FlushSession.prototype.receive': onFlush('receive'),
  'FlushSession.prototype.[Symbol.asyncIterator]': onFlush(Symbol.asyncIterator),
  'FlushSession.prototype.close': once(() => FlushSession.connect({ port: daemon.port! }), 'close'),
  'FlushSession.prototype.[Symbol.asyncDispose]': once(
    () => FlushSession.connect({ port: daemon.port! }),
    Symbol.asyncDispose,
  ),
  ...emitterCases('FlushSession', () => flush),
  'Batch.senderEquals': onBatch('senderEquals'),
  'Batch.group': onBatch('group'),
  'Batch.groupEquals': onBatch('groupEquals'),
  'Batch.data': onBatch('data'),
  'Batch.copy': onBatch('copy'),
  'Batch.event': onBatch('event'),
  'Batch.retain': onBatch('retain'),
});

/** Errors are made by the library; a program that makes them itself gets what it wrote. */
const ERROR_CLASSES: readonly string[] = ['SkeinError', 'ConfigError', 'AgentFailure'];
/** Of the one class that is cursor and batch at once: what the interface `Batch` does not have. */
const CURSOR_ONLY: readonly string[] = ['reset', 'release', 'next'];

/** Node's polyfill of a symbol has a name of its own. */
const nameOf = (key: string | symbol): string =>
  typeof key === 'symbol' ? `[${key === Symbol.asyncDispose ? 'Symbol.asyncDispose' : key.description}]` : key;

function methodsOf(owner: string, object: object): readonly string[] {
  return Reflect.ownKeys(object).flatMap((key) => {
    const { value } = Object.getOwnPropertyDescriptor(object, key)!;
    return typeof value === 'function' && key !== 'constructor' ? [`${owner}.${nameOf(key)}`] : [];
  });
}

/** Everything a program can call. */
async function publicFunctions(): Promise<readonly string[]> {
  const names: string[] = [];
  for (const [name, value] of Object.entries(library)) {
    if (typeof value !== 'function' || ERROR_CLASSES.includes(name)) continue;
    const isClass = /^class\b/.test(Function.prototype.toString.call(value));
    if (!isClass) {
      names.push(name);
      continue;
    }
    names.push(`new ${name}`, ...methodsOf(name, value), ...methodsOf(`${name}.prototype`, value.prototype as object));
  }
  names.push(...methodsOf('Target.prototype', Object.getPrototypeOf(target) as object));
  names.push(
    ...methodsOf('Batch', Object.getPrototypeOf(batch) as object).filter(
      (name) => !CURSOR_ONLY.includes(name.slice(6)),
    ),
  );
  names.push(...methodsOf('Daemon', daemon));
  let channel: object = {};
  await open({
    auth: {
      name: 'NULL',
      exchange: async (given) => {
        channel = given;
      },
    },
  }).then((opened) => opened.close());
  const own = methodsOf('AuthChannel', Object.getPrototypeOf(channel) as object);
  names.push(...own.filter((name) => !['AuthChannel.receive', 'AuthChannel.ended'].includes(name)));
  return names;
}

it('has a case for every public function', async () => {
  const functions = await publicFunctions();
  expect(functions.filter((name) => !CASES.has(name))).toEqual([]);
  expect([...CASES.keys()].filter((name) => !functions.includes(name))).toEqual([]);
});

describe('random values', () => {
  it.each([...CASES.keys()])(
    '%s',
    async (name) => {
      const { runs = RUNS, run } = CASES.get(name)!;
      await fc.assert(
        fc.asyncProperty(fc.array(hostileValue(), { minLength: 3, maxLength: 4 }), (args) =>
          run(args.map(({ make }) => make())),
        ),
        { numRuns: runs, endOnFailure: true },
      );
    },
    120_000,
  );
});

describe('data', () => {
  const received = (): Promise<Buffer> =>
    new Promise((resolve) => session.once('message', ({ data }) => resolve(data)));
  const numbers = Uint16Array.of(1, 2, 0x1234);
  const bytes = Buffer.from(numbers.buffer);

  it.each<[string, Data | readonly Data[], Buffer]>([
    ['a Uint16Array', numbers, bytes],
    ['a view of a part', new Uint8Array(numbers.buffer, 1, 3), bytes.subarray(1, 4)],
    ['a DataView', new DataView(numbers.buffer, 2), bytes.subarray(2)],
    ['an ArrayBuffer', numbers.buffer, bytes],
    ['a SharedArrayBuffer', new SharedArrayBuffer(3), Buffer.alloc(3)],
    [
      'pieces of all kinds',
      ['é', numbers, numbers.buffer, new DataView(numbers.buffer), ''],
      Buffer.concat([Buffer.from('é'), bytes, bytes, bytes]),
    ],
    ['a lone surrogate', '\ud800', Buffer.from('\ufffd')],
    ['nothing', '', Buffer.alloc(0)],
    ['long data of another kind', new Float64Array(10_000), Buffer.alloc(80_000)],
  ])('%s is its bytes', async (_, data, expected) => {
    const next = received();
    session.multicast(session.privateName, data);
    expect(Buffer.compare(await next, expected)).toBe(0);
  });

  it.each<[unknown, RegExp]>([
    [{ a: 1 }, /^data \(an object\): must be a string, a view of bytes/],
    [5, /^data 5: must be/],
    [null, /^data null: must be/],
    [undefined, /^data undefined: must be/],
    [[1, 2, 3], /^data\[0\] 1: must be/],
    [Promise.resolve('x'), /^data \(a promise; await it first\)/],
    [new String('x'), /^data \(an object\)/],
  ])('%o is refused with field, value and limit', (data, message) => {
    expect(() => session.multicast('room', data as Data)).toThrow(message);
    expect(() => session.multicast('room', data as Data)).toThrow(SkeinError);
  });

  it('ends the session with a clear error when memory that is being sent is transferred away', async () => {
    const own = await open({ copyBelowBytes: 1 });
    const ended = new Promise<unknown>((resolve) => own.once('close', resolve));
    const data = new Uint8Array(1000);
    own.multicast('room', data);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    own.on('error', () => undefined);
    expect(String(await ended)).toMatch(/its ArrayBuffer was transferred or cut before flushed/);
    await works();
  });
});

describe('options and groups', () => {
  it.each<[unknown, unknown, RegExp]>([
    [undefined, undefined, /^groups undefined: must be a name or an array of names/],
    [[], undefined, /^groups: none given/],
    [['room', 5], undefined, /^groups\[1\] 5: must be a string/],
    ['room', null, /^options null: must be an object/],
    ['room', 'agreed', /^options "agreed": must be an object/],
    ['room', { servce: 'safe' }, /unknown option "servce"; did you mean "service"\?/],
    ['room', { selfDiscard: 1 }, /^selfDiscard 1: must be true or false/],
    ['room', { type: 'x' }, /^type "x": must be an integer from -32768 to 32767/],
  ])('groups %o, options %o', (groups, options, message) => {
    // Also when the same groups are known already.
    session.multicast('room', 'x');
    expect(() => session.multicast(groups as string, 'x', options as SendOptions)).toThrow(message);
  });

  it('names the event that was meant', () => {
    expect(() => session.on('mesage' as 'message', () => undefined)).toThrow(/did you mean "message"/);
  });
});

describe('a method without its object', () => {
  const owners = (): readonly (readonly [string, object])[] => [
    ['Session', Session.prototype],
    ['FlushSession', FlushSession.prototype],
    ['Target', Object.getPrototypeOf(target) as object],
  ];

  it('is an error of the library, whatever it is called on', async () => {
    for (const [owner, prototype] of owners()) {
      for (const key of Reflect.ownKeys(prototype)) {
        const { value } = Object.getOwnPropertyDescriptor(prototype, key)!;
        if (typeof value !== 'function' || key === 'constructor') continue;
        // Node's own methods of emitters work on whatever is one.
        const isEmitters = /listener|^(on|once|off)$/i.test(nameOf(key));
        const others = isEmitters ? [] : [prototype, new Proxy(session, {})];
        for (const self of [undefined, null, 5, {}, ...others]) {
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
    await works();
  });
});

describe('re-entrancy', () => {
  it('lets handlers call every method of the session that calls them', async () => {
    const own = await open();
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
    for (const late of [own.join('a'), own.leave('room'), own.flushed(), own.drained(), own.receive()])
      await late.then(
        () => undefined,
        (error: unknown) => expect(error).toBeInstanceOf(SkeinError),
      );
    await works();
  });
});

it('knows every way to mislead', () => {
  expect(MISLEADING.length).toBeGreaterThan(60);
});
