/** Programs without TLS reach the encrypted port through stunnel, set up as in docs/security.md, with recorded bytes of the original. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { Authority } from './support/certificates.ts';
import { eventually, freePort, testClient, testDaemon } from './support/daemons.ts';
import { WireClient } from './support/wire-client.ts';

const PAGE = fileURLToPath(new URL('../../docs/security.md', import.meta.url));

/** With `--install` a missing stunnel is a failure. */
const isHere = spawnSync('stunnel', ['-version'], { stdio: 'ignore' }).error === undefined;
const isTested = isHere || process.env['SKEIN_TEST_INSTALL'] === '1';

const authority = new Authority();
afterAll(() => authority.remove());

it.runIf(isTested)(
  'carries the bytes of the original both ways, including long messages, and verifies the daemon',
  async () => {
    expect(isHere, 'stunnel could not be installed: apt-get install stunnel4').toBe(true);
    const { certFile, keyFile } = authority.issue('daemon');
    const daemon = await testDaemon({
      tlsListen: '127.0.0.1:0',
      tlsCertificateFile: certFile,
      tlsKeyFile: keyFile,
    });
    const tlsPort = daemon.addresses.find((address) => address.tls === true)!.port!;
    const port = await tunnel(tlsPort, 'localhost');
    const far = await WireClient.connect({ port }, { name: 'far' });
    onTestFinished(() => far.close());
    const near = await testClient(daemon, 'near');
    await far.joined('room');
    await near.joined('room');
    await far.frame();
    const long = Buffer.alloc(100_000, 'through the tunnel ');
    far.multicast('room', long);
    for (const client of [near, far]) expect((await client.frame()).data.equals(long)).toBe(true);
    near.multicast('room', 'back');
    for (const client of [near, far]) expect(await client.messages(1)).toEqual(['back']);

    const wrong = await tunnel(tlsPort, 'elsewhere.example');
    await expect(WireClient.connect({ port: wrong }, { name: 'lost' })).rejects.toThrow(/closed/);
  },
  60_000,
);

let tunnels = 0;

/** The page's own configuration, with the addresses of this test. @returns the port for programs without TLS */
async function tunnel(tlsPort: number, name: string): Promise<number> {
  const port = await freePort();
  const shown = /; \/etc\/stunnel\/spread\.conf\n(( {4}.*\n)+)/.exec(readFileSync(PAGE, 'utf8'))![1]!;
  const section = shown
    .replaceAll(/^ {4}/gm, '')
    .replace('127.0.0.1:4803', `127.0.0.1:${port}`)
    .replace('berlin.example.com:4804', `127.0.0.1:${tlsPort}`)
    .replace('/etc/skein/ca.crt', authority.caFile)
    .replace('berlin.example.com', name);
  const file = `${authority.folder}/stunnel-${tunnels++}.conf`;
  writeFileSync(file, `foreground = yes\npid =\n${section}`);
  const child = spawn('stunnel', [file], { stdio: 'ignore' });
  onTestFinished(() => void child.kill());
  await eventually(() => answers(port), 'stunnel to listen');
  return port;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
