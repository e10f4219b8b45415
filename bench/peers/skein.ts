import { randomBytes } from 'node:crypto';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './child.ts';
import { type DaemonKind, startSpreadDaemons } from './spread-daemons.ts';
import type { RunningSystem, StartRequest, System } from './system.ts';
import { makeCertificate } from './tls-certificate.ts';

const TLS_HOST = '127.0.0.1';

/** This code runs in dist/bench/, next to dist/cli.js. */
const commandLine = fileURLToPath(new URL('../cli.js', import.meta.url));
const manifest = fileURLToPath(new URL('../../package.json', import.meta.url));

/** How a variant differs from the default daemon. */
interface Variant {
  readonly id: string;
  readonly title: string;
  /** Lines of its spread.conf. */
  readonly options: readonly string[];
  /** It matters only between daemons. */
  readonly onlyRings?: true;
  /** Traffic between daemons is sealed with a key for this run. */
  readonly sealed?: true;
  /** Clients use TLS, with a certificate for this run. */
  readonly tls?: true;
}

/** Command line of a daemon in the foreground. @param nodeOptions for Node itself */
export const daemonCommand = (configFile: string, name: string, nodeOptions: readonly string[] = []): string[] => [
  process.execPath,
  ...nodeOptions,
  ...[commandLine, 'start', '-n', name, '-c', configFile],
  // Daemons in namespaces share the file system, and so the path of the socket.
  '--no-unix-socket',
];

/** Why skein cannot be started, or null. */
export async function notBuilt(): Promise<string | null> {
  try {
    await access(commandLine);
    return null;
  } catch {
    return 'dist/cli.js is not there: npm run build';
  }
}

/** Starts daemons with these lines in their configuration file. */
export const startSkein = (
  options: readonly string[],
  request: StartRequest,
  command: DaemonKind['command'] = daemonCommand,
): Promise<RunningSystem> =>
  startSpreadDaemons({ command, options, formMs: (daemons) => (daemons === 1 ? 300 : 7_000) }, request);

/** @returns the line that names the key file */
async function makeClusterKey(directory: string): Promise<string> {
  const file = join(directory, 'cluster.keys');
  await writeFile(file, `1:${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  return `ClusterKeyFile = ${file}`;
}

/** One daemon with a TLS port beside the plain one. */
async function startWithTls(options: readonly string[], request: StartRequest): Promise<RunningSystem> {
  const { certFile, keyFile, ca } = makeCertificate(request.directory, TLS_HOST);
  const port = await freePort();
  const tls = [`TlsListen = ${TLS_HOST}:${port}`, `TlsCertificateFile = ${certFile}`, `TlsKeyFile = ${keyFile}`];
  const running = await startSkein([...options, ...tls], request);
  return { ...running, endpoints: [{ host: TLS_HOST, port, ca }] };
}

function skein(variant: Variant): System {
  const options = ['Volatile = true', ...variant.options];
  return {
    id: variant.id,
    title: variant.title,
    debianPackages: [],
    guarantees: {
      order: 'total (agreed, safe), causal, FIFO or none, by message',
      reliability: 'reliable; slow readers are disconnected (or lose unreliable messages only)',
      membership: 'views of groups and daemons, extended virtual synchrony',
    },
    configuration: [
      ...options,
      ...(variant.sealed ? ['ClusterKeyFile = a key of 32 random bytes'] : []),
      ...(variant.tls ? ['TlsListen, with a certificate of the curve P-256'] : []),
    ].join('; '),
    async availability() {
      const why = await notBuilt();
      if (why !== null) return { available: false, why };
      const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
      return { available: true, version };
    },
    unsuited(scenario) {
      if (variant.onlyRings && scenario.daemons === 1) return 'one daemon: nothing between daemons';
      if (variant.tls && scenario.daemons > 1) return 'several daemons: TLS is between a daemon and its clients';
      return null;
    },
    protocol: (scenario) => ({ kind: 'spread', options: { service: scenario.service } }),
    async start(request) {
      if (variant.tls) return startWithTls(options, request);
      const keys = variant.sealed ? [await makeClusterKey(request.directory)] : [];
      return startSkein([...options, ...keys], request);
    },
  };
}

const accelerated = ['AcceleratedRing = true'];

const threading = (mode: string): System =>
  skein({ id: `skein-${mode}`, title: `skein, ${mode}`, options: [...accelerated, `ThreadingMode = ${mode}`] });

const datagrams = (name: string, bytes: number): System =>
  skein({
    id: `skein-datagram-${name}`,
    title: `skein, ${bytes.toLocaleString('en')} B datagrams`,
    options: [...accelerated, `DatagramSize = ${bytes}`],
    onlyRings: true,
  });

export const skeinSystems: readonly System[] = [
  skein({ id: 'skein', title: 'skein', options: accelerated }),
  ...['dedicated', 'shared-network', 'shared', 'inline'].map(threading),
  skein({ id: 'skein-original', title: 'skein, original ring', options: ['AcceleratedRing = false'], onlyRings: true }),
  skein({ id: 'skein-tls', title: 'skein, TLS', options: accelerated, tls: true }),
  skein({ id: 'skein-sealed', title: 'skein, encrypted', options: accelerated, onlyRings: true, sealed: true }),
  datagrams('1400', 1_400),
  datagrams('8k', 8_192),
  datagrams('16k', 16_000),
];
