/** A daemon's HTTP side, from its options. */

import { allHosts } from '../engine/config/daemon-configuration.ts';
import { endpointText, isLoopbackEndpoint } from '../engine/config/endpoint.ts';
import type { DaemonSpec } from '../workers/daemon-spec.ts';
import type { DeliverySettings } from '../workers/delivery/delivery-settings.ts';
import type { Supervisor } from '../workers/supervisor.ts';
import type { ResolvedThreadingMode } from '../workers/threading.ts';
import type { DaemonLog } from './daemon-log.ts';
import type { DaemonHttp } from './http/daemon-http.ts';
import type { ResolvedDaemonOptions } from './options-resolve.ts';
import { packageRelease } from './release.ts';

const READABLE =
  'HTTP beyond this machine is not encrypted, so its tokens can be read on the way: put a proxy with TLS in front of HttpListen';

/** Null: `HttpListen` names no address. @throws (rejects) as `DaemonHttp.open` */
export async function openHttp(
  { configuration, self }: ResolvedDaemonOptions,
  { name, maxSessions }: DaemonSpec,
  delivery: () => DeliverySettings,
  threadingMode: ResolvedThreadingMode,
  supervisor: Supervisor,
  log: DaemonLog,
): Promise<DaemonHttp | null> {
  const { options, segments } = configuration;
  if (options.httpListen.length === 0) return null;
  if (!options.httpListen.every(isLoopbackEndpoint)) log.warn({}, READABLE);
  // A daemon without HTTP need not load what serves it.
  const http = await import('./http/daemon-http.ts');
  return http.DaemonHttp.open(
    { listen: options.httpListen, tokenFile: options.httpTokenFile },
    {
      info: { name, release: packageRelease(), threadingMode },
      daemons: allHosts(segments),
      self: self.node,
      counters: supervisor.memory.counters,
      limits: () => {
        const { limits, maxQueuedBytes } = delivery();
        const { maxSessionMessages, maxSessionBytes } = limits;
        return { maxSessions, maxSessionMessages, maxSessionBytes, maxQueuedBytes };
      },
      inspect: () => supervisor.inspect(),
      loads: () => supervisor.loads(),
      log,
    },
  );
}

export const urlsOf = (http: DaemonHttp | null): readonly string[] =>
  http === null ? [] : http.endpoints.map((endpoint) => `http://${endpointText(endpoint)}/`);
