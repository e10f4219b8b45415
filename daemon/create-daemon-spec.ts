/** Resolved options -> what the worker threads are given. */

import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { clusterHash, configHash } from '../engine/config/config-hash.ts';
import { addressesFor, allHosts, segmentNumbers, segmentTransport } from '../engine/config/daemon-configuration.ts';
import { ipv4ToNumber, isLoopback } from '../engine/config/ipv4.ts';
import { datagramSizes, LARGEST_DATAGRAM_BYTES, ringTimeouts, ringWindows } from '../engine/config/ring-parameters.ts';
import { foldHash } from '../engine/wire/ring-header.ts';
import type { DaemonSpec } from '../workers/daemon-spec.ts';
import type { ListenAddress } from '../workers/delivery/client-listener.ts';
import { deliverySettings } from './delivery-options.ts';
import { drainTargets } from './drain-targets.ts';
import type { Identity } from './identity.ts';
import { nextIncarnation } from './incarnation.ts';
import { openFilesWarnings } from './open-files.ts';
import { type OperatorFiles, readOperatorFiles } from './operator-files.ts';
import type { ResolvedDaemonOptions } from './options-resolve.ts';
import { packageRelease } from './release.ts';
import { ringSeqState } from './ring-seq-floor.ts';

/** Anyone who reaches the ports could take part in the ring. */
const UNSEALED =
  'TRAFFIC BETWEEN DAEMONS IS NEITHER ENCRYPTED NOR AUTHENTICATED: set ClusterKeyFile, here and at every daemon of the cluster';

export interface DaemonSpecResult {
  readonly spec: DaemonSpec;
  /** What was read beside the configuration. */
  readonly files: OperatorFiles;
  /** Worth a line in the log each. */
  readonly warnings: readonly string[];
}

/** @throws (rejects) when a named file or the state folder cannot be used */
export async function createDaemonSpec(
  resolved: ResolvedDaemonOptions,
  identity: Identity | null = null,
): Promise<DaemonSpecResult> {
  const { configuration, self } = resolved;
  const { options, segments } = configuration;
  const warnings: string[] = [];
  const hosts = allHosts(segments);
  const addresses = hosts.map((host) => ipv4ToNumber(host.address) ?? 0);
  const windows = ringWindows(configuration);
  const files = await readOperatorFiles(options, warnings);
  const group = segmentGroup(resolved);
  const ringSeqs = await ringSeqState(options.volatile ? null : options.stateDir, self.name, warnings);
  const daemonNames = hosts.map((host) => host.name);
  const incarnation = await nextIncarnation(options.stateDir, self.name, options.volatile, warnings);
  const cluster = clusterHash(configuration);
  warnings.push(...openFilesWarnings(options));
  const spec: DaemonSpec = {
    name: self.name,
    logLevel: options.logLevel,
    listen: listenAddresses(resolved, identity),
    listenBacklog: options.listenBacklog,
    delivery: deliverySettings(options, files),
    drainTargets: drainTargets(configuration, self.node),
    ring: {
      ring: {
        self: self.node,
        incarnation,
        ringSeqFloor: ringSeqs.floor,
        forgetsRingSeq: ringSeqs.file === null,
        segmentOf: segmentNumbers(segments),
        clusterHash: cluster,
        windows,
        timeouts: ringTimeouts(configuration),
        ...datagramSizes(configuration),
        largestDatagramBytes: LARGEST_DATAGRAM_BYTES,
        randomSeed: randomInt(2 ** 31),
      },
      ringSeqFile: ringSeqs.file,
      daemonNames,
      daemonAddress: addresses,
      maxSessions: options.maxSessions,
    },
    network: {
      self: self.node,
      segment: group,
      segmentName: `${segments[self.segment]!.address}:${segments[self.segment]!.port}`,
      daemons: hosts.map((host) => ({
        host: addressesFor(host, 'daemons')[0] ?? host.address,
        // A daemon moved to another port by an option, alone in its cluster, takes its monitor port with it.
        port: hosts.length === 1 ? resolved.listen.port : segments[host.segment]!.port,
      })),
      daemonAddress: addresses,
      daemonNames,
      incarnation,
      cluster: foldHash(cluster),
      configurationHash: configHash(configuration),
      windows,
      dangerousMonitor: options.dangerousMonitor,
      release: packageRelease(),
    },
    clusterKeys: files.clusterKeys,
  };
  if (hosts.length > 1 && spec.clusterKeys === null && hosts.some((host) => !isLoopback(host.address))) {
    warnings.push(UNSEALED);
  }
  return { spec, files, warnings };
}

/** How datagrams reach the daemon's own segment, when it is configured for multicast or broadcast and has other daemons. */
function segmentGroup({ configuration, self }: ResolvedDaemonOptions): DaemonSpec['network']['segment'] {
  const segment = configuration.segments[self.segment]!;
  const kind = segmentTransport(segment, configuration.options);
  const nodes = segment.hosts.map((host) => host.node).filter((node) => node !== self.node);
  if (kind === 'unicast' || nodes.length === 0) return null;
  const ignoresJoinErrors = configuration.options.ignoreMulticastJoinErrors;
  return { kind, address: segment.address, nodes, ignoresJoinErrors };
}

function listenAddresses(
  { listen, configuration }: ResolvedDaemonOptions,
  owner: Identity | null,
): readonly ListenAddress[] {
  const { options } = configuration;
  const { unixSocketDir, unixSocketMode, tlsListen, webSocketListen, webSocketTlsListen } = options;
  const addresses: ListenAddress[] = listen.addresses.map((host) => ({ kind: 'tcp', host, port: listen.port }));
  // A free port is known only after binding, so such a daemon has no name for a Unix socket.
  if (unixSocketDir !== null && listen.port !== 0) {
    const path = join(unixSocketDir, String(listen.port));
    addresses.push({ kind: 'unix', path, mode: unixSocketMode, owner });
  }
  addresses.push(...tlsListen.map(({ host, port }) => ({ kind: 'tls', host, port }) as const));
  addresses.push(...webSocketListen.map(({ host, port }) => ({ kind: 'websocket', host, port }) as const));
  addresses.push(...webSocketTlsListen.map(({ host, port }) => ({ kind: 'websocket-tls', host, port }) as const));
  return addresses;
}
