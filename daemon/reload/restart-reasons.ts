/** Why each option that a reload cannot change takes a restart. The compiler sees to it that none is left out. */
import type { OptionKey } from '../../engine/config/configuration-options.ts';
import type { OPTION_CATALOGUE } from '../../engine/config/option-catalogue.ts';

type Catalogue = typeof OPTION_CATALOGUE;
type OfTheRing = {
  readonly [Key in OptionKey]: Catalogue[Key] extends { readonly ringWide: true } ? Key : never;
}[OptionKey];
type OfTheStart = {
  readonly [Key in OptionKey]: Catalogue[Key]['change'] extends 'restart' | 'content' ? Key : never;
}[OptionKey];

/** Options that belong to one daemon, and are read at its start only. */
export type RestartKey = Exclude<OfTheStart, OfTheRing>;

const CLIENT_PORTS = 'the ports and sockets of clients are opened once, and shared by all workers';
const THREADS = 'agents stay on their thread for the life of the daemon';
const IDENTITY = 'the process becomes its user before it serves, and cannot become another one';
const STATE = 'incarnation and ring sequence number are taken from there at the start';
const DATAGRAMS = 'the sockets between daemons are opened once';

export const RESTART_REASONS: Readonly<Record<RestartKey, string>> = {
  listenBacklog: 'the kernel takes it when a port is opened',
  unixSocketDir: CLIENT_PORTS,
  tlsListen: CLIENT_PORTS,
  webSocketListen: CLIENT_PORTS,
  webSocketTlsListen: CLIENT_PORTS,
  httpListen: 'its ports are opened at the start, when the user of the daemon may still open every one',
  httpTlsListen: 'its ports are opened at the start, when the user of the daemon may still open every one',
  httpTokenFile: 'it is opened with the ports of HTTP; its content changes by itself',
  stateDir: STATE,
  volatile: STATE,
  transport: DATAGRAMS,
  datagramSize: 'the buffers of packets are made for it',
  ignoreMulticastJoinErrors: DATAGRAMS,
  threadingMode: THREADS,
  deliveryWorkers: THREADS,
  daemonUser: IDENTITY,
  daemonGroup: IDENTITY,
  runtimeDir: IDENTITY,
};

/** Of an option that belongs to the ring. */
export const DRIFT_REASON = 'it belongs to the ring: all daemons must have the same';
/** Whatever its entry says: a daemon seals its traffic from its start on or never. */
export const KEYS_REASON = 'a daemon seals its traffic from its start on, or never';
export const TLS_REASON = 'a port with TLS that is open needs it; it stays in force until the port is gone';
