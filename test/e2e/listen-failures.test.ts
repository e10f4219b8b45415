/** An address that a daemon cannot listen on: the error names the option, the address and the reason, for every kind of listener. */
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError } from '../../engine/config/config-error.ts';
import { type StartDaemonOptions, startDaemon } from '../../index.ts';
import { ListenFailure, type ListenPurpose } from '../../workers/listen-failure.ts';
import { skein } from './cli-process.ts';
import { Authority } from './support/certificates.ts';
import { freePort } from './support/daemons.ts';

const authority = new Authority();
const own = authority.issue('daemon');
const folder = mkdtempSync(join(tmpdir(), 'skein-listen-'));
afterAll(() => {
  authority.remove();
  rmSync(folder, { recursive: true });
});

/** Occupies an address until the test ends. */
async function taken(place: { readonly port: number } | { readonly path: string }): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen('port' in place ? { ...place, host: '127.0.0.1' } : place, resolve);
  });
  onTestFinished(() => void server.close());
}

async function takenForDatagrams(port: number): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.bind(port, '127.0.0.1', resolve);
  });
  onTestFinished(() => void socket.close());
}

interface Kind {
  /** Option in the API, and in a file. */
  readonly fields: readonly [string, string];
  /** Options that lead to the place, in the API. */
  readonly options: (port: number) => StartDaemonOptions;
  /** The same as lines of a file. */
  readonly lines: (port: number) => readonly string[];
  /** Where clients connect; undefined: any free port. */
  readonly clientPort?: (port: number) => number;
  readonly take: (port: number) => Promise<void>;
  readonly address: (port: number) => string;
}

const tcp = (port: number): string => `127.0.0.1:${port}`;
const tlsFiles = { tlsCertificateFile: own.certFile, tlsKeyFile: own.keyFile };
const tlsLines = [`TlsCertificateFile = ${own.certFile}`, `TlsKeyFile = ${own.keyFile}`];
const overTcp = { take: (port: number) => taken({ port }), address: tcp };

/** One for each purpose of a socket; the compiler rejects a missing one. */
const KINDS: Readonly<Record<ListenPurpose, Kind>> = {
  tcp: {
    ...overTcp,
    fields: ['port', 'Spread_Segment'],
    options: (port) => ({ port }),
    lines: () => [],
    clientPort: (port) => port,
  },
  tls: {
    ...overTcp,
    fields: ['tlsListen', 'TlsListen'],
    options: (port) => ({ tlsListen: tcp(port), ...tlsFiles }),
    lines: (port) => [`TlsListen = ${tcp(port)}`, ...tlsLines],
  },
  websocket: {
    ...overTcp,
    fields: ['webSocketListen', 'WebSocketListen'],
    options: (port) => ({ webSocketListen: tcp(port) }),
    lines: (port) => [`WebSocketListen = ${tcp(port)}`],
  },
  'websocket-tls': {
    ...overTcp,
    fields: ['webSocketTlsListen', 'WebSocketTlsListen'],
    options: (port) => ({ webSocketTlsListen: tcp(port), ...tlsFiles }),
    lines: (port) => [`WebSocketTlsListen = ${tcp(port)}`, ...tlsLines],
  },
  'http-tls': {
    ...overTcp,
    fields: ['httpTlsListen', 'HttpTlsListen'],
    options: (port) => ({ httpTlsListen: tcp(port), ...tlsFiles }),
    lines: (port) => [`HttpTlsListen = ${tcp(port)}`, ...tlsLines],
  },
  http: {
    ...overTcp,
    fields: ['httpListen', 'HttpListen'],
    options: (port) => ({ httpListen: tcp(port) }),
    lines: (port) => [`HttpListen = ${tcp(port)}`],
  },
  unix: {
    fields: ['unixSocketDir', 'UnixSocketDir'],
    options: (port) => ({ unixSocketDir: folder, port }),
    lines: () => [`UnixSocketDir = ${folder}`],
    clientPort: (port) => port,
    take: (port) => taken({ path: join(folder, String(port)) }),
    address: (port) => join(folder, String(port)),
  },
  ring: {
    fields: ['port', 'Spread_Segment'],
    options: (port) => ({ port }),
    lines: () => [],
    clientPort: (port) => port,
    take: takenForDatagrams,
    address: tcp,
  },
};

