/** A daemon in this process, sessions of both kinds, and a check that they still work after each attempt. */
import { afterAll, beforeAll, expect } from 'vitest';
import {
  type Batch,
  type ConnectOptions,
  connect,
  FlushSession,
  type Session,
  type Target,
} from '../../../client/index.ts';
import { type Daemon, startDaemon } from '../../../daemon/start-daemon.ts';

export type ErrorClass = abstract new (...args: never) => Error;
export type Call = (...args: unknown[]) => unknown;

const SETTLE_MS = 300;
const PATIENCE_MS = 5000;

export class LibraryFixture {
  readonly daemon: Daemon;
  /** Receives by events. */
  readonly session: Session;
  /** Receives by iterating. */
  readonly puller: Session;
  /** In group `room`. */
  readonly flush: FlushSession;
  readonly target: Target;
  /** A batch kept over one frame. */
  readonly batch: Batch;
  readonly #heard = new Set<string>();
  #tokens = 0;

  private constructor(daemon: Daemon, session: Session, puller: Session, flush: FlushSession, batch: Batch) {
    this.daemon = daemon;
    this.session = session;
    this.puller = puller;
    this.flush = flush;
    this.target = session.target('room');
    this.batch = batch;
    session.on('message', ({ data }) => void this.#heard.add(data.toString()));
    session.on('reject', () => undefined);
    flush.on('message', ({ data }) => void this.#heard.add(data.toString()));
    flush.on('flushRequest', ({ group }) => flush.flush(group));
  }

  static async start(): Promise<LibraryFixture> {
    const daemon = await startDaemon({ port: 0, logLevel: 'silent', unixSocketDir: null, threadingMode: 'shared' });
    const port = daemon.port!;
    const [session, puller, flush] = await Promise.all([
      connect({ port, name: 'events' }),
      connect({ port, name: 'puller' }),
      FlushSession.connect({ port, name: 'flush' }),
    ]);
    const fixture = new LibraryFixture(daemon, session, puller, flush, await keptBatch(await connect({ port })));
    await flush.join('room');
    return fixture;
  }

  async stop(): Promise<void> {
    await Promise.all([this.session.close(), this.puller.close(), this.flush.close()]);
    await this.daemon.stop({ drainTimeoutMs: 200 });
  }

  open(options: ConnectOptions = {}): Promise<Session> {
    return connect({ port: this.daemon.port!, ...options });
  }

  /** A message to itself comes back, and nothing in between has broken the stream. */
  async works(): Promise<void> {
    const own = `token ${++this.#tokens}`;
    const heard = this.#heard;
    this.session.multicast(this.session.privateName, own);
    this.flush.multicast(this.flush.privateName, `${own} of flush`);
    this.target.send('still a target');
    const deadlineMs = Date.now() + PATIENCE_MS;
    while (!heard.has(own) || !heard.has(`${own} of flush`)) {
      if (Date.now() > deadlineMs) throw new Error(`the session does not work any more: ${own}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    heard.clear();
  }
}

/** Takes the one frame that the session sends itself, and closes it. */
async function keptBatch(receiver: Session): Promise<Batch> {
  const kept = new Promise<Batch>((resolve) => receiver.onBatch((arrived) => resolve(arrived.retain())));
  receiver.multicast(receiver.privateName, 'a frame');
  const batch = await kept;
  await receiver.close();
  batch.next();
  return batch;
}

/** The fixture of a test file; to be used inside tests only. */
export function libraryFixture(): () => LibraryFixture {
  let fixture: LibraryFixture | undefined;
  beforeAll(async () => {
    fixture = await LibraryFixture.start();
  }, 30_000);
  afterAll(async () => {
    await fixture?.stop();
  });
  return () => fixture!;
}

/** Calls the function; it may throw or reject only with an error of the library. A pending promise is left alone. */
export async function outcome(call: () => unknown, errors: readonly ErrorClass[]): Promise<void> {
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
