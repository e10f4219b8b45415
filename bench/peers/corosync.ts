/**
 * corosync with its closed process groups. Each node runs in its own mount namespace, because all would lock the same file in /run, and has a
 * bridge for the generator's sockets (see corosync-bridge.c).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onExit } from '../clean-up.ts';
import { type Child, freePort, startChild, versionOf } from './child.ts';
import { bridgeUnavailable, buildBridge } from './corosync-bridge.ts';
import { removeIpcFiles } from './corosync-ipc-files.ts';
import { createNamespaces, removeNamespaces } from './namespaces.ts';
import type { RunningSystem, StartRequest, System } from './system.ts';

const BINARY = '/usr/sbin/corosync';
const DEBIAN_PACKAGES = ['corosync', 'libcpg-dev', 'gcc', 'libc6-dev'];
/** Limit of members in a view of libcpg (CPG_MEMBERS_MAX). */
const MAX_MEMBERS = 128;
/** Without its own /run a node would find another's lock, and leave its own behind. */
const IN_OWN_RUN = 'mount -t tmpfs tmpfs /run && exec "$@"';

interface Node {
  readonly host: string;
  readonly namespace: string | null;
}

type Transport = 'knet' | 'udpu';

function configuration(transport: Transport, nodes: readonly Node[], port: number, stateDirectory: string): string {
  const members = nodes.flatMap(({ host }, i) => [
    'node {',
    `nodeid: ${i + 1}`,
    `name: d${i + 1}`,
    `ring0_addr: ${host}`,
    '}',
  ]);
  const lines = [
    ...[
      'totem {',
      'version: 2',
      'cluster_name: skbench',
      `transport: ${transport}`,
      'crypto_cipher: none',
      'crypto_hash: none',
    ],
    ...['interface {', 'linknumber: 0', `mcastport: ${port}`, '}', '}'],
    ...['nodelist {', ...members, '}'],
    ...['logging {', 'to_stderr: yes', 'to_syslog: no', 'to_logfile: no', '}'],
    ...['system {', 'move_to_root_cgroup: no', 'sched_rr: no', `state_dir: ${stateDirectory}`, '}'],
  ];
  return `${lines.join('\n')}\n`;
}

async function unavailableBecause(): Promise<string | null> {
  if (process.getuid?.() !== 0) return 'corosync needs root';
  return await bridgeUnavailable();
}

async function start(transport: Transport, request: StartRequest): Promise<RunningSystem> {
  const bridge = await buildBridge(request.directory);
  const inNamespaces = request.network === 'namespaces';
  const port = await freePort();
  const children: Child[] = [];
  const corosyncPids: number[] = [];
  const removeAllIpcFiles = (): void => corosyncPids.forEach(removeIpcFiles);
  const forget = onExit(removeAllIpcFiles);
  const stop = async (): Promise<void> => {
    // Bridges first: then corosync removes their files in /dev/shm.
    for (const child of [...children].reverse()) await child.stop();
    removeAllIpcFiles();
    forget();
    if (inNamespaces) removeNamespaces(request.daemons);
  };
  try {
    const nodes: readonly Node[] = inNamespaces
      ? createNamespaces(request.daemons).map(({ name, address }) => ({ host: address, namespace: name }))
      : [{ host: '127.0.0.1', namespace: null }];
    for (const [i, node] of nodes.entries()) {
      const stateDirectory = join(request.directory, `d${i + 1}`);
      await mkdir(stateDirectory);
      const file = join(stateDirectory, 'corosync.conf');
      await writeFile(file, configuration(transport, nodes, port, stateDirectory));
      const [command, ...args] = node.namespace === null ? ['unshare', '-m'] : ['ip', 'netns', 'exec', node.namespace];
      const corosync = [BINARY, '-f', '-c', file];
      const child = startChild(command, [...args, 'sh', '-c', IN_OWN_RUN, 'sh', ...corosync], stateDirectory);
      children.push(child);
      corosyncPids.push(child.pid);
    }
    // This also proves that its IPC names are its own: it ends when another corosync has them, and a bridge would reach that one.
    for (const child of children) await child.printed('ready to provide service');
    const bridges = nodes.map(({ host, namespace }) => {
      const prefix = namespace === null ? [] : ['ip', 'netns', 'exec', namespace];
      const [command, ...args] = [...prefix, bridge, host, String(port + 1), String(nodes.length)];
      return startChild(command, args, request.directory);
    });
    children.push(...bridges);
    for (const child of bridges) await child.printed('bridging');
    return {
      endpoints: nodes.map(({ host }) => ({ host, port: port + 1 })),
      pids: children.map((child) => child.pid),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const corosync = (id: string, title: string, transport: Transport): System => ({
  id,
  title,
  debianPackages: DEBIAN_PACKAGES,
  guarantees: {
    order: 'total (agreed only)',
    reliability: 'reliable inside a membership',
    membership: 'views of groups and nodes, extended virtual synchrony',
  },
  configuration: `${transport} without crypto, no real-time scheduling. Clients use shared memory: a bridge in C (one thread, one CPG handle a connection) takes sockets instead, and its CPU and memory are included. Senders are members, and get what they send`,
  async availability() {
    const version = await versionOf(BINARY, ['-v'], /version '?([\d.]+)/);
    if (version === null) return { available: false, why: 'not installed (Debian: corosync; or --install-peers)' };
    const why = await unavailableBecause();
    return why === null ? { available: true, version } : { available: false, why: `${version} is installed; ${why}` };
  },
  unsuited(scenario) {
    if (scenario.service === 'safe') return 'no safe delivery';
    if (scenario.daemons > 1 && scenario.network === 'loopback') {
      return 'one node per network namespace: the names of its IPC sockets are fixed';
    }
    if (scenario.groups > 1) return 'a client that sends to many groups must be a member of each';
    const members = scenario.senders + scenario.receivers + scenario.idleClients;
    if (members > MAX_MEMBERS)
      return `${members} clients; made for at most ${MAX_MEMBERS} members, each with 3 MiB shared`;
    return null;
  },
  protocol: () => ({ kind: 'cpg' }),
  start: (request) => start(transport, request),
});

/** knet is corosync's default and faster in rings; udpu is cheaper at light load. */
export const corosyncSystems: readonly System[] = [
  corosync('corosync', 'corosync CPG', 'knet'),
  corosync('corosync-udpu', 'corosync CPG, udpu', 'udpu'),
];