async function refusal(options: StartDaemonOptions): Promise<ConfigError> {
  const error = await startDaemon({ unixSocketDir: null, logLevel: 'silent', ...options }).then(
    async (daemon) => {
      await daemon.stop();
      return null;
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return error as ConfigError;
}

async function configurationOf(kind: Kind, port: number): Promise<string> {
  const clients = kind.clientPort?.(port) ?? (await freePort());
  return [`Spread_Segment 127.0.0.255:${clients} { localhost 127.0.0.1 }`, ...kind.lines(port), ''].join('\n');
}

describe.each(Object.entries(KINDS) as [ListenPurpose, Kind][])('a place for %s that is taken', (purpose, kind) => {
  it.each(['inline', 'shared'] as const)(
    'is a ConfigError of startDaemon, threading mode %s',
    async (threadingMode) => {
      const port = await freePort();
      await kind.take(port);
      const others = kind.clientPort === undefined ? { port: 0 } : {};
      const error = await refusal({ threadingMode, ...others, ...kind.options(port) });
      const [field] = kind.fields;
      expect(error.problems).toEqual([
        {
          field,
          value: kind.address(port),
          limit: 'an address of this machine that no other program uses',
          message: expect.stringMatching(new RegExp(`^${field}: .*another (program|daemon)`)),
        },
      ]);
      expect(error.message).toContain(kind.address(port));
      const { cause } = error;
      expect(cause).toBeInstanceOf(ListenFailure);
      // On a Unix socket the daemon itself detects the other listener.
      expect(cause).toMatchObject({ purpose, code: purpose === 'unix' ? undefined : 'EADDRINUSE' });
    },
  );

  it('is named by its option of the file', async () => {
    const port = await freePort();
    await kind.take(port);
    const unix = purpose === 'unix' ? { unixSocketDir: undefined } : {};
    const error = await refusal({ ...unix, configText: await configurationOf(kind, port), threadingMode: 'inline' });
    const [, field] = kind.fields;
    expect(error.problems).toMatchObject([{ field, value: kind.address(port) }]);
    expect(error.message).toMatch(new RegExp(`^${field}: `));
  });

  it('ends skein start with one line and exit code 1', async () => {
    const port = await freePort();
    await kind.take(port);
    const file = join(folder, `${purpose}.conf`);
    writeFileSync(file, await configurationOf(kind, port));
    const noUnix = purpose === 'unix' ? [] : ['--no-unix-socket'];
    const { code, stdout, stderr } = await skein(['start', '-c', file, '--log-level', 'silent', ...noUnix]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    const [, field] = kind.fields;
    expect(stderr).toMatch(new RegExp(`^skein: ${field}: .*another (program|daemon).*\\n$`));
    expect(stderr).toContain(kind.address(port));
    expect(stderr.endsWith('; --port chooses another port\n')).toBe(purpose === 'tcp');
  });
});

it('an address of another machine is refused in the same way, and nothing stays open', async () => {
  const port = await freePort();
  const error = await refusal({ listen: '192.0.2.1', port, unixSocketDir: folder });
  expect(error.problems).toMatchObject([{ field: 'listen', value: `192.0.2.1:${port}` }]);
  expect(error.message).toMatch(/EADDRNOTAVAIL, it is not an address of this machine/);
  expect(existsSync(join(folder, String(port)))).toBe(false);
});

it('a folder of sockets that does not exist is a problem of UnixSocketDir', async () => {
  const unixSocketDir = join(folder, 'nowhere');
  const error = await refusal({ port: await freePort(), unixSocketDir });
  expect(error.problems).toMatchObject([{ field: 'unixSocketDir' }]);
  expect(error.message).toContain(`the folder ${unixSocketDir} does not exist`);
});
