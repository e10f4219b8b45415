/** How encrypted connections begin and end: no sent message is lost, and a resumed connection cannot bypass a new authority. */
import { cpSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { pino } from 'pino';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { connect, type Session } from '../../client/index.ts';
import type { Daemon, StartDaemonOptions } from '../../daemon/start-daemon.ts';
import type { ResolvedThreadingMode } from '../../workers/threading.ts';
import { Cli, skein } from './cli-process.ts';
import { Authority, type Issued } from './support/certificates.ts';
import { deliveryCount, eventually, testClient, testDaemon } from './support/daemons.ts';
import { authChoice, connectBytes } from './support/wire-client.ts';
import { AGREED, encodeFrame } from './support/wire-frames.ts';

const authority = new Authority();
const stranger = new Authority('Stranger');
const own = authority.issue('daemon');
const alice = authority.issue('alice');
afterAll(() => {
  authority.remove();
  stranger.remove();
});

const FILES: StartDaemonOptions = {
  tlsListen: '127.0.0.1:0',
  tlsCertificateFile: own.certFile,
  tlsKeyFile: own.keyFile,
};
const TRUST = { ca: authority.ca };
const AS_ALICE = { ...TRUST, cert: alice.cert, key: alice.key };

const tlsPort = (daemon: Daemon): number => daemon.addresses.find(({ tls }) => tls === true)!.port!;
const tlsAddress = (daemon: Daemon): string => `tls://127.0.0.1:${tlsPort(daemon)}`;

async function session(daemon: Daemon, name: string): Promise<Session> {
  const opened = await connect({ address: tlsAddress(daemon), name, tls: TRUST });
  opened.on('error', () => undefined);
  onTestFinished(() => opened.destroy());
  return opened;
}

describe('what was sent before an end', () => {
  it.each<ResolvedThreadingMode>(['shared', 'shared-network', 'dedicated', 'inline'])(
    'of the daemon is delivered, and no connection is reset (%s)',
    async (threadingMode) => {
      const count = 10_000;
      const daemon = await testDaemon({ ...FILES, threadingMode });
      const [member, sender] = [await session(daemon, 'member'), await session(daemon, 'sender')];
      let received = 0;
      let outOfOrder = 0;
      member.on('message', ({ data }) => {
        if (data.readUInt32LE(0) !== received) outOfOrder++;
        received++;
      });
      const ends = [member, sender].map((each) => new Promise<unknown>((resolve) => each.once('close', resolve)));
      await member.join('room');
      const data = Buffer.alloc(100);
      for (let i = 0; i < count; i++) {
        data.writeUInt32LE(i);
        if (!sender.multicast('room', data)) await sender.drained();
      }
      await sender.flushed();
      await daemon.stop({ drainTimeoutMs: 20_000 });
      for (const error of await Promise.all(ends)) {
        expect(error).toMatchObject({ code: 'CONNECTION_CLOSED' });
        expect(String((error as Error).message)).toMatch(/closed the connection/);
      }
      expect([received, outOfOrder]).toEqual([count, 0]);
      expect(deliveryCount(daemon, 'SessionsCutOff')).toBe(0);
    },
    60_000,
  );

  it('of a client that closes its side is delivered to the last message', async () => {
    const count = 500;
    const daemon = await testDaemon(FILES);
    const watcher = await testClient(daemon, 'watcher');
    await watcher.joined('room');
    const socket = rawTls(daemon);
    await login(socket, daemon, 'leaver');
    const frames = Array.from({ length: count }, (_, i) =>
      encodeFrame({ type: AGREED, sender: '#leaver#localhost', groups: ['room'], data: numbered(i) }),
    );
    socket.end(Buffer.concat(frames));
    for (let i = 0; i < count; i++) expect((await watcher.frame()).data.readUInt32LE(0)).toBe(i);
    await eventually(() => deliveryCount(daemon, 'SessionsOpen') === 1, 'the session to end');
  });
});

describe('a connection to the wrong daemon', () => {
  it.each<readonly [string, () => Issued, RegExp]>([
    ['has expired', () => authority.issue('daemon', -1), /certificate has expired/],
    ['has another authority', () => stranger.issue('daemon'), /unable to verify|self-signed|issuer/],
  ])('gives an error that says so when its certificate %s', async (_, issue, cause) => {
    const { cert, key } = issue();
    const port = await listening(createTlsServer({ cert, key }));
    const attempt = connect({ address: `tls://127.0.0.1:${port}`, tls: TRUST });
    await expect(attempt).rejects.toMatchObject({ name: 'SkeinError', code: 'COULD_NOT_CONNECT' });
    await expect(attempt).rejects.toThrow('could not connect to tls://');
    await expect(attempt).rejects.toThrow(cause);
  });

  it('gives an error when the daemon speaks no TLS', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-other\r\n'));
    const port = await listening(server);
    await expect(connect({ address: `tls://127.0.0.1:${port}`, tls: TRUST })).rejects.toMatchObject({
      code: 'COULD_NOT_CONNECT',
    });
  });
});

