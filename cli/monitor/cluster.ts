/** Which daemons a monitor asks, and from which address. */
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { DEFAULT_SOCKET_DIRECTORY, resolveAddress } from '../../client/address.ts';
import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import { addressesFor, allHosts, type Segment } from '../../engine/config/daemon-configuration.ts';
import { ipv4ToNumber, isLoopback } from '../../engine/config/ipv4.ts';
import type { CommandTarget } from '../../engine/wire/monitor-commands.ts';
import { CliError, ExitCode } from '../exit.ts';
import type { MonitoredDaemon } from './exchange.ts';

/** A daemon with its place in the configuration, which sealed commands carry. */
export interface ConfiguredDaemon extends MonitoredDaemon {
  readonly target: CommandTarget;
}

export interface Cluster {
  /** In configuration order. */
  readonly daemons: readonly ConfiguredDaemon[];
  /** The first address of the configuration that belongs to this machine; undefined: none does. */
  readonly ownAddress: string | undefined;
  /** `ClusterKeyFile` of the configuration. */
  readonly keyFile: string | null;
}

/** @throws (rejects) ConfigError when the file is wrong */
export async function loadCluster(configFile: string): Promise<Cluster> {
  const { loadConfiguration } = await import('../../daemon/options-load.ts');
  const { segments, options } = (await loadConfiguration({ configFile })).configuration;
  const hosts = allHosts(segments);
  const daemons = hosts.map((host) => ({
    name: host.name,
    address: addressesFor(host, 'monitor')[0] ?? host.address,
    port: segments[host.segment]!.port,
    target: { node: host.node, daemonCount: hosts.length, address: ipv4ToNumber(host.address) ?? 0 },
  }));
  return { daemons, ownAddress: ownAddress(segments), keyFile: options.clusterKeyFile };
}

/** @throws (rejects) CliError without a key file, because daemons obey sealed commands only */
export async function commandKeys({ keyFile }: Cluster, configFile: string): Promise<readonly ClusterKey[]> {
  if (keyFile === null)
    throw new CliError(
      `${configFile} has no ClusterKeyFile, and daemons obey only commands sealed with a key of it`,
      ExitCode.Usage,
    );
  const { readKeyFile } = await import('../../daemon/key-file.ts');
  return (await readKeyFile(keyFile)).keys;
}

/**
 * Reads an address in the form of clients, except the path of a socket, because monitors use UDP. A port alone means this machine.
 * @throws (rejects) CliError for another form, or when the host has no IPv4 address
 */
export async function daemonAt(text: string): Promise<MonitoredDaemon> {
  const address = resolveAddress(/^\d+$/.test(text) ? `${text}@localhost` : text, DEFAULT_SOCKET_DIRECTORY);
  if ('path' in address)
    throw new CliError(
      `address ${JSON.stringify(text)}: monitors reach daemons over UDP; it must be PORT or PORT@HOST`,
      ExitCode.Usage,
    );
  const found = await lookup(address.host, { family: 4 }).catch(() => null);
  if (found === null) throw new CliError(`host ${address.host} has no IPv4 address`, ExitCode.Usage);
  return { name: address.host, address: found.address, port: address.port };
}

function ownAddress(segments: readonly Segment[]): string | undefined {
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((one) => one.address)));
  const configured = allHosts(segments).map((host) => host.address);
  return configured.find((address) => own.has(address) || isLoopback(address));
}
