import { brokerSystems } from './brokers.ts';
import { corosyncSystems } from './corosync.ts';
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
  ...corosyncSystems,
  relaySystem,
];

/** Measured in every headline scenario that suits them. */
export const HEADLINE_SYSTEMS: readonly string[] = ['skein', 'spread', 'nats', 'redis', 'relay'];

/** Measured in every scenario of the full set; others only where a scenario or the command line names them. */
export const FULL_SYSTEMS: readonly string[] = [...HEADLINE_SYSTEMS, 'mosquitto', 'zeromq', 'corosync'];

/** The system that others are compared with. */
export const SUBJECT = 'skein';
