/** Programs of a consumer, each in one file. Each prints `got hello` when its message comes back. */

const USES_CLIENT = `
  const alice = await connect({ address: daemon.port + '@127.0.0.1', name: 'alice' });
  await alice.join('room');
  alice.multicast('room', 'hello');
  for await (const event of alice) if (event.kind === 'message') { console.log('got ' + event.data); break; }
  await alice.close();
`;

/** A daemon inside the program, on a free port of loopback. `worker`: code of the option that names the worker file, or empty. */
const body = (worker: string): string => `
async function main() {
  const daemon = await startDaemon({ listen: '127.0.0.1', port: 0, unixSocketDir: null, logLevel: 'silent'${worker} });
  ${USES_CLIENT}
  await daemon.stop();
}
main().catch((error) => { console.error(error); process.exitCode = 1; });
`;

export const esModule = `import { connect, startDaemon } from 'skein';${body('')}`;
export const commonJs = `const { connect, startDaemon } = require('skein');${body('')}`;

/** For bundlers: the daemon's threads run the package's own worker file. */
export const bundledModule = `
import { pathToFileURL } from 'node:url';
import { connect, startDaemon } from 'skein';
const workerUrl = pathToFileURL(process.cwd() + '/node_modules/skein/dist/worker.js');
${body(', workerUrl')}`;

export const typed = (extension: 'mts' | 'cts'): string => `
import { connect, startDaemon, SkeinError, type Daemon, type Message, type Session } from 'skein';
import { connect as connectOnly, type ConnectOptions } from 'skein/client';

export async function use(options: ConnectOptions): Promise<string> {
  const daemon: Daemon = await startDaemon({ logLevel: 'silent' });
  const session: Session = await connect(options);
  const other = await connectOnly({ name: 'bob' });
  session.on('message', (message: Message) => console.log(message.sender, message.data.toString()));
  try {
    await session.join('room');
    session.multicast('room', new Uint8Array(3), { service: 'safe' });
  } catch (error) {
    if (error instanceof SkeinError) return error.code;
    throw error;
  }
  // @ts-expect-error: a service that does not exist
  session.multicast('room', 'text', { service: 'sometimes' });
  await other.close();
  await daemon.stop();
  return '${extension}';
}
`;
