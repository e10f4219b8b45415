import { brokerSystems } from './brokers.ts';
import { corosyncSystem } from './corosync.ts';
import { genuineSpreadSystems } from './genuine-spread.ts';
import { relaySystem } from './relay.ts';
import { skeinSystems } from './skein.ts';
import type { System } from './system.ts';
import { zeromqSystem } from './zeromq.ts';

export const allSystems: readonly System[] = [
  ...skeinSystems,
  ...genuineSpreadSystems,
  ...brokerSystems,
  zeromqSystem,
  corosyncSystem,
  relaySystem,
];

/** Compared in every scenario that suits them; the others only where a scenario or the command line names them. */
export const HEADLINE_SYSTEMS: readonly string[] = ['skein', 'spread', 'nats', 'redis', 'mosquitto', 'zeromq', 'relay'];

/** The system everything is put in relation to. */
export const SUBJECT = 'skein';
