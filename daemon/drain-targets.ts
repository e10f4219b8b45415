/** The other daemons of a configuration, as this one tells its clients of them when it drains. */
import { addressesFor, allHosts, type DaemonConfiguration } from '../engine/config/daemon-configuration.ts';
import { type Endpoint, endpointText } from '../engine/config/endpoint.ts';
import type { DrainTarget } from '../workers/delivery/drain-target.ts';

/**
 * A daemon is where the configuration file says: at the first of its interfaces for clients, at the port of its segment. Ports for TLS and
 * WebSockets are options of each daemon; they are taken to be those of this one, as with one file for all.
 *
 * @param self index of this daemon
 */
export function drainTargets({ segments, options }: DaemonConfiguration, self: number): readonly DrainTarget[] {
  const tlsPort = portOf(options.tlsListen);
  const webPort = portOf(options.webSocketListen);
  const secureWebPort = portOf(options.webSocketTlsListen);
  return allHosts(segments)
    .filter(({ node }) => node !== self)
    .map((other) => {
      const host = addressesFor(other, 'clients')[0] ?? other.address;
      const at = (port: number): string => endpointText({ host, port });
      return {
        node: other.node,
        plain: at(segments[other.segment]!.port),
        tls: tlsPort === null ? null : `tls://${at(tlsPort)}`,
        webSocket: webPort === null ? null : `ws://${at(webPort)}/`,
        secureWebSocket: secureWebPort === null ? null : `wss://${at(secureWebPort)}/`,
      };
    });
}

/** Null: there is none, or any free one. */
const portOf = ([first]: readonly Endpoint[]): number | null =>
  first === undefined || first.port === 0 ? null : first.port;
