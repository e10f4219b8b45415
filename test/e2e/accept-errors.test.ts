/** A daemon that runs out of file descriptors serves again once some are free, and logs what was missing. */
import { Server } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { connect } from '../../client/index.ts';
import { openFilesLimit, openFilesWarnings } from '../../daemon/open-files.ts';
import { deliveryCount, testDaemon } from './support/daemons.ts';

/** The listener of a daemon in this process. */
function listenerAt(port: number): Server {
  const handles = (process as unknown as { _getActiveHandles(): readonly unknown[] })._getActiveHandles();
  const at = (server: Server): boolean => {
    const address = server.address();
    return typeof address === 'object' && address?.port === port;
  };
  return handles.find((handle): handle is Server => handle instanceof Server && at(handle))!;
}

describe('connections that cannot be accepted', () => {
  it('are counted and logged once a minute, and do not end the listener', async () => {
    const lines: { readonly msg: string; readonly errno: string; readonly acceptErrors: number }[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const daemon = await testDaemon({ threadingMode: 'inline', logLevel: 'warn', logger });
    const listener = listenerAt(daemon.port!);
    for (let i = 0; i < 3; i++) listener.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
    listener.emit('error', Object.assign(new Error('accept ENOBUFS'), { code: 'ENOBUFS' }));
    const session = await connect({ address: { host: '127.0.0.1', port: daemon.port! } });
    await session.close();
    expect(deliveryCount(daemon, 'AcceptErrors')).toBe(4);
    expect(lines.filter(({ msg }) => msg.startsWith('connections cannot be accepted'))).toMatchObject([
      { errno: 'EMFILE', acceptErrors: 1, msg: expect.stringContaining('LimitNOFILE') },
      { errno: 'ENOBUFS', acceptErrors: 4, msg: 'connections cannot be accepted' },
    ]);
  });
});

describe('a limit of open files', () => {
  const options = { maxSessions: 100, maxHandshakes: 36 };

  it('that is too low for the sessions gives a warning with the number needed', () => {
    expect(openFilesWarnings(options, 199)).toEqual([
      expect.stringMatching(/may open 199 files, and MaxSessions 100 with MaxHandshakes 36 needs 200:/),
    ]);
  });

  it.each([200, 1_000_000, null])('of %s gives no warning', (limit) => {
    expect(openFilesWarnings(options, limit)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('is read from the system', () => {
    expect(openFilesLimit()).toBeGreaterThan(0);
  });
});