it('logs the user of a certificate, also when a connection resumes an earlier one', async () => {
  const lines: string[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const asking = { tlsAuthorityFile: authority.caFile, tlsClientCertificate: 'optional' as const };
  const daemon = await testDaemon({ ...FILES, ...asking, logger, logLevel: 'debug', deliveryWorkers: 1 });
  const users = (): unknown[] =>
    lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg === 'session opened')
      .map(({ user }) => user);
  const first = rawTls(daemon, AS_ALICE);
  const ticket = ticketOf(first);
  await login(first, daemon, 'one');
  const second = rawTls(daemon, { ...AS_ALICE, session: await ticket });
  await login(second, daemon, 'two');
  expect([first.isSessionReused(), second.isSessionReused()]).toEqual([false, true]);
  await login(rawTls(daemon), daemon, 'three');
  await eventually(() => users().length === 3, 'three lines');
  expect(users()).toEqual(['alice', 'alice', null]);
});

it('refuses to resume a connection after a reload removed its authority', async () => {
  const caFile = `${authority.folder}/live-ca.crt`;
  cpSync(authority.caFile, caFile);
  const asking = { tlsAuthorityFile: caFile, tlsClientCertificate: 'required' as const };
  const daemon = await testDaemon({ ...FILES, ...asking, deliveryWorkers: 1 });
  const first = rawTls(daemon, AS_ALICE);
  const ticket = ticketOf(first);
  await login(first, daemon, 'one');
  cpSync(stranger.caFile, caFile);
  expect((await daemon.reload()).changed.map(({ option }) => option)).toEqual(['TlsAuthorityFile']);
  const again = rawTls(daemon, { ...AS_ALICE, session: await ticket });
  again.write(connectBytes('two', true));
  await new Promise((resolve) => again.once('close', resolve));
  await eventually(() => deliveryCount(daemon, 'TlsHandshakesFailed') === 1, 'the refusal to be counted');
  expect(deliveryCount(daemon, 'TlsHandshakesDone')).toBe(1);
});

describe('commands', () => {
  it('connect by the address or by --tls, and name a file that they cannot read', async () => {
    const asking = { tlsAuthorityFile: authority.caFile, tlsClientCertificate: 'required' as const };
    const daemon = await testDaemon({ ...FILES, ...asking });
    const files = ['--ca', authority.caFile, '--cert', alice.certFile, '--key', alice.keyFile];
    const subscriber = new Cli(['subscribe', 'news', '-s', tlsAddress(daemon), ...files, '--json', '--membership']);
    onTestFinished(() => subscriber.kill('SIGKILL'));
    await subscriber.until((lines) => lines.length === 1);
    const plainForm = `127.0.0.1:${tlsPort(daemon)}`;
    const sent = await skein(['publish', 'news', '-q', '-s', plainForm, '--tls', ...files], 'hello\n');
    expect(sent).toEqual({ code: 0, stdout: '', stderr: '' });
    await subscriber.until((lines) => lines.some((line) => line.includes('"hello"')));
    const missing = await skein(['publish', 'news', '-s', tlsAddress(daemon), '--ca', '/nowhere/ca.crt'], 'x\n');
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringMatching(/--ca \/nowhere\/ca\.crt: .*ENOENT/) });
  }, 60_000);
});

function rawTls(daemon: Daemon, options: object = {}): TLSSocket {
  const socket = connectTls({ port: tlsPort(daemon), host: '127.0.0.1', ...TRUST, ...options });
  socket.on('error', () => {});
  socket.resume();
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** The ticket by which a later connection resumes this one. Must be requested before the handshake. */
const ticketOf = (socket: TLSSocket): Promise<Buffer> => new Promise((resolve) => socket.once('session', resolve));

async function login(socket: TLSSocket, daemon: Daemon, name: string): Promise<void> {
  const sessions = deliveryCount(daemon, 'SessionsOpen');
  socket.write(Buffer.concat([connectBytes(name, true), authChoice('NULL')]));
  await eventually(() => deliveryCount(daemon, 'SessionsOpen') > sessions, `the session ${name} to open`);
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as { readonly port: number }).port;
}

function numbered(i: number): Buffer {
  const data = Buffer.alloc(100);
  data.writeUInt32LE(i);
  return data;
}
