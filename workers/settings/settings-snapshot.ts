/**
 * Everything of a running daemon that a reload may change in its threads, as one frozen object with a number. All threads get the same one:
 * they prepare it, and then either all apply it or all discard it (two-steps.ts). While they apply, one thread may go by it a duty cycle
 * before another.
 */
import type { DeliverySettings } from '../delivery/delivery-settings.ts';
import type { LogRecordLevel } from '../log.ts';
import type { RingSettings } from '../ring/ring-settings.ts';

/** Plain data: it travels to worker threads. */
export interface SettingsSnapshot {
  /** Counts those that were put in force; that of the start is 1. */
  readonly generation: number;
  readonly logLevel: LogRecordLevel | 'silent';
  readonly delivery: DeliverySettings;
  /** Windows are set from a monitor, and stay. */
  readonly ring: Omit<RingSettings, 'windows'>;
}

export const FIRST_GENERATION = 1;
