/** Which entry of the configuration this daemon is (section 9.1). */
import { ConfigError, type ConfigSource, showValue } from './config-error.ts';
import { allHosts, type Host, type Segment } from './daemon-configuration.ts';
import { suggestion } from './did-you-mean.ts';

export interface OwnHostQuery {
  /** Option `-n`; undefined: find the entry by address. */
  readonly name: string | undefined;
  /** Addresses of this machine's interfaces, tried in this order. */
  readonly localAddresses: readonly string[];
}

/** @throws ConfigError when there is no such entry */
export function selectOwnHost(segments: readonly Segment[], query: OwnHostQuery, source: ConfigSource | null): Host {
  const hosts = allHosts(segments);
  if (query.name !== undefined) {
    const named = hosts.find((host) => host.name === query.name);
    if (named !== undefined) return named;
    const names = hosts.map((host) => host.name);
    const message =
      `no daemon is called ${showValue(query.name)} in ${source?.name ?? 'the configuration'}` +
      `${suggestion(query.name, names)} (it has ${listed(names)})`;
    throw new ConfigError([{ message, field: 'name', value: query.name, limit: `one of ${listed(names)}` }], source);
  }

  for (const local of query.localAddresses) {
    const own = hosts.find(
      (host) => host.address === local || host.interfaces.some(({ address }) => address === local),
    );
    if (own !== undefined) return own;
  }
  const message =
    `no entry of ${source?.name ?? 'the configuration'} has an address of this machine ` +
    `(${listed(query.localAddresses)}): name the entry to use (it has ${listed(hosts.map(describeHost))})`;
  throw new ConfigError([{ message, field: 'name' }], source);
}

const describeHost = (host: Host): string => `${host.name} ${host.address}`;

const MOST_LISTED = 10;

function listed(items: readonly string[]): string {
  if (items.length === 0) return 'none';
  const more = items.length > MOST_LISTED ? ` and ${items.length - MOST_LISTED} more` : '';
  return items.slice(0, MOST_LISTED).join(', ') + more;
}
