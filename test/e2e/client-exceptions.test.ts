/** An exception in a program's handler is an uncaught exception; a program that survives it loses no event. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { connect, FlushSession, type Session } from '../../client/index.ts';
import { eventually, testDaemon } from './support/daemons.ts';

const MESSAGES = 5;

/** Collects uncaught exceptions until the test ends, so that they do not fail it. */
function uncaught(): readonly unknown[] {
  const thrown: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => thrown.push(error));
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  });
  return thrown;
}

const RECEIVERS: Readonly<Record<string, (session: Session, told: (text: string) => void) => void>> = {
  'a batch handler': (session, told) =>
    void session.onBatch((batch) => {
      while (batch.next()) if (batch.kind === 'message') told(batch.data().toString());
      throw new Error('the program');
    }),
  'a batch handler that looks at nothing': (session, told) =>
    void session.onBatch((batch) => {
      for (let left = batch.length; left > 0; left--) told('');
      throw new Error('the program');
    }),
  'a listener': (session, told) => {
    session.on('membership', () => {
      throw new Error('the program');
    });
    session.on('message', (event) => {
      told(event.data.toString());
      throw new Error('the program');
    });
  },
  'a listener of a flush session': (session, told) => {
    const flush = new FlushSession(session);
    flush.on('message', (event) => {
      told(event.data.toString());
      throw new Error('the program');
    });
    flush.on('flushRequest', ({ group }) => {
      void flush.flush(group);
      throw new Error('the program');
    });
  },
};

it.each(Object.keys(RECEIVERS))('%s that throws costs the session nothing', async (how) => {
  const thrown = uncaught();
  const daemon = await testDaemon();
  const session = await connect({ host: '127.0.0.1', port: daemon.port! });
  onTestFinished(() => session.destroy());
  const errors: unknown[] = [];
  session.on('error', (error) => errors.push(error));
  const texts: string[] = [];
  // The view may come in the same read as the end of the handshake; the next read goes to another buffer.
  if (!how.includes('flush')) await session.join('room');
  RECEIVERS[how]!(session, (text) => texts.push(text));
  await turn();
  for (let i = 0; i < MESSAGES; i++) {
    const before = texts.length;
    session.multicast(session.privateName, `message ${i}`);
    await eventually(() => texts.length > before || session.closed, 'the message');
  }
  expect(errors).toEqual([]);
  expect(session.closed).toBe(false);
  if (!how.includes('nothing')) expect(texts).toEqual(Array.from({ length: MESSAGES }, (_, i) => `message ${i}`));
  expect(thrown.length).toBeGreaterThanOrEqual(MESSAGES);
});
